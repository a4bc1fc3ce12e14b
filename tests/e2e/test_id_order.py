"""Our order of _id is the server's: a delta restore reads both sides by _id, and meets no document out of order."""

import datetime
import random

import bson
import pytest

SEED = 20261125


def numbers(rng):
    """Near each other across types, and at the edges of doubles and integers."""
    edges = [2**31 - 1, -(2**31), 2**53 - 1, 2**53, -(2**53), 2**53 + 2]
    whole = edges + [rng.randrange(-60, 60) for _ in range(60)]
    halves = [rng.randrange(-120, 120) / 4 for _ in range(60)]
    longs = [bson.Int64(2**62 + rng.randrange(5)) for _ in range(3)] + [bson.Int64(2**53 + 1)]
    return whole + halves + longs + [1e300, -1e300, 5e-324, 0.1]


def texts(rng):
    letters = ["", "a", "A", "ab", "b", "\u00e9", "z", "\U0001f600", " "]
    return [rng.choice(letters) + rng.choice(letters) for _ in range(60)]


def binaries(rng):
    return [rng.randbytes(rng.randrange(4)) for _ in range(40)]


def dates(rng):
    start = datetime.datetime(1969, 12, 31, 23, 59, 58, tzinfo=datetime.timezone.utc)
    return [start + datetime.timedelta(milliseconds=rng.randrange(4000)) for _ in range(40)]


def mixed(rng):
    """FerretDB takes a binary or a date for the same _id as some text or number, so these are apart."""
    return numbers(rng) + texts(rng) + [bson.ObjectId(rng.randbytes(12)) for _ in range(20)] + [True, False]


def distinct(values):
    """One of those that are equal for the server."""
    known = {}
    for value in values:
        kind = "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__
        known.setdefault((kind, value), value)
    return list(known.values())


@pytest.mark.parametrize("make", [numbers, texts, binaries, dates, mixed])
def test_delta_reads_both_sides_in_one_order(world, session_servers, make):
    rng = random.Random(SEED)
    values = distinct(make(rng))
    rng.shuffle(values)
    source, target = session_servers.ferretdb(), session_servers.ferretdb()
    world.owner.add_cluster(world.project, "Ordered", source.uri, tier="dedicated")
    world.owner.add_cluster(world.project, "OrderedTarget", target.uri, tier="dedicated")
    try:
        source.client["shop"]["ids"].insert_many([{"_id": value, "n": n} for n, value in enumerate(values)])
        snapshot = world.owner.take_snapshot(world.project, "Ordered")
        request = {"snapshotId": snapshot, "targetClusterName": "OrderedTarget"}
        jobs = f"/projects/{world.project}/clusters/Ordered/restoreJobs"

        def restore(**scope):
            job = world.owner.own("POST", jobs, {**request, **scope})
            done = world.owner.wait_restore(world.project, "Ordered", job["id"])
            assert done["state"] == "COMPLETED", done
            return done

        restore()
        removed, changed = values[:5], values[5:12]
        for value in removed:
            target.client["shop"]["ids"].delete_one({"_id": value})
        for value in changed:
            target.client["shop"]["ids"].update_one({"_id": value}, {"$set": {"n": -1}})
        done = restore(delta=True)
        assert "notes" not in done, done["notes"]
        kept = len(values) - len(removed) - len(changed)
        assert done["changes"] == {"leftAlone": kept, "replaced": len(changed), "inserted": len(removed), "deleted": 0}
    finally:
        world.owner.own("DELETE", f"/projects/{world.project}/clusters/OrderedTarget")
        world.owner.own("DELETE", f"/projects/{world.project}/clusters/Ordered")
