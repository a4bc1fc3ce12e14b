"""Damage on the disk is healed from the cluster: old snapshots are whole again, new ones do not share it."""

import json
import pathlib
import random

import pytest
from harness.compare import assert_same, contents

DAMAGED = 11  # exit status


class Site:
    """A server of its own with a source, and the files of its repository."""

    def __init__(self, servers):
        self.servers = servers
        self.source = servers.ferretdb()
        self.tidemark = servers.tidemark()
        self.owner = self.tidemark.client()
        self.owner.add_cluster(self.tidemark.project, "Source", self.source.uri)
        self.targets = 0

    def take(self):
        return self.owner.take_snapshot(self.tidemark.project, "Source")

    def repo(self, command, *arguments, status=0):
        done = self.tidemark.command(
            "repo", command, *arguments, "--project", self.tidemark.project, "--output", "json", key=self.tidemark.key
        )
        assert done.returncode == status, done.stdout + done.stderr
        return json.loads(done.stdout)[command] if done.stdout.strip() else None

    def files(self, kind):
        root = pathlib.Path(self.tidemark.data_dir, "repo", kind)
        return sorted(path for path in root.rglob("*") if path.is_file()) if root.exists() else []

    def assert_restores(self, snapshot, expected):
        target = self.servers.ferretdb()
        self.targets += 1
        name = f"Target{self.targets}"
        self.owner.add_cluster(self.tidemark.project, name, target.uri)
        self.owner.restore(self.tidemark.project, "Source", snapshot, name)
        assert_same(expected, contents(target))


@pytest.fixture
def site(servers):
    return Site(servers)


def fill(collection, count, seed=1):
    rng = random.Random(seed)
    collection.insert_many([{"_id": n, "text": rng.randbytes(400)} for n in range(count)])


def overwrite(path, offset, size=64):
    """As dd with conv=notrunc."""
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(b"\xa5" * size)


def test_damage_is_healed_from_the_cluster(site):
    collection = site.source.client["db"]["c"]
    fill(collection, 4000)
    first, before = site.take(), contents(site.source)
    pack = max(site.files("packs"), key=lambda path: path.stat().st_size)
    overwrite(pack, pack.stat().st_size // 2)
    collection.update_one({"_id": 3999}, {"$set": {"text": "changed behind the damage"}})
    second, after = site.take(), contents(site.source)  # shares what is damaged
    assert site.repo("check", "--read-data", status=DAMAGED)["damaged"] >= 2

    plan = site.repo("repair", "--dry-run")
    assert plan["allWhole"]
    assert plan["healed"] >= 1
    assert site.files("quarantine") == []
    assert site.repo("check", "--read-data", status=DAMAGED)["damaged"] >= 2

    done = site.repo("repair")
    assert done["healed"] == plan["healed"]
    assert {first, second} == set(done["chunks"][0]["snapshotIds"])
    assert done["chunks"][0]["namespace"] == "db.c"
    assert site.repo("check", "--read-data")["damaged"] == 0
    third = site.take()
    for snapshot, expected in [(first, before), (second, after), (third, after)]:
        site.assert_restores(snapshot, expected)
    site.repo("gc", "--rewrite-below", "100")
    assert site.repo("check", "--read-data")["damaged"] == 0
    assert site.repo("repair")["quarantinedPlaces"] == 0


def test_a_lost_pack_and_a_lost_index_are_healed(site):
    fill(site.source.client["db"]["c"], 2000)
    snapshot, expected = site.take(), contents(site.source)
    for path in site.files("packs"):
        path.unlink()
    assert site.repo("repair", "--from-cluster", "none", status=DAMAGED)["lost"] >= 1
    assert site.repo("repair")["allWhole"]
    index = site.files("index")[0]
    overwrite(index, 20)
    for path in site.files("index")[1:]:
        path.unlink()
    done = site.repo("repair")
    assert done["allWhole"]
    assert done["indexSegments"] == 1
    assert site.repo("check", "--read-data")["damaged"] == 0
    site.assert_restores(snapshot, expected)


def test_what_has_changed_at_the_cluster_stays_damaged_and_is_not_shared(site):
    collection = site.source.client["db"]["c"]
    fill(collection, 2000)
    first, before = site.take(), contents(site.source)
    pack = max(site.files("packs"), key=lambda path: path.stat().st_size)
    overwrite(pack, 200)
    copy = site.servers.ferretdb()
    for document in collection.find():
        copy.client["db"]["c"].insert_one(document)
    collection.update_many({}, {"$set": {"text": "changed"}})
    left = site.repo("repair", status=DAMAGED)
    assert not left["allWhole"]
    assert "documents have changed or gone at the cluster" in left["chunks"][0]["message"]
    assert "firstId" in left["chunks"][0]

    second = site.take()
    site.assert_restores(second, contents(site.source))
    assert site.repo("check", "--read-data", status=DAMAGED)["damaged"] >= 1

    # Another cluster still has the documents.
    site.owner.add_cluster(site.tidemark.project, "Copy", copy.uri)
    assert site.repo("repair", "--from-cluster", "Copy")["allWhole"]
    assert site.repo("check", "--read-data")["damaged"] == 0
    site.assert_restores(first, before)


def test_repair_refuses_a_cluster_that_is_not_there(site):
    done = site.tidemark.command(
        "repo", "repair", "--from-cluster", "Gone", "--project", site.tidemark.project, key=site.tidemark.key
    )
    assert done.returncode != 0
    assert "Gone" in done.stderr
