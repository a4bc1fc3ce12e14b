"""Databases and collections of snapshots, and restores of them, with real servers."""

import json
import os
import subprocess
import urllib.parse

import bson
import pytest
from harness.client import group, legacy, role, tenant
from harness.compare import contents
from harness.mongo_servers import prepare
from harness.openapi import check_answer
from harness.processes import wait_until

VERSION = "application/vnd.atlas.2025-03-12+json"
CLUSTER = "/groups/{groupId}/clusters/{clusterName}"
JOBS = CLUSTER + "/collectionRestoreJobs"
DATABASES = CLUSTER + "/backup/snapshots/{snapshotId}/databases"
FINAL = ("SUCCESSFUL", "FAILED", "CANCELED")
STATES = ["NOT_STARTED", "IN_PROGRESS", "FINALIZING", "SUCCESSFUL"]
ODD = "a.b/c d"
PARTS = "Picked"


class Source:
    """A cluster with a snapshot, seen through this family."""

    def __init__(self, client, project, name, snapshot):
        self.client, self.project, self.name, self.snapshot = client, project, name, snapshot

    def path(self, rest):
        return f"{group(self.project)}/clusters/{self.name}{rest}"

    def get(self, rest, template, status=200):
        answer = self.client.get(self.path(rest), accept=VERSION)
        assert answer.status_code == status, answer.text
        media = VERSION if status == 200 else "application/json"
        if os.environ.get("TIDEMARK_OPENAPI"):
            assert check_answer(answer, template, "get", media) == []
        return answer.json()

    def body(self, **members):
        base = {
            "snapshotId": self.snapshot,
            "targetClusterName": PARTS,
            "targetGroupId": self.project,
            "writeStrategy": "CREATE_NEW",
            "indexStrategy": "ALL",
        }
        return {name: value for name, value in {**base, **members}.items() if value is not None}

    def start(self, status=201, client=None, **members):
        path = self.path("/collectionRestoreJobs")
        answer = (client or self.client).post(path, self.body(**members), accept=VERSION)
        assert answer.status_code == status, answer.text
        if os.environ.get("TIDEMARK_OPENAPI"):
            assert check_answer(answer, JOBS, "post", VERSION if status == 201 else "application/json") == []
        return answer.json()

    def job(self, identifier):
        return self.get(f"/collectionRestoreJobs/{identifier}", JOBS + "/{jobId}")

    def rows(self, identifier, query=""):
        found = self.get(f"/collectionRestoreJobs/{identifier}/collections{query}", JOBS + "/{jobId}/collections")
        return {row["sourceNamespace"]: row for row in found["results"]}

    def wait(self, identifier):
        def finished():
            found = self.job(identifier)
            return found if found["state"] in FINAL else None

        return wait_until(finished, f"collection restore {identifier}", seconds=240)

    def restore(self, state="SUCCESSFUL", **members):
        done = self.wait(self.start(**members)["id"])
        assert done["state"] == state, done
        return done


def chosen(*names):
    return [{"sourceNamespace": name} for name in names]


@pytest.fixture(scope="module")
def source(session_servers, world):
    server = session_servers.ferretdb()
    shop = server.client["shop"]
    shop["orders"].insert_many({"_id": n, "customer": n % 7} for n in range(200))
    shop["orders"].create_index([("customer", 1)], name="by_customer")
    shop["people"].insert_many({"_id": f"p{n}"} for n in range(30))
    server.client["stock"]["items"].insert_one({"_id": 1, "count": 12})
    server.client["stock"][ODD.replace("/", "_")].insert_one({"_id": 7})
    world.owner.add_cluster(world.project, "Chosen", server.uri, tier="dedicated")
    snapshot = world.owner.take_snapshot(world.project, "Chosen")
    made = Source(world.owner, world.project, "Chosen", snapshot)
    made.expected = contents(server)
    made.server = server
    return made


@pytest.fixture
def target(world, session_servers):
    server = session_servers.ferretdb()
    server.client["shop"]["orders"].insert_many({"_id": n, "mine": True} for n in range(5))
    server.client["other"]["things"].insert_one({"_id": 1})
    world.owner.add_cluster(world.project, PARTS, server.uri, tier="dedicated")
    yield server
    world.owner.own("DELETE", f"/projects/{world.project}/clusters/{PARTS}")


def test_names_in_a_snapshot(source):
    base = f"/backup/snapshots/{source.snapshot}/databases"
    found = source.get(base, DATABASES)
    assert [row["name"] for row in found["results"]] == ["shop", "stock"]
    assert source.get(base + "?itemsPerPage=1&pageNum=2", DATABASES)["results"][0]["name"] == "stock"
    assert source.get(base + "/shop", DATABASES + "/{databaseName}")["name"] == "shop"
    template = DATABASES + "/{databaseName}/collections"
    found = source.get(base + "/stock/collections", template)
    odd = ODD.replace("/", "_")
    assert sorted(row["name"] for row in found["results"]) == sorted([odd, "items"])
    for row in found["results"]:
        link = urllib.parse.urlsplit(row["links"][0]["href"]).path
        assert source.client.get(link, accept=VERSION).json()["name"] == row["name"]
    one = template + "/{collectionName}"
    source.get(base + "/stock/collections/" + urllib.parse.quote(odd, safe=""), one)
    assert source.get(base + "/stock/collections/no", one, status=404)["errorCode"] == "RESOURCE_NOT_FOUND"


def test_create_new_renames_what_is_taken(source, target):
    before = contents(target)
    done = source.restore(databases=chosen("shop"))
    assert done["totalDocuments"] == done["restoredDocuments"] == 230
    assert done["indexStatus"] == {"failedCollectionCount": 0, "state": "SUCCESSFUL"}
    rows = source.rows(done["id"])
    assert rows["shop.orders"]["targetNamespace"] == "shop.orders"
    assert rows["shop.orders"]["effectiveTargetNamespace"] == "shop.orders_restored"
    assert rows["shop.people"]["effectiveTargetNamespace"] == "shop.people"
    assert {row["state"] for row in rows.values()} == {"SUCCESSFUL"}
    after = contents(target)
    assert after["shop", "orders_restored"] == source.expected["shop", "orders"]
    assert after["shop", "people"] == source.expected["shop", "people"]
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) + 2


def test_overwrite_touches_nothing_else(source, target):
    target.client["shop"]["mine"].insert_one({"_id": 1})
    before = contents(target)
    done = source.restore(collections=chosen("shop.orders"), writeStrategy="OVERWRITE_EXISTING")
    after = contents(target)
    assert after.pop(("shop", "orders")) == source.expected["shop", "orders"]
    before.pop(("shop", "orders"))
    assert after == before
    assert source.rows(done["id"])["shop.orders"]["effectiveTargetNamespace"] == "shop.orders"


def test_names_suffixes_and_indexes(source, target):
    done = source.restore(
        databases=[{"sourceNamespace": "stock", "targetNamespace": "depot"}],
        collections=[{"sourceNamespace": "shop.people", "targetNamespace": "staff.all.of.them"}, *chosen("shop.orders")],
        databaseSuffix="_pit",
        collectionSuffix="_restored",
        indexStrategy="NONE",
    )
    assert done["indexStatus"]["state"] == "NOT_RESTORED"
    found = contents(target)
    documents, indexes = found["shop_pit", "orders_restored"]
    assert documents == source.expected["shop", "orders"][0]
    assert len(indexes) == 1
    assert found["depot", "items_restored"][0] == source.expected["stock", "items"][0]
    assert found["staff", "all.of.them"][0] == source.expected["shop", "people"][0]
    row = source.get(
        f"/collectionRestoreJobs/{done['id']}/collections/shop.people",
        JOBS + "/{jobId}/collections/{sourceNamespace}",
    )
    assert row["effectiveTargetNamespace"] == "staff.all.of.them"
    assert row["indexStatus"]["state"] == "NOT_RESTORED"
    assert list(source.rows(done["id"], "?targetNamespace=depot.items_restored")) == ["stock.items"]


def test_with_something_missing_nothing_is_written(source, target):
    before = contents(target)
    done = source.restore(
        "FAILED", collections=chosen("shop.orders", "shop.nothing"), writeStrategy="OVERWRITE_EXISTING"
    )
    assert "shop.nothing: it was not found" in done["errorMessage"]
    states = {name: row["state"] for name, row in source.rows(done["id"]).items()}
    assert states == {"shop.orders": "NOT_RESTORED", "shop.nothing": "NOT_FOUND"}
    assert list(source.rows(done["id"], "?state=NOT_FOUND")) == ["shop.nothing"]
    assert contents(target) == before


def test_no_other_family_lists_it(source, target, world):
    def totals():
        lists = (tenant(world.project, "Chosen") + "/restores", legacy(world.project, "Chosen"))
        return [world.owner.get(path).json()["totalCount"] for path in lists]

    before = totals()
    done = source.restore(collections=chosen("stock.items"))
    assert totals() == before
    for path in (tenant(world.project, "Chosen") + "/restores", legacy(world.project, "Chosen")):
        assert world.owner.get(f"{path}/{done['id']}").status_code == 404
    listed = source.get("/collectionRestoreJobs", JOBS)
    assert listed["results"][0]["id"] == done["id"]


def test_refusals(source, target, world):
    def code(client=None, status=400, **members):
        return source.start(status, client, **members)["errorCode"]

    orders = {"collections": chosen("shop.orders")}
    assert code() == "MISSING_ONE_OF_MANY_ATTRIBUTES"
    assert code(databases=chosen("a.b")) == "VALIDATION_ERROR"
    assert code(collections=chosen(*(["a.a"] * 101))) == "VALIDATION_ERROR"
    assert code(collections=chosen("shop.orders", "shop.orders")) == "VALIDATION_ERROR"
    assert code(**orders, writeStrategy="APPEND") == "INVALID_ENUM_VALUE"
    assert code(**orders, snapshotId=None) == "MISSING_ONE_OF_MANY_ATTRIBUTES"
    assert code(**orders, oplogTs=5) == "INVALID_ATTRIBUTE"
    assert code(**orders, snapshotId=None, pointInTimeUtcSeconds=2000000000) == "INVALID_PIT_RESTORE_TIME"
    assert code(**orders, targetClusterName=None) == "MISSING_ATTRIBUTE"
    assert code(status=404, **orders, targetClusterName="Nobody") == "CLUSTER_NOT_FOUND"
    assert code(status=404, **orders, snapshotId="1" * 24) == "SNAPSHOT_NOT_FOUND"
    assert code(**orders, targetClusterName="Encrypted") == "INVALID_SNAPSHOT_RESTORE_ENCRYPTION"
    assert code(**orders, targetClusterName="Paused") == "CLUSTER_PAUSED_CANNOT_RESTORE"
    both = [{"sourceNamespace": "shop.people", "targetNamespace": "shop.x"}]
    both += [{"sourceNamespace": "shop.orders", "targetNamespace": "shop.x"}]
    assert code(collections=both) == "VALIDATION_ERROR"
    assert code(collections=chosen("shop.orders"), databaseSuffix="." * 3) == "VALIDATION_ERROR"
    reader, manager = world.client_with("GROUP_READ_ONLY"), world.client_with("GROUP_BACKUP_MANAGER")
    assert code(reader, 401, **orders) == "USER_UNAUTHORIZED"
    elsewhere = {"targetGroupId": world.other_project, "targetClusterName": "Other"}
    assert code(manager, 403, **orders, **elsewhere) == "CANNOT_RESTORE_TO_TARGET"
    assert source.wait(source.start(client=manager, **orders)["id"])["state"] == "SUCCESSFUL"
    flex = Source(world.bearer_client(), world.other_project, "Other", source.snapshot)
    flex.client = world.owner
    assert flex.start(400, **orders)["errorCode"] == "CANNOT_USE_FLEX_CLUSTER_IN_CLUSTER_API"
    answer = world.owner.get(source.path("/collectionRestoreJobs"))  # 2023-01-01
    assert (answer.status_code, answer.json()["errorCode"]) == (406, "INVALID_VERSION_DATE")


def test_indexes_that_cannot_be_built(servers, tmp_path):
    """The documents are there and are the snapshot's: that is said apart from what has failed."""
    target = servers.ferretdb()
    tidemark = servers.tidemark("--import-directory", str(tmp_path / "imports"))
    owner = tidemark.client()
    owner.add_cluster(tidemark.project, "Source", "mongodb://127.0.0.1:1/", tier="dedicated")
    owner.add_cluster(tidemark.project, PARTS, target.uri, tier="dedicated")
    folder = tmp_path / "imports" / tidemark.project / "dump" / "shop"
    folder.mkdir(parents=True)
    (folder / "twins.bson").write_bytes(b"".join(bson.encode({"_id": n, "n": 1}) for n in range(2)))
    indexes = [{"v": 2, "key": {"_id": 1}, "name": "_id_"}, {"v": 2, "key": {"n": 1}, "name": "n", "unique": True}]
    metadata = {"indexes": indexes, "collectionName": "twins", "type": "collection"}
    (folder / "twins.metadata.json").write_text(json.dumps(metadata))
    path = f"/projects/{tidemark.project}/clusters/Source/snapshots/import"
    snapshot = owner.own("POST", path, {"path": "dump"})["id"]
    assert owner.wait_snapshot(tidemark.project, "Source", snapshot)["state"] == "COMPLETED"
    seen = Source(owner, tidemark.project, "Source", snapshot)
    done = seen.restore("FAILED", databases=chosen("shop"))
    assert done["indexStatus"] == {"failedCollectionCount": 1, "state": "FAILED"}
    row = seen.rows(done["id"])["shop.twins"]
    assert (row["state"], row["indexStatus"]["state"]) == ("INDEX_BUILD_FAILED", "FAILED")
    assert "building the indexes of shop.twins" in row["indexStatus"]["errorMessage"]
    assert row["restoredDocuments"] == target.client["shop"]["twins"].count_documents({}) == 2
    again = seen.restore(databases=chosen("shop"), indexStrategy="NONE", collectionSuffix="_bare")
    assert seen.rows(again["id"])["shop.twins"]["effectiveTargetNamespace"] == "shop.twins_bare"


@pytest.mark.timeout(300)
def test_kill_during_the_restore(servers):
    """States are true before, during and after; what was there stays; the second into a busy target is refused."""
    source, target = servers.memory(), servers.memory()
    for number in range(6):
        name = f"c{number}"
        source.client["big"][name].insert_many({"_id": n, "v": f"{name} {n} " + "x" * 400} for n in range(8000))
        source.client["big"][name].create_index([("v", 1)], name="by_v")
    target.client["big"]["c1"].insert_one({"_id": "mine"})
    target.client["other"]["things"].insert_one({"_id": 1})
    tidemark = servers.tidemark()
    owner = tidemark.client()
    owner.add_cluster(tidemark.project, "Source", source.uri, tier="dedicated")
    owner.add_cluster(tidemark.project, PARTS, target.uri, tier="dedicated")
    expected, before = contents(source), contents(target)
    seen = Source(owner, tidemark.project, "Source", owner.take_snapshot(tidemark.project, "Source"))
    job = seen.start(databases=chosen("big"))["id"]
    assert seen.start(409, databases=chosen("big"))["errorCode"] == "ATLAS_CLUSTER_RESTORE_IN_PROGRESS"
    kills = 0
    for done in range(4):

        def is_far_enough(done=done):
            states = [row["state"] for row in seen.rows(job).values()]
            return seen.job(job)["state"] in FINAL or (
                states.count("SUCCESSFUL") >= done and "IN_PROGRESS" in states
            )

        wait_until(is_far_enough, "some collections", seconds=120)
        if seen.job(job)["state"] in FINAL:
            break
        tidemark.kill()
        kills += 1
        tidemark.start()
        assert seen.job(job)["state"] in ("IN_PROGRESS", "FINALIZING", "SUCCESSFUL")
    assert kills > 0
    done = seen.wait(job)
    assert done["state"] == "SUCCESSFUL", done
    after = contents(target)
    for number in range(6):
        name = f"c{number}"
        effective = seen.rows(job)[f"big.{name}"]["effectiveTargetNamespace"]
        assert effective == f"big.{name}" + ("_restored" if number == 1 else "")
        assert after["big", effective.split(".", 1)[1]] == expected["big", name]
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) + 6


def test_the_go_sdk_drives_all_nine_operations(source, target, world):
    program = prepare("gosdk.sh", "collections")
    account = world.owner.create_service_account(role("GROUP_BACKUP_MANAGER", world.project))
    key = world.key_with("GROUP_BACKUP_MANAGER")
    for credentials in (
        {"CLIENT_ID": account.id, "CLIENT_SECRET": account.secret},
        {"PUBLIC_KEY": key.public, "PRIVATE_KEY": key.private},
    ):
        environment = os.environ | credentials
        environment |= {"BASE_URL": world.url, "GROUP_ID": world.project, "CLUSTER": "Chosen", "TARGET": PARTS}
        environment |= {"SNAPSHOT_ID": source.snapshot}
        done = subprocess.run([program], env=environment, capture_output=True, text=True, check=False, timeout=240)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["databases"] == ["shop", "stock"]
        assert found["collections"] == ["orders", "people"]
        assert (found["status"], found["state"], found["missing"]) == (201, "SUCCESSFUL", "RESOURCE_NOT_FOUND")
        assert found["listed"] >= 1
        effective = found["effective"]
        assert effective.startswith("shop.orders_go")
        collection = effective.split(".", 1)[1]
        assert contents(target)["shop", collection] == source.expected["shop", "orders"]
