"""Dumps that a genuine mongodump wrote become snapshots, over the command line, and are restored."""

import json
import shutil
import subprocess
import time

import bson
import pytest
from bson import json_util
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from harness.client import assert_error
from harness.mongo_servers import ROOT

DUMPS = ROOT / "tests/data/mongod-4.0/mongodump-100.10"
STATE = ROOT / "tests/data/mongod-4.0/dump-state"
RAW = CodecOptions(document_class=RawBSONDocument)
CANONICAL = json_util.JSONOptions(json_mode=json_util.JSONMode.CANONICAL, document_class=bson.SON)


def escape(name):
    return "".join(c if c.isalnum() and c.isascii() or c in "-_.~" else "+" if c == " " else
                   "".join(f"%{byte:02X}" for byte in c.encode()) for c in name)


def without_namespace(index):
    return bson.encode(bson.SON((key, value) for key, value in index.items() if key != "ns"))


def recorded_state():
    """{(database, collection): (type, options, index specs, documents)}, byte for byte."""
    state = {}
    catalog = json_util.loads((STATE / "catalog.json").read_text(), json_options=CANONICAL)
    for database, entries in catalog.items():
        for entry in entries:
            info = entry["info"]
            if info["name"] == "system.views":
                continue
            file = STATE / database / f"{escape(info['name'])}.bson"
            documents = sorted(d.raw for d in bson.decode_file_iter(file.open("rb"), RAW)) if file.exists() else []
            indexes = [without_namespace(index) for index in entry.get("indexes", [])]
            state[database, info["name"]] = (info["type"], bson.encode(info["options"]), indexes, documents)
    return state


def content(server):
    state = {}
    for name in server.client.list_database_names():
        if name in ("admin", "config", "local"):
            continue
        database = server.client.get_database(name, codec_options=RAW)
        for info in database.list_collections():
            collection = info["name"]
            if collection == "system.views":
                continue
            view = info["type"] == "view"
            listed = [] if view else database[collection].list_indexes()
            indexes = [without_namespace(spec) for spec in listed]
            documents = [] if view else sorted(found.raw for found in database[collection].find())
            state[name, collection] = (info["type"], bson.encode(info["options"]), indexes, documents)
    return state


@pytest.fixture
def importing(servers, tmp_path):
    """A server with an import folder, a function that runs its command line, and the project's folder."""
    folder = tmp_path / "imports"
    tidemark = servers.tidemark("--import-directory", str(folder))
    own = folder / tidemark.project
    own.mkdir(parents=True)

    def run(*arguments, status=0):
        project = ["--project", tidemark.project, "--output", "json"]
        done = tidemark.command(*arguments, *project, key=tidemark.key)
        assert done.returncode == status, done.stdout + done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else done.stderr

    source = servers.memory("--replica-set", "rs0")
    run("cluster", "add", "Old", "--uri", source.uri)
    return tidemark, run, own


def copy_dump(name, own):
    if (DUMPS / name).is_dir():
        shutil.copytree(DUMPS / name, own / name)
    else:
        shutil.copy(DUMPS / name, own / name)


def test_every_form_of_a_dump_is_restored_as_it_was(importing, servers):
    tidemark, run, own = importing
    for name in ("dir", "dir-gzip", "all.archive", "all.archive.gz"):
        copy_dump(name, own)
    subprocess.run(["tar", "-C", own, "-czf", own / "dir.tar.gz", "dir"], check=True)
    target = servers.memory("--replica-set", "rs1")
    run("cluster", "add", "Target", "--uri", target.uri)
    for name in ("dir", "dir-gzip", "all.archive", "all.archive.gz", "dir.tar.gz"):
        snapshot = run("snapshot", "import", "Old", name, "--description", f"from {name}")
        assert snapshot["state"] == "COMPLETED"
        assert snapshot["description"] == f"from {name}"
        assert snapshot["imported"]["path"] == name
        assert snapshot["consistent"] is False
        assert "dump" in snapshot["inconsistentReason"]
        if "archive" in name:
            assert snapshot["mongoDBVersion"] == "4.0.3"
            continue  # the target runs another version, which restores refuse
        run("restore", "start", "Old", "--snapshot", snapshot["id"], "--target", "Target")
        assert content(target) == recorded_state()
        users = list(target.client["admin"]["system.users"].find())
        assert [(user["_id"], sorted(user["credentials"])) for user in users] == [("shop.app", ["SCRAM-SHA-1", "SCRAM-SHA-256"])]
        assert [role["_id"] for role in target.client["admin"]["system.roles"].find()] == ["shop.reader"]


def post_import(tidemark, client, path, cluster="Old"):
    own = f"/api/tidemark/v1/projects/{tidemark.project}/clusters/{cluster}/snapshots/import"
    return client.post(own, {"path": path})


def test_damage_and_paths_that_lead_out_are_refused(importing):
    tidemark, run, own = importing
    copy_dump("all.archive", own)
    with (own / "all.archive").open("r+b") as file:
        file.truncate(20000)
    run("snapshot", "import", "Old", "all.archive", status=1)
    for path in ("../x", "/etc/passwd", "nothing", "all.archive/x"):
        run("snapshot", "import", "Old", path, status=2)
        answer = post_import(tidemark, tidemark.client(), path)
        assert answer.status_code == 400
        assert answer.json()["badRequestDetail"]["fields"][0]["field"] == "path"
    snapshots = run("snapshot", "list", "Old")["results"]
    assert [snapshot["state"] for snapshot in snapshots] == ["FAILED"]
    assert "reading the archive" in snapshots[0]["failure"]


def test_without_an_import_directory_nothing_is_imported(world):
    answer = post_import(world.tidemark, world.owner, "dump", "Source")
    assert answer.status_code == 400
    assert "import-directory is not set" in answer.json()["badRequestDetail"]["fields"][0]["description"]


def test_a_reader_may_not_import(world):
    answer = post_import(world.tidemark, world.client_with("GROUP_READ_ONLY"), "dump", "Source")
    assert_error(answer, 401, "USER_UNAUTHORIZED")


def test_an_import_survives_a_restart(importing):
    tidemark, run, own = importing
    documents = b"".join(bson.encode({"_id": number, "text": f"{number}" * 200}) for number in range(100000))
    (own / "dump/shop").mkdir(parents=True)
    (own / "dump/shop/big.bson").write_bytes(documents)
    (own / "dump/shop/big.metadata.json").write_text('{"indexes":[]}')
    snapshot = run("snapshot", "import", "Old", "dump", "--no-wait")["id"]
    tidemark.kill()
    tidemark.start()
    deadline = time.monotonic() + 60
    while (found := run("snapshot", "show", "Old", snapshot))["state"] not in ("COMPLETED", "FAILED"):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert found["state"] == "COMPLETED"
    assert found["documents"] == 100000
