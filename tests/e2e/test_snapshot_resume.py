"""A snapshot that was cut inside a large collection, by kill -9 or by the network, goes on behind the last durable _id."""

import time

import pytest

from harness.gate import Gate
from harness.processes import wait_until

DOCUMENTS, SIZE = 300_000, 775
MIB = 1 << 20
REREAD = 64 * MIB
IN_FLIGHT = 2 * 16 * MIB  # replies that had been sent, or asked for, when it was cut


@pytest.fixture
def gated(servers):
    server = servers.memory("--generate", f"shop.orders:{DOCUMENTS}:{SIZE}")
    gate = Gate(server.port, pause=0.15)
    tidemark = servers.tidemark()
    client = tidemark.client()
    client.add_cluster(tidemark.project, "Source", gate.uri)
    yield tidemark, client, gate
    gate.stop()


def wait_for_bytes(tidemark, client, snapshot, enough):
    """Until the snapshot has read so many bytes; gives how many they are."""
    path = f"/projects/{tidemark.project}/clusters/Source/snapshots/{snapshot}"
    seen = {}

    def reached():
        found = client.own("GET", path)
        assert found["state"] in ("PENDING", "QUEUED", "RUNNING"), "it was too fast to be cut"
        seen["bytes"] = found.get("progress", {}).get("bytesDone", 0)
        return seen["bytes"] >= enough

    wait_until(reached, f"{enough} bytes", pause=0.02)
    return seen["bytes"]


def expect_equal_to_the_source(tidemark, client, snapshot):
    """The source has not changed, so a whole new look at it must find nothing."""
    second = client.take_snapshot(tidemark.project, "Source")
    path = f"/projects/{tidemark.project}/clusters/Source/snapshots/{snapshot}/diff"
    assert client.own("POST", path, {"toSnapshotId": second})["namespaces"] == []


def test_killed_server_goes_on_inside_the_collection(gated):
    tidemark, client, gate = gated
    snapshot = client.start_snapshot(tidemark.project, "Source")
    read = wait_for_bytes(tidemark, client, snapshot, 150 * MIB)
    tidemark.kill()
    gate.pause, before = 0, gate.answered
    tidemark.start()
    done = client.wait_snapshot(tidemark.project, "Source", snapshot)
    assert done["state"] == "COMPLETED", done
    assert done["documents"] == DOCUMENTS
    assert gate.answered - before <= done["logicalBytes"] - read + REREAD + IN_FLIGHT
    assert "going on behind the last durable _id" in tidemark.log_text()
    expect_equal_to_the_source(tidemark, client, snapshot)


def test_network_loss_costs_no_second_reading(gated):
    tidemark, client, gate = gated
    snapshot = client.start_snapshot(tidemark.project, "Source")
    wait_for_bytes(tidemark, client, snapshot, 100 * MIB)
    gate.shut()
    time.sleep(3)
    gate.open()
    gate.pause = 0
    done = client.wait_snapshot(tidemark.project, "Source", snapshot)
    assert done["state"] == "COMPLETED", done
    assert done["documents"] == DOCUMENTS
    assert gate.answered <= done["logicalBytes"] + IN_FLIGHT
    expect_equal_to_the_source(tidemark, client, snapshot)
