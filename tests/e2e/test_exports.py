"""Exports into buckets: read back document by document, through faults and kills."""

import json
import os
import pathlib
import subprocess
import time

import pytest
from harness.client import V2
from harness.export_reader import below, exported
from harness.mongo_servers import prepare
from harness.openapi import check_answer
from harness.processes import wait_until
from harness.s3_server import ACCESS_KEY, REGION, SECRET_KEY, S3Server

NEW = "application/vnd.atlas.2024-05-30+json"
OLD = "application/vnd.atlas.2023-01-01+json"
ROLE = "0123456789abcdef01234567"
FINAL = ("Successful", "Failed", "Cancelled")
BUCKETS = "/groups/{groupId}/backup/exportBuckets"
EXPORTS = "/groups/{groupId}/clusters/{clusterName}/backup/exports"


class Place:
    """A server with a cluster, a bucket, and what is needed to export into it."""

    def __init__(self, servers, s3, *options):
        self.s3 = s3
        self.source = servers.memory("--replica-set", "rs0")
        self.tidemark = servers.tidemark("--export-loopback", "on", *options)
        self.project = self.tidemark.project
        self.owner = self.tidemark.client()
        self.owner.add_cluster(self.project, "Source", self.source.uri, tier="dedicated")

    def add_bucket(self, **target):
        target = target or {"kind": "s3", "endpoint": self.s3.endpoint, "region": REGION, "accessKeyId": ACCESS_KEY,
                            "secretAccessKey": SECRET_KEY}
        self.owner.own("POST", f"/projects/{self.project}/exportTargets", {"bucketName": "bucket", **target})
        body = {"cloudProvider": "AWS", "bucketName": "bucket", "iamRoleId": ROLE}
        made = self.owner.post(self.path("/backup/exportBuckets"), body, accept=NEW)
        assert made.status_code == 200, made.text
        return made.json()["_id"]

    def path(self, rest):
        return f"{V2}/groups/{self.project}{rest}"

    def start(self, snapshot, bucket):
        body = {"snapshotId": snapshot, "exportBucketId": bucket, "customData": [{"key": "why", "value": "test"}]}
        made = self.owner.post(self.path("/clusters/Source/backup/exports"), body)
        assert made.status_code == 200, made.text
        return made.json()

    def find(self, job):
        return self.owner.get(self.path(f"/clusters/Source/backup/exports/{job}"))

    def wait(self, job, seconds=120):
        def finished():
            found = self.find(job).json()
            return found["state"] in FINAL and found

        return wait_until(finished, "the export", seconds)


@pytest.fixture
def s3():
    server = S3Server("bucket")
    yield server
    server.stop()


@pytest.fixture
def place(servers, s3):
    return Place(servers, s3)


def fill(source, count=500):
    shop = source.client["shop"]
    for name in ("orders", "a/b", "ünï.cödé", "50%2F", "x" * 200):
        shop[name].insert_many({"_id": n, "note": f"{name} {n}", "big": 2**40 + n} for n in range(count))
    shop["orders"].create_index([("note", 1)], name="by_note")
    source.client["other"]["few"].insert_one({"_id": "one"})


def documents_of(source):
    return {(database, name): sorted(map(str, source.client[database][name].find()))
            for database in source.client.list_database_names() if database not in ("admin", "config", "local")
            for name in source.client[database].list_collection_names()}


def audited(place):
    rows = place.owner.own("GET", f"/projects/{place.project}/audit")["results"]
    return {row["operation"] for row in rows}


def without_prefix_pattern(problems):
    """Atlas itself answers prefixes that its pattern does not know."""
    return [problem for problem in problems if ".prefix does not match" not in problem]


def test_export_holds_the_snapshot_document_by_document(place, s3):
    fill(place.source)
    snapshot = place.owner.take_snapshot(place.project, "Source")
    expected = documents_of(place.source)
    bucket = place.add_bucket()
    made = place.start(snapshot, bucket)
    done = place.wait(made["id"])
    assert done["state"] == "Successful", done
    assert done["exportStatus"] == {"exportedCollections": 6, "totalCollections": 6}
    files = below(s3.objects, made["prefix"])
    assert exported(files, made["prefix"]) == expected
    complete = json.loads(files[made["prefix"] + "/.complete"])
    assert complete["totalFiles"] == len(files) - 1
    assert complete["customData"] == [{"key": "why", "value": "test"}]
    assert complete["groupId"] == place.project
    assert s3.requests[-2:] == [("PUT", made["prefix"] + "/.complete"), ("HEAD", made["prefix"] + "/.complete")]
    assert s3.bad_signatures == 0
    assert not s3.uploads
    assert s3.connections <= 3 < len(s3.requests)  # they are kept open: of the check, the export and one to spare
    wait_until(lambda: "exportCompleted" in audited(place), "the row of the audit log")


def test_answers_are_what_the_document_says(place):
    fill(place.source, 5)
    snapshot = place.owner.take_snapshot(place.project, "Source")
    bucket = place.add_bucket()
    job = place.start(snapshot, bucket)["id"]
    place.wait(job)
    one = "/groups/{groupId}/backup/exportBuckets/{exportBucketId}"
    for accept in (OLD, NEW):
        for rest, template in (("", BUCKETS), (f"/{bucket}", one)):
            answer = place.owner.get(place.path(f"/backup/exportBuckets{rest}"), accept=accept)
            assert check_answer(answer, template, "get", accept) == []
    answer = place.owner.call("PATCH", place.path(f"/backup/exportBuckets/{bucket}"), accept=NEW,
                              json={"requirePrivateNetworking": True})
    assert check_answer(answer, one, "patch", NEW) == []
    answer = place.owner.get(place.path("/clusters/Source/backup/exports"))
    assert without_prefix_pattern(check_answer(answer, EXPORTS, "get")) == []
    assert without_prefix_pattern(check_answer(place.find(job), EXPORTS + "/{exportId}", "get")) == []


def test_export_outlives_kills(place, s3):
    fill(place.source)
    snapshot = place.owner.take_snapshot(place.project, "Source")
    expected = documents_of(place.source)
    bucket = place.add_bucket()
    s3.slow = 0.1
    made = place.start(snapshot, bucket)
    for _ in range(3):
        seen = len(s3.requests)
        wait_until(lambda seen=seen: len(s3.requests) > seen + 5 or place.find(made["id"]).json()["state"] in FINAL,
                   "the export to go on")
        place.tidemark.kill()
        assert made["prefix"] + "/.complete" not in s3.objects
        place.tidemark.start()
    s3.slow = 0
    assert place.wait(made["id"])["state"] == "Successful"
    assert exported(below(s3.objects, made["prefix"]), made["prefix"]) == expected
    assert not s3.uploads


def test_uploads_that_a_kill_cut_are_given_up(place, s3):
    large = place.source.client["shop"]["large"]
    for n in range(12):
        large.insert_one({"_id": n, "noise": os.urandom(2_000_000)})
    snapshot = place.owner.take_snapshot(place.project, "Source")
    bucket = place.add_bucket()
    s3.slow = 0.3
    made = place.start(snapshot, bucket)
    wait_until(lambda: any(parts for _, parts in s3.uploads.values()), "a part")
    place.tidemark.kill()
    cut = set(s3.uploads)
    assert cut
    s3.slow = 0
    place.tidemark.start()
    assert place.wait(made["id"])["state"] == "Successful"
    assert not s3.uploads
    files = below(s3.objects, made["prefix"])
    assert exported(files, made["prefix"]) == documents_of(place.source)


def test_passing_faults_are_outlasted_and_others_said(place, s3):
    fill(place.source, 20)
    snapshot = place.owner.take_snapshot(place.project, "Source")
    bucket = place.add_bucket()
    left = [3]

    def sometimes(method, key):
        if method == "PUT" and key.endswith(".json.gz") and left[0] > 0:
            left[0] -= 1
            return 503
        return None

    s3.refuse = sometimes
    assert place.wait(place.start(snapshot, bucket)["id"])["state"] == "Successful"
    s3.refuse = lambda method, key: 403 if key.endswith(".json.gz") else None
    made = place.start(snapshot, bucket)
    failed = place.wait(made["id"])
    assert failed["state"] == "Failed"
    assert "403 AccessDenied" in failed["stateReason"]["message"]
    assert made["prefix"] + "/.complete" not in s3.objects


def test_cancelled_export_stops(place, s3):
    fill(place.source)
    snapshot = place.owner.take_snapshot(place.project, "Source")
    bucket = place.add_bucket()
    s3.slow = 0.5
    made = place.start(snapshot, bucket)
    wait_until(lambda: any(key.startswith(made["prefix"]) for _, key in s3.requests), "the export to write")
    done = place.tidemark.command("export", "cancel", "Source", made["id"], "--project", place.project,
                                  key=place.tidemark.key)
    assert done.returncode == 0, done.stderr
    cancelled = place.find(made["id"]).json()
    assert cancelled["state"] == "Cancelled" and "finishedAt" in cancelled
    wait_until(lambda: "lease lost" in place.tidemark.log_path.read_text(), "the worker to stop")
    time.sleep(2)
    seen = len(s3.requests)
    time.sleep(2)
    assert len(s3.requests) == seen
    assert made["prefix"] + "/.complete" not in s3.objects
    s3.slow = 0
    assert place.wait(place.start(snapshot, bucket)["id"])["state"] == "Successful"
    assert place.find(made["id"]).json()["state"] == "Cancelled"


def test_directory_is_a_bucket(servers, s3, tmp_path):
    place = Place(servers, s3, "--export-directory", str(tmp_path / "exports"))
    fill(place.source)
    snapshot = place.owner.take_snapshot(place.project, "Source")
    made = place.start(snapshot, place.add_bucket(kind="directory"))
    assert place.wait(made["id"])["state"] == "Successful"
    root = tmp_path / "exports" / place.project / "bucket"
    files = {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert exported(below(files, made["prefix"]), made["prefix"]) == documents_of(place.source)


def test_command_line_tells_targets_without_secrets(place, s3):
    def run(*arguments):
        done = place.tidemark.command("export-target", *arguments, "--project", place.project, "--output", "json",
                                      key=place.tidemark.key)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    made = run("add", "bucket", "--endpoint", s3.endpoint, "--region", REGION, "--access-key", ACCESS_KEY,
               "--secret-key", SECRET_KEY)
    shown = run("list")
    assert SECRET_KEY not in json.dumps([made, shown])
    assert [target["id"] for target in shown["results"]] == [made["id"]]
    run("remove", made["id"])
    assert not run("list")["results"]


def test_loopback_has_to_be_allowed(servers, s3):
    tidemark = servers.tidemark()
    owner = tidemark.client()
    owner.own("POST", f"/projects/{tidemark.project}/exportTargets",
              {"kind": "s3", "bucketName": "bucket", "endpoint": s3.endpoint, "accessKeyId": "a", "secretAccessKey": "b"})
    body = {"cloudProvider": "AWS", "bucketName": "bucket", "iamRoleId": ROLE}
    refused = owner.post(f"{V2}/groups/{tidemark.project}/backup/exportBuckets", body, accept=NEW)
    assert refused.json()["errorCode"] == "EXPORT_BUCKET_NAME_INVALID"
    assert "address is not allowed" in refused.json()["detail"]
    assert not s3.requests


@pytest.mark.parametrize("version", ["v20240530005", "v20250312020"])
def test_go_sdk(place, version):
    program = prepare("gosdk.sh", "exports")
    fill(place.source, 20)
    snapshot = place.owner.take_snapshot(place.project, "Source")
    place.add_bucket()
    key = place.tidemark.key
    environment = os.environ | {
        "BASE_URL": place.tidemark.url, "GROUP_ID": place.project, "CLUSTER": "Source", "SNAPSHOT_ID": snapshot,
        "PUBLIC_KEY": key.public, "PRIVATE_KEY": key.private, "ROLE_ID": "1" * 24,
        "RELEASE": version}
    done = subprocess.run([program], env=environment, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["firstState"] == "Queued"
    assert seen["lastState"] == "Successful"
    assert (seen["buckets"], seen["jobs"]) == (2, 1)
    assert seen["deleteCode"] == "EXPORT_BUCKET_NOT_FOUND"


def test_terraform_and_cli_requests(place, s3):
    """What the Atlas CLI's `backups exports` and Terraform's export resources send, in their order."""
    fill(place.source, 5)
    snapshot = place.owner.take_snapshot(place.project, "Source")
    made = place.add_bucket()
    owner = place.owner
    versioned = {"Content-Type": NEW}
    body = json.dumps({"bucketName": "bucket", "cloudProvider": "AWS", "iamRoleId": "2" * 24})
    created = owner.call("POST", place.path("/backup/exportBuckets"), accept=NEW, data=body, headers=versioned)
    assert created.status_code == 200
    bucket = created.json()["_id"]
    listed = owner.get(place.path("/backup/exportBuckets?includeCount=true&itemsPerPage=100&pageNum=1"), accept=NEW)
    assert [found["_id"] for found in listed.json()["results"]] == [made, bucket]
    job = place.start(snapshot, bucket)["id"]
    place.wait(job)
    jobs = owner.get(place.path("/clusters/Source/backup/exports?includeCount=true&itemsPerPage=100&pageNum=1"))
    assert [found["id"] for found in jobs.json()["results"]] == [job]
    gone = owner.delete(place.path(f"/backup/exportBuckets/{bucket}"))
    assert gone.status_code == 204
    assert owner.get(place.path(f"/backup/exportBuckets/{bucket}"), accept=NEW).status_code == 404
    assert place.find(job).json()["exportBucketId"] == bucket
    assert pathlib.PurePosixPath(place.find(job).json()["prefix"]).parts[0] == "exported_snapshots"
    assert s3.bad_signatures == 0
