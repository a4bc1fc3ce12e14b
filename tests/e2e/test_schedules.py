"""Schedules, retention and the legacy endpoints of snapshots, schedule and checkpoints."""

import datetime
import json
import os
import re
import subprocess

import pytest
from harness import openapi
from harness.client import FIRST_VERSION, OWN, V2, V10, V15, assert_error, group, role
from harness.mongo_servers import prepare

UNKNOWN = "0" * 24
INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
SCHEDULE = {
    "snapshotIntervalHours": {6, 8, 12, 24},
    "snapshotRetentionDays": {2, 3, 4, 5},
    "dailySnapshotRetentionDays": {0, 3, 4, 5, 6, 7, 15, 30, 60, 90, 120, 180, 360},
    "weeklySnapshotRetentionWeeks": {0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 52},
    "monthlySnapshotRetentionMonths": {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 18, 24, 36},
    "clusterCheckpointIntervalMin": {15, 30, 60},
}


def cluster_path(world, name, rest, version=V2):
    return f"{group(world.project, version)}/clusters/{name}/{rest}"


def snapshots(world, rest="", version=V2):
    return cluster_path(world, "Source", "snapshots" + rest, version)


def schedule(world, cluster="Target", version=V2):
    return cluster_path(world, cluster, "snapshotSchedule", version)


def own_schedule(world, cluster):
    return world.owner.own("GET", f"/projects/{world.project}/clusters/{cluster}/schedule")


def patch(world, path, body, client=None, **options):
    return (client or world.owner).call("PATCH", path, json=body, **options)


def parse(instant):
    return datetime.datetime.strptime(instant, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)


@pytest.fixture
def snapshot(world):
    """A snapshot that a test may change."""
    return world.owner.take_snapshot(world.project, "Source")


def test_the_default_schedule_of_a_dedicated_cluster(world):
    answer = world.owner.get(schedule(world))
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/vnd.atlas.2023-01-01+json;charset=utf-8"
    assert answer.headers["Deprecation"]
    body = answer.json()
    assert body["links"] == [{"href": world.url + schedule(world), "rel": "self"}]
    assert {name: body[name] for name in SCHEDULE} == {
        "snapshotIntervalHours": 6,
        "snapshotRetentionDays": 5,
        "dailySnapshotRetentionDays": 7,
        "weeklySnapshotRetentionWeeks": 4,
        "monthlySnapshotRetentionMonths": 12,
        "clusterCheckpointIntervalMin": 15,
    }
    assert body["pointInTimeWindowHours"] == 168


@pytest.mark.parametrize("cluster", ["Source", "Target"])
def test_every_schedule_has_values_of_the_schema(world, cluster):
    body = world.owner.get(schedule(world, cluster)).json()
    assert set(body) == {*SCHEDULE, "clusterId", "groupId", "links", "pointInTimeWindowHours"}
    for name, allowed in SCHEDULE.items():
        assert body[name] in allowed, name


@pytest.mark.parametrize("version", [V10, V15])
def test_old_versions_tell_the_same(world, snapshot, version):
    for path in (snapshots(world, "/" + snapshot), schedule(world)):
        new = world.owner.get(path).json()
        answer = world.owner.get(path.replace(V2, version), accept=None)
        assert answer.headers["Content-Type"] == "application/json"
        old = answer.json()
        assert {**old, "links": None} == {**new, "links": None}


def test_a_schedule_is_changed_and_due_in_the_future(world):
    before = world.owner.get(schedule(world)).json()
    answer = patch(world, schedule(world), {"snapshotIntervalHours": 12, "dailySnapshotRetentionDays": 30})
    assert answer.status_code == 200, answer.text
    assert answer.json() == {**before, "snapshotIntervalHours": 12, "dailySnapshotRetentionDays": 30}
    assert world.owner.get(schedule(world)).json() == answer.json()
    found = own_schedule(world, "Target")
    due = parse(found["nextDue"]) - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(0) < due <= datetime.timedelta(hours=12)
    assert patch(world, schedule(world), before).json() == before  # as clients send it back


def test_nothing_is_due_at_registration(world):
    found = own_schedule(world, "Paused")
    assert found["active"] and found["enabled"]
    assert found["missed"] == 0
    assert "last" not in found
    assert found["items"] == [
        {"frequencyType": "daily", "frequencyInterval": 1, "retentionUnit": "days", "retentionValue": 8}
    ]


def test_wrong_schedules_are_refused(world):
    before = world.owner.get(schedule(world)).json()
    for body, code in (
        ({"snapshotIntervalHours": 5}, "INVALID_SNAPSHOT_SCHEDULE"),
        ({"snapshotRetentionDays": "2"}, "INVALID_JSON_ATTRIBUTE"),
        ({"clusterCheckpointIntervalMin": 30}, "CANNOT_SET_CLUSTER_CHECKPOINT_INTERVAL_FOR_REPLICA_SET"),
        ({"clusterCheckpointIntervalMin": 31}, "INVALID_CLUSTER_CHECKPOINT_INTERVAL"),
        ({"interval": 6}, "INVALID_ATTRIBUTE"),
    ):
        assert_error(patch(world, schedule(world), body), 400, code)
    assert_error(patch(world, schedule(world, "Nobody"), {}), 404, "CLUSTER_NOT_FOUND")
    assert world.owner.get(schedule(world)).json() == before


def test_v1_takes_numbers_as_text(world):
    path = schedule(world, version=V10)
    answer = patch(world, path, {"snapshotRetentionDays": "2"}, accept=None)
    assert answer.status_code == 200, answer.text
    assert answer.json()["snapshotRetentionDays"] == 2


def test_a_legacy_snapshot(world, snapshot):
    body = world.owner.get(snapshots(world, "/" + snapshot)).json()
    assert body["id"] == snapshot
    assert body["clusterName"] == "Source"
    assert body["groupId"] == world.project
    assert body["complete"] is True
    assert body["doNotDelete"] is False
    assert re.fullmatch(INSTANT, body["expires"])
    assert re.fullmatch(INSTANT, body["created"]["date"])
    assert body["links"] == [{"href": world.url + snapshots(world, "/" + snapshot), "rel": "self"}]
    (part,) = body["parts"]
    assert part["typeName"] == "REPLICA_SET"
    assert re.fullmatch(r"\d+\.\d+\.\d+", part["mongodVersion"])
    assert part["dataSizeBytes"] > 0


def test_legacy_snapshots_are_listed(world, snapshot):
    listed = world.owner.get(snapshots(world)).json()
    assert snapshot in [row["id"] for row in listed["results"]]
    assert all(row["complete"] for row in listed["results"])
    assert listed["totalCount"] == len(listed["results"])
    assert world.owner.get(snapshots(world, "?completed=false")).json()["results"] == []
    assert "completed=all" in world.owner.get(snapshots(world, "?completed=all")).json()["links"][0]["href"]
    assert_error(world.owner.get(snapshots(world, "?completed=2")), 400, "INVALID_QUERY_PARAMETER")


def test_a_legacy_snapshot_is_kept_and_then_deleted(world, snapshot):
    path = snapshots(world, "/" + snapshot)
    moved = patch(world, path, {"expires": "2099-01-01"})
    assert moved.status_code == 200, moved.text
    assert moved.json()["expires"] == "2099-01-01T00:00:00Z"
    kept = patch(world, path, {"doNotDelete": True}).json()
    assert kept["doNotDelete"] is True and "expires" not in kept
    assert_error(patch(world, path, {"doNotDelete": True, "expires": "2099-01-01"}), 400, "INVALID_ATTRIBUTE")
    assert_error(patch(world, path, {"expires": "2001-01-01"}), 400, "VALIDATION_ERROR")
    assert_error(patch(world, path, {"expires": "soon"}), 400, "INVALID_DATE_FORMAT")
    assert_error(world.owner.delete(path), 403, "CANNOT_MODIFY_SNAPSHOT")
    assert patch(world, path, {"doNotDelete": False}).json()["expires"] == "2099-01-01T00:00:00Z"
    deleted = world.owner.delete(path)
    assert deleted.status_code == 204 and not deleted.content
    assert_error(world.owner.get(path), 404, "SNAPSHOT_NOT_FOUND")
    assert_error(world.owner.delete(path), 404, "SNAPSHOT_NOT_FOUND")


def test_unknown_legacy_objects(world):
    assert_error(world.owner.get(snapshots(world, "/" + UNKNOWN)), 404, "SNAPSHOT_NOT_FOUND")
    assert_error(world.owner.get(snapshots(world, "/" + "A" * 24)), 404, "INVALID_SNAPSHOT_ID")
    checkpoints = cluster_path(world, "Source", "backupCheckpoints")
    assert world.owner.get(checkpoints).json()["results"] == []
    assert_error(world.owner.get(checkpoints + "/" + UNKNOWN), 404, "CHECKPOINT_NOT_FOUND")
    assert_error(world.owner.get(checkpoints + "/x"), 404, "INVALID_CHECKPOINT_ID")


def test_reading_is_for_readers_and_changing_for_owners(world, snapshot):
    reader = world.client_with("GROUP_READ_ONLY")
    stranger = world.tidemark.client(world.owner.create_key(role("GROUP_OWNER", world.other_project)))
    paths = [snapshots(world, "/" + snapshot), schedule(world)]
    readable = [*paths, snapshots(world), cluster_path(world, "Source", "backupCheckpoints")]
    readable.append(f"{OWN}/projects/{world.project}/clusters/Source/schedule")
    for path in readable:
        assert reader.get(path).status_code == 200, path
        assert_error(stranger.get(path), 401, "USER_CANNOT_ACCESS_GROUP")
    for path in paths:
        assert_error(patch(world, path, {"doNotDelete": False}, client=reader), 401, "USER_UNAUTHORIZED")
    assert_error(reader.delete(paths[0]), 401, "USER_UNAUTHORIZED")


def test_versions_are_those_of_the_operation(world):
    assert world.owner.get(schedule(world), accept="application/vnd.atlas.2025-03-12+json").status_code == 200
    assert_error(world.owner.get(schedule(world), accept="*/*"), 406, "INVALID_VERSION_DATE")
    assert world.owner.get(schedule(world) + "?envelope=true", accept=FIRST_VERSION).json()["status"] == 200


def test_the_command_line(world):
    def run(*arguments, status=0):
        done = world.tidemark.command(
            "schedule", *arguments, "--project", world.project, key=world.tidemark.key
        )
        assert done.returncode == status or (status and done.returncode), done.stderr
        return done.stdout if status == 0 else done.stderr

    shown = run("show", "Encrypted")
    assert re.search(r"items +daily:1:8d", shown)
    assert re.search(r"nextDue +" + INSTANT, shown)
    changed = run(
        "set", "Encrypted", "--reference", "02:30", "--keep-last", "3",
        "--item", "hourly:6:2d", "--item", "monthly:40:13m",
    )  # fmt: skip
    assert re.search(r"items +hourly:6:2d monthly:40:13m", changed)
    assert re.search(r"nextDue +[^ ]*T(02|08|14|20):30:00Z", changed)
    assert re.search(r"keepLast +3", changed)
    assert re.search(r"verifyIntervalDays +7", run("set", "Encrypted", "--verify-days", "7"))
    assert "nextDue" not in run("set", "Encrypted", "--off")
    assert "nextDue" in run("set", "Encrypted", "--on")
    assert "no interval" in run("set", "Encrypted", "--item", "hourly:5:2d", status=1)
    assert "FREQUENCY:INTERVAL:RETENTION" in run("set", "Encrypted", "--item", "hourly", status=1)
    assert "HH:MM" in run("set", "Encrypted", "--reference", "noon", status=1)
    assert "no change" in run("set", "Encrypted", status=1)


def test_schedules_can_be_turned_off(servers):
    tidemark = servers.tidemark("--schedules", "off")
    client = tidemark.client()
    client.add_cluster(tidemark.project, "Source", "mongodb://127.0.0.1:1/")
    found = client.own("GET", f"/projects/{tidemark.project}/clusters/Source/schedule")
    assert found["active"] is False


def test_answers_are_those_of_the_schema(world, snapshot):
    root = "/groups/{groupId}/clusters/{clusterName}"
    one = snapshots(world, "/" + snapshot)
    running = world.owner.start_snapshot(world.project, "Source")
    answers = [
        (world.owner.get(snapshots(world, "?completed=all")), "/snapshots", "get"),
        (world.owner.get(snapshots(world, "/" + running)), "/snapshots/{snapshotId}", "get"),
        (world.owner.get(one), "/snapshots/{snapshotId}", "get"),
        (patch(world, one, {"doNotDelete": True}), "/snapshots/{snapshotId}", "patch"),
        (patch(world, one, {"doNotDelete": False}), "/snapshots/{snapshotId}", "patch"),
        (world.owner.delete(one), "/snapshots/{snapshotId}", "delete"),
        (world.owner.get(schedule(world)), "/snapshotSchedule", "get"),
        (world.owner.get(schedule(world, "Source")), "/snapshotSchedule", "get"),
        (patch(world, schedule(world), {}), "/snapshotSchedule", "patch"),
        (world.owner.get(cluster_path(world, "Source", "backupCheckpoints")), "/backupCheckpoints", "get"),
    ]
    world.owner.wait_snapshot(world.project, "Source", running)
    for answer, path, method in answers:
        assert openapi.check_answer(answer, root + path, method) == [], f"{method} {path}"
    wrong = world.owner.get(snapshots(world, "/x"))
    assert list(openapi.problems(wrong.json(), {"$ref": "#/components/schemas/ApiError"}, "error")) == []


def test_the_go_clients_of_both_ages(world, snapshot):
    program = prepare("gosdk.sh", "schedules")
    key = world.key_with("GROUP_OWNER")
    environment = os.environ | {
        "BASE_URL": world.url,
        "GROUP_ID": world.project,
        "CLUSTER": "Source",
        "SNAPSHOT_ID": snapshot,
        "PUBLIC_KEY": key.public,
        "PRIVATE_KEY": key.private,
    }
    done = subprocess.run([program], env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen.pop("oldSnapshots") >= 1
    assert seen.pop("snapshots") >= 1
    assert seen == {
        "oldExpires": "2099-12-01T00:00:00Z",
        "oldCheckpoints": 0,
        "oldErrorCode": "SNAPSHOT_NOT_FOUND",
        "interval": 24,
        "changedDaily": 30,
        "kept": True,
        "checkpoints": 0,
        "refusedCode": "INVALID_SNAPSHOT_SCHEDULE",
        "goneCode": "SNAPSHOT_NOT_FOUND",
    }
