"""Archives over HTTP: parts, cuts, limits, damage and readers that take their time."""

import gzip
import hashlib
import io
import pathlib
import random
import socket
import subprocess
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor

import bson
import pytest
import requests
from harness.client import OWN, assert_error, legacy, tenant
from harness.limits import allow_connections
from harness.processes import wait_until

MEGABYTE = 1 << 20
SIZE = 48 * MEGABYTE  # of documents that cannot be compressed: far more than sockets hold


class Offered:
    """A server with one snapshot, large enough to be cut."""

    def __init__(self, servers):
        self.source = servers.memory("--replica-set", "rs0")
        load_noise(self.source)
        self.tidemark = servers.tidemark("--max-streams", "4")
        self.owner = self.tidemark.client()
        self.project = self.tidemark.project
        self.owner.add_cluster(self.project, "Source", self.source.uri)
        self.snapshot = self.owner.take_snapshot(self.project, "Source")
        self.whole = requests.get(self.ask()["delivery"]["url"], timeout=60).content

    def ask(self, **delivery):
        body = {"snapshotId": self.snapshot, "delivery": {"methodName": "HTTP", **delivery}}
        answer = self.owner.post(legacy(self.project, "Source"), body)
        assert answer.status_code == 200, answer.text
        return answer.json()["results"][0]

    def job(self, job):
        return self.owner.get(legacy(self.project, "Source") + f"/{job['id']}").json()

    def status(self, job):
        return self.job(job)["delivery"]["statusName"]


def load_noise(server):
    noise = random.Random(7)
    server.client["shop"]["noise"].insert_many(
        {"_id": n, "bytes": noise.randbytes(MEGABYTE // 4)} for n in range(4 * SIZE // MEGABYTE)
    )
    server.client["shop"]["orders"].insert_many({"_id": n, "customer": n % 7} for n in range(2000))


@pytest.fixture(scope="module")
def offered(session_servers):
    return Offered(session_servers)


def connect(url, headers=""):
    """A connection that has asked for the URL and has read nothing yet."""
    host, path = url.removeprefix("http://").split("/", 1)
    name, port = host.split(":")
    connection = socket.create_connection((name, int(port)), timeout=60)
    connection.sendall(f"GET /{path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n".encode())
    return connection


def read_head(connection):
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(1)
        assert piece, head
        head += piece
    return head.decode()


def curl(*arguments):
    return subprocess.run(["curl", "-sS", *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120)


def sha1(data):
    return hashlib.sha1(data).hexdigest()


def members(archive):
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        return {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}


def test_archive_holds_the_documents(offered):
    files = members(offered.whole)
    found = bson.decode_all(files["dump/shop/orders.bson"])
    assert sorted(document["_id"] for document in found) == list(range(2000))
    assert {document["_id"] for document in bson.decode_all(files["dump/shop/noise.bson"])} == set(range(192))
    assert "dump/shop/orders.metadata.json" in files


def test_every_download_of_the_snapshot_is_the_same(offered):
    assert requests.get(offered.ask()["delivery"]["url"], timeout=60).content == offered.whole


def test_headers(offered):
    delivery = offered.ask()["delivery"]
    head = requests.head(delivery["url"], headers={"Accept-Encoding": "gzip"}, timeout=60)
    assert head.status_code == 200
    assert head.headers["Content-Type"] == "application/gzip"
    assert head.headers["Content-Disposition"] == f'attachment; filename="{delivery["url"].rsplit("/", 1)[1]}"'
    assert head.headers["Cache-Control"] == "no-store"
    assert head.headers["Accept-Ranges"] == "bytes"
    assert "Content-Encoding" not in head.headers


def test_parts_are_the_bytes_of_the_whole(offered):
    url = offered.ask()["delivery"]["url"]
    size = len(offered.whole)
    chance = random.Random(3)
    spans = [(0, 0), (size - 1, size - 1), (0, size - 1)]
    spans += [sorted(chance.randrange(size) for _ in range(2)) for _ in range(12)]
    for first, last in spans:
        part = requests.get(url, headers={"Range": f"bytes={first}-{last}"}, timeout=60)
        assert part.status_code == 206
        assert part.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
        assert part.content == offered.whole[first : last + 1], (first, last)
    beyond = requests.get(url, headers={"Range": f"bytes={size}-"}, timeout=60)
    assert_error(beyond, 416, "RANGE_NOT_SATISFIABLE")
    assert beyond.headers["Content-Range"] == f"bytes */{size}"


def test_a_late_part_comes_quickly(offered):
    url = offered.ask()["delivery"]["url"]
    requests.get(url, headers={"Range": "bytes=0-0"}, timeout=60)  # somebody has packed it once
    begin = time.monotonic()
    requests.get(url, headers={"Range": f"bytes={len(offered.whole) - 100}-"}, timeout=60)
    late = time.monotonic() - begin
    begin = time.monotonic()
    requests.get(url, timeout=60)
    assert late < (time.monotonic() - begin) / 2


def test_a_late_part_comes_quickly_after_a_restart(servers):
    """Ended in order or killed: what a range needs to know of the archive is still there."""
    source, tidemark = servers.memory("--replica-set", "rs0"), servers.tidemark()
    load_noise(source)
    owner = tidemark.client()
    owner.add_cluster(tidemark.project, "Source", source.uri)
    snapshot = owner.take_snapshot(tidemark.project, "Source")
    body = {"snapshotId": snapshot, "delivery": {"methodName": "HTTP"}}
    url = owner.post(legacy(tidemark.project, "Source"), body).json()["results"][0]["delivery"]["url"]
    whole = requests.get(url, timeout=60).content
    maps = tidemark.data_dir / "archive-maps"
    assert [file.name for file in maps.iterdir()] == [f"{snapshot}.map"]

    def fetch_end():
        begin = time.monotonic()
        part = requests.get(url, headers={"Range": f"bytes={len(whole) - 100}-"}, timeout=60)
        assert (part.status_code, part.content) == (206, whole[-100:])
        return time.monotonic() - begin

    late = []
    for end in (tidemark.stop, tidemark.kill):
        end()
        tidemark.start()
        late.append(fetch_end())
    for file in maps.iterdir():
        file.write_bytes(file.read_bytes()[:-5] + b"AAAAA")  # damaged: as if it were not there
    tidemark.stop()
    tidemark.start()
    without = fetch_end()
    assert max(late) < without / 2, (late, without)


def test_curl_goes_on_with_a_cut_download(offered, tmp_path):
    job = offered.ask(maxDownloads=1)
    file = tmp_path / "archive.tar.gz"
    with connect(job["delivery"]["url"]) as connection:
        read_head(connection)
    cut = curl("--max-time", 60, "--limit-rate", "200M", "-o", file, job["delivery"]["url"], "-r", "0-9999999")
    assert cut.returncode == 0, cut.stderr
    assert file.stat().st_size == 10_000_000
    rest = curl("-C", "-", "-o", file, job["delivery"]["url"])
    assert rest.returncode == 0, rest.stderr
    assert file.read_bytes() == offered.whole
    assert offered.status(job) == "MAX_DOWNLOADS_EXCEEDED"
    assert offered.job(job)["hashes"][0]["hash"] == sha1(offered.whole)


def test_two_at_once_of_one_that_is_allowed(offered):
    job = offered.ask(maxDownloads=1)
    url = job["delivery"]["url"]
    first = connect(url)
    assert read_head(first).startswith("HTTP/1.1 200")
    assert_error(requests.get(url, timeout=60), 403, "MAX_DOWNLOADS_EXCEEDED")
    first.close()  # breaks off, and gives it back

    def got():
        answer = requests.get(url, timeout=60)
        return answer if answer.status_code == 200 else None

    assert wait_until(got, "the place to be free").content == offered.whole
    assert_error(requests.get(url, timeout=60), 403, "MAX_DOWNLOADS_EXCEEDED")
    assert offered.status(job) == "MAX_DOWNLOADS_EXCEEDED"


def test_of_many_at_once_as_many_as_are_allowed(offered):
    for _ in range(3):
        url = offered.ask(maxDownloads=2)["delivery"]["url"]
        with ThreadPoolExecutor(4) as pool:
            statuses = sorted(pool.map(lambda _, url=url: requests.get(url, timeout=60).status_code, range(4)))
        assert statuses == [200, 200, 403, 403]


def test_ended_download_is_gone_and_frees_the_snapshot(offered, servers):
    owner, project = offered.owner, offered.project
    extra = owner.take_snapshot(project, "Source")
    answer = owner.post(tenant(project, "Source") + "/download", {"snapshotId": extra})
    job, path = answer.json(), f"{OWN}/projects/{project}/clusters/Source"
    assert_error(owner.delete(f"{path}/snapshots/{extra}"), 409, "SNAPSHOT_IN_USE")
    assert owner.delete(f"{path}/restoreJobs/{job['id']}").status_code == 204
    assert_error(requests.get(job["snapshotUrl"], timeout=60), 410, "DOWNLOAD_EXPIRED")
    found = owner.get(tenant(project, "Source") + f"/restores/{job['id']}").json()
    assert "snapshotUrl" not in found
    assert found["status"] == "COMPLETED"
    assert owner.get(legacy(project, "Source") + f"/{job['id']}").json()["delivery"]["statusName"] == "EXPIRED"
    assert owner.delete(f"{path}/snapshots/{extra}").status_code == 204


def test_wrong_key(offered):
    delivery = offered.ask()["delivery"]
    refused = requests.get(delivery["urlV2"], headers={"X-Restore-Key": "0" * 64}, timeout=60)
    assert_error(refused, 404, "DOWNLOAD_NOT_FOUND")
    assert_error(requests.get(delivery["urlV2"], timeout=60), 404, "DOWNLOAD_NOT_FOUND")
    good = requests.get(delivery["urlV2"], headers={delivery["authHeader"]: delivery["authValue"]}, timeout=60)
    assert good.content == offered.whole
    assert delivery["authValue"] not in offered.tidemark.log_text()


def test_damage_breaks_the_framing(servers, tmp_path):
    source, tidemark = servers.memory("--replica-set", "rs0"), servers.tidemark()
    load_noise(source)
    owner = tidemark.client()
    owner.add_cluster(tidemark.project, "Source", source.uri)
    snapshot = owner.take_snapshot(tidemark.project, "Source")
    packs = [path for path in pathlib.Path(tidemark.data_dir, "repo", "packs").rglob("*") if path.is_file()]
    middle = sorted(packs, key=lambda path: path.stat().st_mtime)[len(packs) // 2]
    content = bytearray(middle.read_bytes())
    content[len(content) // 2] ^= 1
    middle.write_bytes(content)
    job = owner.post(tenant(tidemark.project, "Source") + "/download", {"snapshotId": snapshot}).json()
    done = curl("-o", tmp_path / "archive.tar.gz", job["snapshotUrl"])
    assert done.returncode in (18, 56), done  # transfer closed with data remaining
    assert 0 < (tmp_path / "archive.tar.gz").stat().st_size < SIZE
    assert "hashes" not in owner.get(legacy(tidemark.project, "Source") + f"/{job['id']}").json()


def test_kill_amid_a_download_gives_it_back(servers):
    source, tidemark = servers.memory("--replica-set", "rs0"), servers.tidemark()
    load_noise(source)
    owner = tidemark.client()
    owner.add_cluster(tidemark.project, "Source", source.uri)
    snapshot = owner.take_snapshot(tidemark.project, "Source")
    body = {"snapshotId": snapshot, "delivery": {"methodName": "HTTP", "maxDownloads": 1}}
    url = owner.post(legacy(tidemark.project, "Source"), body).json()["results"][0]["delivery"]["url"]
    with connect(url) as connection:
        read_head(connection)
        begun = connection.recv(MEGABYTE)
        tidemark.kill()
    tidemark.start()
    rest = requests.get(url, headers={"Range": "bytes=1000-"}, timeout=60)
    assert rest.status_code == 206
    assert len(begun) > 0
    assert len(members(gzip_from(rest, url))) > 0
    assert_error(requests.get(url, timeout=60), 403, "MAX_DOWNLOADS_EXCEEDED")


def gzip_from(rest, url):
    """The whole archive: its beginning is still part of the same download."""
    beginning = requests.get(url, headers={"Range": "bytes=1-999"}, timeout=60)
    assert beginning.status_code == 206
    return b"\x1f" + beginning.content + rest.content


def test_slow_readers_are_bounded(offered):
    allow_connections(1000)
    url = offered.ask()["delivery"]["url"]
    pid = offered.tidemark.pid
    slow = []
    try:
        for _ in range(1000):
            slow.append(connect(url))
        heads = [read_head(connection).split("\r\n", 1)[0] for connection in slow]
        assert heads.count("HTTP/1.1 200 OK") <= 4
        assert heads.count("HTTP/1.1 503 Service Unavailable") >= 996
        begin = time.monotonic()
        assert offered.owner.get(legacy(offered.project, "Source")).status_code == 200
        assert time.monotonic() - begin < 5
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        resident = int(status.split("VmRSS:")[1].split()[0]) >> 10
        threads = int(status.split("Threads:")[1].split()[0])
        assert resident < 512, status
        assert threads < 80, status
    finally:
        for connection in slow:
            connection.close()
    wait_until(lambda: requests.get(url, timeout=60).status_code == 200, "streams to be free")


def test_busy_server_says_when_to_come_again(offered):
    url = offered.ask()["delivery"]["url"]
    held = [connect(url) for _ in range(4)]
    try:
        assert all(read_head(connection).startswith("HTTP/1.1 200") for connection in held)
        answer = requests.get(url, timeout=60)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "1"
    finally:
        for connection in held:
            connection.close()


def test_links_outlive_a_new_master_key(servers):
    source, tidemark = servers.memory("--replica-set", "rs0"), servers.tidemark()
    source.client["shop"]["orders"].insert_one({"_id": 1})
    owner = tidemark.client()
    owner.add_cluster(tidemark.project, "Source", source.uri)
    snapshot = owner.take_snapshot(tidemark.project, "Source")
    job = owner.post(tenant(tidemark.project, "Source") + "/download", {"snapshotId": snapshot}).json()
    tidemark.stop()
    rotated = tidemark.command("master-key", "rotate", "--data-dir", str(tidemark.data_dir))
    assert rotated.returncode == 0, rotated.stderr
    tidemark.start()
    found = tidemark.client().get(tenant(tidemark.project, "Source") + f"/restores/{job['id']}").json()
    assert found["snapshotUrl"] == job["snapshotUrl"]
    assert "dump/shop/orders.bson" in members(requests.get(job["snapshotUrl"], timeout=60).content)


def exported(offered, tmp_path, *options, name="file", status=0):
    file = tmp_path / name
    done = offered.tidemark.command(
        "snapshot", "export", "Source", offered.snapshot, "--project", offered.project, "-o", str(file), *options,
        key=offered.tidemark.key,
    )  # fmt: skip
    assert done.returncode == status, done.stderr
    return file


def test_command_line_exports_a_snapshot(offered, tmp_path):
    assert exported(offered, tmp_path).read_bytes() == offered.whole
    archive = exported(offered, tmp_path, "--format", "archive", name="archive").read_bytes()
    assert archive[:4] == b"\x6d\xe2\x99\x81"
    packed = exported(offered, tmp_path, "--format", "archive.gz", name="archive.gz").read_bytes()
    assert gzip.decompress(packed) == archive
    lines = members(exported(offered, tmp_path, "--format", "json", "--relaxed", name="json.tar.gz").read_bytes())
    assert any(b'{"_id":7,"customer":0}' in content for content in lines.values())


def test_export_never_overwrites_and_leaves_nothing_half(offered, tmp_path):
    (tmp_path / "file").write_text("mine")
    exported(offered, tmp_path, status=4)
    assert (tmp_path / "file").read_text() == "mine"
    done = offered.tidemark.command(
        "snapshot", "export", "Source", "0" * 24, "--project", offered.project, "-o", str(tmp_path / "other"),
        key=offered.tidemark.key,
    )  # fmt: skip
    assert done.returncode != 0
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
