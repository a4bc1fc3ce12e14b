"""Cloud backup snapshots and restore jobs: by hand, by real clients, and as Terraform and the Atlas CLI ask for them."""

import json
import os
import pathlib
import subprocess

import pytest
import requests
from harness import openapi
from harness.client import OWN, V10, V15, ApiKey, assert_error, group, legacy, role, tenant
from harness.compare import assert_same, contents
from harness.mongo_servers import prepare
from harness.processes import wait_until

CLIENTS = pathlib.Path(__file__).parent / "clients"
UNKNOWN = "0123456789abcdef01234567"
TEMPLATE = "/groups/{groupId}/clusters/{clusterName}/backup"
NEWEST = "application/vnd.atlas.2025-03-12+json"  # what clients of this year send
ENDED = ("completed", "failed")
FLEX_CODES = ("CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API", "FEATURE_UNSUPPORTED", "CLUSTER_NOT_FOUND")


def backup(world, rest="", cluster="Source", version=None):
    return f"{group(world.project, version) if version else group(world.project)}/clusters/{cluster}/backup{rest}"


def take(world, client, cluster="Source", **body):
    answer = client.post(backup(world, "/snapshots", cluster), {"description": "by a test", **body}, accept=NEWEST)
    assert answer.status_code == 200, answer.text
    path = backup(world, f"/snapshots/{answer.json()['id']}", cluster)

    def ended():
        found = client.get(path, accept=NEWEST).json()
        return found if found["status"] in ENDED else None

    done = wait_until(ended, path, seconds=240)
    assert done["status"] == "completed", done
    return done


def start(world, client, kind, snapshot, **body):
    body = {"deliveryType": kind, "snapshotId": snapshot, **body}
    answer = client.post(backup(world, "/restoreJobs"), body, accept=NEWEST)
    assert answer.status_code == 200, answer.text
    return answer.json()


def target(world, cluster="Target"):
    return {"targetClusterName": cluster, "targetGroupId": world.project}


def job_path(world, job):
    return backup(world, f"/restoreJobs/{job['id']}")


def wait_for_job(world, client, job):
    """As `atlas backups restores watch` does: until it is finished, a flag is set, or a download can be fetched."""

    def ended():
        found = client.get(job_path(world, job), accept=NEWEST).json()
        flags = found["expired"] or found["cancelled"] or found["failed"] or "finishedAt" in found
        return found if flags or (found["deliveryType"] == "download" and found["deliveryUrl"]) else None

    return wait_until(ended, job_path(world, job), seconds=240)


@pytest.fixture(scope="module")
def manager(world):
    """A key with the one role that this family needs."""
    return world.client_with("GROUP_BACKUP_MANAGER")


@pytest.fixture(scope="module")
def snapshot(world, manager):
    return take(world, manager, retentionInDays=3)


@pytest.fixture(scope="module")
def download(world, manager, snapshot):
    return start(world, manager, "download", snapshot["id"])


@pytest.fixture(scope="module")
def restored(world, manager, snapshot):
    world.target.wipe()
    job = start(world, manager, "automated", snapshot["id"], **target(world))
    done = wait_for_job(world, manager, job)
    assert not done["failed"], done
    assert_same(world.expected, contents(world.target))
    return done


def schema_problems(answer, path, method):
    """Two members are as MongoDB sends them and not as its document has them: desiredTimestamp, with nulls and `time`, and
    targetDeploymentItemName."""
    body = answer.json()
    for job in body.get("results", [body]):
        assert job.get("targetDeploymentItemName") == job.get("targetClusterName")
        job.pop("targetDeploymentItemName", None)
        assert job.pop("desiredTimestamp", None) in (None, {"date": None, "increment": None, "time": None})
    answer._content = json.dumps(body).encode()  # noqa: SLF001
    return openapi.check_answer(answer, TEMPLATE + path, method)


def test_answers_are_what_the_document_says(world, manager, snapshot, download, restored):
    one = f"/snapshots/{snapshot['id']}"
    retention = {"retentionValue": 3, "retentionUnit": "DAYS"}
    calls = [
        ("get", "/snapshots", "/snapshots", None),
        ("get", "/snapshots/{snapshotId}", one, None),
        ("patch", "/snapshots/{snapshotId}", one, retention),
        ("get", "/snapshots/shardedClusters", "/snapshots/shardedClusters", None),
        ("get", "/restoreJobs", "/restoreJobs", None),
        ("get", "/restoreJobs/{restoreJobId}", f"/restoreJobs/{download['id']}", None),
        ("get", "/restoreJobs/{restoreJobId}", f"/restoreJobs/{restored['id']}", None),
    ]
    for method, template, path, body in calls:
        answer = manager.call(method.upper(), backup(world, path), accept=NEWEST, json=body)
        assert answer.headers["Content-Type"] == "application/vnd.atlas.2023-01-01+json;charset=utf-8"
        assert schema_problems(answer, template, method) == [], f"{method} {path}"


@pytest.mark.parametrize("version", [V10, V15])
def test_unversioned_families_show_the_same(world, manager, snapshot, download, version):
    for path in (f"/snapshots/{snapshot['id']}", f"/restoreJobs/{download['id']}"):
        old = manager.get(backup(world, path, version=version), accept=None)
        assert old.headers["Content-Type"] == "application/json"
        new = manager.get(backup(world, path))
        assert {**old.json(), "links": 0} == {**new.json(), "links": 0}


def test_every_family_shows_the_jobs(world, download, restored):
    for job, delivery in ((download, "DOWNLOAD"), (restored, "RESTORE")):
        found = world.owner.get(tenant(world.project, "Source") + f"/restores/{job['id']}").json()
        assert (found["status"], found["deliveryType"]) == ("COMPLETED", delivery)
        assert world.owner.get(legacy(world.project, "Source") + f"/{job['id']}").json()["statusName"] == "FINISHED"
    old = world.owner.post(tenant(world.project, "Source") + "/download", {"snapshotId": world.snapshot}).json()
    found = world.owner.get(backup(world, f"/restoreJobs/{old['id']}")).json()
    assert (found["deliveryType"], found["snapshotId"]) == ("download", world.snapshot)
    assert found["deliveryUrl"] == [old["snapshotUrl"]]


def test_reader_sees_snapshots_and_no_jobs(world, snapshot):
    reader = world.client_with("GROUP_READ_ONLY")
    body = {"deliveryType": "automated", "snapshotId": snapshot["id"], **target(world)}
    assert_error(reader.post(backup(world, "/restoreJobs"), body), 401, "USER_UNAUTHORIZED")
    assert_error(reader.get(backup(world, "/restoreJobs")), 401, "USER_UNAUTHORIZED")
    assert reader.get(backup(world, "/snapshots")).status_code == 200


def test_backup_manager_of_the_source_alone_cannot_wipe_another_project(world, manager, snapshot):
    body = {"targetClusterName": "Other", "targetGroupId": world.other_project}
    body |= {"deliveryType": "automated", "snapshotId": snapshot["id"]}
    assert_error(manager.post(backup(world, "/restoreJobs"), body), 403, "CANNOT_RESTORE_TO_TARGET")


def operator(world, role_name):
    body = {"kind": "apiKey", "description": "by a test", "roles": [role(role_name, world.project)]}
    made = world.owner.post(OWN + "/keys", body)
    if made.status_code == 400:
        pytest.skip(f"there is no role {role_name}")
    assert made.status_code == 201, made.text
    return world.tidemark.client(ApiKey(made.json()["publicKey"], made.json()["privateKey"]))


@pytest.mark.parametrize(
    ("role_name", "may", "may_not"),
    [
        ("GROUP_BACKUP_RECOVERY_OPERATOR", "automated", "download"),
        ("GROUP_BACKUP_EXPORT_OPERATOR", "download", "automated"),
    ],
)
def test_operators_may_ask_for_their_kind_only(world, manager, snapshot, role_name, may, may_not):
    client = operator(world, role_name)
    refused = {"deliveryType": may_not, "snapshotId": snapshot["id"], **target(world)}
    assert_error(client.post(backup(world, "/restoreJobs"), refused), 401, "USER_UNAUTHORIZED")
    job = start(world, client, may, snapshot["id"], **target(world))
    assert len(job["deliveryUrl"]) == (1 if may == "download" else 0)
    assert_error(client.get(job_path(world, job)), 401, "USER_UNAUTHORIZED")  # the list is the manager's
    assert not wait_for_job(world, manager, job)["failed"]
    other = start(world, manager, "download", snapshot["id"])
    cancelled = client.delete(job_path(world, other))
    if may == "download":
        assert cancelled.status_code == 204
    else:
        assert_error(cancelled, 401, "USER_UNAUTHORIZED")
        assert_error(client.delete(job_path(world, job)), 400, "CANNOT_CANCEL_AUTOMATED_RESTORE")


@pytest.mark.parametrize(
    ("cluster", "status", "code"),
    [
        ("Encrypted", 400, "INVALID_SNAPSHOT_RESTORE_ENCRYPTION"),
        ("Paused", 400, "CLUSTER_PAUSED_CANNOT_RESTORE"),
        ("None", 404, "CLUSTER_NOT_FOUND"),
    ],
)
def test_targets_are_checked(world, manager, snapshot, cluster, status, code):
    body = {"deliveryType": "automated", "snapshotId": snapshot["id"], **target(world, cluster)}
    assert_error(manager.post(backup(world, "/restoreJobs"), body), status, code)


def test_cancelled_download_is_dead_for_everybody(world, manager, snapshot):
    job = start(world, manager, "download", snapshot["id"])
    assert requests.get(job["deliveryUrl"][0], timeout=60).status_code == 200
    answer = manager.delete(job_path(world, job))
    assert (answer.status_code, answer.content) == (204, b"")
    assert requests.get(job["deliveryUrl"][0], timeout=60).status_code == 410
    assert manager.get(job_path(world, job)).json()["cancelled"]
    assert world.owner.get(tenant(world.project, "Source") + f"/restores/{job['id']}").json()["status"] == "FAILED"
    assert world.owner.get(legacy(world.project, "Source") + f"/{job['id']}").json()["statusName"] == "KILLED"


# Real clients.


def run(command, world, **more):
    environment = os.environ | {
        "BASE_URL": world.url,
        "GROUP_ID": world.project,
        "CLUSTER": "Source",
        "SNAPSHOT_ID": world.snapshot,
        "TARGET": "Target",
        "TARGET_GROUP_ID": world.project,
        **more,
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check_go(world, seen):
    assert seen["states"][0] == "queued"
    assert seen["states"][-1] == "completed"
    assert (seen["type"], seen["frequency"], seen["days"], seen["weeks"]) == ("onDemand", "ondemand", 3, 2)
    assert seen["version"].count(".") == 2
    assert seen["listed"] >= 2
    assert seen["sharded"] == 0
    assert seen["bytes"] > 0
    assert 55 < seen["minutes"] <= 60
    assert seen["dead"] == 410
    assert seen["jobs"] >= 2
    assert seen["codes"] == [
        "SNAPSHOT_NOT_FOUND",
        "SNAPSHOT_NOT_FOUND",
        "RESTORE_JOB_NOT_FOUND",
        "CANNOT_CANCEL_AUTOMATED_RESTORE",
    ]
    assert_same(world.expected, contents(world.target))


def test_go_sdk_v20240530_with_digest(world):
    key = world.key_with("GROUP_BACKUP_MANAGER")
    world.target.wipe()
    credentials = {"PUBLIC_KEY": key.public, "PRIVATE_KEY": key.private}
    check_go(world, run([prepare("gosdk.sh", "cloud", "v20240530005.0.0")], world, **credentials))


def test_go_sdk_v20250312020_with_a_service_account(world):
    account = world.owner.create_service_account(role("GROUP_BACKUP_MANAGER", world.project))
    world.target.wipe()
    credentials = {"CLIENT_ID": account.id, "CLIENT_SECRET": account.secret}
    check_go(world, run([prepare("gosdk.sh", "cloud", "v20250312020.0.0")], world, **credentials))


def test_npm_mongodb_atlas_api_client(world):
    modules = prepare("atlas_api_client.sh")
    key = world.key_with("GROUP_BACKUP_MANAGER")
    world.target.wipe()
    seen = run(
        ["node", str(CLIENTS / "cloud_backup.js")],
        world,
        NODE_PATH=modules,
        PUBLIC_KEY=key.public,
        PRIVATE_KEY=key.private,
    )
    assert (seen["listed"], seen["status"], seen["type"]) == (True, "completed", "onDemand")
    assert seen["bytes"] > 0
    assert (seen["finished"], seen["failed"]) == (True, False)
    assert seen["unknown"] == "RESTORE_JOB_NOT_FOUND"
    assert_same(world.expected, contents(world.target))


def test_pypi_atlasapi(world, manager):
    python = prepare("atlasapi.sh")
    world.target.wipe()
    key = world.key_with("GROUP_BACKUP_MANAGER")
    job = start(world, manager, "download", world.snapshot)
    seen = run(
        [python, str(CLIENTS / "cloud_backup.py")],
        world,
        DOWNLOAD_ID=job["id"],
        PUBLIC_KEY=key.public,
        PRIVATE_KEY=key.private,
    )
    taken = seen.pop("id")
    assert seen == {
        "status": "COMPLETED",
        "type": "ONDEMAND",
        "days": 2,
        "listed": True,
        "exists": True,
        "existsNot": False,
        "cancelled": True,
        "jobListed": True,
        "delivery": "download",
        "restored": True,
        "target": "Target",
        "unknown": "RESTORE_JOB_NOT_FOUND",
    }
    assert_same(world.expected, contents(world.target))
    assert manager.delete(backup(world, f"/snapshots/{taken}")).status_code == 204


# What the Terraform provider and the Atlas CLI send, in their order.


def test_terraform_snapshot(world):
    client = world.client_with("GROUP_BACKUP_MANAGER")
    idle = client.get(group(world.project) + "/clusters/Source", accept=NEWEST)
    assert idle.json()["stateName"] == "IDLE"
    made = take(world, client, description="terraform", retentionInDays=1)
    read = client.get(backup(world, f"/snapshots/{made['id']}"), accept=NEWEST)
    assert read.json() == made
    sharded = client.get(backup(world, f"/snapshots/shardedCluster/{made['id']}"), accept=NEWEST)
    assert_error(sharded, 404, "SNAPSHOT_NOT_FOUND")
    assert client.delete(backup(world, f"/snapshots/{made['id']}"), accept=NEWEST).status_code == 204
    assert client.get(backup(world, f"/snapshots/{made['id']}"), accept=NEWEST).status_code == 404  # gone


def test_terraform_restore_jobs(world):
    client = world.client_with("GROUP_BACKUP_MANAGER")
    job = start(world, client, "download", world.snapshot)
    first = client.get(job_path(world, job), accept=NEWEST).json()
    assert first == job == client.get(job_path(world, job), accept=NEWEST).json()  # no change to be applied
    assert client.delete(job_path(world, job), accept=NEWEST).status_code == 204
    assert client.delete(job_path(world, job), accept=NEWEST).status_code == 204  # destroyed once more
    restore = start(world, client, "automated", world.snapshot, **target(world))
    done = wait_for_job(world, client, restore)
    assert {**done, "finishedAt": 0} == {**restore, "finishedAt": 0}
    assert_error(client.delete(job_path(world, job | restore)), 400, "CANNOT_CANCEL_AUTOMATED_RESTORE")


def atlas(client, world, flex_path, path):
    """The CLI's lookup: the flex path first, the cluster's on one of three codes only."""
    first = client.get(group(world.project) + f"/flexClusters/Source/backup{flex_path}", accept=NEWEST)
    assert first.json()["errorCode"] in FLEX_CODES, first.text
    return client.get(backup(world, path), accept=NEWEST)


def test_atlas_cli_restores(world):
    client = world.bearer_client()
    probe = client.get(group(world.project) + "/clusters/Source", accept="application/vnd.atlas.2024-08-05+json")
    assert probe.status_code == 200
    for kind, more in (("automated", target(world)), ("download", {})):
        job = start(world, client, kind, world.snapshot, **more)
        assert atlas(client, world, f"/restoreJobs/{job['id']}", f"/restoreJobs/{job['id']}").status_code == 200
        assert not wait_for_job(world, client, job)["failed"]
    listed = atlas(client, world, "/restoreJobs", "/restoreJobs").json()
    assert listed["totalCount"] == len(listed["results"]) >= 2


def test_atlas_cli_snapshots(world):
    client = world.bearer_client()
    made = take(world, client, description="", retentionInDays=1)
    assert atlas(client, world, f"/snapshots/{made['id']}", f"/snapshots/{made['id']}").json() == made
    assert client.delete(backup(world, f"/snapshots/{made['id']}"), accept=NEWEST).status_code == 204
    listed = atlas(client, world, "/snapshots", "/snapshots").json()
    assert made["id"] not in [snapshot["id"] for snapshot in listed["results"]]
