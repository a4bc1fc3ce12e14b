"""Garbage, damage and statistics of the repository, through the command line."""

import json
import pathlib

import pytest
from harness.compare import assert_same, contents

DAMAGED = 11  # exit status


@pytest.fixture
def run(world):
    def run_command(*arguments, status=0):
        project = ["--project", world.project, "--output", "json"]
        done = world.tidemark.command(*arguments, *project, key=world.tidemark.key)
        assert done.returncode == status, done.stdout + done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    return run_command


def test_check_finds_nothing(run):
    check = run("repo", "check", "--read-data")["check"]
    assert check["damaged"] == 0
    assert check["chunksRead"] > 0
    assert check["namespacesCompared"] > 0
    assert run("repo", "check", "--sample", "50%")["check"]["chunksRead"] <= check["chunksRead"]


def test_gc_frees_a_deleted_snapshot_and_no_other(world, run, session_servers):
    source = session_servers.ferretdb()
    documents = [{"_id": number, "text": f"only here {number}" * 20} for number in range(2000)]
    source.client["db"]["c"].insert_many(documents)
    run("cluster", "add", "GcSource", "--uri", source.uri, "--tier", "shared")
    before = run("repo", "stats")
    snapshot = run("snapshot", "take", "GcSource")["id"]
    taken = run("repo", "stats")
    mine = next(entry for entry in taken["snapshots"] if entry["id"] == snapshot)
    assert taken["storedBytes"] - before["storedBytes"] > 10000
    assert mine["exclusiveBytes"] > 10000
    run("snapshot", "delete", "GcSource", snapshot)
    assert run("repo", "gc", "--dry-run")["gc"]["plan"]["bytesToFree"] > 10000
    done = run("repo", "gc")["gc"]
    assert done["outcome"] == "done"
    assert done["deletedBytes"] > 10000
    after = run("repo", "stats")
    # Less, when earlier tests have left garbage of their own.
    assert after["storedBytes"] < before["storedBytes"] + 10000
    assert run("repo", "check", "--read-data")["check"]["damaged"] == 0
    target = session_servers.ferretdb()
    run("cluster", "add", "GcTarget", "--uri", target.uri, "--tier", "shared")
    run("restore", "start", "Source", "--snapshot", world.snapshot, "--target", "GcTarget")
    assert_same(world.expected, contents(target))


def test_check_names_what_is_damaged(world, run):
    packs = sorted(
        (path for path in pathlib.Path(world.tidemark.data_dir, "repo", "packs").rglob("*") if path.is_file()),
        key=lambda path: path.stat().st_size,
    )
    good = packs[-1].read_bytes()
    bad = bytearray(good)
    bad[60] ^= 1
    packs[-1].write_bytes(bad)
    try:
        check = run("repo", "check", "--read-data", status=DAMAGED)["check"]
        assert check["damaged"] >= 1
        assert check["findings"][0]["message"]
        assert any("namespace" in finding for finding in check["findings"])
    finally:
        packs[-1].write_bytes(good)


def test_damage_is_left_behind_by_deleting_what_holds_it(servers):
    source, target = servers.ferretdb(), servers.ferretdb()
    tidemark = servers.tidemark()
    owner = tidemark.client()
    owner.add_cluster(tidemark.project, "Source", source.uri)
    owner.add_cluster(tidemark.project, "Target", target.uri)
    source.client["db"]["c"].insert_many([{"_id": n, "text": f"document {n} " * 9} for n in range(3000)])
    snapshots = [owner.take_snapshot(tidemark.project, "Source")]
    packs = [path for path in pathlib.Path(tidemark.data_dir, "repo", "packs").rglob("*") if path.is_file()]
    flip(max(packs, key=lambda path: path.stat().st_size), 1000)
    source.client["db"]["c"].delete_one({"_id": 5})
    snapshots.append(owner.take_snapshot(tidemark.project, "Source"))  # shares what is damaged

    def repo(command, *arguments, status=0):
        done = tidemark.command(
            "repo", command, *arguments, "--project", tidemark.project, "--output", "json", key=tidemark.key
        )
        assert done.returncode == status, done.stdout + done.stderr
        return json.loads(done.stdout)

    assert repo("check", "--read-data", status=DAMAGED)["check"]["damaged"] >= 2
    for snapshot in snapshots:
        owner.own("DELETE", f"/projects/{tidemark.project}/clusters/Source/snapshots/{snapshot}")
    repo("gc", "--rewrite-below", "100")
    sound = owner.take_snapshot(tidemark.project, "Source")
    assert repo("check", "--read-data")["check"]["damaged"] == 0
    owner.restore(tidemark.project, "Source", sound, "Target")
    assert_same(contents(source), contents(target))


def flip(path, offset):
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)
