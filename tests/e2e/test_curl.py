"""The curl lines of the seeds as they stand there, host and placeholders replaced (scenarios 1 to 3)."""

import hashlib
import json
import os
import subprocess

import bson
import pytest
from harness.client import role
from harness.compare import assert_same, contents
from harness.processes import wait_until

GET_RESTORE = """curl \\
--request GET 'https://cloud.mongodb.com/api/atlas/v1.0/groups/32b6e34b3d91647abb20e7b8/clusters/{clusterName}/backup/tenant/restores/{restoreId}' \\
--header "Authorization: Bearer $ACCESS_TOKEN"
"""
CREATE_RESTORE = """curl \\
--request POST 'https://cloud.mongodb.com/api/atlas/v1.0/groups/32b6e34b3d91647abb20e7b8/clusters/{clusterName}/backup/tenant/restore' \\
--header "Authorization: Bearer $ACCESS_TOKEN" \\
--header "Content-Type: application/json" \\
--data '{"snapshotId":"{snapshotId}","targetDeploymentItemName":"{target}","targetProjectId":"32b6e34b3d91647abb20e7b8"}'
"""
LIST_BEARER = """curl --header "Authorization: Bearer ${ACCESS_TOKEN}" \\
--header "Accept: application/vnd.atlas.2024-05-30+json" \\
-X GET "https://cloud.mongodb.com/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/backup/tenant/restores?pretty=true"
"""
LIST_DIGEST = """curl --user "${PUBLIC_KEY}:${PRIVATE_KEY}" \\
--digest \\
--header "Accept: application/vnd.atlas.2024-05-30+json" \\
-X GET "https://cloud.mongodb.com/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/backup/tenant/restores?pretty=true"
"""
LEGACY_BEARER = """curl --include --header "Authorization: Bearer ${ACCESS_TOKEN}" \\
  --header "Accept: application/vnd.atlas.2023-01-01+json" \\
  -X GET "https://cloud.mongodb.com/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/restoreJobs/{jobId}?pretty=true"
"""
LEGACY_DIGEST = """curl --user "${PUBLIC_KEY}:${PRIVATE_KEY}" \\
  --digest --include \\
  --header "Accept: application/vnd.atlas.2023-01-01+json" \\
  -X GET "https://cloud.mongodb.com/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/restoreJobs/{jobId}?pretty=true"
"""
CREATE_LEGACY = """curl --user "${PUBLIC_KEY}:${PRIVATE_KEY}" --digest \\
  --header "Content-Type: application/json" \\
  -X POST "https://cloud.mongodb.com/api/atlas/v1.0/groups/{groupId}/clusters/{clusterName}/restoreJobs" \\
  --data '{"snapshotId":"{snapshotId}","delivery":{"methodName":"HTTP","expirationHours":"1","maxDownloads":"5"}}'
"""


@pytest.fixture(scope="module")
def credentials(world):
    account = world.owner.create_service_account(role("GROUP_OWNER", world.project))
    key = world.key_with("GROUP_OWNER")
    return {"ACCESS_TOKEN": world.owner.fetch_token(account), "PUBLIC_KEY": key.public, "PRIVATE_KEY": key.private}


@pytest.fixture
def shell(world, credentials):
    def run(line, **placeholders):
        line = line.replace("https://cloud.mongodb.com", world.url)
        line = line.replace("32b6e34b3d91647abb20e7b8", world.project).replace("{groupId}", world.project)
        for name, value in placeholders.items():
            line = line.replace("{" + name + "}", value)
        done = subprocess.run(
            ["bash", "-c", line], env=os.environ | credentials, capture_output=True, text=True, check=True
        )
        return done.stdout

    return run


def test_scenario_1_create_then_poll_until_completed(world, shell):
    world.target.client["stranger"]["things"].insert_one({"_id": 1})
    made = json.loads(shell(CREATE_RESTORE, clusterName="Source", snapshotId=world.snapshot, target="Target"))
    assert made["status"] == "PENDING"

    def completed():
        job = json.loads(shell(GET_RESTORE, clusterName="Source", restoreId=made["id"]))
        assert job["status"] != "FAILED"
        return job["status"] == "COMPLETED"

    wait_until(completed, "the restore")
    assert_same(world.expected, contents(world.target))


def test_row_1_01_the_line_of_seed_000(world, shell, finished_restore):
    job = json.loads(shell(GET_RESTORE, clusterName="Source", restoreId=finished_restore))
    assert (job["id"], job["status"]) == (finished_restore, "COMPLETED")


def test_scenario_2_both_lines_of_seed_002_give_the_same_body(shell, finished_restore):
    bearer, digest = (shell(line, clusterName="Source") for line in (LIST_BEARER, LIST_DIGEST))
    assert bearer == digest
    assert finished_restore in [job["id"] for job in json.loads(bearer)["results"]]
    assert bearer.startswith('{\n  "links" : [')


def test_scenario_3_both_lines_of_seed_003(shell, finished_restore):
    bearer, digest = (shell(line, clusterName="Source", jobId=finished_restore) for line in (LEGACY_BEARER, LEGACY_DIGEST))
    assert bearer.startswith("HTTP/1.1 200")
    assert digest.startswith("HTTP/1.1 401")  # --include shows the challenge first
    body = bearer[bearer.index("{") :]
    assert digest.endswith(body)
    assert json.loads(body)["statusName"] == "FINISHED"


def test_scenario_3_fetch_the_archive(world, shell, tmp_path):
    made = json.loads(shell(CREATE_LEGACY, clusterName="Source", snapshotId=world.snapshot))["results"][0]

    def both():
        bearer, digest = (
            shell(line, clusterName="Source", jobId=made["id"]) for line in (LEGACY_BEARER, LEGACY_DIGEST)
        )
        assert digest.endswith(bearer[bearer.index("{") :])
        return json.loads(bearer[bearer.index("{") :])

    before = both()
    assert (before["statusName"], before["delivery"]["statusName"]) == ("FINISHED", "READY")
    assert "hashes" not in before
    file = tmp_path / "archive.tar.gz"
    shell(f'curl -sSf -o {file} --header "{{header}}: {{value}}" "{{url}}"',
          header=before["delivery"]["authHeader"],
          value=before["delivery"]["authValue"],
          url=before["delivery"]["urlV2"])
    after = both()
    assert after["hashes"][0]["hash"] == hashlib.sha1(file.read_bytes()).hexdigest()
    shell(f"tar xzf {file} -C {tmp_path}")
    orders = bson.decode_all((tmp_path / "dump/shop/orders.bson").read_bytes())
    assert orders == sorted(world.source.client["shop"]["orders"].find(), key=lambda order: order["_id"])
    for expected in ("shop/people.bson", "shop/orders.metadata.json", "stock/items.bson"):
        assert (tmp_path / "dump" / expected).is_file()
