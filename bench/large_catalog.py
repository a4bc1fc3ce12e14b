#!/usr/bin/env python3
"""A catalog of many clusters and snapshots, and how long its lists, changes and start take.

    bench/large_catalog.py [--clusters 10000] [--snapshots 1000000] [--large 20000] [--audit 1000000]
                           [--dir DIR] [--serve]

Makes a data directory with `tidemark init`, fills its catalog through SQL (--large snapshots and up to 10,000
restore jobs in one cluster, the other snapshots spread over all), serves it, and prints milliseconds of requests. With --serve it then goes on serving and prints
what bench/edge.sh wants. Budgets: docs/performance.md. Needs the release build.
"""

import argparse
import base64
import http.client
import json
import os
import pathlib
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BINARY = os.environ.get("TIDEMARK_BINARY", str(ROOT / "build/release/apps/tidemark/tidemark"))
START = 1_700_000_000_000_000  # microseconds
HOUR = 3_600_000_000
DAY = 24 * HOUR
ACCOUNT = "ffffffff0000000000000001"


def object_id(kind, number):
    return f"{kind:08x}{number:016x}"


def fill(catalog, made, asked):
    """Rows as the server writes them: completed snapshots that expire in years, restore jobs that are done."""
    database = sqlite3.connect(catalog)
    database.execute("PRAGMA synchronous = OFF")
    database.execute("PRAGMA foreign_keys = OFF")
    project, clusters = made["projectId"], asked.clusters
    far = START + 40000 * DAY
    database.executemany(
        "INSERT INTO clusters (id, project, name, tier, topology, mongodb_version, replica_set_name, connection_string, "
        "encryption_at_rest, paused, require_quiet, allow_lossy, created) VALUES (?,?,?,?,1,'7.0.5','rs0',x'',0,0,0,0,?)",
        ((object_id(1, n), project, f"Cluster{n}", n % 3, START) for n in range(clusters)),
    )
    database.executemany(
        "INSERT INTO schedules (cluster, enabled, reference_minute, keep_last, point_in_time_hours, checkpoint_minutes, "
        "next_due, attempt, settled, missed, missed_reason, wake_at, verify_days, verified_ms, verify_failure, revision) "
        "VALUES (?,1,?,1,0,15,?,0,1,0,'',?,0,0,'',1)",
        ((object_id(1, n), n % 60, far, far) for n in range(clusters)),
    )

    def snapshot(n):
        cluster = 0 if n < asked.large else n % clusters
        at = START + n * 1_000_000
        return (object_id(2, n), project, object_id(1, cluster), f"Cluster{cluster}", at, at, at + 1_000_000, far)

    database.executemany(
        "INSERT INTO snapshots (id, project, cluster, cluster_name, state, description, scheduled, started, finished, "
        "expires, mongodb_version, consistent, inconsistent_reason, position_seconds, position_increment, failure, "
        "collections, documents, logical_bytes, stored_bytes) "
        "VALUES (?,?,?,?,3,'scheduled',?,?,?,?,'7.0.5',1,'',1700000000,1,'',3,1000,1000000,300000)",
        (snapshot(n) for n in range(asked.snapshots)),
    )
    database.executemany(
        "INSERT INTO restores (id, project, cluster, cluster_name, snapshot, snapshot_finished, position_seconds, "
        "position_increment, delivery, target_project, target_cluster, target_name, state, created, expires, finished, "
        "failure) VALUES (?,?,?,?,?,?,1700000000,1,0,?,?,'Cluster1',3,?,?,?,'')",
        (
            (object_id(3, n), project, s[2], s[3], s[0], s[6], project, object_id(1, 1), s[4], far, s[6])
            for n, s in ((n, snapshot(n)) for n in range(restores(asked)))
        ),
    )
    fill_audit(database, project, asked.audit)
    database.commit()
    database.close()


def restores(asked):
    return min(asked.large, 10_000)


def fill_audit(database, project, count):
    """Without its chain of hashes, which lists do not look at."""
    database.executemany(
        "INSERT INTO audit (number, at, phase, begun, request, actor, address, operation, project, cluster, object, "
        "status, error_code, skipped, hash) VALUES (?,?,1,NULL,'0123456789abcdef',?,'127.0.0.1',?,?,'Cluster1','',200,'',0,?)",
        (
            (n, START + n * 1_000_000, f"actor{n % 7}", f"operation{n % 11}", project if n % 2 else None, "0" * 64)
            for n in range(1, count + 1)
        ),
    )


class Connection:
    """A keep-alive connection with a bearer token."""

    def __init__(self, port, token=None):
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.token = token

    def call(self, method, path, body=None, headers=()):
        sent = dict(headers)
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        self._http.request(method, path, body=body, headers=sent)
        answer = self._http.getresponse()
        return answer.status, answer.read()

    def milliseconds(self, method, path, body=None, headers=(), rounds=9, expect=(200,)):
        times = []
        for _ in range(rounds):
            begun = time.perf_counter()
            status, answer = self.call(method, path, body, headers)
            times.append((time.perf_counter() - begun) * 1000)
            assert status in expect, (path, status, answer[:300])
        return statistics.median(times), max(times)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    def __init__(self, data, *options):
        self.port = free_port()
        begun = time.perf_counter()
        self.process = subprocess.Popen(
            [BINARY, "serve", "--data-dir", str(data), "--listen", f"127.0.0.1:{self.port}", *options],
            stderr=subprocess.DEVNULL,
        )
        while True:
            try:
                status, _ = Connection(self.port).call("GET", "/readyz")
                assert status == 200
                break
            except ConnectionError:
                assert self.process.poll() is None, "the server has ended"
                time.sleep(0.002)
        self.start_ms = (time.perf_counter() - begun) * 1000

    def resident_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return {name: int(status.split(name + ":")[1].split()[0]) / 1024 for name in ("VmRSS", "VmHWM")}

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def fetch_token(port, data, made):
    """A token of a service account, which the command line makes."""
    environment = os.environ | {
        "TIDEMARK_URL": f"http://127.0.0.1:{port}",
        "TIDEMARK_PUBLIC_KEY": made["publicKey"],
        "TIDEMARK_PRIVATE_KEY": made["privateKey"],
    }
    shown = subprocess.run(
        [BINARY, "key", "create", "--kind", "serviceAccount", "--role", "ORG_OWNER", "--org", made["organizationId"],
         "--output", "json"],
        env=environment, capture_output=True, text=True, check=True,
    )
    account = json.loads(shown.stdout)
    basic = base64.b64encode(f"{account['clientId']}:{account['clientSecret']}".encode()).decode()
    status, body = Connection(port).call(
        "POST", "/api/oauth/token", "grant_type=client_credentials",
        {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"},
    )
    assert status == 200, body
    return json.loads(body)["access_token"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clusters", type=int, default=10_000)
    parser.add_argument("--snapshots", type=int, default=1_000_000)
    parser.add_argument("--large", type=int, default=20_000)
    parser.add_argument("--audit", type=int, default=1_000_000)
    parser.add_argument("--dir", type=pathlib.Path)
    parser.add_argument("--serve", action="store_true")
    asked = parser.parse_args()
    folder = asked.dir or pathlib.Path(tempfile.mkdtemp(prefix="large-catalog-"))
    data = folder / "data"
    keys = folder / "made.json"
    if not keys.exists():
        folder.mkdir(exist_ok=True)
        shown = subprocess.run(
            [BINARY, "init", "--data-dir", str(data), "--output", "json"], capture_output=True, text=True, check=True
        )
        fill(data / "catalog.sqlite", json.loads(shown.stdout), asked)
        keys.write_text(shown.stdout)
    made = json.loads(keys.read_text())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # with the server
    server = Server(data)
    try:
        measure(server, data, made, asked)
        if asked.serve:
            signal.pause()
    finally:
        server.stop()


def last_page(total, size):
    return (total + size - 1) // size


def measure(server, data, made, asked):
    token = fetch_token(server.port, data, made)
    project = made["projectId"]
    connection = Connection(server.port, token)
    groups = f"/api/atlas/v1.0/groups/{project}"
    own = f"/api/tidemark/v1/projects/{project}"
    big = asked.large + (asked.snapshots - asked.large) // asked.clusters
    lists = [
        ("clusters", f"{own}/clusters", asked.clusters),
        ("snapshots of the large cluster", f"{groups}/clusters/Cluster0/backup/tenant/snapshots", big),
        ("snapshots of a small cluster", f"{groups}/clusters/Cluster9/backup/tenant/snapshots", asked.snapshots // asked.clusters),
        ("restore jobs of the large cluster", f"{groups}/clusters/Cluster0/backup/tenant/restores", restores(asked)),
        ("audit log of the project", f"{own}/audit", asked.audit // 2),
        ("audit log", "/api/tidemark/v1/audit", asked.audit),
    ]
    print(f"start to ready {server.start_ms:.0f} ms")
    for name, path, rows in lists:
        for size in (100, 500):
            last = max(1, last_page(rows, size))
            cells = []
            for page in (1, max(1, last // 2), last):
                median, worst = connection.milliseconds("GET", f"{path}?itemsPerPage={size}&pageNum={page}")
                cells.append(f"{median:.1f} ({worst:.1f})")
            print(f"{name}, {size} a page: first, middle, last: {', '.join(cells)} ms")
    job = f"{groups}/clusters/Cluster0/backup/tenant/restores/{object_id(3, 1)}"
    print("restore job: %.2f (%.2f) ms" % connection.milliseconds("GET", job, rounds=99))
    refused = json.dumps({"snapshotId": "0" * 24, "targetDeploymentItemName": "Cluster1"})
    post = connection.milliseconds(
        "POST", f"{groups}/clusters/Cluster0/backup/tenant/restore", refused, {"Content-Type": "application/json"},
        rounds=29, expect=(404,),
    )
    print("POST of a restore that is refused, two rows of the audit log: %.1f (%.1f) ms" % post)
    memory = server.resident_mib()
    print(f"resident {memory['VmRSS']:.0f} MiB, at most {memory['VmHWM']:.0f}")
    print(f"bench/edge.sh http://127.0.0.1:{server.port} {token} {job}", flush=True)


if __name__ == "__main__":
    main()
