"""Seed 003: one legacy restore job."""

import datetime
import hashlib
import re

import pytest
import requests
from harness.client import V10, V15, assert_error, legacy
from harness.compare import assert_same, contents

ALWAYS = {
    "clusterId",
    "clusterName",
    "created",
    "delivery",
    "encryptionEnabled",
    "groupId",
    "id",
    "links",
    "snapshotId",
    "statusName",
    "timestamp",
}
NEVER = {"checkpointId", "oplogTs", "oplogInc", "pointInTimeUTCMillis", "deploymentJobId"}


DOWNLOAD = {"authHeader", "authValue", "expirationHours", "expires", "maxDownloads", "url", "urlV2"}


def parse(instant):
    return datetime.datetime.strptime(instant, "%Y-%m-%dT%H:%M:%SZ")


def ask(world, **delivery):
    body = {"snapshotId": world.snapshot, "delivery": {"methodName": "HTTP", **delivery}}
    answer = world.owner.post(legacy(world.project, "Source"), body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["totalCount"] == 1
    return answer.json()["results"][0]


@pytest.fixture
def job(world, finished_restore):
    answer = world.owner.get(legacy(world.project, "Source") + f"/{finished_restore}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_row_4_01_both_versions(world, finished_restore):
    v2 = world.owner.get(legacy(world.project, "Source") + f"/{finished_restore}")
    v1 = world.owner.get(legacy(world.project, "Source", V10) + f"/{finished_restore}", accept=None)
    assert v2.headers["Content-Type"] == "application/vnd.atlas.2023-01-01+json;charset=utf-8"
    assert v1.headers["Content-Type"] == "application/json"
    same = {name: value for name, value in v1.json().items() if name not in ("links", "pointInTime")}
    assert same == {name: value for name, value in v2.json().items() if name != "links"}
    assert v1.json()["pointInTime"] is False
    assert "pointInTime" not in v2.json()


@pytest.mark.parametrize("restore", ["x", "A" * 24, "0" * 25])
def test_row_4_02_malformed_id(world, restore):
    body = assert_error(world.owner.get(legacy(world.project, "Source") + f"/{restore}"), 404, "INVALID_JOB_ID")
    assert body["parameters"] == [restore]


def test_row_4_02_unknown_id(world, finished_restore):
    for cluster, restore in (("Source", "0" * 24), ("Target", finished_restore)):
        answer = world.owner.get(legacy(world.project, cluster) + f"/{restore}")
        assert_error(answer, 404, "RESTORE_JOB_NOT_FOUND")


def test_row_4_03_no_batch_for_a_replica_set(job):
    assert "batchId" not in job
    assert "batchID" not in job


def test_row_4_04_identifiers(world, job, finished_restore):
    assert job["clusterName"] == "Source"
    assert job["groupId"] == world.project
    assert job["id"] == finished_restore
    assert job["snapshotId"] == world.snapshot
    assert re.fullmatch(r"[0-9a-f]{24}", job["clusterId"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", job["created"])


def test_row_4_05_a_restore_into_a_cluster_answers_http(job):
    assert job["delivery"]["methodName"] == "HTTP"


def test_row_4_06_delivery_status(job):
    assert job["delivery"]["statusName"] == "READY"


def test_row_4_07_members_of_http_downloads(world):
    job = ask(world, expirationHours=2, maxDownloads=3)
    delivery = job["delivery"]
    assert set(job) == ALWAYS
    assert set(delivery) == {"methodName", "statusName"} | DOWNLOAD
    assert (delivery["methodName"], delivery["statusName"]) == ("HTTP", "READY")
    assert (delivery["expirationHours"], delivery["maxDownloads"]) == (2, 3)
    assert parse(delivery["expires"]) - parse(job["created"]) == datetime.timedelta(hours=2)
    file = delivery["urlV2"].rsplit("/", 1)[1]
    assert re.fullmatch(rf"[A-Za-z0-9_-]+-\d+-{job['id']}\.tar\.gz", file)
    base = f"{world.url}/backup/restore/v2/pull/{job['id']}"
    assert delivery["urlV2"] == f"{base}/{file}"
    assert delivery["url"] == f"{base}/{delivery['authValue']}/{file}"
    assert world.owner.get(legacy(world.project, "Source") + f"/{job['id']}").json() == job


def test_row_4_07_defaults(world):
    delivery = ask(world)["delivery"]
    assert (delivery["expirationHours"], delivery["maxDownloads"]) == (24, 2147483647)


def test_row_4_07_no_key_for_those_who_may_not_download(world):
    job = ask(world)
    seen = world.client_with("GROUP_READ_ONLY").get(legacy(world.project, "Source") + f"/{job['id']}").json()
    assert set(seen["delivery"]) == set(job["delivery"]) - {"url", "authValue"}


@pytest.mark.parametrize("version", [V10, V15])
def test_row_4_07_numbers_as_text_in_the_old_versions(world, version):
    delivery = {"methodName": "HTTP", "expirationHours": "1", "maxDownloads": "2"}
    body = {"snapshotId": world.snapshot, "delivery": delivery}
    answer = world.owner.post(legacy(world.project, "Source", version), body, accept=None)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    made = answer.json()["results"][0]["delivery"]
    assert (made["expirationHours"], made["maxDownloads"]) == (1, 2)
    refused = world.owner.post(legacy(world.project, "Source"), body)
    assert_error(refused, 400, "INVALID_JSON_ATTRIBUTE")


def test_row_4_07_no_download_members_on_a_restore(job):
    assert set(job["delivery"]) == {"methodName", "statusName", "targetClusterId", "targetClusterName", "targetGroupId"}


def test_row_4_08_target(world, job):
    assert job["delivery"]["targetClusterName"] == "Target"
    assert job["delivery"]["targetGroupId"] == world.project
    assert re.fullmatch(r"[0-9a-f]{24}", job["delivery"]["targetClusterId"])


def test_row_4_09_encryption(job):
    assert job["encryptionEnabled"] is False
    assert "masterKeyUUID" not in job


def test_row_4_10_hashes(world):
    job = ask(world)
    path, delivery = legacy(world.project, "Source") + f"/{job['id']}", job["delivery"]
    assert "hashes" not in world.owner.get(path).json()
    answer = requests.get(delivery["urlV2"], headers={delivery["authHeader"]: delivery["authValue"]}, timeout=60)
    found = world.owner.get(path).json()
    assert set(found) == ALWAYS | {"hashes"}
    assert found["hashes"] == [
        {
            "fileName": delivery["urlV2"].rsplit("/", 1)[1],
            "hash": hashlib.sha1(answer.content).hexdigest(),
            "links": [{"href": world.url + path, "rel": "self"}],
            "typeName": "SHA1",
        }
    ]


def test_row_4_06_max_downloads_exceeded(world):
    job = ask(world, maxDownloads=1)
    assert requests.get(job["delivery"]["url"], timeout=60).status_code == 200
    found = world.owner.get(legacy(world.project, "Source") + f"/{job['id']}").json()
    assert (found["statusName"], found["delivery"]["statusName"]) == ("FINISHED", "MAX_DOWNLOADS_EXCEEDED")


def test_row_4_05_automated_restore(world):
    world.target.wipe()
    delivery = {"methodName": "AUTOMATED_RESTORE", "targetGroupId": world.project, "targetClusterName": "Target"}
    answer = world.owner.post(legacy(world.project, "Source"), {"snapshotId": world.snapshot, "delivery": delivery})
    assert answer.status_code == 200, answer.text
    (job,) = answer.json()["results"]
    assert (job["statusName"], job["delivery"]["statusName"]) == ("IN_PROGRESS", "NOT_STARTED")
    world.owner.wait_restore(world.project, "Source", job["id"])
    done = world.owner.get(legacy(world.project, "Source") + f"/{job['id']}").json()
    assert (done["statusName"], done["delivery"]["statusName"]) == ("FINISHED", "READY")
    assert done["delivery"]["methodName"] == "HTTP"
    assert_same(world.expected, contents(world.target))


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        ("Encrypted", 400, "INVALID_SNAPSHOT_RESTORE_ENCRYPTION"),
        ("Paused", 400, "CLUSTER_PAUSED_CANNOT_RESTORE"),
        ("Nobody", 404, "CLUSTER_NOT_FOUND"),
    ],
)
def test_row_4_05_automated_restore_refused(world, target, status, code):
    before = contents(world.target)
    delivery = {"methodName": "AUTOMATED_RESTORE", "targetGroupId": world.project, "targetClusterName": target}
    answer = world.owner.post(legacy(world.project, "Source"), {"snapshotId": world.snapshot, "delivery": delivery})
    assert_error(answer, status, code)
    assert contents(world.target) == before


def test_row_4_05_automated_restore_needs_the_right_on_the_target(world):
    delivery = {"methodName": "AUTOMATED_RESTORE", "targetGroupId": world.other_project, "targetClusterName": "Other"}
    body = {"snapshotId": world.snapshot, "delivery": delivery}
    answer = world.client_with("GROUP_OWNER").post(legacy(world.project, "Source"), body)
    assert_error(answer, 403, "CANNOT_RESTORE_TO_TARGET")


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("SCP", "INVALID_DELIVERY_SCP"),
        ("CLIENT_PIT_SCP", "INVALID_DELIVERY_SCP"),
        ("QUERY", "UNSUPPORTED_DELIVERY_METHOD"),
        ("THIRD_PARTY_COPY", "UNSUPPORTED_DELIVERY_METHOD"),
    ],
)
def test_row_4_05_methods_that_are_not_served(world, method, code):
    body = {"snapshotId": world.snapshot, "delivery": {"methodName": method}}
    assert_error(world.owner.post(legacy(world.project, "Source"), body), 400, code)


def test_jobs_are_a_list_and_listed_newest_first(world, finished_restore):
    first, second = ask(world), ask(world)
    listed = world.owner.get(legacy(world.project, "Source")).json()
    ids = [job["id"] for job in listed["results"]]
    assert ids.index(second["id"]) < ids.index(first["id"]) < ids.index(finished_restore)
    assert listed["totalCount"] == len(ids)
    none = world.owner.get(legacy(world.project, "Source") + "?batchId=" + "0" * 24).json()
    assert (none["results"], none["totalCount"]) == ([], 0)


def test_row_4_11_status_name(job):
    assert job["statusName"] == "FINISHED"


def test_row_4_11_status_name_while_it_runs(world):
    restore = world.start_restore().json()["id"]
    seen = set()
    path = legacy(world.project, "Source") + f"/{restore}"
    while (found := world.owner.get(path).json())["statusName"] == "IN_PROGRESS":
        seen.add(found["delivery"]["statusName"])
    assert found["statusName"] == "FINISHED"
    assert seen <= {"NOT_STARTED", "PENDING", "IN_PROGRESS"}


def test_row_4_12_timestamp(job):
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", job["timestamp"]["date"])
    assert isinstance(job["timestamp"]["increment"], int)


def test_row_4_13_self_link(world, job):
    href = world.url + legacy(world.project, "Source") + f"/{job['id']}"
    assert job["links"] == [{"href": href, "rel": "self"}]


def test_row_4_14_selectors_are_never_echoed(job):
    assert not NEVER & set(job)
    assert set(job) == ALWAYS
