"""Restores of a part of a snapshot, under other names, of single documents, and of what differs, with real servers."""

import datetime
import json

import bson
import pytest
from harness.compare import assert_same, contents

PARTS = "Parts"


@pytest.fixture
def parts(world, session_servers):
    """An empty target of its own for each test, registered as Parts."""
    server = session_servers.ferretdb()
    world.owner.add_cluster(world.project, PARTS, server.uri, tier="dedicated")
    yield server
    world.owner.own("DELETE", f"/projects/{world.project}/clusters/{PARTS}")


def path(world):
    return f"/projects/{world.project}/clusters/Source/restoreJobs"


def body(world, **scope):
    return {"snapshotId": world.snapshot, "targetClusterName": PARTS, **scope}


def restore(world, **scope):
    """The completed job."""
    job = world.owner.own("POST", path(world), body(world, **scope))
    done = world.owner.wait_restore(world.project, "Source", job["id"])
    assert done["state"] == "COMPLETED", done
    return done


def refusal(world, **scope):
    answer = world.owner.own("POST", path(world), body(world, **scope), expect=(400,))
    assert answer["errorCode"] == "VALIDATION_ERROR"
    return answer["badRequestDetail"]["fields"][0]


def namespace(database, collection):
    return {"database": database, "collection": collection}


def test_one_collection_leaves_the_rest(world, parts):
    parts.client["shop"]["people"].insert_one({"_id": "mine"})
    parts.client["shop"]["orders"].insert_one({"_id": "old"})
    parts.client["other"]["things"].insert_one({"_id": 1})
    done = restore(world, include=[namespace("shop", "orders")])
    assert done["include"] == [namespace("shop", "orders")]
    assert "changes" not in done
    found = contents(parts)
    assert found["shop", "orders"] == world.expected["shop", "orders"]
    assert [document["_id"] for document in parts.client["shop"]["people"].find()] == ["mine"]
    assert parts.client["other"]["things"].count_documents({}) == 1
    assert ("stock", "items") not in found


def test_other_names(world, parts):
    parts.client["shop"]["orders"].insert_one({"_id": "mine"})
    rename = {**namespace("shop", "orders"), "toDatabase": "copy", "toCollection": "old orders"}
    restore(world, include=[{"database": "shop", "toDatabase": "copy"}, rename])
    found = contents(parts)
    assert found["copy", "old orders"] == world.expected["shop", "orders"]
    assert found["copy", "people"] == world.expected["shop", "people"]
    assert list(found) and len(found["shop", "orders"][0]) == 1


def test_documents_by_id(world, parts):
    orders = parts.client["shop"]["orders"]
    same = world.source.client["shop"]["orders"].find_one({"_id": 11})
    orders.insert_many([{"_id": 10, "note": "damaged"}, same, {"_id": 500, "note": "mine"}])
    ids = {"$gte": 10, "$lt": 15}
    done = restore(world, filter={**namespace("shop", "orders"), "ids": ids})
    assert done["filter"]["ids"] == ids
    assert done["changes"] == {"leftAlone": 1, "replaced": 1, "inserted": 3, "deleted": 0}
    assert sorted(document["_id"] for document in orders.find()) == [10, 11, 12, 13, 14, 500]
    assert orders.find_one({"_id": 10}) == world.source.client["shop"]["orders"].find_one({"_id": 10})
    assert orders.find_one({"_id": 500})["note"] == "mine"


def test_documents_by_list_into_another_collection(world, parts):
    rename = {**namespace("shop", "people"), "toCollection": "found"}
    done = restore(
        world, include=[rename], filter={**namespace("shop", "people"), "ids": {"$in": ["p1", "p7", "absent"]}}
    )
    assert done["changes"] == {"leftAlone": 0, "replaced": 0, "inserted": 2, "deleted": 0}
    assert sorted(document["_id"] for document in parts.client["shop"]["found"].find()) == ["p1", "p7"]


def test_delta_changes_what_differs(world, parts):
    restore(world)
    orders = parts.client["shop"]["orders"]
    orders.delete_many({"_id": {"$in": [3, 4]}})
    orders.update_one({"_id": 5}, {"$set": {"note": "damaged"}})
    orders.insert_many([{"_id": 1000}, {"_id": "text"}])
    orders.drop_index("by_customer")
    orders.create_index([("note", 1)], name="by_note")
    parts.client["shop"]["extra"].insert_one({"_id": 1})
    parts.client["junk"]["things"].insert_one({"_id": 1})
    done = restore(world, delta=True)
    assert done["delta"] is True
    assert done["changes"] == {"leftAlone": 197 + 30 + 1, "replaced": 1, "inserted": 2, "deleted": 2}
    assert "notes" not in done
    assert_same(world.expected, contents(parts))
    assert restore(world, delta=True)["changes"] == {"leftAlone": 231, "replaced": 0, "inserted": 0, "deleted": 0}


def test_delta_into_an_empty_target_writes_all(world, parts):
    done = restore(world, delta=True)
    assert done["changes"] == {"leftAlone": 0, "replaced": 0, "inserted": 231, "deleted": 0}
    assert_same(world.expected, contents(parts))


def documents_of_many_kinds():
    ids = [1, 2.5, -7, "a", "B", True, None, bson.ObjectId("5f5e0f0e0f0e0f0e0f0e0f0e"), b"bytes", {"a": 1, "b": 2}]
    ids += [datetime.datetime(2026, 11, 25), bson.Timestamp(5, 6), bson.Int64(2**40), bson.MinKey(), bson.MaxKey()]
    return [{"_id": value, "n": n, "dotted.name": n} for n, value in enumerate(ids)]


def damage(collection, value):
    collection.delete_one({"_id": {"$eq": value}})
    collection.insert_one({"_id": value, "n": 99})


def test_delta_and_filter_with_ids_of_every_type(servers, world):
    """On another server, which keeps what FerretDB refuses."""
    source, target = servers.mongo_java_server(), servers.mongo_java_server()
    owner = world.owner
    for name, server in (("JavaSelected", source), ("JavaSelectedTarget", target)):
        owner.add_cluster(world.project, name, server.uri, tier="dedicated")
    source.client["shop"]["kinds"].insert_many(documents_of_many_kinds())
    snapshot = owner.take_snapshot(world.project, "JavaSelected")
    jobs = f"/projects/{world.project}/clusters/JavaSelected/restoreJobs"

    def run(**scope):
        request = {"snapshotId": snapshot, "targetClusterName": "JavaSelectedTarget", **scope}
        done = owner.wait_restore(world.project, "JavaSelected", owner.own("POST", jobs, request)["id"])
        assert done["state"] == "COMPLETED", done
        return done

    run()
    kinds = target.client["shop"]["kinds"]
    kinds.delete_many({"_id": {"$in": ["a", 2.5]}})
    for value in (1, {"a": 1, "b": 2}):
        damage(kinds, value)
    kinds.insert_many([{"_id": "zzz"}, {"_id": 77}])
    done = run(delta=True)
    assert_same(contents(source), contents(target))
    assert done["changes"] == {"leftAlone": 11, "replaced": 2, "inserted": 2, "deleted": 2}, done
    damage(kinds, "B")
    picked = {**namespace("shop", "kinds"), "ids": {"$gte": "A", "$lte": "a"}}
    assert run(filter=picked)["changes"] == {"leftAlone": 1, "replaced": 1, "inserted": 0, "deleted": 0}
    assert_same(contents(source), contents(target))


def test_plan_writes_nothing(world, parts):
    parts.client["shop"]["orders"].insert_one({"_id": "mine"})
    scope = {"include": [{**namespace("shop", "people"), "toCollection": "orders"}]}
    plan = world.owner.own("POST", path(world), body(world, dryRun=True, **scope))["plan"]
    assert plan["dropDatabases"] == []
    assert plan["dropCollections"] == ["shop.orders"]
    assert [(write["collection"], write["source"]) for write in plan["writes"]] == [("orders", "shop.people")]
    assert parts.client["shop"]["orders"].count_documents({}) == 1


def test_what_does_not_fit_is_refused(world, parts):
    wrong = refusal(world, include=[namespace("shop", "nothing")])
    assert wrong["field"] == "include"
    assert "holds no shop.nothing" in json.dumps(wrong)
    assert refusal(world, filter={**namespace("shop", "orders"), "ids": {"$ne": 1}})["field"] == "filter"
    assert contents(parts) == {}


def test_command_line(world, parts):
    def run(*arguments, status=0):
        start = ["restore", "start", "Source", "--project", world.project]
        start += ["--snapshot", world.snapshot, "--target", PARTS, "--output", "json", *arguments]
        done = world.tidemark.command(*start, key=world.tidemark.key)
        assert (done.returncode == 0) == (status == 0), done.stderr
        return json.loads(done.stdout) if status == 0 else done.stderr

    run("--only", "stock", "--rename", "shop.people=shop.persons")
    assert sorted(contents(parts)) == [("shop", "persons"), ("stock", "items")]
    picked = run("--only", "shop.orders", "--ids", '{"$in":[1,2]}')
    assert picked["changes"]["inserted"] == 2
    assert run("--only", "shop.orders", "--delta")["changes"]["leftAlone"] == 2
    assert run("--only", "shop", "--dry-run")["plan"]["writes"]
    assert "--ids needs exactly one collection" in run("--only", "shop", "--ids", "1", status=1)
    assert "it is not JSON" in run("--only", "shop.orders", "--ids", "abc", status=1)
    assert "--rename a.b=c" in run("--rename", "a.b=c", status=1)
