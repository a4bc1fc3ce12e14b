"""What a schedule exports by itself: as Terraform asks for it, and read back document by document after a kill."""

import datetime
import json

import pytest
from harness.client import V2, assert_error, group
from harness.openapi import check_answer
from harness.processes import wait_until
from test_exports import below, documents_of, exported

NEW = "application/vnd.atlas.2024-08-05+json"
OLD = "application/vnd.atlas.2023-01-01+json"
BUCKET = "application/vnd.atlas.2024-05-30+json"
TEMPLATE = "/groups/{groupId}/clusters/{clusterName}/backup/schedule"
DAILY = {"frequencyType": "daily", "frequencyInterval": 1, "retentionUnit": "days", "retentionValue": 4}
MONTHLY = {"frequencyType": "monthly", "frequencyInterval": 40, "retentionUnit": "months", "retentionValue": 12}


class Place:
    """A server with a cluster and a folder that is a bucket."""

    def __init__(self, servers, folder, uri):
        self.tidemark = servers.tidemark("--export-directory", str(folder))
        self.project = self.tidemark.project
        self.owner = self.tidemark.client()
        self.owner.add_cluster(self.project, "Source", uri, tier="dedicated")
        self.folder = folder / self.project / "bucket"
        self.cluster = f"{group(self.project, V2)}/clusters/Source"
        self.buckets = f"{group(self.project, V2)}/backup/exportBuckets"
        self.owner.own("POST", f"/projects/{self.project}/exportTargets", {"kind": "directory", "bucketName": "bucket"})
        made = self.owner.post(
            self.buckets, {"cloudProvider": "AWS", "bucketName": "bucket", "iamRoleId": "1" * 24}, accept=BUCKET
        )
        assert made.status_code == 200, made.text
        self.bucket = made.json()["_id"]

    def schedule(self, method, body=None, accept=NEW):
        options = {} if body is None else {"json": body}
        return self.owner.call(method, self.cluster + "/backup/schedule", accept=accept, **options)

    def changed(self, method, body=None, accept=NEW):
        answer = self.schedule(method, body, accept)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def exports(self):
        return self.owner.get(self.cluster + "/backup/exports").json()["results"]

    def run(self, *arguments):
        done = self.tidemark.command(*arguments, "--project", self.project, key=self.tidemark.key)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def objects(self):
        return {
            str(path.relative_to(self.folder)): path.read_bytes() for path in self.folder.rglob("*") if path.is_file()
        }


@pytest.fixture
def place(servers, tmp_path):
    return Place(servers, tmp_path / "exports", "mongodb://127.0.0.1:1/")


def test_as_terraform_does_it(place):
    """Create is DELETE, GET, PATCH; two plans; an update that sends the block again; off; then schedule and bucket go."""
    assert place.changed("DELETE")["autoExportEnabled"] is False
    policy = place.changed("GET")["policies"][0]["id"]
    body = {
        "policies": [{"id": policy, "policyItems": [DAILY]}],
        "referenceHourOfDay": 20,
        "referenceMinuteOfHour": 5,
        "restoreWindowDays": 4,
        "autoExportEnabled": True,
        "export": {"exportBucketId": place.bucket, "frequencyType": "daily"},
        "useOrgAndGroupNamesInExportPrefix": True,
    }
    created = place.changed("PATCH", body)
    plan = place.changed("GET")
    assert plan == created == place.changed("GET")
    assert {name: plan[name] for name in body if name != "policies"} == {
        name: body[name] for name in body if name != "policies"
    }
    assert place.changed("GET", accept=OLD) == plan
    # A later apply: unchanged flags are not sent, the block is.
    items = plan["policies"][0]["policyItems"]
    items[0]["retentionValue"] = 9
    again = {"policies": [{"id": policy, "policyItems": items}], "export": body["export"]}
    updated = place.changed("PATCH", again)
    assert updated == place.changed("PATCH", again) == place.changed("GET")
    assert updated["autoExportEnabled"] is True and updated["export"] == body["export"]
    deleted = place.owner.delete(f"{place.buckets}/{place.bucket}")
    assert_error(deleted, 400, "EXPORT_BUCKET_DELETE_FAILED")
    off = place.changed("PATCH", {"autoExportEnabled": False, "export": body["export"]})
    assert off["autoExportEnabled"] is False and off["export"] == body["export"]
    assert place.changed("PATCH", {"autoExportEnabled": True})["export"] == body["export"]
    gone = place.changed("DELETE")
    assert "export" not in gone and gone["autoExportEnabled"] is False
    assert gone["useOrgAndGroupNamesInExportPrefix"] is False
    assert place.owner.delete(f"{place.buckets}/{place.bucket}").status_code == 204


def test_answers_are_those_of_the_schema(place):
    body = {"autoExportEnabled": True, "export": {"exportBucketId": place.bucket, "frequencyType": "monthly"}}
    for accept in (OLD, NEW):
        for method, change in (("patch", body), ("get", None)):
            answer = place.schedule(method.upper(), change, accept)
            assert answer.status_code == 200, answer.text
            assert answer.json()["export"] == body["export"]
            assert check_answer(answer, TEMPLATE, method, accept) == [], f"{method} {accept}"


def test_what_cannot_be_exported_is_refused(place):
    before = place.changed("GET")

    def refused(body, status, code):
        assert_error(place.schedule("PATCH", body), status, code)
        assert place.changed("GET") == before

    target = {"exportBucketId": place.bucket, "frequencyType": "monthly"}
    refused({"autoExportEnabled": True}, 400, "INVALID_BACKUP_POLICY")
    refused({"export": {"frequencyType": "monthly"}}, 400, "INVALID_BACKUP_POLICY")
    refused({"export": {**target, "frequencyType": "hourly"}}, 400, "INVALID_ENUM_VALUE")
    refused({"export": {**target, "exportBucketId": "0" * 24}}, 404, "EXPORT_BUCKET_NOT_FOUND")
    refused(
        {"autoExportEnabled": True, "export": target, "policies": [{"policyItems": [DAILY]}]},
        400,
        "INVALID_BACKUP_POLICY",
    )


def test_the_command_line(place):
    shown = place.run("schedule", "set", "Source", "--auto-export", "--export-bucket", place.bucket,
                      "--export-frequency", "weekly", "--export-names")  # fmt: skip
    assert f"weekly to {place.bucket}" in shown and "(off)" not in shown
    off = place.run("schedule", "set", "Source", "--no-auto-export", "--export-ids")
    assert f"weekly to {place.bucket} (off)" in off
    body = json.loads(place.run("schedule", "show", "Source", "--output", "json"))
    assert body["autoExportEnabled"] is False and body["useOrgAndGroupNamesInExportPrefix"] is False
    assert body["export"] == {"exportBucketId": place.bucket, "frequencyType": "weekly"}


def due_in_a_minute():
    """The reference time of a snapshot that is due soon, but not before the request has come."""
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=65)
    return {"referenceHourOfDay": soon.hour, "referenceMinuteOfHour": soon.minute}


def test_a_scheduled_snapshot_is_exported_once_whatever_is_killed(servers, tmp_path):
    source = servers.ferretdb()
    for name in ("orders", "a/b"):
        source.client["shop"][name].insert_many({"_id": n, "note": f"{name} {n}"} for n in range(300))
    place = Place(servers, tmp_path / "exports", source.uri)
    place.changed(
        "PATCH",
        {
            "policies": [{"policyItems": [DAILY, MONTHLY]}],
            "autoExportEnabled": True,
            "export": {"exportBucketId": place.bucket, "frequencyType": "monthly"},
            "useOrgAndGroupNamesInExportPrefix": True,
            **due_in_a_minute(),
        },
    )
    on_demand = place.owner.take_snapshot(place.project, "Source")  # nobody asked to export that one

    def completed():
        last = place.owner.own("GET", f"/projects/{place.project}/clusters/Source/schedule").get("last")
        return last and last["state"] == "COMPLETED" and last

    last = wait_until(completed, "the scheduled snapshot", 150)
    place.tidemark.kill()  # most likely before anybody has seen that there is something to export
    place.tidemark.start()

    def finished():
        jobs = place.exports()
        return jobs and jobs[0]["state"] == "Successful" and jobs

    (job,) = wait_until(finished, "the export", 90)
    assert job["snapshotId"] == last["snapshotId"] != on_demand
    assert job["exportBucketId"] == place.bucket
    assert "customData" not in job
    project = place.owner.get(group(place.project, V2)).json()
    assert job["prefix"].split("/")[2:4] == [project["name"], "Source"]
    assert exported(below(place.objects(), job["prefix"]), job["prefix"]) == documents_of(source)
    place.tidemark.kill()
    place.tidemark.start()
    assert [again["id"] for again in place.exports()] == [job["id"]]
    assert job["id"] in place.run("export", "list", "Source")
