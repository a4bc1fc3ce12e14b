"""The access log, and that no log holds a secret of a whole scenario."""

import base64
import os
import re
import signal

import pytest
import requests
from harness.client import OWN, legacy, role, tenant
from harness.processes import wait_until

LINE = re.compile(
    r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (?P<id>[0-9a-f]{16}) 127\.0\.0\.1 (?P<key>\S+) (?P<method>[A-Z]+|-) "
    r"(?P<target>\S+) (?P<status>\d{3}|-) (?P<bytes>\d+) \d+\.\d{3}$"
)


class Logged:
    """A server with an access log."""

    def __init__(self, servers, tmp_path):
        self.path = tmp_path / "access.log"
        self.tidemark = servers.tidemark("--access-log", str(self.path), "--log-level", "debug")
        self.owner = self.tidemark.client()

    def lines(self, path=None):
        """Every line has the form."""
        found = [LINE.match(line) for line in (path or self.path).read_text().splitlines()]
        assert all(found), (path or self.path).read_text()
        return [match.groupdict() for match in found]

    def line_of(self, answer):
        """The line of an answer by its id; it is written a moment after the answer."""
        wanted = answer.headers["X-Request-Id"]
        return wait_until(lambda: next((line for line in self.lines() if line["id"] == wanted), None), f"line {wanted}")


@pytest.fixture
def logged(servers, tmp_path):
    return Logged(servers, tmp_path)


def test_a_line_tells_who_asked_for_what_and_what_was_answered(logged):
    answer = logged.owner.get(OWN + "/projects?pageNum=1&secretThing=abc")
    assert logged.line_of(answer) == {
        "id": answer.headers["X-Request-Id"],
        "key": logged.tidemark.key.public,
        "method": "GET",
        "target": OWN + "/projects?pageNum=1&secretThing=***",
        "status": "200",
        "bytes": str(len(answer.content)),
    }
    stranger = requests.get(logged.tidemark.url + OWN + "/projects", timeout=30)
    assert logged.line_of(stranger) | {"key": "-", "status": "401"} == logged.line_of(stranger)


def test_sighup_goes_on_in_a_new_file(logged):
    first = logged.owner.get(OWN + "/projects")
    logged.line_of(first)
    moved = logged.path.with_suffix(".1")
    logged.path.rename(moved)
    second = logged.owner.get(OWN + "/projects")
    os.kill(logged.tidemark.pid, signal.SIGHUP)
    wait_until(logged.path.exists, "the new file")
    third = logged.owner.get(OWN + "/projects")
    logged.line_of(third)
    ids = [line["id"] for line in logged.lines(moved)]
    assert {first.headers["X-Request-Id"], second.headers["X-Request-Id"]} <= set(ids)
    assert third.headers["X-Request-Id"] not in ids


def test_every_line_is_there_when_the_server_has_stopped(logged):
    ids = {logged.owner.get(OWN + "/projects").headers["X-Request-Id"] for _ in range(100)}
    logged.tidemark.stop()
    assert ids <= {line["id"] for line in logged.lines()}


def test_a_file_that_cannot_be_opened_is_told_at_the_start(logged, tmp_path):
    done = logged.tidemark.command("init", "--data-dir", str(tmp_path / "other"))
    assert done.returncode == 0
    done = logged.tidemark.command(
        "serve", "--data-dir", str(tmp_path / "other"), "--listen", "127.0.0.1:0", "--access-log", "/nowhere/access.log"
    )
    assert done.returncode != 0
    assert "/nowhere/access.log" in done.stderr


def secrets_of_a_scenario(logged, servers):
    """Uses every kind of secret there is, right and wrong, and returns them."""
    tidemark, owner, project = logged.tidemark, logged.owner, logged.tidemark.project
    source, target = (servers.memory("--replica-set", name) for name in ("rs0", "rs1"))
    source.client["shop"]["orders"].insert_many({"_id": n} for n in range(100))
    owner.add_cluster(project, "Source", source.uri)
    owner.add_cluster(project, "Target", target.uri, tier="dedicated")
    with_login = "mongodb://somebody:passwordOfCluster@127.0.0.1:1/?serverSelectionTimeoutMS=500"
    owner.call("POST", f"{OWN}/projects/{project}/clusters", json={"name": "Login", "connectionString": with_login})
    key = owner.create_key(role("GROUP_OWNER", project))
    account = owner.create_service_account(role("GROUP_OWNER", project))
    token = owner.fetch_token(account)
    bearer = tidemark.client(token)
    snapshot = bearer.take_snapshot(project, "Source")
    assert owner.restore(project, "Source", snapshot, "Target")
    asked = {"snapshotId": snapshot, "delivery": {"methodName": "HTTP"}}
    job = owner.post(legacy(project, "Source"), asked).json()["results"][0]
    url, header = job["delivery"]["url"], job["delivery"].get("authHeader", "X:")
    download_key = url.split("/")[-2]
    assert requests.get(url, timeout=30).status_code == 200
    for wrong in (url + "x", url.replace("/pull/", "//pull/"), url.replace("/pull/", "/%70ull/"), url[:-9]):
        requests.get(wrong, timeout=30)
        requests.post(wrong, timeout=30)
    link = owner.post(tenant(project, "Source") + "/download", {"snapshotId": snapshot}).json()["snapshotUrl"]
    requests.get(link, timeout=30)
    requests.get(f"{tidemark.url}{OWN}/projects?access_token={token}&{token}", timeout=30)
    requests.get(tidemark.url + OWN + "/projects", auth=(key.public, key.private), timeout=30)
    requests.get(tidemark.url + OWN + "/projects", headers={"Authorization": f"Bearer {token}x"}, timeout=30)
    requests.post(
        tidemark.url + "/api/oauth/revoke", auth=(account.id, account.secret), data={"token": token}, timeout=30
    )
    basic = base64.b64encode(f"{account.id}:{account.secret}".encode()).decode()
    return {
        "master key": (tidemark.data_dir / "master.key").read_text().strip().splitlines()[-1],
        "private key": tidemark.key.private,
        "private key of a made one": key.private,
        "client secret": account.secret,
        "basic credentials": basic,
        "token": token,
        "cluster's password": "passwordOfCluster",
        "download key": download_key,
        "download key of the tenant link": link.split("/")[-2],
        "header": header.split(":")[-1].strip() or download_key,
    }


def test_no_log_holds_a_secret(logged, servers):
    secrets = secrets_of_a_scenario(logged, servers)
    logged.tidemark.stop()
    assert all(len(secret) >= 8 for secret in secrets.values()), secrets
    logs = {"log": logged.tidemark.log_text(), "access log": logged.path.read_text()}
    assert len(logged.lines()) > 20
    for log, text in logs.items():
        assert [name for name, secret in secrets.items() if secret in text] == [], log
