"""Row 2.11 and scenario 10: of several restores into one target exactly one is accepted; so with on-demand snapshots."""

import concurrent.futures
import contextlib
import os

import pytest
from harness.client import assert_error, group
from harness.processes import wait_until

ROUNDS = int(os.environ.get("TIDEMARK_DOUBLE_RESTORES", "20"))
CONFLICT = "ATLAS_CLUSTER_RESTORE_IN_PROGRESS"
NAMES = ("Ping", "Pong")


@pytest.fixture(scope="module")
def servers_of(world, session_servers):
    """Two small clusters whose servers can hold commands."""
    started = {}
    for name in NAMES:
        started[name] = session_servers.memory("--replica-set", name.lower())
        started[name].client["small"]["data"].insert_one({"_id": name})
        world.owner.add_cluster(world.project, name, started[name].uri)
    return started


@pytest.fixture(scope="module")
def ping_pong(world, servers_of):
    """A snapshot of each."""
    return {name: world.owner.take_snapshot(world.project, name) for name in servers_of}


@pytest.fixture(scope="module")
def posters(world):
    return [world.tidemark.client() for _ in range(2)]


@contextlib.contextmanager
def held(servers_of, command):
    """Whoever is accepted does not get past `command` before all are answered, however late a slow machine asks: one
    that has finished is nobody's rival, and the next one is rightly accepted."""
    for server in servers_of.values():
        server.fault("hold", commands=[command], times=-1)
    try:
        yield
    finally:
        for server in servers_of.values():
            server.fault("clear")


def at_once(calls):
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def restores_at_once(world, servers_of, calls, sources):
    with held(servers_of, "insert"):  # the mark that a restore begins with
        answers = at_once(calls)
    accepted = [(answer, source) for answer, source in zip(answers, sources) if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert len(accepted) == 1, [answer.text for answer in answers]
    for answer in refused:
        assert_error(answer, 409, CONFLICT)
    answer, source = accepted[0]
    assert world.owner.wait_restore(world.project, source, answer.json()["id"])["state"] == "COMPLETED"


def test_scenario_10_double_restores_have_one_winner(world, servers_of, ping_pong, posters):
    def post(client):
        return lambda: client.start_restore(world.project, "Ping", ping_pong["Ping"], "Pong")

    for _ in range(ROUNDS):
        restores_at_once(world, servers_of, [post(client) for client in posters], ["Ping", "Ping"])


def test_row_2_11_there_beside_back_is_a_conflict(world, servers_of, ping_pong, posters):
    def post(client, source, target):
        return lambda: client.start_restore(world.project, source, ping_pong[source], target)

    for _ in range(5):
        calls = [post(posters[0], "Ping", "Pong"), post(posters[1], "Pong", "Ping")]
        restores_at_once(world, servers_of, calls, NAMES)


def test_row_2_11_the_target_is_free_again_afterwards(world, ping_pong):
    for _ in range(2):
        world.owner.restore(world.project, "Ping", ping_pong["Ping"], "Pong")


def test_double_on_demand_snapshots_have_one_winner(world, servers_of, posters):
    path = f"{group(world.project)}/clusters/Ping/backup/snapshots"

    def post(client):
        return lambda: client.post(path, {"description": "twice"})

    def count():
        return world.owner.get(path).json()["totalCount"]

    for _ in range(ROUNDS):
        before = count()
        with held(servers_of, "listDatabases"):
            answers = sorted(at_once([post(client) for client in posters]), key=lambda answer: answer.status_code)
        assert [answer.status_code for answer in answers] == [200, 400], [answer.text for answer in answers]
        assert_error(answers[1], 400, "UNFINISHED_ON_DEMAND_SNAPSHOT")
        assert count() == before + 1
        taken = f"{path}/{answers[0].json()['id']}"
        wait_until(lambda: world.owner.get(taken).json()["status"] == "completed", taken, seconds=240)
