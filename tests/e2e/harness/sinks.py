"""Receivers of notices on loopback: an HTTP server and a mail server that keep what they are sent."""

import dataclasses
import email
import email.policy
import http.server
import socketserver
import threading


@dataclasses.dataclass(frozen=True)
class Delivery:
    path: str
    headers: dict
    body: bytes


class _HttpHandler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.sink.received.append(Delivery(self.path, dict(self.headers.items()), body))
        self.send_response(self.server.sink.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class HttpSink:
    """Answers each POST with `status`."""

    def __init__(self, port=0):
        self.status = 200
        self.received = []
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), _HttpHandler)
        self._server.sink = self
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


@dataclasses.dataclass(frozen=True)
class Mail:
    sender: str
    recipients: tuple
    message: email.message.EmailMessage


class _SmtpHandler(socketserver.StreamRequestHandler):
    def handle(self):
        self._say("220 sink")
        sender, recipients = "", []
        while line := self.rfile.readline():
            word = line.strip().decode("ascii")
            if word.startswith(("EHLO", "HELO")):
                self._say("250 sink")
            elif word.startswith("MAIL FROM:"):
                sender = word.split(":", 1)[1].split(" ")[0]
                self._say("250 go on")
            elif word.startswith("RCPT TO:"):
                recipients.append(word.split(":", 1)[1])
                self._say("250 go on")
            elif word == "DATA":
                self._say("354 go on")
                message = email.message_from_bytes(self._read_data(), policy=email.policy.default)
                self.server.sink.received.append(Mail(sender, tuple(recipients), message))
                self._say("250 taken")
            elif word == "QUIT":
                return self._say("221 bye")
            else:
                self._say("502 what?")
        return None

    def _read_data(self):
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line[1:] if line.startswith(b"..") else line)
        return b"".join(lines)

    def _say(self, line):
        self.wfile.write(line.encode("ascii") + b"\r\n")


class SmtpSink:
    def __init__(self):
        self.received = []
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _SmtpHandler)
        self._server.daemon_threads = True
        self._server.sink = self
        self.url = f"smtp://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
