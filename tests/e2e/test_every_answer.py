"""Every operation of the surface once, with things that are there: its answer is what MongoDB's OpenAPI document says, in
every version that it has. What test_surface.py asks with unknown ids is not repeated."""

import re

import pytest
from harness.client import OWN
from harness.openapi import problems
from harness.processes import wait_until
from harness.surface import document, resolve, specified

pytestmark = pytest.mark.skipif(document() is None, reason="TIDEMARK_OPENAPI names no OpenAPI document")

OPERATIONS = {operation.id: operation for operation in specified() if operation.served}
# What makes something, in the order in which it can be made, and what takes it away at last. The bodies are those of
# the newest version, or of each.
MAKE = {
    "takeGroupClusterBackupSnapshots": {"description": "asked for", "retentionInDays": 3},
    "updateGroupClusterBackupSnapshot": {"retentionUnit": "DAYS", "retentionValue": 5},
    "createGroupClusterBackupTenantRestore": {"snapshotId": "{snapshot}", "targetDeploymentItemName": "Target"},
    "downloadGroupClusterBackupTenant": {"snapshotId": "{snapshot}"},
    "createGroupClusterRestoreJob": {"snapshotId": "{snapshot}", "delivery": {"methodName": "HTTP"}},
    "updateGroupClusterSnapshot": {"doNotDelete": True},
    "updateGroupClusterSnapshotSchedule": {"snapshotIntervalHours": 8},
    "createGroupFlexClusterBackupRestoreJob": {"snapshotId": "{flex}", "targetDeploymentItemName": "Target"},
    "downloadGroupFlexClusterBackup": {"snapshotId": "{flex}"},
    "createGroupClusterBackupRestoreJob": {"deliveryType": "download", "snapshotId": "{snapshot}"},
    "updateGroupClusterBackupSchedule": {"referenceHourOfDay": 4},
    "createGroupBackupExportBucket": {"cloudProvider": "AWS", "bucketName": "bucket", "iamRoleId": "0" * 24},
    "updateGroupBackupExportBucket": {"requirePrivateNetworking": False},
    "createGroupClusterBackupExport": {"snapshotId": "{snapshot}", "exportBucketId": "{bucket}"},
    "createGroupClusterCollectionRestoreJob": {
        "snapshotId": "{snapshot}",
        "collections": [{"sourceNamespace": "shop.orders"}],
        "targetClusterName": "Target",
        "targetGroupId": "{group}",
        "writeStrategy": "OVERWRITE_EXISTING",
        "indexStrategy": "ALL",
    },
}
TAKE_AWAY = [
    "cancelGroupClusterBackupRestoreJob",
    "deleteGroupClusterBackupSchedule",
    "deleteGroupClusterBackupSnapshot",
    "deleteGroupClusterSnapshot",
    "deleteGroupBackupExportBucket",
]
# Nothing of the kind is ever there: no sharded cluster has snapshots.
NEVER_THERE = {
    "getGroupClusterBackupCheckpoint": "CHECKPOINT_NOT_FOUND",
    "getGroupClusterBackupSnapshotShardedCluster": "SNAPSHOT_NOT_FOUND",
    "deleteGroupClusterBackupSnapshotShardedCluster": "SNAPSHOT_NOT_FOUND",
}


def test_every_operation_has_its_turn():
    reads = {name for name, operation in OPERATIONS.items() if operation.method == "GET"}
    assert OPERATIONS.keys() == (reads | MAKE.keys() | set(TAKE_AWAY) | NEVER_THERE.keys()) & OPERATIONS.keys()


class Walk:
    """Calls operations, checks their answers, and keeps the ids for the ones behind them."""

    def __init__(self, tidemark):
        self.tidemark = tidemark
        self.owner = tidemark.client()
        self.values = {"group": tidemark.project}

    def path_values(self, operation):
        flex = operation.path.startswith("/groups/{groupId}/flexClusters")
        known = {
            "groupId": self.tidemark.project,
            "clusterName": "Source",
            "name": "Flex",
            "databaseName": "shop",
            "collectionName": "orders",
            "sourceNamespace": "shop.orders",
            "snapshotId": self.values["flex" if flex else "snapshot"],
            "exportBucketId": self.values.get("bucket"),
            "exportId": self.values.get("createGroupClusterBackupExport"),
            "restoreId": self.values.get("createGroupClusterBackupTenantRestore"),
            "restoreJobId": self.values.get(
                "createGroupFlexClusterBackupRestoreJob" if flex else "createGroupClusterBackupRestoreJob"
            ),
            "jobId": self.values.get(
                "createGroupClusterCollectionRestoreJob"
                if "collectionRestoreJobs" in operation.path
                else "createGroupClusterRestoreJob"
            ),
            "checkpointId": "0" * 24,
        }
        if operation.id in TAKE_AWAY and "snapshotId" in operation.parameters:
            known["snapshotId"] = self.values["spare " + operation.id]
        return known

    def call(self, name, version):
        operation = OPERATIONS[name]
        options = {}
        if (body := MAKE.get(name)) is not None:
            options["json"] = self.filled(body)
        return self.owner.call(
            operation.method, operation.address(self.path_values(operation)), accept=operation.accept(version), **options
        )

    def filled(self, body):
        if isinstance(body, dict):
            return {key: self.filled(value) for key, value in body.items()}
        if isinstance(body, list):
            return [self.filled(value) for value in body]
        found = re.fullmatch(r"{(\w+)}", body) if isinstance(body, str) else None
        return self.values[found[1]] if found else body

    def snapshot(self, cluster="Source"):
        return self.owner.take_snapshot(self.tidemark.project, cluster)

    def wait(self, cluster, job):
        done = self.owner.wait_restore(self.tidemark.project, cluster, job)
        assert done["state"] == "COMPLETED", done


def assert_fits(name, version, answer):
    """A success of the document, with its media type and schema."""
    operation = OPERATIONS[name]
    assert answer.status_code < 300, f"{name} {version}: {answer.status_code} {answer.text}"
    response = resolve(operation.spec["responses"][str(answer.status_code)])
    media_type = operation.accept(version)
    assert answer.headers["Content-Type"] == media_type + ";charset=utf-8"
    schema = response.get("content", {}).get(media_type, {}).get("schema")
    if schema is None or answer.status_code == 204:
        assert answer.content in (b"", b"{}"), answer.text
        return None
    found = list(problems(answer.json(), schema, name))
    assert not found, found
    return answer.json()


@pytest.fixture(scope="module")
def walk(module_servers, tmp_path_factory):
    """Everything that can be made has been made, in each version that makes it."""
    tidemark = module_servers.tidemark("--export-directory", str(tmp_path_factory.mktemp("buckets")))
    made = Walk(tidemark)
    source, target = module_servers.ferretdb(), module_servers.ferretdb()
    shop = source.client["shop"]
    shop["orders"].insert_many({"_id": n} for n in range(50))
    project = tidemark.project
    made.owner.add_cluster(project, "Source", source.uri, tier="dedicated")
    made.owner.add_cluster(project, "Flex", source.uri, tier="flex")
    made.owner.add_cluster(project, "Target", target.uri, tier="dedicated")
    made.values |= {"snapshot": made.snapshot(), "flex": made.snapshot("Flex")}
    if "createGroupBackupExportBucket" in OPERATIONS:
        body = {"kind": "directory", "bucketName": "bucket"}
        assert made.owner.call("POST", f"{OWN}/projects/{project}/exportTargets", json=body).status_code == 201
    for name in MAKE:
        if name in OPERATIONS:
            make(made, name)
    return made


def make(walk, name):
    versions = OPERATIONS[name].versions
    if name == "createGroupBackupExportBucket":
        versions = versions[-1:]  # one of that name can be there once
    for version in versions:
        body = assert_fits(name, version, walk.call(name, version))
        if name == "createGroupBackupExportBucket":
            walk.values["bucket"] = body["_id"]
        elif "id" in body:
            walk.values[name] = body["id"]
        elif "results" in body:
            walk.values[name] = body["results"][0]["id"]
    if name == "createGroupClusterBackupTenantRestore":
        walk.wait("Source", walk.values[name])
    elif name == "createGroupFlexClusterBackupRestoreJob":
        walk.wait("Flex", walk.values[name])
    elif name == "createGroupClusterCollectionRestoreJob":
        read = OPERATIONS["getGroupClusterCollectionRestoreJob"]
        path = read.address(walk.path_values(read))
        wait_until(lambda: walk.owner.get(path, accept=read.accept("2025-03-12")).json()["state"] == "SUCCESSFUL", path)


@pytest.mark.parametrize(
    "name, version",
    [(name, version) for name, each in OPERATIONS.items() if each.method == "GET" for version in each.versions],
)
def test_reads(walk, name, version):
    answer = walk.call(name, version)
    if code := NEVER_THERE.get(name):
        assert (answer.status_code, answer.json()["errorCode"]) == (404, code)
        return
    body = assert_fits(name, version, answer)
    if "results" in body and name not in ("listGroupClusterBackupCheckpoints", "listGroupClusterBackupSnapshotShardedClusters"):
        assert body["results"], f"{name} lists nothing: there is nothing to look at"
        assert body["totalCount"] >= len(body["results"])


@pytest.mark.parametrize("name", [name for name in TAKE_AWAY if name in OPERATIONS])
def test_taking_away(walk, name):
    for version in OPERATIONS[name].versions:
        walk.values["spare " + name] = walk.snapshot()
        assert_fits(name, version, walk.call(name, version))
