"""Scenario 12: kill -9 between POST and COMPLETED. The long form is kill_campaign.py."""

import os

import pytest
from conftest import load_sample
from harness.client import FINISHED, tenant
from harness.compare import assert_same, contents
from harness.processes import wait_until
from kill_campaign import Campaign

KILLS = int(os.environ.get("TIDEMARK_KILLS", "6"))


@pytest.mark.timeout(60 + 60 * KILLS)
def test_jobs_converge_after_kills(tmp_path):
    campaign = Campaign(tmp_path, seed=KILLS)
    try:
        campaign.run(KILLS)
        assert campaign.interrupted > 0
    finally:
        campaign.close()


def test_scenario_12_a_client_keeps_polling_with_its_token(servers):
    source, target = servers.ferretdb(), servers.ferretdb()
    tidemark = servers.tidemark()
    owner = tidemark.client()
    owner.add_cluster(tidemark.project, "Source", source.uri)
    owner.add_cluster(tidemark.project, "Target", target.uri)
    load_sample(source)
    expected = contents(source)
    snapshot = owner.take_snapshot(tidemark.project, "Source")
    account = owner.create_service_account({"roleName": "GROUP_OWNER", "projectId": tidemark.project})
    client = tidemark.client(owner.fetch_token(account))
    restore = client.start_restore(tidemark.project, "Source", snapshot, "Target").json()["id"]
    tidemark.kill()
    tidemark.start()

    def finished():
        answer = client.get(tenant(tidemark.project, "Source") + f"/restores/{restore}")
        assert answer.status_code == 200
        return answer.json()["status"] in FINISHED and answer.json()["status"]

    assert wait_until(finished, "the restore") == "COMPLETED"
    assert_same(expected, contents(target))


def test_sigterm_ends_the_server_cleanly_and_jobs_go_on(servers):
    source = servers.ferretdb()
    source.client["many"]["data"].insert_many([{"_id": n, "v": "x" * 200} for n in range(6000)])
    tidemark = servers.tidemark()
    client = tidemark.client()
    client.add_cluster(tidemark.project, "Source", source.uri)
    snapshot = client.start_snapshot(tidemark.project, "Source")
    assert tidemark.stop() == 0
    tidemark.start()
    assert client.wait_snapshot(tidemark.project, "Source", snapshot)["state"] == "COMPLETED"


def test_a_second_server_on_the_same_data_is_refused(servers):
    tidemark = servers.tidemark()
    done = tidemark.command("serve", "--data-dir", str(tidemark.data_dir), "--listen", "127.0.0.1:0")
    assert done.returncode != 0
    assert "another tidemark is using it" in done.stderr
