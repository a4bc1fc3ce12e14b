#!/usr/bin/env python3
"""kill -9, one time in five SIGTERM, of the server amid exports, pushes, downloads, drills and restores of collections
and of users.

Run it alone with the tests' python:  kill_jobs.py --kills 100 [--seed N]
"""

import collections
import contextlib
import pathlib
import random
import shutil
import sqlite3
import tempfile
import threading
import time

import requests
from harness.campaigns import run_campaign
from harness.client import V2, legacy
from harness.compare import contents
from harness.killed_jobs import (
    USERS,
    CollectionRestore,
    DirectoryExport,
    Download,
    Drill,
    Push,
    S3Export,
    WholeRestore,
    documents_of,
    users_of,
)
from harness.mongo_servers import start_memory_server
from harness.processes import wait_until
from harness.s3_server import ACCESS_KEY, REGION, SECRET_KEY, S3Server
from harness.ssh_server import start_ssh_server
from harness.tidemark import Tidemark

COLLECTIONS, DOCUMENTS = 6, 400
STATES = 3  # snapshots of different contents
NOISE_MIB = 12  # of the snapshot that is downloaded: more than sockets hold
SECONDS = 60  # that any job may take after a kill
ASKING_SECONDS = 0.1  # a request with digest and what it starts


class Campaign:
    def __init__(self, directory, seed):
        self.rng = random.Random(seed)
        self.directory = directory
        self.exports = directory / "exports"
        self.s3 = S3Server("bucket")
        self.s3.slow = 0.002
        self.ssh = start_ssh_server(directory / "ssh")
        names = ("source", "large", "target", "parts", "scratch")
        self.servers = {
            name: start_memory_server(directory / name, "--replica-set", f"rs{number}") for number, name in enumerate(names)
        }
        self.source, self.target = self.servers["source"], self.servers["target"]
        self.parts, self.scratch = self.servers["parts"], self.servers["scratch"]
        options = ("--export-loopback", "on", "--export-directory", str(self.exports), "--job-workers", "3")
        self.tidemark = Tidemark(directory / "tidemark", [*options, *self.ssh.options()]).start()
        self.client = self.tidemark.client()
        self.expected, self.states, self.users = {}, {}, {}  # by snapshot
        self.counts = collections.Counter()
        self._register()
        self._take_snapshots()
        self.kinds = [
            S3Export(self, self._add_bucket("bucket", kind="s3", endpoint=self.s3.endpoint, region=REGION,
                                            accessKeyId=ACCESS_KEY, secretAccessKey=SECRET_KEY)),
            DirectoryExport(self, self._add_bucket("folder", kind="directory")),
            Push(self), CollectionRestore(self), WholeRestore(self), Drill(self), Download(self),
        ]  # fmt: skip
        self.seconds = {kind: self._measure(kind) for kind in self.kinds}

    @property
    def project(self):
        return self.tidemark.project

    def close(self):
        self.tidemark.stop()
        self.ssh.process.kill()
        self.s3.stop()
        for server in self.servers.values():
            server.stop()

    def _register(self):
        for name in self.servers:
            uri = self.servers[name].uri
            self.client.add_cluster(self.project, name.capitalize(), uri, tier="shared" if name == "target" else "dedicated")
        clusters = f"/projects/{self.project}/clusters"
        self.client.own("PATCH", f"{clusters}/Scratch/scratchTarget", {"scratchTarget": True})
        self.client.own("PATCH", f"{clusters}/Source/drillSettings", {"targetClusterName": "Scratch", "intervalDays": 0})

    def _take_snapshots(self):
        admin = self.source.client["admin"]
        admin["system.version"].insert_one({"_id": "authSchema", "currentVersion": 5})
        admin["system.roles"].insert_one({"_id": "shop.reader", "role": "reader", "db": "shop", "roles": [], "privileges": [
            {"resource": {"db": "shop", "collection": "c0"}, "actions": ["find"]}]})  # fmt: skip
        for state in range(STATES):
            credentials = {"SCRAM-SHA-256": {"iterationCount": 15000, "salt": f"salt {state}", "storedKey": "k", "serverKey": "s"}}
            admin["system.users"].insert_one({"_id": f"shop.app{state}", "user": f"app{state}", "db": "shop",
                                              "credentials": credentials, "roles": [{"role": "reader", "db": "shop"}]})
            for number in range(COLLECTIONS):
                collection = self.source.client["shop"][f"c{number}"]
                collection.insert_many({"_id": state * DOCUMENTS + n, "text": self.rng.randbytes(100).hex()}
                                       for n in range(DOCUMENTS))
                collection.create_index([("text", 1)], name="by_text")
            snapshot = self.client.take_snapshot(self.project, "Source")
            self.expected[snapshot] = documents_of(self.source)
            self.states[snapshot] = contents(self.source)
            self.users[snapshot] = {name: users_of(self.source, name) for name in USERS}
        noise = self.servers["large"].client["shop"]["noise"]
        for n in range(4 * NOISE_MIB):
            noise.insert_one({"_id": n, "bytes": self.rng.randbytes(1 << 18)})
        self.large = self.client.take_snapshot(self.project, "Large")
        body = {"snapshotId": self.large, "delivery": {"methodName": "HTTP"}}
        job = self.client.post(legacy(self.project, "Large"), body).json()["results"][0]
        self.archive = requests.get(job["delivery"]["url"], timeout=60).content

    def _add_bucket(self, name, **target):
        self.client.own("POST", f"/projects/{self.project}/exportTargets", {"bucketName": name, **target})
        body = {"cloudProvider": "AWS", "bucketName": name, "iamRoleId": "0123456789abcdef01234567"}
        made = self.client.post(f"{V2}/groups/{self.project}/backup/exportBuckets", body,
                                accept="application/vnd.atlas.2024-05-30+json")  # fmt: skip
        assert made.status_code == 200, made.text
        return made.json()["_id"]

    # Undisturbed. A kill comes at a random moment of that time.
    def _measure(self, kind):
        kind.prepare()
        begin = time.monotonic()
        kind.ask(self.client)
        kind.id = kind.answered
        self._wait([kind])
        seconds = time.monotonic() - begin
        kind.check_end()
        kind.known.add(kind.id)
        if kind.NAME == "download":  # and that of the reference
            kind.known |= {row[0] for row in self._read_catalog().execute(kind.IDS)}
        return seconds

    # Of a copy: nobody else may have the server's files open.
    def _read_catalog(self):
        copy = pathlib.Path(tempfile.mkdtemp(dir=self.directory))
        for name in ("catalog.sqlite", "catalog.sqlite-wal"):
            if (self.tidemark.data_dir / name).exists():
                shutil.copy(self.tidemark.data_dir / name, copy / name)
        catalog = sqlite3.connect(copy / "catalog.sqlite")
        catalog.execute("SELECT count(*) FROM jobs").fetchone()  # takes the log in
        shutil.rmtree(copy)
        return catalog

    def _wait(self, kinds):
        def are_finished():
            return all(kind.is_finished() for kind in kinds)

        wait_until(are_finished, f"the end of {', '.join(kind.NAME for kind in kinds)}", SECONDS, pause=0.02)

    def run(self, kills):
        while self.counts["kills"] < kills:
            some = self.rng.sample(self.kinds, self.rng.choice((1, 1, 2, 3)))
            self._round(some)
            print(f"kill {self.counts['kills']} of {kills}: {', '.join(kind.NAME for kind in some)}", flush=True)

    def _round(self, kinds):
        for kind in kinds:
            kind.prepare()
        self._ask_and_kill(kinds)
        catalog = self._read_catalog()
        for kind in kinds:
            kind.adopt(catalog)
            self.counts["not begun"] += kind.id is None
        self._check_dead(kinds, catalog)
        self.tidemark.start()
        while self.rng.random() < 0.25:
            time.sleep(self.rng.uniform(0, max(self.seconds[kind] for kind in kinds)))
            self._end()
            self._check_dead(kinds, self._read_catalog())
            self.tidemark.start()
        self.client = self.tidemark.client()
        self._wait(kinds)
        for kind in kinds:
            kind.check_end()
            self._check_audit(kind)

    # Sometimes as it is asked to end; then it hands its jobs back.
    def _end(self):
        if self.rng.random() < 0.8:
            self._kill()
            return
        assert self.tidemark.stop() == 0
        self.counts["kills"] += 1
        self.counts["ended in order"] += 1

    def _kill(self):
        self.tidemark.kill()
        self.counts["kills"] += 1

    def _ask_and_kill(self, kinds):
        """At a random moment, while the requests are on their way, or at a request to the bucket."""
        client = self.tidemark.client()

        def ask(kind):
            with contextlib.suppress(requests.RequestException):
                kind.ask(client if kind.NAME != "download" else self.tidemark.client())

        threads = [threading.Thread(target=ask, args=(kind,)) for kind in kinds]
        way = self.rng.random()
        if self.kinds[0] in kinds and way < 0.6:
            self._kill_at_request(threads)
        else:
            for thread in threads:
                thread.start()
            if way > 0.85:
                self.counts["while asking"] += 1
                time.sleep(self.rng.uniform(0, ASKING_SECONDS))
            else:
                wait_until(lambda: all(kind.answered for kind in kinds), "the answers", SECONDS, pause=0.002)
                time.sleep(self.rng.uniform(0, max(self.seconds[kind] for kind in kinds)))
            self._end()
        for thread in threads:
            thread.join()

    def _kill_at_request(self, threads):
        left = [self.rng.randrange(2 * COLLECTIONS * 2 + 6)]
        is_done, killed = self.rng.random() < 0.5, threading.Event()

        def intercept(method, key):
            left[0] -= 1
            if left[0] == 0:
                self._kill()
                killed.set()
                return None if is_done else 500
            return None

        self.s3.refuse = intercept
        for thread in threads:
            thread.start()
        if killed.wait(self.seconds[self.kinds[0]] * 3 + 1):
            self.counts["at a request"] += 1
        self.s3.refuse = lambda method, key: None
        if not killed.is_set():
            self._kill()

    def _check_dead(self, kinds, catalog):
        ours = {kind.id for kind in kinds}
        open_jobs = {row[0] for row in catalog.execute("SELECT subject FROM jobs WHERE state < 2")}
        assert open_jobs <= ours, f"nobody ended {open_jobs - ours}"
        self.counts["unfinished"] += bool(open_jobs)
        for kind in kinds:
            self.counts[kind.NAME] += kind.id in open_jobs or kind.NAME == "download" and not kind.whole
            kind.check_dead(catalog)

    # Each job has one result, whoever has worked on it.
    def _check_audit(self, kind):
        if kind.id is None or not kind.AUDITED:
            return

        def rows():
            found = self.client.own("GET", f"/projects/{self.project}/audit?operation={kind.AUDITED}")["results"]
            return [row for row in found if row.get("objectId") == kind.id]

        assert len(wait_until(rows, f"the row of {kind.NAME}")) == 1, rows()

    def figures(self):
        named = ", ".join(f"{kind.NAME} {self.counts[kind.NAME]}" for kind in self.kinds)
        return (
            f"{self.counts['kills']} kills: {self.counts['unfinished']} hit unfinished jobs ({named}), "
            f"{self.counts['at a request']} at a request to the bucket, {self.counts['while asking']} within "
            f"{ASKING_SECONDS} s of the request, {self.counts['ended in order']} were SIGTERM; {self.counts['not begun']} jobs were "
            "not begun; everything converged"
        )


if __name__ == "__main__":
    run_campaign(Campaign, __doc__)
