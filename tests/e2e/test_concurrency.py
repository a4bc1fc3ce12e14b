"""Row 2.11 and scenario 10: of several restores into one target exactly one is accepted."""

import concurrent.futures
import os

import pytest
from harness.client import assert_error

ROUNDS = int(os.environ.get("TIDEMARK_DOUBLE_RESTORES", "20"))
CONFLICT = "ATLAS_CLUSTER_RESTORE_IN_PROGRESS"


@pytest.fixture(scope="module")
def ping_pong(world, session_servers):
    """Two small clusters; a snapshot of each."""
    snapshots = {}
    for name in ("Ping", "Pong"):
        server = session_servers.ferretdb()
        server.client["small"]["data"].insert_one({"_id": name})
        world.owner.add_cluster(world.project, name, server.uri)
        snapshots[name] = world.owner.take_snapshot(world.project, name)
    return snapshots


@pytest.fixture(scope="module")
def posters(world):
    return [world.tidemark.client() for _ in range(2)]


def at_once(calls):
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def check_one_winner(world, answers, sources):
    accepted = [(answer, source) for answer, source in zip(answers, sources) if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert len(accepted) == 1, [answer.text for answer in answers]
    for answer in refused:
        assert_error(answer, 409, CONFLICT)
    answer, source = accepted[0]
    assert world.owner.wait_restore(world.project, source, answer.json()["id"])["state"] == "COMPLETED"


def test_scenario_10_double_restores_have_one_winner(world, ping_pong, posters):
    def post(client):
        return lambda: client.start_restore(world.project, "Ping", ping_pong["Ping"], "Pong")

    for _ in range(ROUNDS):
        check_one_winner(world, at_once([post(client) for client in posters]), ["Ping", "Ping"])


def test_row_2_11_there_beside_back_is_a_conflict(world, ping_pong, posters):
    def post(client, source, target):
        return lambda: client.start_restore(world.project, source, ping_pong[source], target)

    for _ in range(5):
        calls = [post(posters[0], "Ping", "Pong"), post(posters[1], "Pong", "Ping")]
        check_one_winner(world, at_once(calls), ["Ping", "Pong"])


def test_row_2_11_the_target_is_free_again_afterwards(world, ping_pong):
    for _ in range(2):
        world.owner.restore(world.project, "Ping", ping_pong["Ping"], "Pong")
