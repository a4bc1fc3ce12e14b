"""Our own certificate: clients over https, renewals without a restart, and what must not get through."""

import contextlib
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest
import requests
from harness.certificates import CertificateFiles
from harness.client import OWN
from harness.limits import allow_connections
from harness.processes import wait_until


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return CertificateFiles(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def server(session_servers, files):
    return session_servers.tidemark(certificate=files)


def served(server):
    """The certificate that a new connection gets, as PEM."""
    return ssl.get_server_certificate(("127.0.0.1", server.port))


def is_installed(server, files):
    return served(server).strip() == files.certificate.read_text().strip()


def reload(server):
    os.kill(server.pid, signal.SIGHUP)


def test_curl_and_requests_trust_it(server, files):
    assert server.client().own("GET", "/projects")["totalCount"] == 1
    done = subprocess.run(
        ["curl", "--silent", "--fail", "--cacert", files.certificate, "--digest"]
        + ["--user", f"{server.key.public}:{server.key.private}", server.url + OWN + "/projects"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert server.project in done.stdout
    assert f'"href":"{server.url}' in done.stdout


def test_a_client_that_does_not_trust_it_refuses(server):
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(server.url + "/healthz", timeout=10, verify=True)


class Load:
    """Keep-alive connections that go on asking; what failed is kept."""

    def __init__(self, server, count=8):
        self.done = 0
        self.failures = []
        self._server = server
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _run(self):
        context = ssl._create_unverified_context()  # the certificate changes meanwhile
        try:
            with socket.create_connection(("127.0.0.1", self._server.port), timeout=30) as plain:
                with context.wrap_socket(plain) as connection:
                    while not self._stop.is_set():
                        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                        answer = b""
                        while not answer.endswith(b"}"):
                            piece = connection.recv(4096)
                            assert piece, "the connection was closed"
                            answer += piece
                        assert answer.startswith(b"HTTP/1.1 200 "), answer
                        self.done += 1
        except Exception as failure:  # noqa: BLE001: told by the test
            self.failures.append(failure)

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(60)


def test_renewals_under_load_cut_nobody_off(server, files):
    load = Load(server)
    try:
        for _ in range(10):
            before = load.done
            files.install(files.make())
            reload(server)
            wait_until(lambda: is_installed(server, files), "the new certificate")
            wait_until(lambda: load.done > before + 50, "the open connections to go on")
    finally:
        load.stop()
    assert load.failures == []


def test_a_renewal_is_seen_without_a_signal(server, files):
    files.install(files.make())
    begin = time.monotonic()
    wait_until(lambda: is_installed(server, files), "the new certificate", seconds=30)
    assert time.monotonic() - begin < 15


def test_a_bad_pair_keeps_the_old_one_and_says_so(server, files):
    files.install(files.make())
    reload(server)
    wait_until(lambda: is_installed(server, files), "the new certificate")
    old = served(server)
    certificate, key = files.make()
    _, other_key = files.make()
    for pair in [(certificate, other_key), (certificate[:200], key), ("", key), (certificate, key[:40]), files.make(-1)]:
        files.install(pair)
        told = server.log_text().count("stays in use")
        reload(server)
        wait_until(lambda told=told: server.log_text().count("stays in use") > told, "a word in the log")
        assert served(server) == old
    line = [line for line in server.log_text().splitlines() if "stays in use" in line][-1]
    assert "2021-01-01T00:00:00Z" in line
    files.install((certificate, key))
    wait_until(lambda: is_installed(server, files), "the good one at last", seconds=30)


def test_old_protocols_and_weak_ciphers_are_refused(server):
    for options in (["-tls1_1"], ["-tls1"], ["-tls1_2", "-cipher", "AES128-SHA:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"]):
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", *options],
            input="",
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert done.returncode != 0, options
    for options in (["-tls1_2"], ["-tls1_3"], ["-tls1_2", "-noservername"]):
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", *options],
            input="",
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert done.returncode == 0, done.stderr


def test_what_is_not_tls_is_closed_and_hurts_nobody(server):
    for garbage in [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", bytes(range(256)) * 64, b"\x16\x03\x01\xff\xff" + b"x" * 70000]:
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
            with contextlib.suppress(OSError):
                connection.sendall(garbage)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(4096):
                    pass
    assert server.client().own("GET", "/projects")["totalCount"] == 1


def test_idle_connections_cost_little(server):
    def resident():
        status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) << 10

    count = 1000
    allow_connections(count)
    context = ssl._create_unverified_context()
    before = resident()
    with contextlib.ExitStack() as opened:
        for _ in range(count):
            plain = socket.create_connection(("127.0.0.1", server.port), timeout=60)
            connection = opened.enter_context(context.wrap_socket(plain))
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
        each = (resident() - before) / count
        print(f"{each / 1024:.1f} KiB each")
        assert each < 160 * 1024


def test_a_pair_that_does_not_belong_together_does_not_start(server, tmp_path):
    files = CertificateFiles(tmp_path)
    files.install((files.make()[0], files.make()[1]))
    assert server.command("init", "--data-dir", str(tmp_path / "data")).returncode == 0
    done = server.command("serve", "--data-dir", str(tmp_path / "data"), "--listen", "127.0.0.1:0", *files.options)
    assert done.returncode != 0
    assert "reading the TLS file" in done.stderr


def test_a_certificate_that_has_ended_is_served_with_a_warning(servers, tmp_path):
    """Schedules go on; only new clients are refused, by themselves."""
    files = CertificateFiles(tmp_path)
    files.install(files.make(-1))
    tidemark = servers.tidemark(certificate=files)
    assert "no longer valid" in tidemark.log_text()
