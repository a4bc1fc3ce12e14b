"""Clients that want to hurt: the server stays small, and everybody else is served."""

import contextlib
import os
import pathlib
import random
import socket
import ssl
import threading
import time

import pytest
import requests
from harness.certificates import CertificateFiles
from harness.client import FIRST_VERSION, OWN, legacy, role
from harness.limits import allow_connections

CONNECTIONS = int(os.environ.get("TIDEMARK_ATTACKERS", "10000"))
MIB = 1 << 20
QUICK = 2.0  # seconds; the machine is busy


@pytest.fixture(scope="module")
def server(session_servers):
    return session_servers.tidemark("--max-connections", str(CONNECTIONS + 100))


@pytest.fixture(scope="module")
def token(server):
    owner = server.client()
    return owner.fetch_token(owner.create_service_account(role("ORG_OWNER", organization=server.organization)))


def resident(server):
    status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) << 10


def connect(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=60)


@contextlib.contextmanager
def many(server, count):
    allow_connections(count)
    opened = []
    try:
        for _ in range(count):
            opened.append(connect(server))
        yield opened
    finally:
        for connection in opened:
            connection.close()


def assert_serves_others(server):
    worst = 0
    for _ in range(20):
        begin = time.monotonic()
        assert requests.get(server.url + "/readyz", timeout=30).status_code == 200
        worst = max(worst, time.monotonic() - begin)
    assert worst < QUICK
    return worst


def read_all(connection):
    data = b""
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(65536):
            data += piece
    return data


def ask(server, text):
    with connect(server) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        return read_all(connection)


def test_idle_connections_cost_little(server):
    before = resident(server)
    with many(server, CONNECTIONS) as opened:
        for connection in opened[::2]:  # half of them have been served once
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
        worst = assert_serves_others(server)
        each = (resident(server) - before) / CONNECTIONS
        print(f"{CONNECTIONS} connections, {each / 1024:.1f} KiB each, slowest answer to others {worst * 1000:.0f} ms")
        assert each < 16 * 1024
        with contextlib.ExitStack() as more:
            late = [more.enter_context(connect(server)) for _ in range(120)]
            assert read_all(late[-1]).startswith(b"HTTP/1.1 503 ")
    assert_serves_others(server)


def test_idle_tls_connections_cost_little(session_servers, tmp_path):
    server = session_servers.tidemark(certificate=CertificateFiles(tmp_path))
    context = ssl._create_unverified_context()
    count = min(CONNECTIONS, 1000)
    with context.wrap_socket(connect(server)):  # what the first one costs is not counted
        before = resident(server)
        with many(server, count) as opened, contextlib.ExitStack() as ends:
            secured = [ends.enter_context(context.wrap_socket(connection)) for connection in opened]
            for connection in secured[::2]:
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
            each = (resident(server) - before) / count
            print(f"{count} TLS connections, {each / 1024:.1f} KiB each")
            assert each < 32 * 1024


def test_trickled_heads_are_cut_after_a_while(server):
    head = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 1000
    with many(server, 500) as opened:
        begin = time.monotonic()
        alive = list(opened)
        at = 0
        while alive and time.monotonic() - begin < 40:
            for connection in list(alive):
                try:
                    connection.sendall(head[at : at + 1])
                except ConnectionError:
                    alive.remove(connection)
            at += 1
            assert_serves_others(server)
            time.sleep(0.5)
        assert not alive
        assert time.monotonic() - begin > 10


def test_huge_bodies_are_refused_without_being_held(server, token):
    before = resident(server)
    piece = bytes(MIB)

    def send(framing):
        with connect(server) as connection:
            head = f"POST {OWN}/projects HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n{framing}\r\n\r\n"
            with contextlib.suppress(ConnectionError, TimeoutError):
                connection.sendall(head.encode())
                for _ in range(100):
                    chunk = b"100000\r\n" + piece + b"\r\n" if "chunked" in framing else piece
                    connection.sendall(chunk)
            answers.append(read_all(connection))

    answers = []
    framings = [f"Content-Length: {100 * MIB}", "Transfer-Encoding: chunked"]
    threads = [threading.Thread(target=send, args=(framings[n % 2],)) for n in range(16)]
    for thread in threads:
        thread.start()
    most = 0
    while any(thread.is_alive() for thread in threads):
        most = max(most, resident(server))
        time.sleep(0.05)
    assert_serves_others(server)
    assert len(answers) == 16
    assert all(answer.startswith(b"HTTP/1.1 413 ") for answer in answers), answers
    assert most - before < 64 * MIB, f"{most - before} bytes more"


def test_bodies_that_never_end_are_held_within_bounds(server):
    """Nobody has to know a key to send a body."""
    before = resident(server)
    head = b"POST /api/oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n"
    with many(server, 500) as opened:
        for connection in opened:
            connection.sendall(head + b"x" * (MIB - 1))
        assert_serves_others(server)
        # 32 MiB of bodies, 16 KiB for each, the buffers that they are read through; not 500 MiB.
        more = resident(server) - before
        print(f"500 bodies, {more / MIB:.0f} MiB")
        assert more < 80 * MIB
    assert_serves_others(server)


def test_a_flood_of_pipelined_requests_waits_in_the_socket(server):
    before = resident(server)
    flood = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 20000
    with many(server, 20) as opened:
        for connection in opened:
            connection.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                sent = 0
                while sent < len(flood):
                    sent += connection.send(flood[sent:])
        assert_serves_others(server)
        assert resident(server) - before < 32 * MIB


SHAPES = [
    "/api/atlas/v2/../../healthz",
    "/api/atlas/v2/groups/..%2f..%2fhealthz",
    "/api/atlas/v2/groups/%00",
    "/api/atlas/v2/groups/%c0%af/clusters",
    "/api/atlas/v2/groups/%zz",
    "//api/atlas/v2/groups",
    "/api/atlas/v2/groups/{project}%2Fclusters",
    "/api/atlas/v1.0/groups/{project}/clusters/a%2Fb/backup/tenant/restores",
    "/api/atlas/v1.0/groups/{project}/clusters/a%00b/backup/tenant/restores",
    "/api/atlas/v1.0/groups/{project}/clusters/a%0d%0aX:y/backup/tenant/restores",
    "/" + "a" * 8000,
    "/" + "/" * 8000,
    "*",
]


@pytest.mark.parametrize("shape", SHAPES)
def test_odd_paths_are_not_found(server, token, shape):
    path = shape.replace("{project}", server.project)
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nAccept: {FIRST_VERSION}\r\n"
    answer = ask(server, f"{head}Connection: close\r\n\r\n".encode())
    assert answer.split(b" ")[1] in (b"400", b"404"), answer
    assert b"\r\nX:y" not in answer
    assert server.is_running()


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "BREW", "PUT"])
def test_other_methods_are_405_with_allow(server, token, method):
    owner = server.client()
    for client in (owner, server.client(token)):  # a digest covers the method's name
        answer = client.call(method, OWN + "/projects")
        assert answer.status_code == 405, answer.text
        assert answer.headers["Allow"].split(", ") == ["GET", "HEAD", "POST"]
    assert requests.request(method, server.url + OWN + "/projects", timeout=30).status_code == 401


def test_head_is_get_without_a_body(server, token):
    client = server.client(token)
    got, head = client.get(OWN + "/projects"), client.call("HEAD", OWN + "/projects")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(got.content))


def test_a_smuggled_request_is_not_answered(server):
    inner = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    for framing in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 4",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: \x0bchunked",
        "Transfer-Encoding : chunked",
        "Content-Length: 0\r\nContent-Length: 44",
        "X: y\r\n Transfer-Encoding: chunked\r\nContent-Length: 6",
    ]:
        text = f"POST /healthz HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n0\r\n\r\n{inner}"
        answer = ask(server, text.encode())
        assert answer.count(b"HTTP/1.1 200") <= 1, (framing, answer)
        assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 401 ")), (framing, answer)


def test_random_bytes_do_not_hurt(server):
    noise = random.Random(11)
    starts = [b"", b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"]
    for n in range(300):
        ask(server, starts[n % 3] + noise.randbytes(noise.randrange(1, 3000)))
    assert_serves_others(server)


@pytest.fixture(scope="module")
def offered(session_servers):
    """A server with an archive larger than the buffers of a socket; its address."""
    source = session_servers.memory("--replica-set", "rs0")
    noise = random.Random(7)
    source.client["shop"]["noise"].insert_many({"_id": n, "bytes": noise.randbytes(MIB // 4)} for n in range(64))
    server = session_servers.tidemark("--max-connections", str(CONNECTIONS + 100), "--max-streams", "8")
    owner = server.client()
    owner.add_cluster(server.project, "Source", source.uri)
    asked = {
        "snapshotId": owner.take_snapshot(server.project, "Source"),
        "delivery": {"methodName": "HTTP", "maxDownloads": 10 * CONNECTIONS},
    }
    answer = owner.post(legacy(server.project, "Source"), asked)
    assert answer.status_code == 200, answer.text
    return server, answer.json()["results"][0]["delivery"]["url"]


def test_slow_readers_beyond_the_streams_are_told_to_come_again(offered):
    server, url = offered
    path = url.split(f":{server.port}", 1)[1]
    before = resident(server)
    with many(server, CONNECTIONS) as opened:
        for connection in opened:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        heads = [connection.recv(600) for connection in opened]
        streamed = sum(head.startswith(b"HTTP/1.1 200 ") for head in heads)
        turned = [head for head in heads if head.startswith(b"HTTP/1.1 503 ")]
        others = {head[:400] for head in heads if not head.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 503 "))}
        assert 1 <= streamed <= 8
        assert streamed + len(turned) == CONNECTIONS, others
        assert all(b"\r\nRetry-After: 1\r\n" in head for head in turned)
        worst = assert_serves_others(server)
        more = resident(server) - before
        print(f"{CONNECTIONS} readers, {streamed} served, {more / MIB:.0f} MiB, slowest answer to others {worst * 1000:.0f} ms")
        assert more < 400 * MIB
    assert_serves_others(server)
