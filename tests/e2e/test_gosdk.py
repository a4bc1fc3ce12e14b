"""Scenarios 4, 5, 6 and 8: the Atlas Go SDK and the v1.0 client, unmodified."""

import json
import os
import subprocess

import pytest
from harness.client import legacy, role
from harness.compare import assert_same, contents
from harness.mongo_servers import prepare


def run(program, world, credentials):
    environment = os.environ | credentials
    environment |= {
        "BASE_URL": world.url,
        "GROUP_ID": world.project,
        "CLUSTER": "Source",
        "SNAPSHOT_ID": world.snapshot,
        "TARGET": "Target",
        "TARGET_GROUP_ID": world.project,
    }
    done = subprocess.run([program], env=environment, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check(world, seen):
    assert seen["firstStatus"] == "PENDING"
    assert seen["lastStatus"] == "COMPLETED"
    assert seen["jobsAfter"] == seen["jobsBefore"] + 1
    assert seen["snapshots"] >= 1
    assert_same(world.expected, contents(world.target))


def test_scenario_4_v20240530_with_digest(world):
    program = prepare("gosdk.sh", "v20240530005")
    key = world.key_with("GROUP_OWNER")
    check(world, run(program, world, {"PUBLIC_KEY": key.public, "PRIVATE_KEY": key.private}))


def test_scenario_5_v20241113_with_a_service_account(world):
    program = prepare("gosdk.sh", "v20241113005")
    account = world.owner.create_service_account(role("GROUP_OWNER", world.project))
    check(world, run(program, world, {"CLIENT_ID": account.id, "CLIENT_SECRET": account.secret}))


def test_scenario_6_v20250312_tenant_download(world):
    program = prepare("gosdk.sh", "download-v20250312006")
    account = world.owner.create_service_account(role("GROUP_OWNER", world.project))
    seen = run(program, world, {"CLIENT_ID": account.id, "CLIENT_SECRET": account.secret})
    assert (seen["deliveryType"], seen["status"], seen["target"]) == ("DOWNLOAD", "COMPLETED", "Source")
    assert seen["listed"]
    assert seen["bytes"] > 0
    job = world.owner.get(legacy(world.project, "Source") + f"/{seen['id']}").json()
    assert job["hashes"][0]["hash"] == seen["sha1"]


def test_scenario_8_v1_client(world):
    program = prepare("gosdk.sh", "legacy-v0.38.0")
    key = world.key_with("GROUP_OWNER")
    world.target.wipe()
    seen = run(program, world, {"PUBLIC_KEY": key.public, "PRIVATE_KEY": key.private})
    assert (seen["method"], seen["status"], seen["maxDownloads"]) == ("HTTP", "FINISHED", 5)
    assert seen["bytes"] > 0
    assert len(seen["hash"]) == 40
    assert seen["restoreStatus"] == "FINISHED"
    assert seen["listed"] >= 2
    assert seen["unknownCode"] == "RESTORE_JOB_NOT_FOUND"
    assert_same(world.expected, contents(world.target))


@pytest.fixture(scope="module")
def flex(session_servers):
    """A flex cluster with a snapshot and a cluster to restore into."""
    tidemark = session_servers.tidemark()
    owner = tidemark.client()
    source, target = session_servers.memory(), session_servers.memory()
    source.client["shop"]["orders"].insert_many([{"_id": n} for n in range(100)])
    owner.add_cluster(tidemark.project, "Flex", source.uri, tier="flex")
    owner.add_cluster(tidemark.project, "Target", target.uri)
    tidemark.snapshot = owner.take_snapshot(tidemark.project, "Flex")
    tidemark.expected, tidemark.source_server, tidemark.target_server = contents(source), source, target
    return tidemark


def run_on(tidemark, program, credentials):
    environment = os.environ | credentials
    environment |= {
        "BASE_URL": tidemark.url,
        "ORG_ID": tidemark.organization,
        "GROUP_ID": tidemark.project,
        "CLUSTER": "Target",
        "FLEX": "Flex",
        "SNAPSHOT_ID": tidemark.snapshot,
        "TARGET": "Target",
    }
    done = subprocess.run([program], env=environment, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "release", ["v20241113005.0.0", "v20250312006.1.0", "v20250312008.0.0", "v20250312020.0.0"]
)
def test_flex_clusters_and_projects_with_the_sdk(flex, release):
    program = prepare("gosdk.sh", "flex", release)
    account = flex.client().create_service_account(role("ORG_OWNER", organization=flex.organization))
    flex.target_server.wipe()
    seen = run_on(flex, program, {"CLIENT_ID": account.id, "CLIENT_SECRET": account.secret})
    assert (seen["projects"], seen["clusters"], seen["flexClusters"]) == (1, ["Target"], ["Flex"])
    assert seen["address"] == flex.target_server.uri.rstrip("/") + "/"
    assert seen["flexAddress"] == flex.source_server.uri.rstrip("/") + "/"
    assert (seen["provider"], seen["snapshots"]) == ("TENANT", [flex.snapshot])
    assert seen["bytes"] > 0
    assert (seen["firstStatus"], seen["lastStatus"], seen["restoreExpiry"]) == ("PENDING", "COMPLETED", "6h0m0s")
    assert seen["restores"][:2] == [seen["restoreId"], seen["downloadId"]]
    assert_same(flex.expected, contents(flex.target_server))


def test_clusters_with_the_v1_client(flex):
    program = prepare("gosdk.sh", "clusters-v0.38.0")
    key = flex.client().create_key(role("ORG_OWNER", organization=flex.organization))
    seen = run_on(flex, program, {"PUBLIC_KEY": key.public, "PRIVATE_KEY": key.private})
    assert (seen["projects"], seen["clusters"], seen["advancedClusters"]) == (1, ["Target"], ["Target"])
    assert seen["address"] == seen["advancedAddress"]
    assert (seen["size"], seen["flexCode"]) == ("M5", "CANNOT_USE_FLEX_CLUSTER_IN_CLUSTER_API")
