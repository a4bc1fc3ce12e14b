"""HTTP below the level of a client library: digest by hand, chunked bodies, bytes as they are."""

import hashlib
import http.client
import re

REALM = "MMS Public API"
NONCE = re.compile(r'nonce="([^"]+)"')


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def digest_header(key, method, uri, nonce, count=1):
    cnonce = "0a4f113b0a4f113b"
    nc = f"{count:08x}"
    ha1 = md5(f"{key.public}:{REALM}:{key.private}")
    ha2 = md5(f"{method}:{uri}")
    response = md5(f"{ha1}:{nonce}:{nc}:{cnonce}:auth:{ha2}")
    return (
        f'Digest username="{key.public}", realm="{REALM}", nonce="{nonce}", uri="{uri}", '
        f'response="{response}", algorithm="MD5", qop=auth, nc={nc}, cnonce="{cnonce}"'
    )


class RawConnection:
    """One keep-alive connection; the answer comes with its body already read as `text`."""

    def __init__(self, server):
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)

    def send(self, method, path, headers=None, body=None, chunked=False):
        self._connection.request(method, path, body=body, headers=headers or {}, encode_chunked=chunked)
        answer = self._connection.getresponse()
        answer.text = answer.read().decode()
        return answer

    def nonce(self, path):
        return NONCE.search(self.send("GET", path).getheader("WWW-Authenticate")).group(1)

    def close(self):
        self._connection.close()
