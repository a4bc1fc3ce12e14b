"""Who did what: the rows behind a user's and the server's doings, over restarts and kills."""

import hashlib
import json
import pathlib
import sqlite3

from harness.client import role
from harness.processes import wait_until

DAMAGED = 11  # exit status


def audit(tidemark, *arguments, status=0):
    done = tidemark.command("audit", *arguments, "--output", "json", key=tidemark.key)
    assert done.returncode == status, done.stdout + done.stderr
    return json.loads(done.stdout)


def rows(tidemark, *arguments):
    return audit(tidemark, *arguments)["results"]


def test_life_of_a_snapshot_is_told(servers):
    source, target = servers.memory(), servers.memory()
    tidemark = servers.tidemark()
    owner = tidemark.client()
    source.client["shop"]["orders"].insert_many([{"_id": n} for n in range(100)])
    owner.add_cluster(tidemark.project, "Source", source.uri)
    owner.add_cluster(tidemark.project, "Target", target.uri)
    snapshot = owner.take_snapshot(tidemark.project, "Source")
    restore = owner.restore(tidemark.project, "Source", snapshot, "Target")
    reader = tidemark.client(owner.create_key(role("GROUP_READ_ONLY", tidemark.project)))
    assert reader.delete(f"/api/tidemark/v1/projects/{tidemark.project}/clusters/Source").status_code == 401
    owner.own("DELETE", f"/projects/{tidemark.project}/clusters/Source/snapshots/{snapshot}")

    def settled():
        told = rows(tidemark)
        return told if len(told) == 11 else None

    told = wait_until(settled, "the rows of the server's own doings")
    key = tidemark.key.public
    short = [(row["operation"], row["actor"], row.get("status"), row.get("errorCode")) for row in reversed(told)]
    assert short[:8] == [
        ("serverStarted", "system", None, None),
        ("createCluster", key, 201, None),
        ("createCluster", key, 201, None),
        ("createSnapshot", key, 201, None),
        ("snapshotCompleted", "system", None, None),
        ("createGroupClusterBackupTenantRestore", key, 200, None),
        ("restoreCompleted", "system", None, None),
        ("createKey", key, 201, None),
    ]
    assert short[8] == ("deleteCluster", reader.key.public, 401, "USER_UNAUTHORIZED")
    assert sorted(short[9:]) == [("deleteSnapshot", key, 204, None), ("snapshotDeleted", "system", None, None)]
    by_operation = {row["operation"]: row for row in told}
    assert by_operation["createSnapshot"]["objectId"] == snapshot
    assert by_operation["snapshotCompleted"]["objectId"] == snapshot
    assert by_operation["restoreCompleted"]["objectId"] == restore
    assert by_operation["createGroupClusterBackupTenantRestore"]["objectId"] == restore
    assert by_operation["deleteSnapshot"]["remoteAddress"] == "127.0.0.1"
    assert by_operation["deleteSnapshot"]["clusterName"] == "Source"
    assert [row["operation"] for row in rows(tidemark, "--operation", "createCluster")] == ["createCluster"] * 2
    assert not rows(tidemark, "--until", "2020-01-01T00:00:00Z")
    assert len(rows(tidemark, "--limit", "3")) == 3
    assert len(rows(tidemark, "--project", tidemark.project)) == 9  # not the start, not the key
    table = tidemark.command("audit", "--limit", "1", key=tidemark.key)
    assert table.stdout.splitlines()[0].split()[:3] == ["NUMBER", "AT", "ACTOR"]


def chain_hash(previous, row):
    """docs/audit.md, "That nobody has changed it"."""
    fields = [previous, *("" if field is None else str(field) for field in row)]
    fields[4] = fields[4] or "0"  # begun
    text = b"".join(f"{len(field.encode())}:".encode() + field.encode() for field in fields)
    return hashlib.sha256(text).hexdigest()


def test_chain_is_that_of_the_document(servers):
    tidemark = servers.tidemark()
    tidemark.client().create_project("One")
    tidemark.stop()
    with sqlite3.connect(pathlib.Path(tidemark.data_dir, "catalog.sqlite")) as catalog:
        found = catalog.execute(
            "SELECT number, at, phase, begun, request, actor, address, operation, project, cluster, object, status, "
            "error_code, skipped, hash FROM audit ORDER BY number"
        ).fetchall()
    assert len(found) == 3
    previous = ""
    for *row, hashed in found:
        assert chain_hash(previous, row) == hashed
        previous = hashed


def test_new_master_key_is_told(servers):
    tidemark = servers.tidemark()
    tidemark.stop()
    done = tidemark.command("master-key", "rotate", "--data-dir", str(tidemark.data_dir))
    assert done.returncode == 0, done.stderr
    tidemark.start()
    assert [row["operation"] for row in rows(tidemark)] == ["serverStarted", "masterKeyRotated", "serverStarted"]


def test_request_that_was_cut_is_told(servers):
    source = servers.memory()
    tidemark = servers.tidemark()
    owner = tidemark.client()
    owner.add_cluster(tidemark.project, "Source", source.uri)
    tidemark.kill()
    # As a kill between a change and its outcome leaves it.
    with sqlite3.connect(pathlib.Path(tidemark.data_dir, "catalog.sqlite")) as catalog:
        last = catalog.execute("SELECT max(number) FROM audit").fetchone()[0]
        outcome = catalog.execute("SELECT phase, begun FROM audit WHERE number = ?", (last,)).fetchone()
        assert outcome == (1, last - 1)
        catalog.execute("DROP TRIGGER audit_is_not_deleted")
        catalog.execute("DELETE FROM audit WHERE number = ?", (last,))
    tidemark.start()
    newest, cut = rows(tidemark)[:2]
    assert newest["operation"] == "serverStarted"
    assert cut["operation"] == "createCluster"
    assert cut["errorCode"] == "OUTCOME_UNKNOWN"
    assert cut["actor"] == tidemark.key.public
    assert audit(tidemark, "verify")["intact"]


def test_tampering_is_found(servers):
    tidemark = servers.tidemark()
    for name in ("One", "Two", "Three"):
        tidemark.client().create_project(name)
    sound = audit(tidemark, "verify")
    assert sound["intact"] and sound["rows"] == 7
    anchor = f"{sound['rows']}:{sound['hash']}"
    assert audit(tidemark, "verify", "--anchor", anchor)["intact"]
    assert f"audit_hash={rows(tidemark)[-1]['hash']}" in tidemark.log_text()
    with sqlite3.connect(pathlib.Path(tidemark.data_dir, "catalog.sqlite")) as catalog:
        catalog.execute("DROP TRIGGER audit_is_not_deleted")
        catalog.execute("DELETE FROM audit WHERE number > 5")
    assert audit(tidemark, "verify")["intact"]  # a cut end needs an anchor
    assert audit(tidemark, "verify", "--anchor", anchor, status=DAMAGED)["brokenAt"] == 6
    with sqlite3.connect(pathlib.Path(tidemark.data_dir, "catalog.sqlite")) as catalog:
        catalog.execute("DROP TRIGGER audit_is_not_changed")
        catalog.execute("UPDATE audit SET actor = 'somebody' WHERE number = 3")
    assert audit(tidemark, "verify", status=DAMAGED)["brokenAt"] == 3
