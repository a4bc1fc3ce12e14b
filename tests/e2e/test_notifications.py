"""Users are told of what failed: by webhook and by mail, over restarts, and without a secret in sight."""

import hashlib
import hmac
import json
import pathlib

import pytest
from harness.processes import wait_until
from harness.sinks import HttpSink, SmtpSink

SECRET = "canary-of-the-signature"
PATH = "/canary-path"
UNAVAILABLE = 5  # exit status


@pytest.fixture
def http_sink():
    sink = HttpSink()
    yield sink
    sink.stop()


@pytest.fixture
def smtp_sink():
    sink = SmtpSink()
    yield sink
    sink.stop()


def start(servers, *options):
    return servers.tidemark("--notify-loopback", "on", *options)


def notify(tidemark, *arguments, status=0):
    done = tidemark.command(
        "notify", *arguments, "--project", tidemark.project, "--output", "json", key=tidemark.key
    )
    assert (done.returncode == 0) == (status == 0), done.stdout + done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else None


def add_webhook(tidemark, sink, *arguments):
    return notify(tidemark, "add", "--address", sink.url + PATH, "--secret", SECRET, *arguments)["id"]


def fail_snapshot(servers, tidemark):
    """Takes a snapshot of a source that is gone; its id."""
    owner = tidemark.client()
    source = servers.memory()
    owner.add_cluster(tidemark.project, "Gone", source.uri)
    source.stop()
    snapshot = owner.start_snapshot(tidemark.project, "Gone")
    assert owner.wait_snapshot(tidemark.project, "Gone", snapshot)["state"] == "FAILED"
    return snapshot


def received(sink, count=1):
    return wait_until(lambda: len(sink.received) >= count and sink.received, "a notice")


def test_failed_snapshot_is_told_by_webhook_and_mail(servers, http_sink, smtp_sink):
    tidemark = start(servers)
    webhook = add_webhook(tidemark, http_sink)
    notify(
        tidemark, "add", "--kind", "email", "--address", smtp_sink.url, "--from", "tidemark@example.org",
        "--to", "a@example.org", "--to", "b@example.org", "--event", "SNAPSHOT_FAILED",
    )  # fmt: skip
    snapshot = fail_snapshot(servers, tidemark)

    delivery = received(http_sink)[0]
    assert delivery.path == PATH
    body = json.loads(delivery.body)
    assert set(body) == {"id", "event", "at", "projectId", "clusterName", "objectId", "reason"}
    assert body["event"] == "SNAPSHOT_FAILED"
    assert body["projectId"] == tidemark.project
    assert body["clusterName"] == "Gone"
    assert body["objectId"] == snapshot
    assert body["id"].startswith(webhook + "-")
    assert delivery.headers["Tidemark-Notice-Id"] == body["id"]
    signed = delivery.headers["Tidemark-Timestamp"].encode() + b"." + delivery.body
    expected = "sha256=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert delivery.headers["Tidemark-Signature"] == expected
    shown = tidemark.client().own("GET", f"/projects/{tidemark.project}/clusters/Gone/snapshots/{snapshot}")
    assert body["reason"] == shown["failure"]

    mail = received(smtp_sink)[0]
    assert mail.sender == "<tidemark@example.org>"
    assert mail.recipients == ("<a@example.org>", "<b@example.org>")
    assert mail.message["Subject"] == "[Tidemark] SNAPSHOT_FAILED: cluster Gone"
    assert mail.message["To"] == "a@example.org, b@example.org"
    assert f"object    {snapshot}\nreason    {shown['failure']}" in mail.message.get_content()

    listed = notify(tidemark, "list")["results"]
    wait_until(lambda: all("lastDelivered" in row for row in notify(tidemark, "list")["results"]), "the marks")
    assert [row["address"] for row in listed] == [http_sink.url, smtp_sink.url]
    rows = tidemark.client().own("GET", f"/projects/{tidemark.project}/audit")["results"]
    operations = [row["operation"] for row in rows]
    assert operations.count("createNotification") == 2
    assert operations.count("snapshotFailed") == 1
    assert len(http_sink.received) == 1
    assert_no_canary(tidemark)


def assert_no_canary(tidemark):
    tidemark.stop()
    everything = [tidemark.log_text().encode()]
    everything += [path.read_bytes() for path in pathlib.Path(tidemark.data_dir).glob("catalog.sqlite*")]
    for text in everything:
        assert b"canary" not in text


def test_notice_outlives_kills_and_refusals(servers, http_sink):
    tidemark = start(servers)
    webhook = add_webhook(tidemark, http_sink)
    http_sink.status = 500
    fail_snapshot(servers, tidemark)
    first = json.loads(received(http_sink)[0].body)

    def failing():
        row = notify(tidemark, "list")["results"][0]
        return row if row["failures"] else None

    row = wait_until(failing, "the failure to be shown")
    assert row["lastError"] == f"sending to {http_sink.url}: it answered 500"
    assert row["waiting"] == 1 and "nextTry" in row and row["id"] == webhook
    tidemark.kill()
    http_sink.status = 200
    tidemark.start()
    again = json.loads(received(http_sink, 2)[1].body)  # ten seconds after the first
    assert again == first
    wait_until(lambda: notify(tidemark, "list")["results"][0]["waiting"] == 0, "the mark")


def test_only_what_was_asked_for_is_told(servers, http_sink):
    tidemark = start(servers)
    add_webhook(tidemark, http_sink, "--event", "RESTORE_FAILED")
    fail_snapshot(servers, tidemark)
    owner = tidemark.client()
    source, target = servers.memory(), servers.memory()
    source.client["db"]["c"].insert_one({"_id": 1})
    owner.add_cluster(tidemark.project, "Source", source.uri)
    owner.add_cluster(tidemark.project, "Target", target.uri)
    snapshot = owner.take_snapshot(tidemark.project, "Source")
    pathlib.Path(tidemark.data_dir, "repo").rename(pathlib.Path(tidemark.data_dir, "moved"))
    answer = owner.start_restore(tidemark.project, "Source", snapshot, "Target")
    assert answer.status_code == 200, answer.text
    done = owner.wait_restore(tidemark.project, "Source", answer.json()["id"])
    assert done["state"] == "FAILED"
    body = json.loads(received(http_sink)[0].body)
    assert (body["event"], body["objectId"]) == ("RESTORE_FAILED", answer.json()["id"])
    assert body["reason"] == done["failure"]
    assert len(http_sink.received) == 1


def test_damage_is_told(servers, http_sink):
    tidemark = start(servers)
    add_webhook(tidemark, http_sink)
    owner = tidemark.client()
    source = servers.memory()
    source.client["db"]["c"].insert_many([{"_id": n, "text": f"document {n}" * 9} for n in range(500)])
    owner.add_cluster(tidemark.project, "Source", source.uri)
    owner.take_snapshot(tidemark.project, "Source")
    for pack in pathlib.Path(tidemark.data_dir, "repo", "packs").rglob("*"):
        if pack.is_file():
            data = bytearray(pack.read_bytes())
            data[100] ^= 1
            pack.chmod(0o600)
            pack.write_bytes(data)
    tidemark.command("repo", "check", "--read-data", "--project", tidemark.project, key=tidemark.key)
    body = json.loads(received(http_sink)[0].body)
    assert body["event"] == "VERIFICATION_FAILED"
    assert body["reason"].startswith("the repository is damaged: ")


def test_test_answers_with_the_result(servers, http_sink, smtp_sink):
    tidemark = start(servers)
    webhook = add_webhook(tidemark, http_sink)
    mail = notify(
        tidemark, "add", "--kind", "email", "--address", smtp_sink.url, "--from", "t@example.org", "--to", "a@example.org"
    )["id"]
    assert notify(tidemark, "test", webhook) == {"delivered": True}
    assert json.loads(http_sink.received[0].body)["event"] == "TEST"
    assert notify(tidemark, "test", mail) == {"delivered": True}
    assert smtp_sink.received[0].message["Subject"] == "[Tidemark] TEST"
    http_sink.status = 403
    refused = notify(tidemark, "test", webhook, status=UNAVAILABLE)
    assert refused == {"delivered": False, "error": f"sending to {http_sink.url}: it answered 403"}
    notify(tidemark, "remove", webhook)
    assert len(notify(tidemark, "list")["results"]) == 1


def test_this_machine_is_refused_unless_allowed(servers, http_sink):
    tidemark = servers.tidemark()
    webhook = add_webhook(tidemark, http_sink)
    refused = notify(tidemark, "test", webhook, status=UNAVAILABLE)
    assert refused["error"] == f"sending to {http_sink.url}: its address is not allowed"
    assert not http_sink.received
