"""A bucket behind enough of S3, in this process. Signatures are checked with Python's own hmac, from what came."""

import hashlib
import hmac
import http.server
import sys
import threading
import time
import urllib.parse
from xml.sax.saxutils import escape

ACCESS_KEY = "AKTIDEMARKE2E"
SECRET_KEY = "e2e/secret+key="
REGION = "eu-test-1"


def _mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class S3Server:
    """`objects` by key. `slow`: seconds that each request takes. `refuse`: a function of (method, key) whose status, if
    any, is the answer."""

    def __init__(self, bucket):
        self.bucket = bucket
        self.objects = {}
        self.etags = {}
        self.uploads = {}
        self.bad_signatures = 0
        self.connections = 0
        self.slow = 0
        self.refuse = lambda method, key: None
        self.requests = []
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"s3": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def is_signed(self, request, body):
        given = dict(part.strip().split("=", 1) for part in
                     request.headers.get("Authorization", "").removeprefix("AWS4-HMAC-SHA256").split(",") if "=" in part)
        path, _, query = request.path.partition("?")
        names = given.get("SignedHeaders", "").split(";")
        payload = hashlib.sha256(body).hexdigest()
        canonical = "\n".join([
            request.command, path, "&".join(sorted(query.split("&"))) if query else "",
            *(f"{name}:{request.headers.get(name, '')}" for name in names), "", ";".join(names), payload])
        date = request.headers.get("x-amz-date", "")
        scope = f"{date[:8]}/{REGION}/s3/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = f"AWS4{SECRET_KEY}".encode()
        for step in (date[:8], REGION, "s3", "aws4_request"):
            key = _mac(key, step)
        return (given.get("Credential") == f"{ACCESS_KEY}/{scope}" and "host" in names
                and request.headers.get("x-amz-content-sha256") == payload
                and hmac.compare_digest(given.get("Signature", ""), _mac(key, text).hex()))

    def answer(self, request, body):
        """(status, body, etag)"""
        path, _, query = request.path.partition("?")
        path = urllib.parse.unquote(path)
        query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        key = path.removeprefix(f"/{self.bucket}").removeprefix("/")
        if path != f"/{self.bucket}" and not path.startswith(f"/{self.bucket}/"):
            return _error(404, "NoSuchBucket")
        with self._lock:
            self.requests.append((request.command, key))
            refused = self.refuse(request.command, key)
            if refused:
                return _error(refused, "AccessDenied" if refused == 403 else "InternalError")
            if "uploads" in query or "uploadId" in query:
                return self._multipart(request.command, key, query, body)
            if request.command == "PUT":
                self.objects[key] = body
                self.etags[key] = hashlib.md5(body).hexdigest()
                return 200, b"", self.etags[key]
            if request.command == "DELETE":
                self.objects.pop(key, None)
                return 204, b"", ""
            if key not in self.objects:
                return _error(404, "NoSuchKey")
            return 200, self.objects[key], self.etags[key]

    def _multipart(self, method, key, query, body):
        if method == "GET":
            found = "".join(f"<Upload><Key>{escape(of)}</Key><UploadId>{name}</UploadId></Upload>"
                            for name, (of, _) in self.uploads.items() if of.startswith(query["prefix"]))
            text = f"<ListMultipartUploadsResult>{found}<IsTruncated>false</IsTruncated></ListMultipartUploadsResult>"
            return 200, text.encode(), ""
        if "uploads" in query:
            name = f"upload-{len(self.requests)}"
            self.uploads[name] = (key, {})
            text = f"<InitiateMultipartUploadResult><UploadId>{name}</UploadId></InitiateMultipartUploadResult>"
            return 200, text.encode(), ""
        if query["uploadId"] not in self.uploads:
            return _error(404, "NoSuchUpload")
        parts = self.uploads[query["uploadId"]][1]
        if method == "PUT":
            parts[int(query["partNumber"])] = body
            return 200, b"", hashlib.md5(body).hexdigest()
        del self.uploads[query["uploadId"]]
        if method == "DELETE":
            return 204, b"", ""
        ordered = [parts[number] for number in sorted(parts)]
        self.objects[key] = b"".join(ordered)
        digest = hashlib.md5(b"".join(hashlib.md5(part).digest() for part in ordered)).hexdigest()
        self.etags[key] = f"{digest}-{len(ordered)}"
        return 200, b"<CompleteMultipartUploadResult></CompleteMultipartUploadResult>", ""


def _error(status, code):
    return status, f"<Error><Code>{code}</Code></Error>".encode(), ""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):  # of a client that was killed
            super().handle_error(request, client_address)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    s3 = None

    def log_message(self, *arguments):
        pass

    def setup(self):
        super().setup()
        self.s3.connections += 1

    def _serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        time.sleep(self.s3.slow)
        if self.s3.is_signed(self, body):
            status, content, etag = self.s3.answer(self, body)
        else:
            self.s3.bad_signatures += 1
            status, content, etag = _error(403, "SignatureDoesNotMatch")
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        if etag:
            self.send_header("ETag", f'"{etag}"')
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve
