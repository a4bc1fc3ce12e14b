"""The product under test: its server process and its command line."""

import json
import os
import pathlib
import subprocess

import requests
import urllib3

from harness.client import ApiKey, Client
from harness.ports import free_port
from harness.processes import Process, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[3]
urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # only readiness is asked that way
BINARY = os.environ.get("TIDEMARK_BINARY", str(ROOT / "build/release/apps/tidemark/tidemark"))


class Tidemark:
    """A server with its own data directory. `start` and `kill` may alternate; the port stays."""

    def __init__(self, directory, options=(), certificate=None):
        directory.mkdir(parents=True, exist_ok=True)
        self.data_dir = directory / "data"
        self.log_path = directory / "tidemark.log"
        self.port = free_port()
        self.certificate = certificate  # CertificateFiles: https
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"
        self._options = list(options) + (certificate.options if certificate else [])
        self._process = None
        made = self.command("init", "--data-dir", str(self.data_dir), "--output", "json")
        assert made.returncode == 0, made.stderr
        self.made = json.loads(made.stdout)
        self.project = self.made["projectId"]
        self.organization = self.made["organizationId"]
        self.key = ApiKey(self.made["publicKey"], self.made["privateKey"])

    def command(self, *arguments, key=None):
        """Runs one command of the program as a user would; with a key, as a client of this server."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TIDEMARK_")}
        if key:
            environment |= {
                "TIDEMARK_URL": self.url,
                "TIDEMARK_PUBLIC_KEY": key.public,
                "TIDEMARK_PRIVATE_KEY": key.private,
            }
        return subprocess.run(
            [BINARY, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=120
        )

    def start(self):
        command = [BINARY, "serve", "--data-dir", str(self.data_dir), "--listen", f"127.0.0.1:{self.port}"]
        self._process = Process(command + self._options, self.log_path)
        wait_until(self._is_ready, "the server to be ready")
        return self

    def _is_ready(self):
        assert self._process.is_running(), self._process.log_text()
        try:
            return requests.get(self.url + "/readyz", timeout=5, verify=False).status_code == 200
        except requests.ConnectionError:
            return False

    def is_running(self):
        return self._process is not None and self._process.is_running()

    @property
    def pid(self):
        return self._process.pid

    def log_text(self):
        return self._process.log_text()

    def kill(self):
        self._process.kill()

    def stop(self):
        return self._process.terminate() if self._process else None

    @property
    def trusted(self):
        return str(self.certificate.certificate) if self.certificate else True

    def client(self, key=None):
        client = Client(self.url, key or self.key)
        client.session.verify = self.trusted
        return client
