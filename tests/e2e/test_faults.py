"""Damage, absence and secrets."""

import os
import pathlib
import subprocess
import urllib.parse

import pytest
from conftest import load_sample
from harness.client import assert_error, role
from harness.compare import assert_same, contents
from harness.tidemark import Tidemark

MIB = 1 << 20


@pytest.fixture
def small_world(servers):
    """A server and two clusters of this test alone."""
    source, target = servers.ferretdb(), servers.ferretdb()
    tidemark = servers.tidemark()
    client = tidemark.client()
    client.add_cluster(tidemark.project, "Source", source.uri)
    client.add_cluster(tidemark.project, "Target", target.uri)
    load_sample(source)
    return tidemark, client, source, target


def largest_pack(data_dir):
    packs = [path for path in (data_dir / "repo").rglob("*") if path.is_file() and "pack" in str(path)]
    return max(packs, key=lambda path: path.stat().st_size)


def flip_bit(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.chmod(0o600)
    path.write_bytes(data)


def test_a_flipped_bit_fails_the_restore_and_the_target_says_so(small_world):
    tidemark, client, source, target = small_world
    source.client["large"]["data"].insert_many([{"_id": n, "v": os.urandom(20_000)} for n in range(50)])
    expected = contents(source)
    snapshot = client.take_snapshot(tidemark.project, "Source")
    pack = largest_pack(tidemark.data_dir)
    flip_bit(pack)
    answer = client.start_restore(tidemark.project, "Source", snapshot, "Target")
    assert answer.status_code == 200
    done = client.wait_restore(tidemark.project, "Source", answer.json()["id"])
    assert done["state"] == "FAILED"
    assert done["failure"]
    assert "tidemark_restore" in target.client.list_database_names()
    flip_bit(pack)
    client.restore(tidemark.project, "Source", snapshot, "Target")
    assert_same(expected, contents(target))
    assert "tidemark_restore" not in target.client.list_database_names()


def test_target_that_goes_away_fails_the_restore_with_a_reason(small_world):
    tidemark, client, source, target = small_world
    source.client["many"]["data"].insert_many([{"_id": n, "v": "x" * 200} for n in range(8000)])
    snapshot = client.take_snapshot(tidemark.project, "Source")
    restore = client.start_restore(tidemark.project, "Source", snapshot, "Target").json()["id"]
    target.process.kill()
    done = client.wait_restore(tidemark.project, "Source", restore)
    assert done["state"] == "FAILED"
    assert done["failure"]
    answer = client.start_restore(tidemark.project, "Source", snapshot, "Target")
    assert_error(answer, 400, "TENANT_RESTORE_DESTINATION_UNAVAILABLE")


def test_source_that_goes_away_fails_the_snapshot_with_a_reason(small_world):
    tidemark, client, source, _ = small_world
    source.client["many"]["data"].insert_many([{"_id": n, "v": "x" * 200} for n in range(8000)])
    snapshot = client.start_snapshot(tidemark.project, "Source")
    source.process.kill()
    done = client.wait_snapshot(tidemark.project, "Source", snapshot)
    assert done["state"] == "FAILED"
    assert done["failure"]


def read_everything(directory):
    for path in pathlib.Path(directory).rglob("*"):
        if path.is_file() and path.name != "master.key":
            yield path, path.read_bytes()


def test_secrets_are_in_no_log_and_no_file(servers):
    password = "planted/p@ssw0rd-4711"
    quoted = urllib.parse.quote(password, safe="")
    source = servers.ferretdb(password="planted-login-0815")
    tidemark = servers.tidemark("--log-level", "debug")
    client = tidemark.client()
    client.add_cluster(tidemark.project, "Source", source.uri)
    client.add_cluster(tidemark.project, "Wrong", source.uri.replace("planted-login-0815", quoted))
    source.client["shop"]["things"].insert_one({"_id": 1, "text": "planted document text"})
    client.take_snapshot(tidemark.project, "Source")
    failed = client.wait_snapshot(tidemark.project, "Wrong", client.start_snapshot(tidemark.project, "Wrong"))
    check = client.own("POST", f"/projects/{tidemark.project}/clusters/Wrong/check")
    refused = client.post(
        f"/api/tidemark/v1/projects/{tidemark.project}/clusters",
        {"name": "Bad", "connectionString": f"mongodb//root:{quoted}@127.0.0.1/"},
    )
    assert_error(refused, 400, "VALIDATION_ERROR")
    key = client.create_key(role("GROUP_OWNER", tidemark.project))
    account = client.create_service_account(role("GROUP_OWNER", tidemark.project))
    token = client.fetch_token(account)
    tidemark.client(key).get("/api/atlas/v2/groups")
    tidemark.client(token).get("/api/atlas/v2/groups")
    tidemark.client("not-a-token-but-secret-1234").get("/api/atlas/v2/groups")

    assert failed["state"] == "FAILED"
    secrets = [password, quoted, "planted-login-0815", "planted document text", "not-a-token-but-secret-1234"]
    secrets += [tidemark.key.private, key.private, account.secret, token]
    places = [*read_everything(tidemark.data_dir.parent), ("answers", f"{failed} {check} {refused.text}".encode())]
    found = [(place, secret) for place, data in places for secret in secrets if secret.encode() in data]
    assert not found


def test_private_files_are_private(servers):
    tidemark = servers.tidemark()
    assert tidemark.data_dir.stat().st_mode & 0o077 == 0
    assert (tidemark.data_dir / "master.key").stat().st_mode & 0o777 == 0o600


@pytest.fixture
def small_disk(tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", place], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def test_full_disk_fails_the_snapshot_and_nothing_else(servers, small_disk):
    source, target = servers.ferretdb(), servers.ferretdb()
    tidemark = Tidemark(small_disk / "tidemark").start()
    try:
        client = tidemark.client()
        client.add_cluster(tidemark.project, "Source", source.uri)
        client.add_cluster(tidemark.project, "Target", target.uri)
        load_sample(source)
        expected = contents(source)
        good = client.take_snapshot(tidemark.project, "Source")
        source.client["large"]["data"].insert_many([{"_id": n, "v": os.urandom(MIB)} for n in range(40)])
        snapshot = client.start_snapshot(tidemark.project, "Source")
        done = client.wait_snapshot(tidemark.project, "Source", snapshot)
        assert done["state"] == "FAILED"
        assert "no space" in done["failure"].lower()
        assert tidemark.is_running()
        subprocess.run(["mount", "-o", "remount,size=256m", small_disk], check=True)
        client.restore(tidemark.project, "Source", good, "Target")
        assert_same(expected, contents(target))
        client.take_snapshot(tidemark.project, "Source")
    finally:
        tidemark.stop()
