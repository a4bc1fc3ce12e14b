"""Seeds 000, 001 and 002: the tenant restore jobs."""

import datetime
import re

import pytest
import requests
from harness.client import V10, V15, assert_error, tenant
from harness.compare import assert_same, contents

HEX_ID = re.compile(r"[0-9a-f]{24}")
ORDER = ["PENDING", "QUEUED", "RUNNING", "COMPLETED"]
AT_ONCE = {
    "clusterName",
    "deliveryType",
    "expirationDate",
    "id",
    "links",
    "projectId",
    "restoreScheduledDate",
    "snapshotFinishedDate",
    "snapshotId",
    "status",
    "targetDeploymentItemName",
    "targetProjectId",
}


def parse(instant):
    return datetime.datetime.strptime(instant, "%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def job(world, finished_restore):
    answer = world.owner.get(tenant(world.project, "Source") + f"/restores/{finished_restore}")
    assert answer.status_code == 200
    return answer.json()


@pytest.fixture(scope="module")
def download(world):
    # The Go SDK always sends an empty target.
    body = {"snapshotId": world.snapshot, "targetDeploymentItemName": ""}
    answer = world.owner.post(tenant(world.project, "Source") + "/download", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_row_1_01_v1_without_accept(world, finished_restore):
    path = tenant(world.project, "Source", V10) + f"/restores/{finished_restore}"
    answer = world.owner.get(path, accept=None)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")


def test_row_1_02_v2_names_the_resolved_version(world, finished_restore):
    answer = world.owner.get(tenant(world.project, "Source") + f"/restores/{finished_restore}")
    assert answer.headers["Content-Type"] == "application/vnd.atlas.2023-01-01+json;charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("restore", ["0" * 24, "x", "A" * 24, "0" * 23])
def test_row_1_03_unknown_and_malformed_ids(world, restore):
    answer = world.owner.get(tenant(world.project, "Source") + f"/restores/{restore}")
    body = assert_error(answer, 404, "TENANT_RESTORE_NOT_FOUND")
    assert body["parameters"] == [restore, "Source"]
    assert answer.headers["X-Error-Code"] == "TENANT_RESTORE_NOT_FOUND"


def test_row_1_03_job_of_another_cluster_or_project(world, finished_restore):
    for project, cluster in ((world.project, "Target"), (world.other_project, "Other")):
        answer = world.owner.get(tenant(project, cluster) + f"/restores/{finished_restore}")
        assert_error(answer, 404, "TENANT_RESTORE_NOT_FOUND")


@pytest.mark.parametrize("name", ["a_b", "-a", "a%20b", "a.b", "%C3%A9"])
def test_row_0_02_malformed_cluster_names_are_not_found(world, name):
    assert_error(world.owner.get(tenant(world.project, name) + "/restores"), 404, "CLUSTER_NOT_FOUND")


def test_row_1_04_names_the_source(world, job):
    assert (job["clusterName"], job["projectId"]) == ("Source", world.project)


def test_row_1_05_delivery_type(job):
    assert job["deliveryType"] == "RESTORE"


def test_row_1_06_status_never_goes_back(world):
    restore = world.start_restore().json()
    seen = [restore["status"]]
    while seen[-1] not in ("COMPLETED", "FAILED"):
        seen.append(world.owner.get(tenant(world.project, "Source") + f"/restores/{restore['id']}").json()["status"])
    positions = [ORDER.index(status) for status in seen]
    assert positions == sorted(positions)
    assert (seen[0], seen[-1]) == ("PENDING", "COMPLETED")


def test_row_1_07_ids_are_24_hex(world, job):
    assert HEX_ID.fullmatch(job["id"])
    assert job["snapshotId"] == world.snapshot


def test_row_1_08_expiration_is_four_hours_after_schedule(job):
    assert parse(job["expirationDate"]) - parse(job["restoreScheduledDate"]) == datetime.timedelta(hours=4)


def test_row_1_09_finished_date_only_at_the_end(world, job):
    created = world.start_restore().json()
    assert "restoreFinishedDate" not in created
    assert parse(job["restoreFinishedDate"]) >= parse(job["restoreScheduledDate"])
    world.owner.wait_restore(world.project, "Source", created["id"])


def test_row_1_10_no_snapshot_url_on_a_restore(job):
    assert "snapshotUrl" not in job


def test_row_1_10_snapshot_url_of_downloads(world, download):
    assert (download["deliveryType"], download["status"]) == ("DOWNLOAD", "COMPLETED")
    assert download["restoreFinishedDate"] == download["restoreScheduledDate"]
    assert parse(download["expirationDate"]) - parse(download["restoreScheduledDate"]) == datetime.timedelta(hours=4)
    assert (download["targetDeploymentItemName"], download["targetProjectId"]) == ("Source", world.project)
    assert set(download) == AT_ONCE | {"restoreFinishedDate", "snapshotUrl"}
    answer = requests.get(download["snapshotUrl"], timeout=60)  # no credentials
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/gzip")
    assert answer.content[:2] == b"\x1f\x8b"


@pytest.mark.parametrize("role_name", ["GROUP_READ_ONLY", "GROUP_BACKUP_MANAGER"])
def test_row_1_10_no_snapshot_url_for_keys_that_may_not_download(world, download, role_name):
    found = world.client_with(role_name).get(tenant(world.project, "Source") + f"/restores/{download['id']}").json()
    assert found == {name: value for name, value in download.items() if name != "snapshotUrl"}


@pytest.mark.parametrize("version", [V10, V15])
def test_row_1_10_downloads_in_the_old_versions(world, version):
    path = tenant(world.project, "Source", version) + "/download"
    answer = world.owner.post(path, {"snapshotId": world.snapshot}, accept=None)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json()["snapshotUrl"].startswith(world.url)


def test_row_1_11_target(world, job):
    assert (job["targetDeploymentItemName"], job["targetProjectId"]) == ("Target", world.project)


def test_row_1_12_self_link_is_absolute(world, job):
    path = tenant(world.project, "Source") + f"/restores/{job['id']}"
    assert job["links"] == [{"href": world.url + path, "rel": "self"}]


def test_row_1_12_link_names_the_host_as_called(world, finished_restore):
    path = tenant(world.project, "Source", V10) + f"/restores/{finished_restore}"
    answer = world.owner.get(path, headers={"Host": "backup.example.org"})
    assert answer.json()["links"][0]["href"] == f"http://backup.example.org{path}"


def test_row_1_13_nothing_else_in_the_body(job):
    assert set(job) == AT_ONCE | {"restoreFinishedDate"}


def test_row_0_13_no_nulls(world, job):
    created = world.start_restore().json()
    assert None not in job.values()
    assert None not in created.values()
    world.owner.wait_restore(world.project, "Source", created["id"])


def test_row_2_01_v1_create_answers_the_pending_job(world):
    body = {"snapshotId": world.snapshot, "targetDeploymentItemName": "Target", "targetProjectId": world.project}
    answer = world.owner.post(tenant(world.project, "Source", V10) + "/restore", body, accept=None)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert set(answer.json()) == AT_ONCE
    assert answer.json()["status"] == "PENDING"
    world.owner.wait_restore(world.project, "Source", answer.json()["id"])


def test_row_2_01_the_job_is_visible_at_once(world):
    created = world.start_restore().json()
    found = world.owner.get(tenant(world.project, "Source") + f"/restores/{created['id']}")
    assert found.status_code == 200
    world.owner.wait_restore(world.project, "Source", created["id"])


def test_row_2_05_target_project_defaults_to_the_path(world):
    body = {"snapshotId": world.snapshot, "targetDeploymentItemName": "Target"}
    created = world.owner.post(tenant(world.project, "Source") + "/restore", body).json()
    assert created["targetProjectId"] == world.project
    world.owner.wait_restore(world.project, "Source", created["id"])


def test_row_2_12_databases_that_the_snapshot_lacks_are_gone(world):
    world.target.client["stranger"]["things"].insert_one({"_id": 1})
    world.target.client["shop"]["strangers"].insert_one({"_id": 1})
    world.target.client["shop"]["orders"].delete_many({"customer": 1})
    world.restore()
    assert_same(world.expected, contents(world.target))
    assert "tidemark_restore" not in world.target.client.list_database_names()


def test_row_2_13_into_another_cluster(world):
    world.target.wipe()
    world.restore()
    assert_same(world.expected, contents(world.target))


def test_row_2_13_into_the_source_itself(world):
    world.source.client["shop"]["orders"].delete_many({})
    world.source.client["shop"].drop_collection("people")
    world.restore("Source")
    assert_same(world.expected, contents(world.source))


def test_row_2_13_into_another_project(world):
    world.other.client["shop"]["orders"].insert_one({"_id": "stranger"})
    world.restore("Other", world.other_project)
    assert_same(world.expected, contents(world.other))


def test_row_0_12_flex_and_dedicated_clusters_answer_too(world):
    assert world.owner.get(tenant(world.other_project, "Other") + "/restores").status_code == 200
    assert world.owner.get(tenant(world.project, "Target") + "/restores").status_code == 200


def test_row_3_05_jobs_are_listed_under_their_source_only(world, finished_restore):
    listed = world.owner.get(tenant(world.project, "Target") + "/restores").json()
    assert finished_restore not in [job["id"] for job in listed["results"]]


def test_row_3_05_restores_and_downloads_together(world, download, finished_restore):
    listed = world.owner.get(tenant(world.project, "Source") + "/restores").json()["results"]
    assert download in listed
    assert finished_restore in [job["id"] for job in listed]
    created = [job["restoreScheduledDate"] for job in listed]
    assert created == sorted(created, reverse=True)


def test_snapshots_stay_reachable_by_our_api_after_unregistering(world):
    registered = world.owner.add_cluster(world.project, "Leaving", world.source.uri)
    snapshot = world.owner.take_snapshot(world.project, "Leaving")
    world.owner.own("DELETE", f"/projects/{world.project}/clusters/Leaving")
    assert_error(world.owner.get(tenant(world.project, "Leaving") + "/restores"), 404, "CLUSTER_NOT_FOUND")
    path = f"/projects/{world.project}/clusters/{registered['id']}/snapshots/{snapshot}"
    assert world.owner.own("GET", path)["state"] == "COMPLETED"
    world.owner.add_cluster(world.project, "Leaving", world.source.uri)
    assert world.owner.own("GET", f"/projects/{world.project}/clusters/Leaving/snapshots")["totalCount"] == 0
