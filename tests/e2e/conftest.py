"""What the end-to-end tests share: real MongoDB-compatible servers and a real Tidemark server."""

import dataclasses

import pytest

from harness.client import Client, role
from harness.compare import contents
from harness.fake_mongos import FakeMongos
from harness.mongo_servers import MongoServer, start_ferretdb, start_memory_server, start_mongo_java_server
from harness.tidemark import Tidemark


# These take longest and begin first, so that several workers (-n 3 --dist loadfile --no-loadscope-reorder) end together.
LONGEST = ("test_schemathesis.py", "test_repair.py", "test_kill.py", "test_resume.py", "test_memory.py", "test_data.py")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


class Servers:
    """Starts MongoDB-compatible servers and ends every one of them."""

    def __init__(self, directory):
        self._directory = directory
        self._started = []

    def ferretdb(self, password=None):
        return self._keep(start_ferretdb(self._next_directory(), password))

    def mongo_java_server(self):
        return self._keep(start_mongo_java_server(self._next_directory()))

    def memory(self, *options):
        return self._keep(start_memory_server(self._next_directory(), *options))

    def fake_mongos(self):
        return self._keep(FakeMongos())

    def tidemark(self, *options, certificate=None):
        return self._keep(Tidemark(self._next_directory(), options, certificate).start())

    def stop(self):
        for server in reversed(self._started):
            server.stop()

    def _next_directory(self):
        return self._directory / f"server-{len(self._started)}"

    def _keep(self, server):
        self._started.append(server)
        return server


@dataclasses.dataclass
class World:
    """Two projects, clusters in both, one completed snapshot of `Source`, and its content."""

    tidemark: Tidemark
    owner: Client  # ORG_OWNER
    project: str
    other_project: str
    source: MongoServer  # cluster Source
    target: MongoServer  # clusters Target, Encrypted, Paused
    other: MongoServer  # cluster Other, in the other project
    snapshot: str = ""
    expected: dict = None

    @property
    def url(self):
        return self.tidemark.url

    def key_with(self, role_name, project=None):
        return self.owner.create_key(role(role_name, project or self.project))

    def client_with(self, role_name, project=None):
        return self.tidemark.client(self.key_with(role_name, project))

    def bearer_client(self):
        account = self.owner.create_service_account(role("GROUP_OWNER", self.project))
        return self.tidemark.client(self.owner.fetch_token(account))

    def start_restore(self, target="Target", target_project=None, client=None):
        return (client or self.owner).start_restore(self.project, "Source", self.snapshot, target, target_project)

    def restore(self, target="Target", target_project=None):
        return self.owner.restore(self.project, "Source", self.snapshot, target, target_project)


def load_sample(server):
    server.wipe()
    shop = server.client["shop"]
    shop["orders"].insert_many({"_id": n, "customer": n % 7, "note": f"order {n}"} for n in range(200))
    shop["orders"].create_index([("customer", 1)], name="by_customer")
    shop["people"].insert_many({"_id": f"p{n}", "name": f"Person {n}"} for n in range(30))
    server.client["stock"]["items"].insert_one({"_id": 1, "count": 12})


@pytest.fixture(scope="session")
def session_servers(tmp_path_factory):
    servers = Servers(tmp_path_factory.mktemp("servers"))
    yield servers
    servers.stop()


@pytest.fixture(scope="module")
def module_servers(tmp_path_factory):
    """Servers of one file."""
    servers = Servers(tmp_path_factory.mktemp("servers"))
    yield servers
    servers.stop()


@pytest.fixture
def servers(tmp_path):
    """Servers of one test."""
    servers = Servers(tmp_path / "servers")
    yield servers
    servers.stop()


@pytest.fixture(scope="session")
def world(session_servers):
    tidemark = session_servers.tidemark()
    owner = tidemark.client()
    source, target, other = (session_servers.ferretdb() for _ in range(3))
    made = World(tidemark, owner, tidemark.project, owner.create_project("Other project"), source, target, other)
    owner.add_cluster(made.project, "Source", source.uri)
    owner.add_cluster(made.project, "Target", target.uri, tier="dedicated")
    owner.add_cluster(made.project, "Encrypted", target.uri, encryptionAtRest=True)
    owner.add_cluster(made.project, "Paused", target.uri, paused=True)
    owner.add_cluster(made.other_project, "Other", other.uri, tier="flex")
    load_sample(source)
    made.expected = contents(source)
    made.snapshot = owner.take_snapshot(made.project, "Source")
    return made


@pytest.fixture(scope="session")
def finished_restore(world):
    """The id of one completed restore of Source into Target."""
    return world.restore()
