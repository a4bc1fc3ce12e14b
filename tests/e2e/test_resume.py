"""A restore that was cut, by the network or by kill -9, goes on behind its last finished collection."""

import time

import pytest

from harness.compare import assert_same, contents
from harness.gate import Gate
from harness.processes import wait_until

LARGE, SMALL = 4000, 400  # documents


@pytest.fixture
def gated(servers):
    """A server, a source of two collections of which the small one is finished first, a gate before the target."""
    source, target = servers.ferretdb(), servers.ferretdb()
    gate = Gate(target.port)
    tidemark = servers.tidemark()
    client = tidemark.client()
    client.add_cluster(tidemark.project, "Source", source.uri)
    client.add_cluster(tidemark.project, "Target", gate.uri)
    for name, count in (("large", LARGE), ("small", SMALL)):
        source.client["many"][name].insert_many([{"_id": n, "v": "x" * 2000} for n in range(count)])
    snapshot = client.take_snapshot(tidemark.project, "Source")
    yield tidemark, client, source, target, gate, snapshot
    gate.stop()


def start(tidemark, client, snapshot, **scope):
    path = f"/projects/{tidemark.project}/clusters/Source/restoreJobs"
    body = {"snapshotId": snapshot, "targetClusterName": "Target", **scope}
    return client.own("POST", path, body)["id"]


def progress(tidemark, client, job):
    found = client.own("GET", f"/projects/{tidemark.project}/clusters/Source/restoreJobs/{job}")
    assert found["state"] != "FAILED", found
    return found.get("progress", {})


def wait_for_half(tidemark, client, job):
    """Until the small collection is finished and the large one is not."""

    def reached():
        done = progress(tidemark, client, job).get("collectionsDone", 0)
        assert done < 2, "it was too fast to be cut"
        return done == 1

    wait_until(reached, "a finished collection", pause=0.01)


def test_network_loss_is_outlasted(gated):
    tidemark, client, source, target, gate, snapshot = gated
    gate.pause = 0.05
    job = start(tidemark, client, snapshot)
    wait_for_half(tidemark, client, job)
    target.client["many"]["small"].insert_one({"_id": "planted"})
    gate.shut()
    time.sleep(4)
    gate.open()
    gate.pause = 0
    done = client.wait_restore(tidemark.project, "Source", job)
    assert done["state"] == "COMPLETED", done
    # The finished collection was not written again.
    assert target.client["many"]["small"].delete_one({"_id": "planted"}).deleted_count == 1
    assert_same(contents(source), contents(target))


def test_killed_server_goes_on_behind_the_finished_collection(gated):
    tidemark, client, source, target, gate, snapshot = gated
    gate.pause = 0.05
    job = start(tidemark, client, snapshot)
    wait_for_half(tidemark, client, job)
    tidemark.kill()
    target.client["many"]["small"].insert_one({"_id": "planted"})
    gate.pause = 0
    tidemark.start()
    done = client.wait_restore(tidemark.project, "Source", job)
    assert done["state"] == "COMPLETED", done
    assert target.client["many"]["small"].delete_one({"_id": "planted"}).deleted_count == 1
    assert_same(contents(source), contents(target))


def test_killed_delta_keeps_its_counts(gated):
    tidemark, client, source, target, gate, snapshot = gated
    job = start(tidemark, client, snapshot)
    assert client.wait_restore(tidemark.project, "Source", job)["state"] == "COMPLETED"
    target.client["many"]["small"].delete_many({"_id": {"$lt": SMALL // 2}})
    target.client["many"]["large"].delete_many({"_id": {"$gte": LARGE // 4}})
    gate.pause = 0.05
    job = start(tidemark, client, snapshot, delta=True)
    wait_for_half(tidemark, client, job)
    tidemark.kill()
    gate.pause = 0
    tidemark.start()
    done = client.wait_restore(tidemark.project, "Source", job)
    assert done["state"] == "COMPLETED", done
    changes = done["changes"]
    assert changes["replaced"] == changes["deleted"] == 0
    assert changes["leftAlone"] + changes["inserted"] == LARGE + SMALL
    assert changes["inserted"] >= SMALL // 2  # those of the finished collection at least
    assert_same(contents(source), contents(target))
