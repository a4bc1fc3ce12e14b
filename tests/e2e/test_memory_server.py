"""What FerretDB has not: the memory server through pymongo, and the product between two of them."""

import bson
import pytest
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from harness.mongo_servers import ROOT
from pymongo import ASCENDING, MongoClient, UpdateOne
from pymongo.errors import AutoReconnect, BulkWriteError, DuplicateKeyError, OperationFailure

RAW = CodecOptions(document_class=RawBSONDocument)
OWN = ("admin", "config", "local")
RECORDED = ROOT / "tests/data/mongod-4.0/dump-state"
# Every index kind that FerretDB 1.x refuses or forgets.
INDEXES = [
    {"key": {"_fts": "text", "_ftsx": 1}, "name": "words", "weights": {"note": 3}, "default_language": "french"},
    {"key": {"at": "2dsphere"}, "name": "at", "2dsphereIndexVersion": 3},
    {"key": {"user": "hashed"}, "name": "user"},
    {"key": {"n": 1}, "name": "part", "partialFilterExpression": {"n": {"$gt": 5}}, "unique": True},
    {"key": {"when": 1}, "name": "ttl", "expireAfterSeconds": 86400},
    {"key": {"name": 1}, "name": "folded", "collation": {"locale": "en", "strength": 1}},
    {"key": {"$**": 1}, "name": "wild", "wildcardProjection": {"secret": 0}},
]


def load_catalog(server):
    shop = server.client["shop"]
    shop.command("create", "checked", validator={"$jsonSchema": {"required": ["a"]}}, validationAction="warn")
    shop.command("create", "capped", capped=True, size=1 << 20, max=1000)
    shop.command("create", "clustered", clusteredIndex={"key": {"_id": 1}, "unique": True, "name": "by id"})
    shop.command("create", "sorted", collation={"locale": "fr", "caseLevel": True})
    shop.command("create", "weather", timeseries={"timeField": "t", "metaField": "place", "granularity": "hours"})
    shop.command("create", "ones", viewOn="orders", pipeline=[{"$match": {"a": 1}}])
    shop.command("createIndexes", "orders", indexes=INDEXES)
    shop["orders"].insert_many({"_id": n, "a": n % 3, "note": f"order {n}"} for n in range(500))
    shop["capped"].insert_many({"_id": n} for n in (3, 1, 2))
    shop["system.buckets.weather"].insert_one({"control": {"version": 1}, "meta": "x", "data": {"v": {"0": 1.5}}})


def everything(server):
    """{namespace: (type, options, index specs, documents)}, byte for byte."""
    state = {}
    for name in server.client.list_database_names():
        if name in OWN:
            continue
        database = server.client.get_database(name, codec_options=RAW)
        for info in database.list_collections():
            collection = info["name"]
            kind = info["type"]
            indexes = [] if kind == "view" else [bson.encode(spec) for spec in database[collection].list_indexes()]
            documents = sorted(found.raw for found in database[collection].find())
            state[name, collection] = (kind, bson.encode(info["options"]), indexes, documents)
    return state


@pytest.fixture
def server(servers):
    return servers.memory("--replica-set", "rs0")


@pytest.fixture
def small_world(servers):
    source, target = servers.memory("--replica-set", "rs0"), servers.memory("--replica-set", "rs1")
    tidemark = servers.tidemark()
    client = tidemark.client()
    client.add_cluster(tidemark.project, "Source", source.uri)
    client.add_cluster(tidemark.project, "Target", target.uri)
    load_catalog(source)
    return tidemark, client, source, target


def test_pymongo_finds_a_replica_set(server):
    with MongoClient(server.uri, replicaSet="rs0") as client:
        assert client.admin.command("ping")["ok"] == 1
        assert client.server_info()["version"].startswith("6.0.")
        assert client.primary == ("127.0.0.1", server.port)


def test_pymongo_reads_and_writes(server):
    things = server.client["shop"]["things"]
    things.insert_many({"_id": n, "a": n % 7} for n in range(1000))
    assert things.count_documents({"a": 3}) == 143
    assert things.estimated_document_count() == 1000
    assert [found["_id"] for found in things.find({"_id": {"$gte": 990}}).sort("_id", -1).limit(3)] == [999, 998, 997]
    assert len(list(things.find(batch_size=10))) == 1000
    assert things.update_one({"_id": 1}, {"$set": {"b.c": 5}}).modified_count == 1
    assert things.find_one({"_id": 1}) == {"_id": 1, "a": 1, "b": {"c": 5}}
    assert things.replace_one({"_id": 2}, {"z": 1}).modified_count == 1
    result = things.bulk_write([UpdateOne({"_id": "new"}, {"$inc": {"n": 2}}, upsert=True)])
    assert result.upserted_ids == {0: "new"}
    assert things.delete_many({"a": 3}).deleted_count == 143
    assert things.distinct("a") == [0, 1, 4, 5, 6, 2]
    with pytest.raises(DuplicateKeyError):
        things.insert_one({"_id": 1})
    with pytest.raises(BulkWriteError) as refused:
        things.insert_many([{"_id": 1}, {"_id": "other"}], ordered=False)
    assert refused.value.details["nInserted"] == 1


def test_pymongo_manages_collections(server):
    shop = server.client["shop"]
    shop["things"].create_index([("a", ASCENDING)], name="a", sparse=True)
    assert shop["things"].index_information()["a"] == {"v": 2, "key": [("a", 1)], "sparse": True}
    shop["things"].rename("others")
    assert shop.list_collection_names() == ["others"]
    shop["others"].drop_index("a")
    assert list(shop["others"].index_information()) == ["_id_"]
    with pytest.raises(OperationFailure, match="no such command: 'mapReduce'"):
        shop.command("mapReduce", "others")
    server.client.drop_database("shop")
    assert server.client.list_database_names() == list(OWN)


def test_oplog_in_mongodbs_form(server):
    shop = server.client["shop"]
    shop["things"].insert_one({"_id": 1, "a": 1})
    shop["things"].update_one({"_id": 1}, {"$set": {"a": 2}})
    entries = [entry for entry in server.client["local"]["oplog.rs"].find() if entry["ns"].startswith("shop")]
    assert [entry["op"] for entry in entries] == ["c", "i", "u"]
    assert entries[2]["o"] == {"$v": 2, "diff": {"u": {"a": 2}}}
    assert entries[2]["o2"] == {"_id": 1}
    assert [entry["ts"] for entry in entries] == sorted(entry["ts"] for entry in entries)
    assert entries[1]["ui"] == next(shop.list_collections())["info"]["uuid"]


def test_faults_reach_pymongo(server):
    things = MongoClient(server.uri, retryWrites=False, retryReads=False)["shop"]["things"]
    things.insert_many({"_id": n, "v": "x" * 1000} for n in range(1000))
    server.fault("killCursor")
    with pytest.raises(OperationFailure, match="cursor id .* not found"):
        list(things.find(batch_size=10))
    server.fault("dropConnection", commands=["count"])
    with pytest.raises(AutoReconnect):
        things.estimated_document_count()
    server.fault("fullDisk")
    with pytest.raises(OperationFailure, match="No space left on device"):
        things.insert_one({"_id": "one more"})
    server.fault("clear")
    things.insert_one({"_id": "one more"})


def test_restored_cluster_has_every_option_index_and_view(small_world):
    tidemark, client, source, target = small_world
    target.client["stale"]["things"].insert_one({"_id": 1})
    expected = everything(source)
    assert len(expected) >= 9
    snapshot = client.take_snapshot(tidemark.project, "Source")
    client.restore(tidemark.project, "Source", snapshot, "Target")
    found = everything(target)
    assert sorted(found) == sorted(expected)
    for namespace, state in expected.items():
        assert found[namespace] == state, namespace


def test_cursor_that_dies_once_is_outlasted(small_world):
    tidemark, client, source, _ = small_world
    source.fault("killCursor", ns="shop.orders")
    done = client.wait_snapshot(tidemark.project, "Source", client.start_snapshot(tidemark.project, "Source"))
    assert done["state"] == "COMPLETED", done
    assert "attempt=1" in tidemark.log_text()


def test_cursors_that_always_die_fail_the_snapshot_with_a_reason(small_world):
    tidemark, client, source, _ = small_world
    source.fault("killCursor", ns="shop.orders", times=-1)
    done = client.wait_snapshot(tidemark.project, "Source", client.start_snapshot(tidemark.project, "Source"))
    assert done["state"] == "FAILED"
    assert "6 attempts, the last: reading shop.orders" in done["failure"]
    assert "not found" in done["failure"]


def test_refused_write_fails_the_restore_and_the_target_is_marked(small_world):
    tidemark, client, source, target = small_world
    snapshot = client.take_snapshot(tidemark.project, "Source")
    target.fault(
        "refuseDocuments",
        commands=["insert"],
        ns="shop.orders",
        times=-1,
        code=121,
        codeName="DocumentValidationFailure",
        errmsg="Document failed validation",
    )
    restore = client.start_restore(tidemark.project, "Source", snapshot, "Target").json()["id"]
    done = client.wait_restore(tidemark.project, "Source", restore)
    assert done["state"] == "FAILED"
    assert "loading shop.orders" in done["failure"]
    assert "500 of 500 documents refused: Document failed validation" in done["failure"]
    assert "tidemark_restore" in target.client.list_database_names()
    target.fault("clear")
    client.restore(tidemark.project, "Source", snapshot, "Target")
    assert everything(target) == everything(source)


def test_the_program_loads_a_dump_state_and_makes_up_collections(servers):
    server = servers.memory("--data", str(RECORDED), "--generate", "made.up:1000:300", "--version", "5.0.1")
    assert server.client.server_info()["version"] == "5.0.1"
    shop = server.client["shop"]
    assert {"items", "capped", "coll"} <= set(shop.list_collection_names())
    assert server.client["made"]["up"].count_documents({}) == 1000
    assert all(250 < len(found.raw) < 350 for found in server.client.get_database("made", RAW)["up"].find())


def test_raw_documents_come_back_byte_for_byte(server):
    """Types and field orders that a driver of another language would not choose."""
    document = {"_id": bson.Int64(1), "b": 1.0, "a": bson.Int64(1), "n": None, "t": bson.Timestamp(5, 6)}
    raw = RawBSONDocument(bson.encode(document))
    things = server.client.get_database("shop", codec_options=RAW)["things"]
    things.insert_one(raw)
    assert things.find_one().raw == raw.raw
