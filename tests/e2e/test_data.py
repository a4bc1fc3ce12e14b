"""What goes through a snapshot and a restore comes out byte for byte."""

import datetime
import os
import random

import bson
import pytest
from bson import (
    Binary,
    Code,
    Decimal128,
    Int64,
    MaxKey,
    MinKey,
    ObjectId,
    Regex,
    Timestamp,
)
from harness.compare import assert_same, contents

MIB = 1 << 20


@pytest.fixture(scope="module")
def pair(world, session_servers):
    """Two FerretDB servers in two projects."""
    source, target = session_servers.ferretdb(), session_servers.ferretdb()
    world.owner.add_cluster(world.project, "DataSource", source.uri)
    world.owner.add_cluster(world.other_project, "DataTarget", target.uri)
    return source, target


@pytest.fixture
def round_trip(world, pair):
    """Restores what the source holds into the other project and compares."""
    source, target = pair
    source.wipe()

    def run():
        expected = contents(source)
        snapshot = world.owner.take_snapshot(world.project, "DataSource")
        world.owner.restore(world.project, "DataSource", snapshot, "DataTarget", world.other_project)
        assert_same(expected, contents(target))
        assert_same(expected, contents(source))
        return expected

    return run


@pytest.fixture
def source(pair):
    return pair[0].client


def ferretdb_values():
    return {
        "double": 1.5,
        "double_extremes": [5e-324, 1.7976931348623157e308, -1.5],
        "string": "h\u00e9llo \U0001f600",
        "empty_string": "",
        "long_string": "x" * 100_000,
        "object": {"a": {"b": {"c": {}}}},
        "array": [1, "two", {"three": 3.0}, None],
        "empty_array": [],
        "binary": Binary(b"\x00\x01\xff"),
        "binary_empty": Binary(b""),
        "binary_uuid": Binary(bytes(range(16)), 4),
        "binary_old_uuid": Binary(bytes(range(16)), 3),
        "binary_user": Binary(b"user", 0x80),
        "object_id": ObjectId("0123456789abcdef01234567"),
        "bool": [True, False],
        "date": datetime.datetime(2026, 1, 2, 3, 4, 5, 678000),
        "date_before_1970": datetime.datetime(1901, 1, 1),
        "null": None,
        "regex": Regex("^a.*b$", "im"),
        "int32": [0, -1, 2**31 - 1, -(2**31)],
        "timestamp": Timestamp(1700000000, 7),
        "int64": [Int64(0), Int64(2**63 - 1), Int64(-(2**63)), Int64(5)],
    }


def test_every_type_that_ferretdb_takes(source, round_trip):
    values = source["types"]["values"]
    values.insert_one({"_id": "all together", **ferretdb_values()})
    for name, value in ferretdb_values().items():
        values.insert_one({"_id": name, "value": value})
    round_trip()


def test_ids_of_every_kind(source, round_trip):
    ids = [1, 2.5, Int64(2**40), "text", "", ObjectId(), True, None, {"a": 1, "b": "x"}, Binary(b"\x00"), Binary(b"\xff", 0x80)]
    ids += [datetime.datetime(2026, 1, 1), Timestamp(1, 1), -1, "1", "\u00e9"]
    source["types"]["ids"].insert_many([{"_id": key, "n": n} for n, key in enumerate(ids)])
    round_trip()


def test_order_of_members_is_kept(source, round_trip):
    source["types"]["order"].insert_many([{"z": 1, "_id": 1, "a": 2}, {"_id": 2, "b": 1, "a": 2}])
    round_trip()


def test_awkward_collection_names(source, round_trip):
    names = ["with/slash", "with.dot", "with space", " ", "\u00fcn\u00efc\u00f6d\u00e9 \u6f22\u5b57 \U0001f600", "line\nbreak"]
    names += ["Case", "case", "CASE", "%2F", "-", "a" * 200, "quote';", "\\"]
    for number, name in enumerate(names):
        source["names"][name].insert_one({"_id": number, "name": name})
    expected = round_trip()
    assert {collection for _, collection in expected} == set(names)


def test_longest_names(source, round_trip):
    database = "d" * 63
    collection = "c" * (235 - len(database) - 1)
    source[database][collection].insert_one({"_id": 1})
    source["Upper_and-lower"]["x"].insert_one({"_id": 1})
    round_trip()


def test_empty_collections_are_kept(source, round_trip):
    source["empty"].create_collection("nothing")
    source["empty"].create_collection("only_indexes")
    source["empty"]["only_indexes"].create_index([("a", 1)], name="by_a")
    expected = round_trip()
    assert [len(documents) for documents, _ in expected.values()] == [0, 0]


def test_a_cluster_without_databases(round_trip):
    assert round_trip() == {}


def test_a_document_near_16_mib(source, round_trip):
    for number in range(3):
        source["large"]["documents"].insert_one({"_id": number, "data": Binary(os.urandom(16 * MIB - 100))})
    source["large"]["documents"].insert_one({"_id": "small"})
    round_trip()


def test_20000_small_documents(source, round_trip):
    rng = random.Random(20000)
    many = source["many"]["small"]
    for start in range(0, 20000, 5000):
        many.insert_many([{"_id": n, "v": rng.random(), "t": "x" * rng.randrange(20)} for n in range(start, start + 5000)])
    expected = round_trip()
    assert len(expected["many", "small"][0]) == 20000


def test_many_collections(source, round_trip):
    for number in range(60):
        source[f"db{number % 3}"][f"collection{number}"].insert_one({"_id": number})
    assert len(round_trip()) == 60


def test_indexes(source, round_trip):
    things = source["indexed"]["things"]
    things.insert_many([{"_id": n, "a": n, "b": {"c": -n}, "d": f"d{n}"} for n in range(50)])
    things.create_index([("a", 1)])
    things.create_index([("a", 1), ("b.c", -1)], name="compound")
    things.create_index([("d", 1)], unique=True, name="unique d")
    expected = round_trip()
    assert len(expected["indexed", "things"][1]) == 4


def test_a_second_snapshot_sees_changes_and_the_first_does_not(world, pair):
    source, target = pair
    source.wipe()
    things = source.client["shop"]["things"]
    things.insert_many([{"_id": n, "v": 0} for n in range(500)])
    first, first_state = world.owner.take_snapshot(world.project, "DataSource"), contents(source)
    things.update_many({"_id": {"$lt": 10}}, {"$set": {"v": 1}})
    things.delete_many({"_id": {"$gte": 490}})
    things.insert_one({"_id": "new"})
    second, second_state = world.owner.take_snapshot(world.project, "DataSource"), contents(source)
    for snapshot, state in ((first, first_state), (second, second_state), (first, first_state)):
        world.owner.restore(world.project, "DataSource", snapshot, "DataTarget", world.other_project)
        assert_same(state, contents(target))


def test_unchanged_data_are_not_stored_again(world, pair):
    source, _ = pair
    source.wipe()
    source.client["shop"]["things"].insert_many([{"_id": n, "v": os.urandom(500)} for n in range(2000)])
    path = f"/projects/{world.project}/clusters/DataSource/snapshots/"
    first = world.owner.own("GET", path + world.owner.take_snapshot(world.project, "DataSource"))
    second = world.owner.own("GET", path + world.owner.take_snapshot(world.project, "DataSource"))
    assert first["documents"] == second["documents"] == 2000
    assert first["storedBytes"] > 900_000
    assert second["storedBytes"] < first["storedBytes"] / 20


def test_only_changes_are_stored(world, pair):
    source, target = pair
    source.wipe()
    things = source.client["shop"]["things"]
    things.insert_many([{"_id": n, "v": os.urandom(500)} for n in range(3000)])
    path = f"/projects/{world.project}/clusters/DataSource/snapshots/"
    first = world.owner.own("GET", path + world.owner.take_snapshot(world.project, "DataSource"))
    things.replace_one({"_id": 77}, {"_id": 77, "v": "changed"})
    things.delete_many({"_id": {"$in": [5, 6, 7]}})
    things.insert_one({"_id": "new"})
    second = world.owner.take_snapshot(world.project, "DataSource")
    shown = world.owner.own("GET", path + second)
    assert shown["documents"] == 2998
    assert shown["storedBytes"] < first["storedBytes"] / 100
    # The one before may go: what it shares with others stays.
    world.owner.own("DELETE", path + first["id"])
    world.owner.restore(world.project, "DataSource", second, "DataTarget", world.other_project)
    assert_same(contents(source), contents(target))


def test_each_of_many_snapshots_restores_to_its_own_moment(world, pair):
    source, target = pair
    source.wipe()
    things = source.client["shop"]["things"]
    chance = random.Random(4)
    taken = []
    for moment in range(12):
        things.insert_many([{"_id": f"{chance.random()}", "n": moment} for _ in range(40)])
        ids = [thing["_id"] for thing in things.find({}, {"_id": 1})]
        things.delete_many({"_id": {"$in": chance.sample(ids, 10)}})
        things.update_many({"_id": {"$in": chance.sample(ids, 5)}}, {"$set": {"n": -moment}})
        taken.append((world.owner.take_snapshot(world.project, "DataSource"), contents(source)))
    for snapshot, state in chance.sample(taken, 4) + [taken[-1]]:
        world.owner.restore(world.project, "DataSource", snapshot, "DataTarget", world.other_project)
        assert_same(state, contents(target))


def test_a_standalone_source_is_told_as_inconsistent(world):
    path = f"/projects/{world.project}/clusters/Source/snapshots/{world.snapshot}"
    found = world.owner.own("GET", path)
    assert found["consistent"] is False
    assert found["inconsistentReason"]


def test_types_that_only_mongo_java_server_takes(world, servers):
    source, target = servers.mongo_java_server(), servers.mongo_java_server()
    world.owner.add_cluster(world.project, "JavaSource", source.uri)
    world.owner.add_cluster(world.project, "JavaTarget", target.uri)
    values = [
        Decimal128("1.10"),
        Decimal128("NaN"),
        Decimal128("-Infinity"),
        MinKey(),
        MaxKey(),
        Code("function() { return 1; }"),
        float("nan"),
        float("inf"),
        -0.0,
        [[1, [2, []]], []],
        {"dotted.name": 1, "$dollar": 2},
    ]
    collection = source.client["types"]["values"]
    for number, value in enumerate(values):
        collection.insert_one(bson.raw_bson.RawBSONDocument(bson.encode({"_id": number, "value": value})))
    collection.create_index([("value", 1)], name="by_value")
    expected = contents(source)
    assert len(expected["types", "values"][0]) == len(values)
    snapshot = world.owner.take_snapshot(world.project, "JavaSource")
    world.owner.restore(world.project, "JavaSource", snapshot, "JavaTarget")
    assert_same(expected, contents(target))


def test_a_diff_tells_what_has_changed(world, pair):
    source, _ = pair
    source.wipe()
    things = source.client["shop"]["things"]
    things.insert_many([{"_id": n, "v": 0} for n in range(300)])
    first = world.owner.take_snapshot(world.project, "DataSource")
    things.update_one({"_id": 3}, {"$set": {"v": 1.5}})
    things.delete_one({"_id": 200})
    things.insert_one({"_id": 999})
    second = world.owner.take_snapshot(world.project, "DataSource")
    path = f"/projects/{world.project}/clusters/DataSource/snapshots/{first}/diff"
    diff = world.owner.own("POST", path, {"toSnapshotId": second, "documents": True})
    (namespace,) = diff["namespaces"]
    assert [namespace[name] for name in ("added", "removed", "changed")] == [1, 1, 1]
    assert diff["truncated"] is False
    assert [(d["before"], d["after"]) for d in diff["documents"]] == [
        (
            {"_id": {"$numberInt": "3"}, "v": {"$numberInt": "0"}},
            {"_id": {"$numberInt": "3"}, "v": {"$numberDouble": "1.5"}},
        ),
        ({"_id": {"$numberInt": "200"}, "v": {"$numberInt": "0"}}, None),
        (None, {"_id": {"$numberInt": "999"}}),
    ]
    command = ("snapshot", "diff", "DataSource", first, second, "--project", world.project)
    done = world.tidemark.command(*command, "--documents", "--ns", "shop.things", key=world.owner.key)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3
    assert world.owner.call("POST", f"/api/tidemark/v1{path}", json={"toSnapshotId": "0" * 24}).status_code == 404
