"""Keys, service accounts, organizations, access lists and rate limits, as clients meet them."""

import json
import os
import subprocess
import time

import pytest
import requests
from harness.client import FIRST_VERSION, OWN, V2, ApiKey, ServiceAccount, assert_error, group, role
from harness.mongo_servers import prepare


@pytest.fixture(scope="module")
def tidemark(session_servers):
    return session_servers.tidemark()


@pytest.fixture(scope="module")
def owner(tidemark):
    return tidemark.client()


@pytest.fixture
def run(tidemark):
    def command(*arguments, status=0, key=None):
        done = tidemark.command(*arguments, "--output", "json", key=key or tidemark.key)
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout) if status == 0 and done.stdout else done.stderr

    return command


def curl(*arguments):
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--output", "/dev/null", "--write-out", "%{http_code}", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def curl_digest(tidemark, key):
    return curl(
        "--digest", "--user", f"{key.public}:{key.private}", "--header", f"Accept: {FIRST_VERSION}", tidemark.url + V2
    )


def curl_bearer(tidemark, token):
    return curl(
        "--header", f"Authorization: Bearer {token}", "--header", f"Accept: {FIRST_VERSION}", tidemark.url + V2
    )


def curl_token(tidemark, account, *options):
    return curl(
        "--user",
        f"{account.id}:{account.secret}",
        "--data",
        "grant_type=client_credentials",
        *options,
        tidemark.url + "/api/oauth/token",
    )


def go_sdk(tidemark, name, credentials):
    """The scenario of the Go SDK, which begins with a list; nothing of it exists here."""
    environment = os.environ | credentials
    environment |= {"BASE_URL": tidemark.url, "GROUP_ID": tidemark.project, "CLUSTER": "Absent"}
    environment |= {"SNAPSHOT_ID": "0" * 24, "TARGET": "Absent", "TARGET_GROUP_ID": tidemark.project}
    return subprocess.run(
        [prepare("gosdk.sh", name)], env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_digest_key_with_curl_until_it_is_revoked(tidemark, run):
    made = run("key", "create", "--role", f"GROUP_READ_ONLY@{tidemark.project}", "--description", "a reader")
    key = ApiKey(made["publicKey"], made["privateKey"])
    assert curl_digest(tidemark, key) == 200
    assert "privateKey" not in run("key", "show", made["id"])
    run("key", "revoke", made["id"])
    assert curl_digest(tidemark, key) == 401
    assert run("key", "show", made["id"])["revoked"]


def test_key_is_changed_by_the_command_line(tidemark, run):
    made = run("key", "create", "--role", "GROUP_READ_ONLY", "--project", tidemark.project)
    client = tidemark.client(ApiKey(made["publicKey"], made["privateKey"]))
    path = f"{OWN}/projects/{tidemark.project}/audit"
    assert_error(client.get(path), 401, "USER_UNAUTHORIZED")
    changed = run("key", "update", made["id"], "--role", f"GROUP_OWNER@{tidemark.project}", "--description", "up")
    assert changed["description"] == "up"
    assert client.get(path).status_code == 200
    assert "nothing to change" in run("key", "update", made["id"], status=2)
    assert "nothing says where" in run("key", "create", "--role", "GROUP_OWNER", status=2)


def test_secrets_are_rotated_without_a_gap(tidemark, run):
    made = run("key", "create", "--kind", "serviceAccount", "--role", f"GROUP_OWNER@{tidemark.project}")
    old = ServiceAccount(made["clientId"], made["clientSecret"])
    client = tidemark.client()
    old_token = client.fetch_token(old)
    added = run("key", "secret", "add", made["id"], "--hours", "720")
    new = ServiceAccount(made["clientId"], added["clientSecret"])
    new_token = client.fetch_token(new)
    assert curl_token(tidemark, old) == curl_token(tidemark, new) == 200
    assert "as many secrets" in run("key", "secret", "add", made["id"], status=4)
    listed = run("key", "secret", "list", made["id"])["results"]
    assert [row["ending"] for row in listed] == [old.secret[-4:], new.secret[-4:]]
    assert new.secret not in json.dumps(listed)
    run("key", "secret", "delete", made["id"], listed[0]["id"])
    assert curl_token(tidemark, old) == 401
    assert curl_bearer(tidemark, old_token) == 401
    assert curl_bearer(tidemark, new_token) == 200
    run("key", "revoke", made["id"])
    assert curl_bearer(tidemark, new_token) == 401
    assert curl_token(tidemark, new) == 401


def test_go_sdk_is_shut_out_by_revocation_and_access_list(tidemark, owner):
    key = owner.own("POST", "/keys", {"kind": "apiKey", "roles": [role("GROUP_OWNER", tidemark.project)]})
    digest = {"PUBLIC_KEY": key["publicKey"], "PRIVATE_KEY": key["privateKey"]}
    account = owner.own("POST", "/keys", {"kind": "serviceAccount", "roles": [role("GROUP_OWNER", tidemark.project)]})
    oauth = {"CLIENT_ID": account["clientId"], "CLIENT_SECRET": account["clientSecret"]}
    programs = (("v20240530005", digest, key), ("v20241113005", oauth, account))
    for program, credentials, made in programs:
        assert "CLUSTER_NOT_FOUND" in go_sdk(tidemark, program, credentials).stderr
        owner.own("PATCH", f"/keys/{made['id']}", {"accessList": ["192.0.2.0/24"]})
        refused = go_sdk(tidemark, program, credentials).stderr
        assert "IP_ADDRESS_NOT_ON_ACCESS_LIST" in refused or "access_denied" in refused
        owner.own("PATCH", f"/keys/{made['id']}", {"accessList": ["127.0.0.0/8"]})
        assert "CLUSTER_NOT_FOUND" in go_sdk(tidemark, program, credentials).stderr
        owner.own("DELETE", f"/keys/{made['id']}")
        refused = go_sdk(tidemark, program, credentials)
        assert refused.returncode != 0
        assert "401" in refused.stderr or "invalid_client" in refused.stderr


def test_access_list_with_curl(tidemark, run):
    made = run("key", "create", "--role", f"GROUP_OWNER@{tidemark.project}", "--allow", "127.0.0.1", "--allow", "::1")
    key = ApiKey(made["publicKey"], made["privateKey"])
    client = tidemark.client(key)
    assert client.get(V2).json()["apiKey"]["accessList"] == [
        {"cidrBlock": "127.0.0.1/32", "ipAddress": "127.0.0.1"},
        {"cidrBlock": "0:0:0:0:0:0:0:1/128", "ipAddress": "0:0:0:0:0:0:0:1"},
    ]
    run("key", "update", made["id"], "--allow", "198.51.100.0/24")
    assert curl_digest(tidemark, key) == 403
    answer = client.get(V2)
    assert_error(answer, 403, "IP_ADDRESS_NOT_ON_ACCESS_LIST")
    assert answer.json()["parameters"] == ["127.0.0.1"]
    # Nobody believes the header unless told to.
    assert client.get(V2, headers={"X-Forwarded-For": "198.51.100.7"}).status_code == 403
    run("key", "update", made["id"], "--allow-anywhere")
    assert curl_digest(tidemark, key) == 200


def test_trusted_proxy(servers):
    tidemark = servers.tidemark("--trusted-proxies", "127.0.0.0/8, ::1")
    owner = tidemark.client()
    body = {"kind": "apiKey", "roles": [role("GROUP_OWNER", tidemark.project)], "accessList": ["198.51.100.0/24"]}
    made = owner.own("POST", "/keys", body)
    client = tidemark.client(ApiKey(made["publicKey"], made["privateKey"]))
    assert client.get(V2, headers={"X-Forwarded-For": "198.51.100.7"}).status_code == 200
    assert client.get(V2, headers={"X-Forwarded-For": "198.51.100.7, 203.0.113.1"}).status_code == 403
    refused = tidemark.command("serve", "--data-dir", str(tidemark.data_dir) + "x", "--trusted-proxies", "10.0.0.1/8")
    assert refused.returncode != 0


def test_organizations_side_by_side(tidemark, owner, run):
    made = run("org", "create", "Subsidiary")
    key = ApiKey(made["key"]["publicKey"], made["key"]["privateKey"])
    other = tidemark.client(key)
    assert run("org", "list", key=key)["results"] == [{"id": made["id"], "name": "Subsidiary"}]
    assert run("org", "show", tidemark.organization)["id"] == tidemark.organization
    assert "No organization" in run("org", "show", made["id"], status=3)
    assert "taken" in run("org", "create", "Subsidiary", status=4)
    assert other.get(V2 + "/groups").json()["totalCount"] == 0
    assert_error(other.get(group(tidemark.project)), 401, "USER_CANNOT_ACCESS_GROUP")
    theirs = other.create_project("Project 0")
    assert_error(owner.get(group(theirs)), 401, "USER_CANNOT_ACCESS_GROUP")
    assert theirs not in json.dumps(owner.own("GET", "/audit?itemsPerPage=500"))
    assert tidemark.project not in json.dumps(other.own("GET", "/audit?itemsPerPage=500"))
    refused = other.post(f"{OWN}/keys", {"kind": "apiKey", "roles": [role("GROUP_OWNER", tidemark.project)]})
    assert_error(refused, 400, "VALIDATION_ERROR")


def test_last_owner_stays_and_a_lost_one_is_replaced(servers):
    tidemark = servers.tidemark()
    owner = tidemark.client()
    mine = owner.own("GET", "/keys")["results"][0]["id"]
    assert_error(owner.delete(f"{OWN}/keys/{mine}"), 409, "CANNOT_REMOVE_LAST_ORG_OWNER")
    make = ["key", "make-owner", "--data-dir", str(tidemark.data_dir), "--project", tidemark.project]
    running = tidemark.command(*make)
    assert running.returncode == 4
    assert "another tidemark is using it" in running.stderr
    tidemark.stop()
    done = tidemark.command(*make, "--output", "json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    tidemark.start()
    saved = tidemark.client(ApiKey(made["publicKey"], made["privateKey"]))
    saved.own("DELETE", f"/keys/{mine}")
    assert owner.get(V2).status_code == 401
    rows = saved.own("GET", "/audit?operation=makeOwnerKey")["results"]
    assert [row["objectId"] for row in rows] == [made["id"]]


def test_rate_limits_are_told(servers):
    tidemark = servers.tidemark(
        "--rate-limit", "5", "--rate-limit-refill", "1", "--rate-limit-interval-seconds", "2",
        "--failed-logins-per-minute", "3",
    )  # fmt: skip
    owner = tidemark.client()
    answers = [owner.get(V2) for _ in range(8)]
    first, last = answers[0], answers[-1]
    assert (first.status_code, first.headers["RateLimit-Limit"]) == (200, "5")
    assert int(first.headers["RateLimit-Remaining"]) in (3, 4)
    assert_error(last, 429, "RATE_LIMITED_TOKEN_BUCKET")
    assert last.json()["parameters"] == [V2, last.headers["Retry-After"], "5", "1", "2"]
    time.sleep(int(last.headers["Retry-After"]) + 0.2)
    assert owner.get(V2).status_code == 200
    guesser = tidemark.client(ApiKey("abcdefgh", "wrong"))
    seen = [guesser.get(V2).status_code for _ in range(4)]  # this client tries a known nonce first: two failures each
    assert (seen[0], seen[-1]) == (401, 429)
    assert requests.get(tidemark.url + V2, timeout=30).status_code == 401  # no credentials: a challenge
