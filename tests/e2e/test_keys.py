"""Losing things: the catalog, the master key; and getting rid of things: an old master key, a project."""

import json
import shutil
import subprocess

import pytest
from conftest import load_sample
from harness.client import assert_error, role
from harness.compare import assert_same, contents
from harness.tidemark import BINARY


@pytest.fixture
def backed_up(servers):
    """A stopped server with one snapshot, its content, and an empty second cluster."""
    source, target = servers.ferretdb(), servers.ferretdb()
    tidemark = servers.tidemark()
    client = tidemark.client()
    client.add_cluster(tidemark.project, "Source", source.uri)
    client.add_cluster(tidemark.project, "Target", target.uri)
    load_sample(source)
    tidemark.snapshot = client.take_snapshot(tidemark.project, "Source")
    tidemark.stop()
    return tidemark, target, contents(source)


def run(*arguments, status=0, stdin=""):
    done = subprocess.run(
        [BINARY, *map(str, arguments)], input=stdin, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    return done


def run_json(*arguments, **options):
    return json.loads(run(*arguments, "--output", "json", **options).stdout)


def write_private(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return path


def delete_catalog(tidemark):
    for path in tidemark.data_dir.glob("catalog.sqlite*"):
        path.unlink()


def rotate(tidemark):
    return run_json("master-key", "rotate", "--data-dir", tidemark.data_dir)


def restore_through_api(tidemark, target, expected):
    target.wipe()
    tidemark.start()
    tidemark.client().restore(tidemark.project, "Source", tidemark.snapshot, "Target")
    assert_same(expected, contents(target))
    tidemark.stop()


def test_snapshots_outlive_the_catalog(backed_up, tmp_path):
    tidemark, target, expected = backed_up
    delete_catalog(tidemark)
    opened = ["repo", "open", tidemark.data_dir]
    listed = run_json(*opened, "list")["results"]
    assert [(row["id"], row["clusterName"], row["projectId"]) for row in listed] == [
        (tidemark.snapshot, "Source", tidemark.project)
    ]
    assert listed[0]["documents"] == 231
    shown = run_json(*opened, "show", tidemark.snapshot)
    assert (shown["users"], shown["roles"]) == (0, 0)
    assert {row["collection"] for row in shown["namespaces"]} == {"orders", "people", "items"}
    assert "orders" in run(*opened, "show", tidemark.snapshot).stdout

    uri = write_private(tmp_path / "target.uri", target.uri + "\n")
    restore = [*opened, "restore", tidemark.snapshot, "--to-file", uri]
    target.client["old"]["things"].insert_one({"_id": 1})
    planned = run(*restore, "--dry-run").stdout
    assert "drop  database old" in planned
    assert "shop.orders: 200 documents" in planned
    refused = run(*restore, status=2)
    assert "every database of the target would be dropped" in refused.stderr
    assert target.client.list_database_names() == ["old"]
    done = run_json(*restore, "--yes")
    assert done["documents"] == 231
    assert_same(expected, contents(target))
    assert target.uri not in planned + refused.stderr


def test_a_copy_of_the_repository_and_the_key_are_enough(backed_up, tmp_path):
    tidemark, target, expected = backed_up
    copy = shutil.copytree(tidemark.data_dir / "repo", tmp_path / "copy")
    key = shutil.copy(tidemark.data_dir / "master.key", tmp_path / "kept.key")
    shutil.rmtree(tidemark.data_dir)
    before = sorted(copy.rglob("*"))
    for path in before:
        path.chmod(0o500 if path.is_dir() else 0o400)
    done = run("repo", "open", copy, "--key", key, "restore", tidemark.snapshot, "--to", target.uri, "--yes")
    assert "warning: a connection string on the command line" in done.stderr
    assert_same(expected, contents(target))
    assert sorted(copy.rglob("*")) == before
    wrong = write_private(tmp_path / "wrong.key", "0" * 64 + "\n")
    refused = run("repo", "open", copy, "--key", wrong, "list", status=5)
    assert "the master key is not the repository's" in refused.stderr
    assert "its master key is not given" in run("repo", "open", copy, "list", status=2).stderr


def test_one_damaged_manifest_does_not_hide_the_others(backed_up):
    tidemark, _, _ = backed_up
    tidemark.start()
    second = tidemark.client().take_snapshot(tidemark.project, "Source")
    tidemark.stop()
    manifest = next((tidemark.data_dir / "repo" / "manifests").rglob(tidemark.snapshot))
    data = bytearray(manifest.read_bytes())
    data[40] ^= 1
    manifest.chmod(0o600)
    manifest.write_bytes(data)
    done = run("repo", "open", tidemark.data_dir, "list", status=11)
    assert second in done.stdout
    assert tidemark.snapshot in done.stderr


def test_master_key_is_changed_and_everything_still_works(backed_up, tmp_path):
    tidemark, target, expected = backed_up
    key_file = tidemark.data_dir / "master.key"
    old = shutil.copy(key_file, tmp_path / "old.key")
    packs = sorted((tidemark.data_dir / "repo" / "packs").rglob("*"))
    assert rotate(tidemark) == {"projects": 1, "secrets": 3}  # one API key, two clusters
    assert key_file.read_text() != old.read_text()
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert sorted((tidemark.data_dir / "repo" / "packs").rglob("*")) == packs
    run("repo", "open", tidemark.data_dir, "--key", old, "list", status=5)
    restore_through_api(tidemark, target, expected)
    tidemark.start()
    tidemark.client().take_snapshot(tidemark.project, "Source")
    tidemark.stop()
    rotate(tidemark)
    restore_through_api(tidemark, target, expected)


def test_master_key_is_not_changed_below_a_running_server(backed_up):
    tidemark, _, _ = backed_up
    tidemark.start()
    refused = run("master-key", "rotate", "--data-dir", tidemark.data_dir, status=4)
    assert "another tidemark is using it" in refused.stderr
    assert not (tidemark.data_dir / "master.key.new").exists()


@pytest.mark.parametrize("reached", ["begun", "repository old", "catalog old", "all but the rename"])
def test_rotation_that_was_cut_is_finished(backed_up, tmp_path, reached):
    tidemark, target, expected = backed_up
    before = shutil.copytree(tidemark.data_dir, tmp_path / "before")
    rotate(tidemark)
    (tidemark.data_dir / "master.key").rename(tidemark.data_dir / "master.key.new")
    shutil.copy(before / "master.key", tidemark.data_dir / "master.key")
    if reached in ("begun", "repository old"):
        shutil.rmtree(tidemark.data_dir / "repo")
        shutil.copytree(before / "repo", tidemark.data_dir / "repo")
    if reached in ("begun", "catalog old"):
        delete_catalog(tidemark)
        for path in before.glob("catalog.sqlite*"):
            shutil.copy(path, tidemark.data_dir)
    refused = run("serve", "--data-dir", tidemark.data_dir, "--listen", "127.0.0.1:0", status=4)
    assert "a change of its master key is unfinished" in refused.stderr
    assert "master-key rotate" in refused.stderr
    new = (tidemark.data_dir / "master.key.new").read_text()
    rotate(tidemark)
    assert (tidemark.data_dir / "master.key").read_text() == new
    assert not (tidemark.data_dir / "master.key.new").exists()
    run("repo", "open", tidemark.data_dir, "--key", before / "master.key", "list", status=5)
    restore_through_api(tidemark, target, expected)


def test_rotation_that_cannot_end_does_not_begin(backed_up):
    tidemark, _, _ = backed_up
    (tidemark.data_dir / "master.key").write_text("1" * 64)
    run("master-key", "rotate", "--data-dir", tidemark.data_dir, status=5)
    assert not (tidemark.data_dir / "master.key.new").exists()


def test_lost_keys_come_back_from_an_export(backed_up, tmp_path):
    tidemark, target, expected = backed_up
    export = tmp_path / "keys.tidemark"
    passphrase = ["--passphrase-file", "-", "--data-dir", tidemark.data_dir]
    made = run_json("master-key", "export", export, *passphrase, stdin="correct horse\n")
    assert made["keys"] == 2
    assert export.stat().st_mode & 0o777 == 0o600
    master = (tidemark.data_dir / "master.key").read_text().strip()
    assert bytes.fromhex(master) not in export.read_bytes()
    run("master-key", "export", export, *passphrase, stdin="x\n", status=4)  # never overwrites

    (tidemark.data_dir / "master.key").unlink()
    shutil.rmtree(tidemark.data_dir / "repo" / "keys")
    shutil.rmtree(tidemark.data_dir / "repo" / "master")
    bring = ["master-key", "import", export, *passphrase]
    refused = run(*bring, stdin="wrong\n", status=5)
    assert "the passphrase is not the one it was made with" in refused.stderr
    assert not (tidemark.data_dir / "master.key").exists()
    assert "empty" in run(*bring, stdin="\n", status=2).stderr
    damaged = bytearray(export.read_bytes())
    damaged[100] ^= 1
    bad = tmp_path / "damaged"
    bad.write_bytes(damaged)
    told = run("master-key", "import", bad, *passphrase, stdin="correct horse\n", status=11)
    assert "damaged" in told.stderr
    foreign = run("master-key", "import", __file__, *passphrase, stdin="correct horse\n", status=2)
    assert "the file is none" in foreign.stderr

    done = run_json(*bring, stdin="correct horse\n")
    assert done == {"masterKey": "written", "written": 2, "present": 1, "skipped": 0}
    assert (tidemark.data_dir / "master.key").stat().st_mode & 0o777 == 0o600
    restore_through_api(tidemark, target, expected)
    rotate(tidemark)
    told = run(*bring, stdin="correct horse\n", status=4)
    assert "master key was changed after the export" in told.stderr


def test_deleted_project_is_destroyed(backed_up, tmp_path):
    tidemark, _, _ = backed_up
    master = shutil.copy(tidemark.data_dir / "master.key", tmp_path / "master.key")
    tidemark.start()
    client = tidemark.client()
    member = client.create_key(role("GROUP_OWNER", tidemark.project))
    delete = ["project", "delete", tidemark.project]
    told = tidemark.command(*delete, key=tidemark.key)
    assert told.returncode == 2
    assert "--yes" in told.stderr
    told = tidemark.command(*delete, "--yes", key=tidemark.key)
    assert told.returncode == 4, told.stderr
    for name in ("Source", "Target"):
        client.own("DELETE", f"/projects/{tidemark.project}/clusters/{name}")
    kept = shutil.copytree(tidemark.data_dir / "repo", tmp_path / "kept")
    told = tidemark.command(*delete, "--yes", key=tidemark.key)
    assert told.returncode == 0, told.stderr
    assert_error(client.get(f"/api/atlas/v2/groups/{tidemark.project}"), 404, "GROUP_NOT_FOUND")
    assert tidemark.client(member).get("/api/atlas/v2/groups").status_code == 401
    assert "project deleted" in tidemark.log_text()
    assert "snapshots destroyed" in tidemark.log_text()
    client.create_project("Project 0")  # the name is free again
    tidemark.stop()

    left = [path for path in (tidemark.data_dir / "repo").rglob("*") if path.is_file()]
    assert not [path for path in left if tidemark.project in str(path)]
    # Everything but the key put back from a copy, and the master key: still unreadable.
    shutil.rmtree(kept / "keys")
    listed = run_json("repo", "open", kept, "--key", master, "list")
    assert listed["results"] == []
    run("repo", "open", kept, "--key", master, "show", tidemark.snapshot, status=3)
