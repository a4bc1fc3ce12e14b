"""Every refusal of contract section 8, and that nothing was written (rows 2.8 to 2.15, scenario 9)."""

import pytest
from harness.client import assert_error, tenant
from harness.compare import assert_same, contents
from harness.ports import free_port

UNKNOWN = "0" * 24


@pytest.fixture(autouse=True)
def nothing_is_written(world):
    """Row 2.15: content of the target and the list of jobs before and after are the same."""
    path = tenant(world.project, "Source") + "/restores"
    before, jobs = contents(world.target), world.owner.get(path).json()["totalCount"]
    yield
    assert_same(before, contents(world.target))
    assert world.owner.get(path).json()["totalCount"] == jobs


def test_row_2_08_target_encrypts_at_rest(world):
    assert_error(world.start_restore("Encrypted"), 400, "TENANT_RESTORE_DESTINATION_ENCRYPTION")


def test_row_2_09_other_major_version(world, servers):
    old = servers.mongo_java_server()
    old.client["kept"]["things"].insert_one({"_id": 1})
    world.owner.add_cluster(world.project, "Old", old.uri)
    assert_error(world.start_restore("Old"), 400, "TENANT_RESTORE_VERSION_MISMATCH")
    assert old.client["kept"]["things"].count_documents({}) == 1


@pytest.fixture(scope="module")
def sharded(world, session_servers):
    world.owner.add_cluster(world.project, "Sharded", session_servers.fake_mongos().uri)
    world.owner.own("POST", f"/projects/{world.project}/clusters/Sharded/check")
    return "Sharded"


def test_row_2_10_sharded_target(world, sharded):
    assert_error(world.start_restore(sharded), 400, "TENANT_RESTORE_INCOMPATIBLE_TOPOLOGY")


def test_row_2_10_sharded_source(world, sharded):
    answer = world.owner.start_restore(world.project, sharded, world.snapshot, "Target")
    assert_error(answer, 400, "TENANT_RESTORE_INCOMPATIBLE_TOPOLOGY")
    listed = world.owner.get(tenant(world.project, sharded) + "/restores").json()
    assert (listed["results"], listed["totalCount"]) == ([], 0)


def test_row_2_14_no_right_on_the_target_project(world):
    client = world.client_with("GROUP_OWNER")
    for target, project in (("Other", world.other_project), ("Nowhere", world.other_project), ("Other", UNKNOWN)):
        answer = world.start_restore(target, project, client)
        assert_error(answer, 403, "CANNOT_RESTORE_TO_TARGET")
        assert "WWW-Authenticate" not in answer.headers


@pytest.mark.parametrize("snapshot", [UNKNOWN, "f" * 24])
def test_row_2_15_unknown_snapshot(world, snapshot):
    answer = world.owner.start_restore(world.project, "Source", snapshot, "Target")
    body = assert_error(answer, 404, "TENANT_SNAPSHOT_NOT_FOUND")
    assert body["parameters"] == [snapshot, "Source"]


def test_row_2_15_snapshot_of_another_cluster(world):
    answer = world.owner.start_restore(world.other_project, "Other", world.snapshot, "Other")
    assert_error(answer, 404, "TENANT_SNAPSHOT_NOT_FOUND")
    answer = world.owner.start_restore(world.project, "Target", world.snapshot, "Target")
    assert_error(answer, 404, "TENANT_SNAPSHOT_NOT_FOUND")


def test_row_2_15_deleted_snapshot(world):
    snapshot = world.owner.take_snapshot(world.project, "Source")
    world.owner.own("DELETE", f"/projects/{world.project}/clusters/Source/snapshots/{snapshot}")
    answer = world.owner.start_restore(world.project, "Source", snapshot, "Target")
    assert_error(answer, 409, "CANNOT_START_RESTORE_JOB_FOR_DELETED_SNAPSHOT")


def test_row_2_15_failed_snapshot(world):
    port = free_port()
    world.owner.add_cluster(world.project, "Gone", f"mongodb://127.0.0.1:{port}/")
    snapshot = world.owner.start_snapshot(world.project, "Gone")
    failed = world.owner.wait_snapshot(world.project, "Gone", snapshot)
    assert failed["state"] == "FAILED"
    assert failed["failure"]
    answer = world.owner.start_restore(world.project, "Gone", snapshot, "Target")
    assert_error(answer, 409, "CANNOT_START_RESTORE_JOB_FOR_INCOMPLETE_CLUSTER_SNAPSHOT")


def test_row_2_15_unknown_target(world):
    assert_error(world.start_restore("Nowhere"), 404, "CLUSTER_NOT_FOUND")


def test_row_2_15_unknown_target_project_is_not_told(world):
    # Nobody has a right on a project that does not exist.
    assert_error(world.start_restore("Target", UNKNOWN), 403, "CANNOT_RESTORE_TO_TARGET")


def test_row_2_15_paused_target(world):
    assert_error(world.start_restore("Paused"), 400, "CLUSTER_PAUSED_CANNOT_RESTORE")


def test_row_2_15_unreachable_target(world):
    world.owner.add_cluster(world.project, "Unreachable", f"mongodb://127.0.0.1:{free_port()}/")
    assert_error(world.start_restore("Unreachable"), 400, "TENANT_RESTORE_DESTINATION_UNAVAILABLE")


def test_row_2_15_busy_target_that_requires_quiet(world):
    world.owner.add_cluster(world.project, "Quiet", world.target.uri, requireQuiet=True)
    assert_error(world.start_restore("Quiet"), 400, "TENANT_RESTORE_DESTINATION_UNAVAILABLE")


def test_dry_run_tells_the_plan_and_writes_nothing(world):
    world.target.client["stranger"]["things"].insert_one({"_id": 1})
    try:
        body = {"snapshotId": world.snapshot, "targetClusterName": "Target", "dryRun": True}
        answer = world.owner.own("POST", f"/projects/{world.project}/clusters/Source/restoreJobs", body)
        assert "stranger" in answer["plan"]["dropDatabases"]
        written = {(write["database"], write["collection"]): write["documents"] for write in answer["plan"]["writes"]}
        assert written == {("shop", "orders"): 200, ("shop", "people"): 30, ("stock", "items"): 1}
        assert "orders" in answer["text"]
        assert world.target.client["stranger"]["things"].count_documents({}) == 1
    finally:
        world.target.client.drop_database("stranger")
