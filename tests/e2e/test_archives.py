"""Snapshots as files for other tools, through the command line and read back by a reader of its own."""

import gzip
import json
import random
import subprocess

import bson
import pytest
from bson import json_util
from bson.raw_bson import RawBSONDocument
from harness import dump_reader
from harness.mongo_servers import ROOT
from harness.tidemark import BINARY

GENUINE = ROOT / "tests/data/mongod-4.0/mongodump-100.10"
RECORDED = ROOT / "tests/data/mongod-4.0/dump-state"
RAW = bson.CodecOptions(document_class=RawBSONDocument)
NAMES = ["a\nb", "A\nb", "%", "%2F", "/", "a/b", " ", "+", "\N{GRINNING FACE}", "n" * 255, "/" * 255, "n" * 254 + "m"]


def run(*arguments, status=0, **options):
    command = [BINARY, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120, **options)
    assert done.returncode == status, (done.returncode, done.stderr)
    return done


def load_recorded(server):
    """What a genuine mongodump dumped."""
    catalog = json.loads((RECORDED / "catalog.json").read_text())
    for database, entries in catalog.items():
        for entry in entries:
            info = json_util.loads(json.dumps(entry["info"]), json_options=dump_reader.CANONICAL)
            if info["name"].startswith("system."):
                continue
            server.client[database].command(bson.SON([("create", info["name"])]) | info["options"])
            if info["type"] == "view":
                continue
            indexes = json_util.loads(json.dumps(entry["indexes"]), json_options=dump_reader.CANONICAL)
            more = [index for index in indexes if index["name"] != "_id_"]
            if more:
                server.client[database].command("createIndexes", info["name"], indexes=more)
            file = RECORDED / database / (dump_reader.escape(info["name"]) + ".bson")
            documents = dump_reader.split_documents(file.read_bytes())
            if documents:
                server.client[database][info["name"]].insert_many(RawBSONDocument(each) for each in documents)


def noise(number):
    return random.Random(number).randbytes(300).hex()


def load_odd_names(server):
    odd = server.client["odd"]
    for name in NAMES:
        odd.command("create", name)
        odd[name].insert_one({"_id": name, "ts": bson.Timestamp(0, 0)})
    odd.command("create", "weather", timeseries={"timeField": "t"})
    odd["system.buckets.weather"].insert_one({"control": {"version": 1}, "data": {"v": {"0": 1.5}}})
    odd.command("create", "ones", viewOn="a/b", pipeline=[{"$match": {"z": 1, "a": 2}}])
    odd["large"].insert_many({"_id": n, "text": noise(n)} for n in range(5000))


def contents(server):
    """{namespace: (options, indexes, documents)} of what a snapshot holds."""
    state = {}
    for name in server.client.list_database_names():
        if name in ("admin", "config", "local"):
            continue
        database = server.client.get_database(name, codec_options=RAW)
        for info in database.list_collections():
            collection, kind = info["name"], info["type"]
            if collection.startswith("system."):
                continue
            indexes = [] if kind == "view" else [bson.encode(spec) for spec in database[collection].list_indexes()]
            stored = "system.buckets." + collection if kind == "timeseries" else collection
            documents = [] if kind == "view" else sorted(found.raw for found in database[stored].find())
            state[name, collection] = (bson.encode(info["options"]), indexes, documents)
    return state


def assert_holds(namespaces, expected):
    assert sorted(namespaces) == sorted(expected)
    for key, (options, indexes, documents) in expected.items():
        dumped = namespaces[key]
        assert sorted(dumped.documents) == documents, key
        assert dumped.options == options, key
        assert dumped.indexes == indexes, key


@pytest.fixture
def backed_up(servers):
    """A data directory with a snapshot, no server running, and what the snapshot holds."""
    source = servers.memory("--replica-set", "rs0")
    tidemark = servers.tidemark()
    client = tidemark.client()
    client.add_cluster(tidemark.project, "Source", source.uri)
    load_recorded(source)
    load_odd_names(source)
    tidemark.snapshot = client.take_snapshot(tidemark.project, "Source")
    tidemark.stop()
    tidemark.export = ["repo", "open", tidemark.data_dir, "export", tidemark.snapshot]
    return tidemark, contents(source)


def test_every_format_holds_the_snapshot(backed_up, tmp_path):
    tidemark, expected = backed_up
    files = {}
    for form in ("tar.gz", "archive", "archive.gz", "json"):
        files[form] = tmp_path / f"file.{form}"
        done = run(*tidemark.export, "--format", form, "-o", files[form], "--output", "json")
        assert json.loads(done.stdout)["bytes"] == files[form].stat().st_size
        assert files[form].stat().st_mode & 0o777 == 0o600
    prelude, tree = dump_reader.read_tree(files["tar.gz"].read_bytes())
    assert prelude["ServerVersion"].startswith("6.0.")
    assert_holds(tree, expected)
    header, archived = dump_reader.read_archive(files["archive"].read_bytes())
    assert header["server_version"] == prelude["ServerVersion"]
    assert_holds(archived, expected)
    assert gzip.decompress(files["archive.gz"].read_bytes()) == files["archive"].read_bytes()
    assert_holds(dump_reader.read_lines(files["json"].read_bytes()), expected)


def test_tar_unpacks_it(backed_up, tmp_path):
    tidemark, expected = backed_up
    file = tmp_path / "file.tar.gz"
    run(*tidemark.export, "-o", file, "--folder", "shop-2026")
    listed = subprocess.run(["tar", "xzvf", file, "-C", tmp_path], capture_output=True, check=True)
    assert not listed.stderr
    for database, collection in expected:
        folder = tmp_path / "shop-2026" / database
        assert (folder / (dump_reader.escape(collection) + ".metadata.json")).is_file(), (database, collection)


def test_genuine_dumps_pass_the_same_reader(backed_up, tmp_path):
    tidemark, _ = backed_up
    file = tmp_path / "file.archive"
    run(*tidemark.export, "--format", "archive", "-o", file)
    _, ours = dump_reader.read_archive(file.read_bytes())
    header, genuine = dump_reader.read_archive((GENUINE / "all.archive").read_bytes())
    assert dump_reader.read_archive(gzip.decompress((GENUINE / "all.archive.gz").read_bytes())) == (header, genuine)
    compared = 0
    for key, dumped in genuine.items():
        if key[0] == "admin":
            continue
        assert sorted(ours[key].documents) == sorted(dumped.documents), key
        assert ours[key].type == dumped.type
        compared += 1
    assert compared == 19


def test_the_same_bytes_whatever_the_threads(backed_up):
    tidemark, _ = backed_up
    for form in ("tar.gz", "archive.gz", "json"):
        one = run(*tidemark.export, "--format", form, "--threads", "1", "-o", "-").stdout
        assert run(*tidemark.export, "--format", form, "--threads", "7", "-o", "-").stdout == one
        assert len(one) > 10000


def test_relaxed_lines(backed_up):
    tidemark, _ = backed_up
    members = dump_reader.read_members(run(*tidemark.export, "--format", "json", "--relaxed", "-o", "-").stdout)
    first = members["dump/odd/large/000001.json"].split(b"\n")[0]
    assert json.loads(first) == {"_id": 0, "text": noise(0)}


def test_damage_leaves_no_file(backed_up, tmp_path):
    tidemark, _ = backed_up
    for pack in (tidemark.data_dir / "repo" / "packs").rglob("*"):
        if pack.is_file():
            data = bytearray(pack.read_bytes())
            data[len(data) // 2] ^= 1
            pack.chmod(0o600)
            pack.write_bytes(data)
    out = tmp_path / "out"
    out.mkdir()
    done = run(*tidemark.export, "-o", out / "file.tar.gz", status=11)
    assert b"error: reading " in done.stderr
    assert list(out.iterdir()) == []
    cut = run(*tidemark.export, "-o", "-", status=11).stdout
    with pytest.raises((AssertionError, EOFError, OSError, dump_reader.tarfile.ReadError)):
        dump_reader.read_tree(cut)


def test_unknown_formats_are_named(backed_up):
    tidemark, _ = backed_up
    done = run(*tidemark.export, "--format", "zip", "-o", "-", status=2)
    assert done.stderr == (
        b"error: exporting: there is no format zip\nhint: the formats are tar.gz, archive, archive.gz and json\n"
    )


def test_a_file_is_never_overwritten(backed_up, tmp_path):
    tidemark, _ = backed_up
    file = tmp_path / "mine"
    file.write_text("mine")
    done = run(*tidemark.export, "-o", file, status=4)
    assert b"mine: File exists" in done.stderr
    assert file.read_text() == "mine"
    assert list(tmp_path.glob("mine*")) == [file]
