"""The schedule of cloud backups and the backup compliance policy, as the real clients ask for them."""

import json
import os
import subprocess

import pytest
from harness import openapi
from harness.client import V2, V10, assert_error, group
from harness.mongo_servers import prepare

OLD = "application/vnd.atlas.2023-01-01+json"
NEW = "application/vnd.atlas.2024-08-05+json"
POLICY = "application/vnd.atlas.2023-10-01+json"
TEMPLATE = "/groups/{groupId}/clusters/{clusterName}/backup/schedule"


def schedule(world, cluster="Target", version=V2):
    return f"{group(world.project, version)}/clusters/{cluster}/backup/schedule"


def call(world, method, body=None, accept=NEW, cluster="Target"):
    options = {} if body is None else {"json": body}
    answer = world.owner.call(method, schedule(world, cluster), accept=accept, **options)
    assert answer.status_code == 200, answer.text
    return answer.json()


def items_of(body):
    return body["policies"][0]["policyItems"]


def without_ids(items):
    return [{name: value for name, value in item.items() if name != "id"} for item in items]


@pytest.fixture
def restored(world):
    """The cluster's schedule is put back when the test is over."""
    before = call(world, "GET")
    yield before
    body = {**before, "policies": [{"policyItems": without_ids(items_of(before))}], "extraRetentionSettings": []}
    call(world, "PATCH", body)


def test_answers_are_those_of_the_schema(world, restored):
    for accept in (OLD, NEW):
        for method, body in (("get", None), ("patch", {}), ("delete", None)):
            answer = world.owner.call(
                method.upper(), schedule(world), accept=accept, **({} if body is None else {"json": body})
            )
            assert openapi.check_answer(answer, TEMPLATE, method, accept) == [], f"{method} {accept}"
        call(world, "PATCH", {"policies": [{"policyItems": without_ids(items_of(restored))}]})


def test_the_two_versions(world):
    old = world.owner.get(schedule(world), accept=OLD)
    new = world.owner.get(schedule(world), accept="application/vnd.atlas.2025-03-12+json")
    assert old.json() == new.json()
    assert old.headers["Deprecation"] == "Mon, 5 Aug 2024 00:00:00 GMT"
    assert old.headers["Sunset"] == "Thu, 1 Jul 2027 00:00:00 GMT"
    assert new.headers["Content-Type"] == NEW + ";charset=utf-8"
    assert "Deprecation" not in new.headers and "Sunset" not in new.headers
    v1 = world.owner.get(schedule(world, version=V10), accept=None).json()
    assert {**v1, "links": None} == {**old.json(), "links": None}


def test_as_terraform_does_it(world, restored):
    """Create is DELETE, GET, PATCH; then plan, plan again, update with the ids of the state, destroy."""
    assert items_of(call(world, "DELETE")) == []
    empty = call(world, "GET")
    assert items_of(empty) == [] and "nextSnapshot" not in empty
    policy = empty["policies"][0]["id"]
    wanted = [
        {"frequencyType": "hourly", "frequencyInterval": 1, "retentionUnit": "days", "retentionValue": 1},
        {"frequencyType": "daily", "frequencyInterval": 1, "retentionUnit": "days", "retentionValue": 2},
        {"frequencyType": "weekly", "frequencyInterval": 4, "retentionUnit": "weeks", "retentionValue": 3},
    ]
    body = {"policies": [{"id": policy, "policyItems": wanted}], "referenceHourOfDay": 3,
            "referenceMinuteOfHour": 45, "restoreWindowDays": 4}  # fmt: skip
    created = call(world, "PATCH", body)
    plan = call(world, "GET")
    assert plan == created == call(world, "GET")
    assert without_ids(items_of(plan)) == wanted
    assert {name: plan[name] for name in body if name != "policies"} == {
        name: body[name] for name in body if name != "policies"
    }
    state = items_of(plan)
    state[1]["retentionValue"] = 7
    fourth = {"frequencyType": "monthly", "frequencyInterval": 40, "retentionUnit": "months", "retentionValue": 1}
    body["policies"] = [{"id": policy, "policyItems": [state[0], state[1], fourth]}]
    body["updateSnapshots"] = True
    updated = call(world, "PATCH", body)
    assert [item["id"] for item in items_of(updated)][:2] == [item["id"] for item in state][:2]
    assert items_of(updated)[1]["retentionValue"] == 7
    assert without_ids(items_of(updated))[2] == fourth
    assert call(world, "GET") == updated == call(world, "PATCH", body | {"policies": updated["policies"]})
    assert items_of(call(world, "DELETE")) == []


def test_as_the_cli_does_it(world, restored):
    """`backups schedule describe`, `update --policy`, `update --referenceHourOfDay`, `delete`."""
    described = call(world, "GET", accept=OLD)
    first = items_of(described)[0]
    policies = json.loads(json.dumps(described["policies"]))
    policies[0]["policyItems"][0]["retentionValue"] = 9
    updated = call(world, "PATCH", {"clusterName": "Target", "policies": policies}, accept=OLD)
    assert items_of(updated)[0] == {**first, "retentionValue": 9}
    assert items_of(updated)[1:] == items_of(described)[1:]
    hour = call(world, "PATCH", {"clusterName": "Target", "referenceHourOfDay": 12}, accept=OLD)
    assert hour["referenceHourOfDay"] == 12 and hour["policies"] == updated["policies"]
    assert "nextSnapshot" in hour
    assert items_of(call(world, "DELETE", accept=NEW)) == []


def test_a_compliance_policy_cannot_be_taken_back(servers):
    tidemark = servers.tidemark()
    client = tidemark.client()
    client.add_cluster(tidemark.project, "Source", "mongodb://127.0.0.1:1/", tier="dedicated")
    path = f"{group(tidemark.project, V2)}/backupCompliancePolicy"
    assert client.get(path, accept=POLICY).json() == {}
    item = {"frequencyType": "daily", "frequencyInterval": 1, "retentionUnit": "days", "retentionValue": 30}
    policy = {"authorizedEmail": "a@b.example", "authorizedUserFirstName": "A", "authorizedUserLastName": "B",
              "scheduledPolicyItems": [item]}  # fmt: skip
    answer = client.call("PUT", path, accept=POLICY, json=policy)
    assert answer.status_code == 200, answer.text
    assert client.get(path, accept=POLICY).json() == answer.json()
    again = client.call("PUT", path, accept=POLICY, json=answer.json()).json()
    assert again == {**answer.json(), "updatedDate": again["updatedDate"]}
    weaker = {**policy, "scheduledPolicyItems": [{**item, "retentionValue": 29}]}
    assert_error(client.call("PUT", path, accept=POLICY, json=weaker), 400, "CANNOT_WEAKEN_BACKUP_COMPLIANCE_POLICY")
    assert_error(client.call("DELETE", path, accept="application/vnd.atlas.2024-11-13+json"), 400,
                 "CANNOT_WEAKEN_BACKUP_COMPLIANCE_POLICY")  # fmt: skip

    def run(*arguments):
        done = tidemark.command(*arguments, "--project", tidemark.project, key=tidemark.key)
        assert done.returncode != 0, done.stdout
        return done.stderr

    assert "Backup Compliance Policy" in run("schedule", "set", "Source", "--off")
    assert "Backup Compliance Policy" in run("schedule", "set", "Source", "--item", "daily:1:29d")


def test_the_go_sdk_in_an_old_and_a_new_release(servers):
    tidemark = servers.tidemark()
    client = tidemark.client()
    client.add_cluster(tidemark.project, "Source", "mongodb://127.0.0.1:1/", tier="dedicated")
    environment = os.environ | {
        "BASE_URL": tidemark.url,
        "PUBLIC_KEY": tidemark.key.public,
        "PRIVATE_KEY": tidemark.key.private,
        "GROUP_ID": tidemark.project,
        "CLUSTER": "Source",
    }
    program = prepare("gosdk.sh", "policies")
    done = subprocess.run([program], env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "items": ["hourly", "daily", "weekly", "monthly", "yearly"],
        "deprecation": "Mon, 5 Aug 2024 00:00:00 GMT",
        "hourly": 9,
        "sameIds": True,
        "newId": True,
        "deleted": 0,
        "back": 2,
        "extra": 2,
        "refusedCode": "INVALID_REFERENCE_HOUR_OF_DAY",
        "noPolicy": "",
        "state": "ACTIVE",
        "raised": 8,
        "weaker": "CANNOT_WEAKEN_BACKUP_COMPLIANCE_POLICY",
        "disabled": "CANNOT_WEAKEN_BACKUP_COMPLIANCE_POLICY",
        "below": "BACKUP_POLICIES_NOT_MEETING_BACKUP_COMPLIANCE_POLICY_REQUIREMENTS",
    }
