"""Servers to take snapshots of: FerretDB, mongo-java-server, and our own one in memory (tests/support)."""

import os
import pathlib
import subprocess

import pytest
from pymongo import MongoClient

from harness.ports import free_port
from harness.processes import Process, accepts_connections, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[3]
MEMORY_SERVER = os.environ.get(
    "TIDEMARK_MEMORY_SERVER", str(ROOT / "build/release/tests/support/tidemark-memory-server")
)
TOOLS = ROOT / "tools" / "testservers"
SKIPPED = 77  # what the scripts exit with when something they need is absent


def prepare(script, *arguments):
    """Builds what a script of tools/testservers builds; returns the last line that it prints."""
    done = subprocess.run([TOOLS / script, *arguments], stdout=subprocess.PIPE, text=True, check=False)
    lines = done.stdout.strip().splitlines()
    if done.returncode == SKIPPED:
        pytest.skip(f"{script}: {lines[-1]}")
    assert done.returncode == 0, f"{script} failed"
    return lines[-1]


class MongoServer:
    """A server on a free loopback port; `password` is set when it asks for a login."""

    def __init__(self, process, port, password=None):
        self.process = process
        self.port = port
        login = f"root:{password}@" if password else ""
        self.uri = f"mongodb://{login}127.0.0.1:{port}/"
        if password:
            self.uri += "?authSource=admin"
        wait_until(lambda: accepts_connections(port), f"a server on port {port}")
        self.client = MongoClient(self.uri, serverSelectionTimeoutMS=60000)
        self.client.admin.command("ping")

    def stop(self):
        if self.process.is_running():  # the driver says goodbye, and waits long for a server that is gone
            self.client.close()
        self.process.kill()

    def wipe(self):
        for name in self.client.list_database_names():
            if name not in ("admin", "config", "local"):
                self.client.drop_database(name)


def start_ferretdb(directory, password=None):
    directory.mkdir(parents=True)
    (directory / "data").mkdir()
    port = free_port()
    command = [
        prepare("ferretdb.sh"),
        "--handler=sqlite",
        f"--sqlite-url=file:{directory}/data/",
        f"--state-dir={directory}",
        f"--listen-addr=127.0.0.1:{port}",
        "--debug-addr=-",
        "--telemetry=disable",
        "--log-level=ERROR",
    ]
    if password:
        command += [
            "--test-enable-new-auth",
            "--setup-database=admin",
            "--setup-username=root",
            f"--setup-password={password}",
        ]
    return MongoServer(Process(command, directory / "log"), port, password)


def start_mongo_java_server(directory):
    directory.mkdir(parents=True)
    port = free_port()
    command = ["java", "-Xmx512m", "-XX:-UsePerfData", "-cp", prepare("mongo_java_server.sh"), "Main", str(port)]
    return MongoServer(Process(command, directory / "log"), port)


class MemoryServer(MongoServer):
    """Can be told to fail: see tests/support/README.md."""

    def fault(self, what, **details):
        self.client.admin.command({"tidemarkFault": what, **details})


def start_memory_server(directory, *options):
    directory.mkdir(parents=True)
    port = free_port()
    return MemoryServer(Process([MEMORY_SERVER, "--port", str(port), *options], directory / "log"), port)
