"""Flex clusters, their snapshots and their restore jobs (contract sections 7.2 and 8)."""

import dataclasses
import datetime

import pytest
import requests
from harness import openapi
from harness.client import Client, assert_error, role
from harness.compare import assert_same, contents
from harness.tidemark import Tidemark

FLEX = "application/vnd.atlas.2024-11-13+json"
RESOLVED = FLEX + ";charset=utf-8"
UNKNOWN = "0123456789abcdef01234567"


@dataclasses.dataclass
class Flex:
    """A flex cluster `Flex` with two snapshots, a shared one `Plain`, a target in another project."""

    tidemark: Tidemark
    owner: Client
    project: str
    other_project: str
    source: object
    target: object
    snapshots: list
    expected: dict

    def path(self, rest="", cluster="Flex"):
        return f"/api/atlas/v2/groups/{self.project}/flexClusters/{cluster}{rest}"

    def get(self, rest="", cluster="Flex", client=None, **options):
        return (client or self.owner).get(self.path(rest, cluster), accept=FLEX, **options)

    def post(self, rest, body, cluster="Flex", client=None):
        return (client or self.owner).post(self.path(rest, cluster), body, accept=FLEX)

    def restore_body(self, **changes):
        return {"snapshotId": self.snapshots[1], "targetDeploymentItemName": "Target", **changes}

    def client_with(self, name, project=None):
        return self.tidemark.client(self.owner.create_key(role(name, project or self.project)))


@pytest.fixture(scope="module")
def flex(session_servers):
    tidemark = session_servers.tidemark()
    owner = tidemark.client()
    source, target = session_servers.memory(), session_servers.memory()
    source.client["shop"]["orders"].insert_many([{"_id": n, "note": f"order {n}"} for n in range(200)])
    project = tidemark.project
    owner.add_cluster(project, "Flex", source.uri, tier="flex")
    owner.add_cluster(project, "Plain", source.uri)
    owner.add_cluster(project, "Target", target.uri, tier="dedicated")
    other = owner.create_project("Elsewhere")
    owner.add_cluster(other, "Far", target.uri)
    taken = [owner.take_snapshot(project, "Flex") for _ in range(2)]
    return Flex(tidemark, owner, project, other, source, target, taken, contents(source))


def assert_schema(answer, rest, method="get"):
    found = openapi.check_answer(answer, "/groups/{groupId}/flexClusters" + rest, method, FLEX)
    assert found == [], f"{method} {rest}"


def parse(instant):
    return datetime.datetime.strptime(instant, "%Y-%m-%dT%H:%M:%SZ")


def test_clusters_are_those_of_the_schema(flex):
    one = flex.get()
    assert (one.status_code, one.headers["Content-Type"]) == (200, RESOLVED)
    assert "Deprecation" not in one.headers
    assert_schema(one, "/{name}")
    every = flex.owner.get(f"/api/atlas/v2/groups/{flex.project}/flexClusters", accept=FLEX)
    assert_schema(every, "")
    assert every.json()["results"] == [one.json()]
    assert one.json()["connectionStrings"]["standard"].startswith("mongodb://127.0.0.1:")


def test_snapshots_are_listed_oldest_first(flex):
    every = flex.get("/backup/snapshots")
    assert_schema(every, "/{name}/backup/snapshots")
    body = every.json()
    assert ([row["id"] for row in body["results"]], body["totalCount"]) == (flex.snapshots, 2)
    assert not any("links" in row for row in body["results"])
    second = flex.get("/backup/snapshots", params={"itemsPerPage": 1, "pageNum": 2}).json()
    assert [row["id"] for row in second["results"]] == flex.snapshots[1:]
    one = flex.get("/backup/snapshots/" + flex.snapshots[0])
    assert_schema(one, "/{name}/backup/snapshots/{snapshotId}")
    assert one.json() == body["results"][0]


def test_a_restore_copies_the_snapshot(flex):
    flex.target.wipe()
    # The CLI sends the read-only instanceName.
    answer = flex.post("/backup/restoreJobs", flex.restore_body(targetProjectId=flex.project, instanceName="Flex"))
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, RESOLVED)
    assert_schema(answer, "/{name}/backup/restoreJobs", "post")
    job = answer.json()
    assert (job["status"], job["deliveryType"], job["instanceName"]) == ("PENDING", "RESTORE", "Flex")
    assert (job["targetDeploymentItemName"], job["targetProjectId"]) == ("Target", flex.project)
    assert parse(job["expirationDate"]) - parse(job["restoreScheduledDate"]) == datetime.timedelta(hours=6)
    flex.owner.wait_restore(flex.project, "Flex", job["id"])
    done = flex.get("/backup/restoreJobs/" + job["id"])
    assert_schema(done, "/{name}/backup/restoreJobs/{restoreJobId}")
    assert done.json()["status"] == "COMPLETED"
    assert {"links", "snapshotUrl"}.isdisjoint(done.json())
    assert parse(done.json()["restoreFinishedDate"]) >= parse(job["restoreScheduledDate"])
    assert_same(flex.expected, contents(flex.target))


def test_a_restore_may_go_to_another_project(flex):
    answer = flex.post(
        "/backup/restoreJobs", flex.restore_body(targetProjectId=flex.other_project, targetDeploymentItemName="Far")
    )
    assert answer.status_code == 200, answer.text
    assert flex.owner.wait_restore(flex.project, "Flex", answer.json()["id"])["state"] == "COMPLETED"


def test_jobs_are_listed_newest_first(flex):
    made = [flex.post("/backup/download", {"snapshotId": flex.snapshots[n]}).json()["id"] for n in (0, 1)]
    every = flex.get("/backup/restoreJobs")
    assert_schema(every, "/{name}/backup/restoreJobs")
    assert [row["id"] for row in every.json()["results"]][:2] == made[::-1]


def test_a_download_works_at_once_without_credentials(flex):
    answer = flex.post("/backup/download", {"snapshotId": flex.snapshots[0]})
    assert answer.status_code == 200, answer.text
    assert_schema(answer, "/{name}/backup/download", "post")
    job = answer.json()
    assert (job["status"], job["deliveryType"]) == ("COMPLETED", "DOWNLOAD")
    assert job["restoreFinishedDate"] == job["restoreScheduledDate"]
    assert parse(job["expirationDate"]) - parse(job["restoreScheduledDate"]) == datetime.timedelta(hours=4)
    archive = requests.get(job["snapshotUrl"], timeout=60)
    assert (archive.status_code, archive.content[:2]) == (200, b"\x1f\x8b")
    tenant = flex.owner.get(
        f"/api/atlas/v2/groups/{flex.project}/clusters/Flex/backup/tenant/restores/{job['id']}"
    ).json()
    assert (tenant["deliveryType"], tenant["clusterName"]) == ("DOWNLOAD", "Flex")


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "/backup/snapshots",
        "/backup/snapshots/" + UNKNOWN,
        "/backup/restoreJobs",
        "/backup/restoreJobs/" + UNKNOWN,
    ],
)
def test_other_clusters_are_refused_by_their_code(flex, rest):
    body = assert_error(flex.get(rest, "Plain"), 400, "CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API")
    assert body["detail"] == "Cannot use non-flex cluster Plain in the flex API."
    assert body["parameters"] == ["Plain"]
    body = assert_error(flex.get(rest, "Nobody"), 404, "CLUSTER_NOT_FOUND")
    assert body["parameters"] == ["Nobody", flex.project]


def test_what_a_post_refuses_and_in_which_order(flex):
    path = "/backup/restoreJobs"
    assert_error(flex.post(path, {}, "Nobody"), 400, "MISSING_ATTRIBUTE")
    assert_error(flex.post(path, flex.restore_body(extra=1)), 400, "INVALID_ATTRIBUTE")
    assert_error(flex.post(path, flex.restore_body(), "Nobody"), 404, "CLUSTER_NOT_FOUND")
    assert_error(flex.post(path, flex.restore_body(), "Plain"), 400, "CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API")
    assert_error(flex.post(path, flex.restore_body(snapshotId=UNKNOWN)), 404, "TENANT_SNAPSHOT_NOT_FOUND")
    assert_error(flex.post(path, flex.restore_body(targetDeploymentItemName="Nobody")), 404, "CLUSTER_NOT_FOUND")
    assert_error(flex.post("/backup/download", {"snapshotId": UNKNOWN}), 404, "TENANT_SNAPSHOT_NOT_FOUND")
    assert_error(flex.post("/backup/download", {}), 400, "MISSING_ATTRIBUTE")


def test_who_may_do_what(flex):
    reader = flex.client_with("GROUP_READ_ONLY")
    assert flex.get("/backup/restoreJobs", client=reader).status_code == 200
    assert_error(flex.post("/backup/restoreJobs", flex.restore_body(), client=reader), 401, "USER_UNAUTHORIZED")
    body = {"snapshotId": flex.snapshots[0]}
    assert_error(flex.post("/backup/download", body, client=reader), 401, "USER_UNAUTHORIZED")
    job = flex.post("/backup/download", body).json()
    assert "snapshotUrl" in flex.get("/backup/restoreJobs/" + job["id"]).json()
    assert "snapshotUrl" not in flex.get("/backup/restoreJobs/" + job["id"], client=reader).json()
    # An owner of the source alone may not wipe what is elsewhere.
    owner = flex.client_with("GROUP_OWNER")
    elsewhere = flex.restore_body(targetProjectId=flex.other_project, targetDeploymentItemName="Far")
    assert_error(flex.post("/backup/restoreJobs", elsewhere, client=owner), 403, "CANNOT_RESTORE_TO_TARGET")


def test_versions(flex):
    for accept in ("2024-10-23", "2023-01-01"):
        answer = flex.owner.get(flex.path(), accept=f"application/vnd.atlas.{accept}+json")
        assert_error(answer, 406, "INVALID_VERSION_DATE")
    late = flex.owner.get(flex.path(), accept="application/vnd.atlas.2025-03-12+json")
    assert (late.status_code, late.headers["Content-Type"]) == (200, RESOLVED)
    old = flex.owner.get(f"/api/atlas/v1.0/groups/{flex.project}/flexClusters/Flex")
    assert_error(old, 404, "RESOURCE_NOT_FOUND")


def test_errors_and_envelopes_are_those_of_the_schema(flex):
    wrong = flex.get("/backup/snapshots/x")
    assert_error(wrong, 404, "INVALID_SNAPSHOT_ID")
    assert list(openapi.problems(wrong.json(), {"$ref": "#/components/schemas/ApiError"}, "error")) == []
    wrapped = flex.get(params={"envelope": "true"}).json()
    assert (wrapped["status"], wrapped["content"]["name"]) == (200, "Flex")
