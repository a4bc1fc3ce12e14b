"""Scenarios 4, 5, 6 and 8: the Atlas Go SDK and the v1.0 client, unmodified."""

import json
import os
import subprocess

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
