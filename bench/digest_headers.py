#!/usr/bin/env python3
"""A script for wrk that repeats a GET with digest credentials: one nonce, a growing count, as curl does it.

    bench/digest_headers.py URL PATH PUBLIC_KEY PRIVATE_KEY COUNT >script.lua
"""

import hashlib
import http.client
import re
import sys
import urllib.parse


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def main():
    url, path, public, private, count = sys.argv[1:]
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc)
    connection.request("GET", path)
    challenge = connection.getresponse().getheader("WWW-Authenticate")
    nonce = re.search(r'nonce="([^"]+)"', challenge).group(1)
    ha1, ha2 = md5(f"{public}:MMS Public API:{private}"), md5(f"GET:{path}")
    print("local headers = {")
    for number in range(1, int(count) + 1):
        nc = f"{number:08x}"
        response = md5(f"{ha1}:{nonce}:{nc}:0a4f113b0a4f113b:auth:{ha2}")
        print(
            f"""'Digest username="{public}", realm="MMS Public API", nonce="{nonce}", uri="{path}", """
            f"""response="{response}", algorithm="MD5", qop=auth, nc={nc}, cnonce="0a4f113b0a4f113b"',"""
        )
    print("}\nlocal next = 0\nfunction request()\n  next = next + 1\n  return wrk.format('GET', nil, {")
    print("    ['Authorization'] = headers[next] })\nend")


if __name__ == "__main__":
    main()
