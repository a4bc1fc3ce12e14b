"""Scenario 11: the permission table, over two projects."""

import pytest
from harness.client import OWN, assert_error, group, legacy, role, tenant

UNKNOWN = "0" * 24
ALLOWED, TOO_LOW, STRANGER = "allowed", "USER_UNAUTHORIZED", "USER_CANNOT_ACCESS_GROUP"

# name of the key -> what it may do in the first project: read, restore, take a snapshot, register a cluster
TABLE = {
    "owner": (ALLOWED, ALLOWED, ALLOWED, ALLOWED),
    "read_only": (ALLOWED, TOO_LOW, TOO_LOW, TOO_LOW),
    "backup_manager": (ALLOWED, TOO_LOW, ALLOWED, TOO_LOW),
    "cluster_manager": (ALLOWED, TOO_LOW, TOO_LOW, ALLOWED),
    "backup_creator": (ALLOWED, TOO_LOW, ALLOWED, TOO_LOW),
    "recovery_operator": (ALLOWED, TOO_LOW, TOO_LOW, TOO_LOW),
    "export_operator": (ALLOWED, TOO_LOW, TOO_LOW, TOO_LOW),
    "owner_elsewhere": (STRANGER, STRANGER, STRANGER, STRANGER),
    "none": (STRANGER, STRANGER, STRANGER, STRANGER),
    "org_owner": (ALLOWED, ALLOWED, ALLOWED, ALLOWED),
    "org_read_only": (ALLOWED, TOO_LOW, TOO_LOW, TOO_LOW),
}


@pytest.fixture(scope="module")
def clients(world):
    organization = world.tidemark.organization
    roles = {
        "owner": [role("GROUP_OWNER", world.project)],
        "read_only": [role("GROUP_READ_ONLY", world.project)],
        "backup_manager": [role("GROUP_BACKUP_MANAGER", world.project)],
        "cluster_manager": [role("GROUP_CLUSTER_MANAGER", world.project)],
        "backup_creator": [role("GROUP_BACKUP_CREATOR", world.project)],
        "recovery_operator": [role("GROUP_BACKUP_RECOVERY_OPERATOR", world.project)],
        "export_operator": [role("GROUP_BACKUP_EXPORT_OPERATOR", world.project)],
        "owner_elsewhere": [role("GROUP_OWNER", world.other_project)],
        "none": [],
        "org_owner": [role("ORG_OWNER", organization=organization)],
        "org_read_only": [role("ORG_READ_ONLY", organization=organization)],
    }
    return {name: world.tidemark.client(world.owner.create_key(*granted)) for name, granted in roles.items()}


def check(answer, expected, status, code=None):
    """`status` and `code` are what somebody gets who has the right: of a request that does no harm."""
    if expected is not ALLOWED:
        assert_error(answer, 401, expected)
        assert "WWW-Authenticate" not in answer.headers
    elif code:
        assert_error(answer, status, code)
    else:
        assert answer.status_code == status, answer.text


@pytest.mark.parametrize("name", TABLE)
def test_scenario_11_reads(world, clients, finished_restore, name):
    expected = TABLE[name][0]
    for path in (
        group(world.project),
        tenant(world.project, "Source") + "/restores",
        tenant(world.project, "Source") + f"/restores/{finished_restore}",
        tenant(world.project, "Source") + "/snapshots",
        tenant(world.project, "Source") + f"/snapshots/{world.snapshot}",
        legacy(world.project, "Source"),
        legacy(world.project, "Source") + f"/{finished_restore}",
        f"{OWN}/projects/{world.project}/clusters",
        f"{OWN}/projects/{world.project}/clusters/Source/snapshots",
    ):
        check(clients[name].get(path), expected, 200)


@pytest.mark.parametrize("name", TABLE)
def test_scenario_11_restores(world, clients, name):
    answer = clients[name].start_restore(world.project, "Source", UNKNOWN, "Target")
    check(answer, TABLE[name][1], 404, "TENANT_SNAPSHOT_NOT_FOUND")


@pytest.mark.parametrize("name", TABLE)
def test_scenario_11_downloads(world, clients, name):
    answer = clients[name].post(tenant(world.project, "Source") + "/download", {"snapshotId": UNKNOWN})
    check(answer, TABLE[name][1], 404, "TENANT_SNAPSHOT_NOT_FOUND")
    body = {"snapshotId": UNKNOWN, "delivery": {"methodName": "HTTP"}}
    answer = clients[name].post(legacy(world.project, "Source"), body)
    check(answer, TABLE[name][1], 404, "SNAPSHOT_NOT_FOUND")
    path = f"{OWN}/projects/{world.project}/clusters/Source/snapshots/{UNKNOWN}/export"
    check(clients[name].get(path), TABLE[name][1], 404, "SNAPSHOT_NOT_FOUND")


@pytest.mark.parametrize("name", TABLE)
def test_scenario_11_snapshots(world, clients, name):
    path = f"{OWN}/projects/{world.project}/clusters/Nowhere/snapshots"
    check(clients[name].post(path, {}), TABLE[name][2], 404, "CLUSTER_NOT_FOUND")


@pytest.mark.parametrize("name", TABLE)
def test_scenario_11_registering_clusters(world, clients, name):
    body = {"name": "not valid", "connectionString": "mongodb://127.0.0.1/"}
    answer = clients[name].post(f"{OWN}/projects/{world.project}/clusters", body)
    check(answer, TABLE[name][3], 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("name", TABLE)
def test_scenario_11_only_organization_owners_administer(clients, name):
    answer = clients[name].get(f"{OWN}/keys")
    check(answer, ALLOWED if name == "org_owner" else TOO_LOW, 200)


@pytest.mark.parametrize("name", TABLE)
def test_scenario_11_projects_that_a_key_sees(world, clients, name):
    found = {project["id"] for project in clients[name].own("GET", "/projects")["results"]}
    both = {world.project, world.other_project}
    expected = {
        "none": set(),
        "owner_elsewhere": {world.other_project},
        "org_owner": both,
        "org_read_only": both,
    }.get(name, {world.project})
    assert found & both == expected


def test_row_2_14_owner_of_both_projects_may_restore_across(world):
    key = world.owner.create_key(role("GROUP_OWNER", world.project), role("GROUP_OWNER", world.other_project))
    answer = world.start_restore("Other", world.other_project, world.tidemark.client(key))
    assert answer.status_code == 200, answer.text
    done = world.owner.wait_restore(world.project, "Source", answer.json()["id"])
    assert done["state"] == "COMPLETED"


def test_row_2_14_reading_right_on_the_target_is_not_enough(world):
    for low in ("GROUP_READ_ONLY", "GROUP_BACKUP_MANAGER"):
        key = world.owner.create_key(role("GROUP_OWNER", world.project), role(low, world.other_project))
        answer = world.start_restore("Other", world.other_project, world.tidemark.client(key))
        assert_error(answer, 403, "CANNOT_RESTORE_TO_TARGET")
