"""What the Atlas CLI and Terraform's provider ask for, request by request (contract section 10): they come from no
registry, so their requests are played back. Each client reads answers as the real one does."""

import json

import pytest
import requests
from harness.client import role
from harness.compare import assert_same, contents
from harness.raw_http import RawConnection, digest_header

FLEX = "application/vnd.atlas.2024-11-13+json"
NEWEST = "application/vnd.atlas.2024-08-05+json"
ADVANCED = "application/vnd.atlas.2023-02-01+json"
FIRST = "application/vnd.atlas.2023-01-01+json"
PAGES = "?includeCount=true&itemsPerPage=100&pageNum=1"
NOT_FLEX = ("CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API", "FEATURE_UNSUPPORTED", "CLUSTER_NOT_FOUND")
IS_FLEX = "CANNOT_USE_FLEX_CLUSTER_IN_CLUSTER_API"


@pytest.fixture(scope="module")
def own(session_servers):
    tidemark = session_servers.tidemark()
    owner = tidemark.client()
    source, target = session_servers.memory(), session_servers.memory()
    source.client["shop"]["orders"].insert_many([{"_id": n, "note": f"order {n}"} for n in range(100)])
    owner.add_cluster(tidemark.project, "Flex", source.uri, tier="flex")
    owner.add_cluster(tidemark.project, "Plain", source.uri)
    owner.add_cluster(tidemark.project, "Target", target.uri, tier="dedicated")
    tidemark.snapshot = owner.take_snapshot(tidemark.project, "Flex")
    tidemark.expected, tidemark.target_server = contents(source), target
    return tidemark


class AtlasCli:
    """Digest anew for every request: one without credentials and with the whole body, chunked when it comes from a
    file, then the same again."""

    def __init__(self, tidemark):
        self._server = tidemark
        self._group = f"/api/atlas/v2/groups/{tidemark.project}"
        self.asked = []

    def call(self, method, rest, accept, body=None, chunked=False):
        path = rest if rest.startswith("/api/") else self._group + rest
        headers = {"Accept": accept, "User-Agent": "atlascli/1.53.0 (linux;amd64;native)", "Accept-Encoding": "gzip"}
        text = None if body is None else json.dumps(body) + "\n"
        if text is not None:
            headers["Content-Type"] = accept
        if chunked:
            headers["Transfer-Encoding"] = "chunked"

        def data():
            return iter([text[:7].encode(), text[7:].encode()]) if chunked else text

        connection = RawConnection(self._server)
        first = connection.send(method, path, headers, data(), chunked)
        assert first.status == 401
        challenge = first.getheader("WWW-Authenticate")
        assert challenge.startswith('Digest realm="MMS Public API", domain="", nonce="')
        nonce = challenge.split('nonce="')[1].split('"')[0]
        headers["Authorization"] = digest_header(self._server.key, method, path, nonce)
        answer = connection.send(method, path, headers, data(), chunked)
        connection.close()
        self.asked.append(f"{method} {path.removeprefix(self._group)}")
        return answer.status, json.loads(answer.text)

    def flex_first(self, cluster, rest):
        """`backups restores|snapshots list|describe`: only these codes send it on to the cluster."""
        status, body = self.call("GET", f"/flexClusters/{cluster}{rest}", FLEX)
        if status == 200 or body["errorCode"] not in NOT_FLEX:
            return status, body
        return self.call("GET", f"/clusters/{cluster}{rest}", FIRST)

    def start_restore(self, cluster, body):
        """`backups restores start automated`."""
        status, found = self.call("GET", f"/clusters/{cluster}", NEWEST)
        if status != 200 and found["errorCode"] != IS_FLEX:
            return status, found
        family = "clusters" if status == 200 else "flexClusters"
        return self.call("POST", f"/{family}/{cluster}/backup/restoreJobs", FLEX if status != 200 else FIRST, body)


def test_cli_lists_snapshots_of_a_flex_cluster(own):
    cli = AtlasCli(own)
    status, body = cli.flex_first("Flex", "/backup/snapshots" + PAGES)
    assert (status, [row["id"] for row in body["results"]]) == (200, [own.snapshot])
    assert cli.asked == ["GET /flexClusters/Flex/backup/snapshots" + PAGES]
    status, body = cli.flex_first("Flex", "/backup/snapshots/" + own.snapshot)
    assert (status, body["status"]) == (200, "COMPLETED")


def test_cli_goes_on_to_the_cluster_by_the_code(own):
    cli = AtlasCli(own)
    cli.flex_first("Plain", "/backup/snapshots" + PAGES)
    cli.flex_first("Plain", "/backup/restoreJobs" + PAGES)
    assert cli.asked == [
        f"GET /{family}/Plain/backup/{what}{PAGES}"
        for what in ("snapshots", "restoreJobs")
        for family in ("flexClusters", "clusters")
    ]


def test_cli_restores_a_flex_cluster(own):
    own.target_server.wipe()
    cli = AtlasCli(own)
    body = {
        "deliveryType": "RESTORE",
        "instanceName": "Flex",
        "snapshotId": own.snapshot,
        "targetDeploymentItemName": "Target",
        "targetProjectId": own.project,
    }
    status, job = cli.start_restore("Flex", body)
    assert (status, job["status"]) == (200, "PENDING"), job
    assert cli.asked == ["GET /clusters/Flex", "POST /flexClusters/Flex/backup/restoreJobs"]
    own.client().wait_restore(own.project, "Flex", job["id"])
    status, watched = cli.flex_first("Flex", "/backup/restoreJobs/" + job["id"])
    assert (status, watched["status"]) == (200, "COMPLETED")
    assert_same(own.expected, contents(own.target_server))


def test_cli_fetches_a_download_in_the_same_breath(own, tmp_path):
    """`backups snapshots download`: no credentials, and nobody looks at the status."""
    status, job = AtlasCli(own).call("POST", "/flexClusters/Flex/backup/download", FLEX, {"snapshotId": own.snapshot})
    assert status == 200, job
    file = tmp_path / "snapshot.tgz"
    file.write_bytes(requests.get(job["snapshotUrl"], timeout=60).content)
    assert file.read_bytes()[:2] == b"\x1f\x8b"


def test_cli_api_sends_files_chunked_and_twice(own):
    """`atlas api flexSnapshots downloadFlexBackup --file`."""
    cli = AtlasCli(own)
    status, job = cli.call(
        "POST", "/flexClusters/Flex/backup/download", FLEX, {"snapshotId": own.snapshot}, chunked=True
    )
    assert (status, job["status"]) == (200, "COMPLETED"), job
    status, body = cli.call("POST", "/flexClusters/Plain/backup/download", FLEX, {"snapshotId": own.snapshot}, True)
    assert (status, body["errorCode"]) == (400, NOT_FLEX[0])


def test_cli_reads_clusters_and_projects(own):
    cli = AtlasCli(own)
    for accept in (ADVANCED, NEWEST):
        status, body = cli.call("GET", "/clusters" + PAGES, accept)
        assert (status, [row["name"] for row in body["results"]]) == (200, ["Plain", "Target"])
    status, body = cli.call("GET", "/flexClusters" + PAGES, FLEX)
    assert (status, [row["name"] for row in body["results"]]) == (200, ["Flex"])
    status, body = cli.call("GET", "/clusters/Plain", ADVANCED)
    assert (status, body["stateName"]) == (200, "IDLE")
    status, body = cli.call("GET", "/clusters/Flex", ADVANCED)
    assert (status, body["errorCode"]) == (400, IS_FLEX)
    assert cli.call("GET", "/flexClusters/Flex", FLEX)[0] == 200
    for path in ("/api/atlas/v2/groups", f"/api/atlas/v2/orgs/{own.organization}/groups"):
        status, body = cli.call("GET", path + PAGES, FIRST)
        assert (status, [row["id"] for row in body["results"]]) == (200, [own.project])
    assert cli.call("GET", "", FIRST)[1]["orgId"] == own.organization


def test_private_calls_are_not_found(own):
    client = own.client()
    for path in ("ipinfo", "unauth/nds/defaultMongoDBMajorVersion", "unauth/version"):
        assert client.get("/api/private/" + path).status_code == 404
    assert client.post("/api/private/v1.0/telemetry/events", []).status_code == 404


class Terraform:
    """The read side of its data sources: a bearer token, every page, and what it makes of the answers."""

    def __init__(self, tidemark):
        owner = tidemark.client()
        account = owner.create_service_account(role("GROUP_OWNER", tidemark.project))
        self._client = tidemark.client(owner.fetch_token(account))
        self._group = f"/api/atlas/v2/groups/{tidemark.project}"

    def get(self, rest, accept):
        return self._client.get(
            self._group + rest,
            accept=accept,
            headers={
                "User-Agent": "terraform-provider-mongodbatlas/2.1.0 Terraform/1.13.0",
                "Use-Effective-Fields-Replication-Specs": "true",
            },
        )

    def pages(self, rest, accept):
        """Until as many have come as the total says."""
        rows, number = [], 1
        while True:
            body = self.get(f"{rest}?itemsPerPage=1&pageNum={number}", accept).json()
            rows += body["results"]
            if not body["results"] or len(rows) >= body["totalCount"]:
                return rows
            number += 1

    def read_cluster(self, cluster):
        """A provider other than TENANT makes it ask for network containers; a zone without a name is an error."""
        for spec in cluster["replicationSpecs"]:
            assert spec["zoneName"]
            assert all(region["providerName"] == "TENANT" for region in spec["regionConfigs"])
        return self.get(f"/clusters/{cluster['name']}/processArgs", NEWEST)


def test_terraform_advanced_cluster(own):
    terraform = Terraform(own)
    answer = terraform.get("/clusters/Plain", NEWEST)
    assert answer.status_code == 200
    settings = terraform.read_cluster(answer.json())
    assert (settings.status_code, settings.headers["Content-Type"]) == (200, NEWEST + ";charset=utf-8")
    assert settings.json() == {}
    refused = terraform.get("/clusters/Flex", NEWEST)
    assert (refused.status_code, refused.json()["errorCode"]) == (400, IS_FLEX)
    assert terraform.get("/flexClusters/Flex", FLEX).json()["providerSettings"]["providerName"] == "FLEX"
    assert terraform.get("/clusters/Nobody", NEWEST).status_code == 404  # taken as gone


def test_terraform_advanced_clusters(own):
    terraform = Terraform(own)
    clusters = terraform.pages("/clusters", NEWEST)
    assert [cluster["name"] for cluster in clusters] == ["Plain", "Target"]
    assert all(terraform.read_cluster(cluster).status_code == 200 for cluster in clusters)
    assert [cluster["name"] for cluster in terraform.pages("/flexClusters", FLEX)] == ["Flex"]


def test_terraform_flex_snapshots_and_restore_jobs(own):
    terraform = Terraform(own)
    snapshots = terraform.pages("/flexClusters/Flex/backup/snapshots", FLEX)
    assert [row["id"] for row in snapshots] == [own.snapshot]
    assert terraform.get("/flexClusters/Flex/backup/snapshots/" + own.snapshot, FLEX).json() == snapshots[0]
    made = own.client().post(
        f"/api/atlas/v2/groups/{own.project}/flexClusters/Flex/backup/download",
        {"snapshotId": own.snapshot},
        accept=FLEX,
    )
    jobs = terraform.pages("/flexClusters/Flex/backup/restoreJobs", FLEX)
    assert jobs[0]["id"] == made.json()["id"]
    one = terraform.get("/flexClusters/Flex/backup/restoreJobs/" + jobs[0]["id"], FLEX).json()
    assert (one["instanceName"], one["snapshotId"]) == ("Flex", own.snapshot)
