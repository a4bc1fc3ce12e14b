"""Restore drills, metrics and archives that are pushed over SFTP, from end to end."""

import hashlib
import json
import re
import tarfile

import pytest
import requests
from harness import openapi
from harness.client import V2, group, role
from harness.processes import wait_until
from harness.ssh_server import start_ssh_server

INTERNAL = {"admin", "config", "local"}


class World:
    def __init__(self, servers, *options):
        self.source = servers.memory("--replica-set", "rs0")
        self.scratch = servers.memory("--replica-set", "rs1")
        self.tidemark = servers.tidemark(*options)
        self.owner = self.tidemark.client()
        self.project = self.tidemark.project
        self.owner.add_cluster(self.project, "Source", self.source.uri)
        self.owner.add_cluster(self.project, "Scratch", self.scratch.uri)
        self.source.client["shop"]["orders"].insert_many({"_id": n, "note": f"order {n}"} for n in range(2000))
        self.source.client["shop"].command("createIndexes", "orders", indexes=[{"key": {"note": 1}, "name": "note"}])
        self.snapshot = self.owner.take_snapshot(self.project, "Source")

    def run(self, *command, status=0):
        done = self.tidemark.command(
            *command, "--project", self.project, "--output", "json", key=self.tidemark.key
        )
        assert done.returncode == status, done.stderr
        return json.loads(done.stdout) if done.stdout else done.stderr

    def own(self, method, path, body=None):
        return self.owner.own(method, f"/projects/{self.project}/clusters/{path}", body)

    def drill(self):
        drill = self.run("drill", "run", "Source")["id"]
        path = f"Source/drills/{drill}"
        wait_until(lambda: self.own("GET", path)["state"] not in ("waiting", "running"), "the drill")
        return self.own("GET", path)

    def databases(self, server):
        return set(server.client.list_database_names()) - INTERNAL


@pytest.fixture
def drilled(servers):
    return World(servers)


def test_a_drill_restores_into_the_marked_cluster_and_wipes_it(drilled):
    drilled.scratch.client["old"]["things"].insert_one({"_id": 1})
    drilled.run("drill", "set", "Source", "--target", "Scratch", status=2)  # not marked
    assert drilled.run("drill", "scratch", "Scratch", "--on")["scratchTarget"]
    assert drilled.run("drill", "set", "Source", "--target", "Scratch")["targetClusterName"] == "Scratch"
    drill = drilled.drill()
    assert drill["state"] == "passed", drill
    assert drill["restored"] and drill["documents"] == 2000 and drill["collections"] == 1
    assert drilled.databases(drilled.scratch) == set()
    assert drilled.databases(drilled.source) == {"shop"}
    last = drilled.own("GET", "Source")["lastVerified"]
    assert last["intact"] and last["method"] == "restored" and last["targetClusterName"] == "Scratch"
    assert last["snapshotId"] == drilled.snapshot
    assert drilled.own("GET", f"Source/snapshots/{drilled.snapshot}")["lastVerified"] == last
    assert drilled.run("drill", "list", "Source")["totalCount"] == 1
    assert drilled.run("cluster", "show", "Source")["lastVerified"] == last

    def is_audited():
        return "drillPassed" in {row["operation"] for row in drilled.owner.own("GET", "/audit")["results"]}

    wait_until(is_audited, "the drill in the audit log")


def test_the_source_registered_twice_is_never_wiped(drilled):
    drilled.owner.add_cluster(drilled.project, "Twin", drilled.source.uri)
    drilled.run("drill", "scratch", "Twin", "--on")
    drilled.run("drill", "set", "Source", "--target", "Twin")
    drill = drilled.drill()
    assert drill["state"] == "failed" and "the same server" in drill["failure"]
    assert drilled.source.client["shop"]["orders"].count_documents({}) == 2000


def test_a_killed_server_ends_its_drill(drilled):
    drilled.source.client["shop"]["more"].insert_many({"_id": n, "text": "x" * 200} for n in range(20000))
    drilled.snapshot = drilled.owner.take_snapshot(drilled.project, "Source")
    drilled.run("drill", "scratch", "Scratch", "--on")
    drilled.run("drill", "set", "Source", "--target", "Scratch")
    drill = drilled.run("drill", "run", "Source")["id"]
    drilled.tidemark.kill()
    drilled.tidemark.start()
    path = f"Source/drills/{drill}"
    wait_until(lambda: drilled.own("GET", path)["state"] == "passed", "the drill to go on", seconds=60)
    assert drilled.databases(drilled.scratch) == set()


def bearer(world, granted):
    account = world.owner.create_service_account(granted)
    return world.tidemark.client(world.owner.fetch_token(account))


def test_metrics_of_a_running_server(drilled):
    drilled.drill()
    page = requests.get(drilled.tidemark.url + "/metrics", timeout=10)
    assert page.status_code == 200
    assert page.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    values = dict(re.findall(r"^(tidemark_\S+) (\S+)$", page.text, re.M))
    assert values['tidemark_job_runs_total{kind="takeSnapshot",outcome="completed"}'] == "1"
    assert values['tidemark_job_runs_total{kind="drill",outcome="completed"}'] == "1"
    assert values["tidemark_clusters"] == "2"
    assert float(values["tidemark_repository_bytes"]) > 0
    assert float(values["tidemark_memory_resident_bytes"]) > 1 << 20
    assert "Source" not in page.text
    organization = role("ORG_READ_ONLY", organization=drilled.tidemark.organization)
    named = bearer(drilled, organization).get("/metrics")
    assert 'cluster="Source"' in named.text
    passed = dict(re.findall(r"^(tidemark_cluster_last_drill_passed.*) (\S+)$", named.text, re.M))
    assert list(passed.values()) == ["1"]
    assert bearer(drilled, role("GROUP_OWNER", drilled.project)).get("/metrics").status_code == 401


@pytest.fixture
def ssh_server(tmp_path):
    server = start_ssh_server(tmp_path / "ssh")
    yield server
    server.process.kill()


def push(world, method="SCP"):
    jobs = f"{group(world.project, V2)}/clusters/Source/restoreJobs"
    answer = world.owner.post(jobs, {"delivery": {"methodName": method}, "snapshotId": world.snapshot})
    assert answer.status_code == 200, answer.text
    job = answer.json()["results"][0]
    assert job["statusName"] == "IN_PROGRESS" and job["delivery"]["methodName"] == method
    path = f"{jobs}/{job['id']}"
    wait_until(lambda: world.owner.get(path).json()["statusName"] != "IN_PROGRESS", "the push")
    return path, world.owner.get(path)


def test_an_archive_is_pushed(servers, ssh_server, tmp_path):
    world = World(servers, *ssh_server.options())
    _, answer = push(world)
    job = answer.json()
    assert (job["statusName"], job["delivery"]["statusName"]) == ("FINISHED", "READY"), world.tidemark.log_text()
    [file] = ssh_server.inbox.iterdir()
    assert job["hashes"][0]["fileName"] == file.name
    assert job["hashes"][0]["hash"] == hashlib.sha1(file.read_bytes()).hexdigest()
    with tarfile.open(file) as archive:
        assert any(name.endswith("shop/orders.bson") for name in archive.getnames())
    tenant = world.owner.get(f"{group(world.project, V2)}/clusters/Source/backup/tenant/restores")
    assert tenant.json()["totalCount"] == 0


def test_the_answers_about_a_push_are_what_the_document_says(servers, ssh_server):
    openapi.document()
    world = World(servers, *ssh_server.options())
    _, answer = push(world, "CLIENT_PIT_SCP")
    template = "/groups/{groupId}/clusters/{clusterName}/restoreJobs/{jobId}"
    assert openapi.check_answer(answer, template, "get") == []


def test_another_host_key_breaks_the_job(servers, ssh_server):
    world = World(servers, *ssh_server.options("SHA256:" + "A" * 43))
    path, answer = push(world)
    assert (answer.json()["statusName"], answer.json()["delivery"]["statusName"]) == ("BROKEN", "FAILED")
    own = world.own("GET", "Source/restoreJobs/" + path.rsplit("/", 1)[1])
    assert "its host key is " + ssh_server.fingerprint in own["failure"]
    assert list(ssh_server.inbox.iterdir()) == []


def test_half_a_destination_is_refused_at_the_start(servers, tmp_path):
    with pytest.raises(AssertionError, match="host, user, key file and directory are needed together"):
        servers.tidemark("--scp-host", "127.0.0.1")
