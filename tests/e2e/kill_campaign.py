#!/usr/bin/env python3
"""kill -9 at random moments of snapshots, restores and collections; afterwards everything has to be right.

Run it alone with the tests' python:  kill_campaign.py --kills 100 [--seed N]
"""

import contextlib
import random
import threading
import time

import requests
from harness.campaigns import run_campaign
from harness.client import FINISHED, tenant
from harness.compare import assert_same, contents
from harness.mongo_servers import start_ferretdb
from harness.processes import wait_until
from harness.tidemark import Tidemark

DOCUMENTS = 1500
COLLECTION_SECONDS = 0.03  # a request and what it starts
KEPT = 4  # snapshots, when a collection has something to do


class Campaign:
    def __init__(self, directory, seed):
        self.rng = random.Random(seed)
        self.source = start_ferretdb(directory / "source")
        self.target = start_ferretdb(directory / "target")
        self.tidemark = Tidemark(directory / "tidemark").start()
        self.client = self.tidemark.client()
        self.client.add_cluster(self.project, "Source", self.source.uri)
        self.client.add_cluster(self.project, "Target", self.target.uri)
        self.states = {}  # what each snapshot has to hold: by its description, since an answer may be lost
        self.names = {}  # by snapshot id, also of deleted ones
        self.checked = set()
        self.kills = 0
        self.interrupted = 0  # kills that hit an unfinished job
        self._load()
        # How long a job takes undisturbed: a kill comes at a random moment of that time.
        self.seconds = {start: self._measure(start) for start in (self._start_snapshot, self._start_restore)}
        self.tasks = 0  # kills that cut a collection

    @property
    def project(self):
        return self.tidemark.project

    def close(self):
        self.tidemark.stop()
        self.source.stop()
        self.target.stop()

    def run(self, kills):
        for number in range(kills):
            start = (self._start_snapshot, self._start_restore, self._start_collection)[number % 3]
            self._kill_during(start)
            self._check_all()
            if start == self._start_collection:
                self._check_repository()
            self.kills += 1
            print(f"kill {number + 1} of {kills}: {start.__name__.removeprefix('_start_')} converged", flush=True)

    def _load(self):
        database = self.source.client["shop"]
        for name in ("orders", "people"):
            database[name].insert_many([{"_id": n, "text": "x" * 300, "v": 0} for n in range(DOCUMENTS)])
            database[name].create_index([("v", 1)], name="by_v")

    def _change_source(self):
        orders = self.source.client["shop"]["orders"]
        for _ in range(20):
            orders.update_one({"_id": self.rng.randrange(DOCUMENTS)}, {"$inc": {"v": 1}})
        orders.delete_one({"_id": self.rng.randrange(DOCUMENTS)})

    def _snapshots(self):
        path = f"/projects/{self.project}/clusters/Source/snapshots?itemsPerPage=500"
        snapshots = self.client.own("GET", path)["results"]
        self.names |= {snapshot["id"]: snapshot["description"] for snapshot in snapshots}
        return snapshots

    def _completed(self):
        return [snapshot for snapshot in self._snapshots() if snapshot["state"] == "COMPLETED"]

    def _restores(self):
        return self.client.own("GET", f"/projects/{self.project}/clusters/Source/restoreJobs?itemsPerPage=500")["results"]

    def _start_snapshot(self):
        self._change_source()
        name = f"state {len(self.states)}"
        self.states[name] = contents(self.source)
        self.client.own("POST", f"/projects/{self.project}/clusters/Source/snapshots", {"description": name})

    def _start_restore(self):
        snapshot = self.rng.choice(self._completed())
        self.client.start_restore(self.project, "Source", snapshot["id"], "Target")

    def _start_collection(self):
        for snapshot in self._completed()[KEPT:]:
            self.client.own("DELETE", f"/projects/{self.project}/clusters/Source/snapshots/{snapshot['id']}")
        self.task = self.client.own("POST", f"/projects/{self.project}/repository/gc", {})["id"]

    def _task(self):
        return self.client.own("GET", f"/projects/{self.project}/repository/tasks/{self.task}")

    def _wait_for_task(self):
        wait_until(lambda: self._task()["state"] in FINISHED, "the task to end", seconds=60)
        task = self._task()
        assert task["state"] == "COMPLETED", task
        return task

    # Documents that only a deleted snapshot held, and snapshots that later ones build on.
    def _make_garbage(self):
        scrap = self.source.client["shop"]["scrap"]
        for part in range(3):
            scrap.insert_many([{"text": self.rng.randbytes(300)} for _ in range(100)])
            name = f"scrap {part} of {len(self.states)}"
            self.states[name] = contents(self.source)
            taken = self.client.own(
                "POST", f"/projects/{self.project}/clusters/Source/snapshots", {"description": name}
            )
            self._wait_for_jobs()
            self.client.own("DELETE", f"/projects/{self.project}/clusters/Source/snapshots/{taken['id']}")
        scrap.drop()
        for snapshot in self._completed()[KEPT:]:
            self.client.own("DELETE", f"/projects/{self.project}/clusters/Source/snapshots/{snapshot['id']}")

    # A collection of so little takes milliseconds: the request is on its way while the kill comes.
    def _kill_collection(self):
        client = self.tidemark.client()
        self._make_garbage()

        def collect():
            with contextlib.suppress(requests.RequestException):
                client.call("POST", f"/api/tidemark/v1/projects/{self.project}/repository/gc", json={})

        request = threading.Thread(target=collect)
        request.start()
        time.sleep(self.rng.uniform(0, COLLECTION_SECONDS))
        self.tidemark.kill()
        request.join()
        left = [self.tidemark.data_dir / "repo" / kind for kind in ("condemned", "waits", "sessions")]
        cut = any(path.is_file() for folder in left for path in folder.rglob("*"))
        self.interrupted += cut
        self.tasks += cut

    # Nothing that is needed has gone, and a further collection finishes the one that was cut.
    def _check_repository(self):
        self._start_collection()
        assert self._wait_for_task()["gc"]["outcome"] in ("done", "nothingToDo")
        self.task = self.client.own("POST", f"/projects/{self.project}/repository/check", {"readData": True})["id"]
        assert self._wait_for_task()["check"]["damaged"] == 0
        snapshot = self.rng.choice(self._completed())
        self.client.restore(self.project, "Source", snapshot["id"], "Target")
        self._check_target(snapshot["id"])

    def _measure(self, start):
        start()
        begin = time.monotonic()
        self._wait_for_jobs()
        return time.monotonic() - begin

    def _kill_during(self, start):
        if start == self._start_collection:
            self._kill_collection()
        else:
            start()
            time.sleep(self.rng.uniform(0, self.seconds[start]))
            self.interrupted += not self._all_finished()
            self.tidemark.kill()
        self.tidemark.start()
        self.client = self.tidemark.client()

    def _all_finished(self):
        return all(job["state"] in FINISHED for job in self._snapshots() + self._restores())

    def _wait_for_jobs(self):
        wait_until(self._all_finished, "every job to end as COMPLETED or FAILED", seconds=120)

    def _check_all(self):
        self._wait_for_jobs()
        for job in self._restores()[:20]:
            seen = self.client.get(tenant(self.project, "Source") + f"/restores/{job['id']}").json()
            assert seen["status"] == job["state"]
            assert "restoreFinishedDate" in seen
        newest = self._restores()[:1]
        if newest and newest[0]["state"] == "COMPLETED":
            self._check_target(newest[0]["snapshotId"])
        for snapshot in self._completed():
            if snapshot["id"] not in self.checked:
                self.client.restore(self.project, "Source", snapshot["id"], "Target")
                self._check_target(snapshot["id"])
                self.checked.add(snapshot["id"])

    def _check_target(self, snapshot_id):
        assert_same(self.states[self.names[snapshot_id]], contents(self.target))

    def figures(self):
        return (
            f"{self.kills} kills, {self.interrupted} of them hit unfinished work ({self.tasks} collections); "
            "everything converged"
        )


if __name__ == "__main__":
    run_campaign(Campaign, __doc__)
