"""The server stays within `memory-budget-mib` with several times as much data and every job slot busy.

TIDEMARK_PRESSURE_DOCUMENTS documents of 780 bytes are in each of eight collections; 650,000 are 20 times the budget.
"""

import os

import pytest
from pymongo.errors import PyMongoError

from harness.processes import wait_until

BUDGET = 192  # MiB
DOCUMENTS = int(os.environ.get("TIDEMARK_PRESSURE_DOCUMENTS", "80000"))
CLUSTERS, COLLECTIONS = 2, 4  # as many as there are job slots and readers


def is_filled(server):
    """It generates under a lock that commands wait for."""
    try:
        return all(server.client.shop[f"c{n}"].estimated_document_count() == DOCUMENTS for n in range(COLLECTIONS))
    except PyMongoError:
        return False


@pytest.fixture(params=["--generate", "--generate-scattered"])
def pressed(request, servers):
    tidemark = servers.tidemark("--memory-budget-mib", str(BUDGET))
    client = tidemark.client()
    for n in range(CLUSTERS):
        collections = [word for c in range(COLLECTIONS) for word in (request.param, f"shop.c{c}:{DOCUMENTS}:780")]
        source, target = servers.memory(*collections), servers.memory("--discard-checks")
        wait_until(lambda source=source: is_filled(source), "the source's data", seconds=120)
        client.add_cluster(tidemark.project, f"Source{n}", source.uri)
        client.add_cluster(tidemark.project, f"Target{n}", target.uri, tier="dedicated")
    return tidemark, client


def most_memory(tidemark):
    """MiB that were resident at most."""
    with open(f"/proc/{tidemark.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1024


def take_all(tidemark, client):
    taken = [client.start_snapshot(tidemark.project, f"Source{n}") for n in range(CLUSTERS)]
    for n, snapshot in enumerate(taken):
        done = client.wait_snapshot(tidemark.project, f"Source{n}", snapshot)
        assert done["state"] == "COMPLETED", done
        assert done["documents"] == COLLECTIONS * DOCUMENTS
    return taken


def restore_all(tidemark, client, snapshots):
    def path(n):
        return f"/projects/{tidemark.project}/clusters/Source{n}/restoreJobs"

    jobs = [
        client.own("POST", path(n), {"snapshotId": snapshot, "targetClusterName": f"Target{n}"})["id"]
        for n, snapshot in enumerate(snapshots)
    ]
    for n, job in enumerate(jobs):
        done = client.wait_restore(tidemark.project, f"Source{n}", job)
        assert done["state"] == "COMPLETED", done


def test_jobs_share_the_budget(pressed):
    tidemark, client = pressed
    take_all(tidemark, client)
    restore_all(tidemark, client, take_all(tidemark, client))  # the second snapshots are deltas
    assert most_memory(tidemark) <= BUDGET


def test_too_little_is_refused_with_what_is_needed(servers):
    tidemark = servers.tidemark()
    tidemark.stop()
    refused = tidemark.command("serve", "--data-dir", str(tidemark.data_dir), "--memory-budget-mib", "130")
    assert refused.returncode != 0
    assert "they need at least" in refused.stderr
    assert "memory-budget-mib" in refused.stderr
