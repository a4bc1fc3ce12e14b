"""A client of the API: Atlas paths and our own, with digest, a token or no credentials."""

import dataclasses

import requests
from requests.auth import HTTPDigestAuth

from harness.processes import wait_until

V2 = "/api/atlas/v2"
V10 = "/api/atlas/v1.0"
V15 = "/api/atlas/v1.5"
OWN = "/api/tidemark/v1"
FIRST_VERSION = "application/vnd.atlas.2023-01-01+json"
FINISHED = ("COMPLETED", "FAILED")


@dataclasses.dataclass(frozen=True)
class ApiKey:
    public: str
    private: str


@dataclasses.dataclass(frozen=True)
class ServiceAccount:
    id: str
    secret: str


class BearerAuth(requests.auth.AuthBase):
    def __init__(self, token):
        self._token = token

    def __call__(self, request):
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Client:
    """`key` is an ApiKey, a token as text, or None for no credentials."""

    def __init__(self, url, key):
        self.url = url
        self.key = key
        self.session = requests.Session()
        self.session.trust_env = False
        if isinstance(key, ApiKey):
            self.session.auth = HTTPDigestAuth(key.public, key.private)
        elif key:
            self.session.auth = BearerAuth(key)

    def call(self, method, path, accept=FIRST_VERSION, **options):
        """`accept` None sends no Accept header at all."""
        headers = {"Accept": accept, **options.pop("headers", {})}
        return self.session.request(method, self.url + path, headers=headers, timeout=120, **options)

    def get(self, path, **options):
        return self.call("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.call("POST", path, json=body, **options)

    def delete(self, path, **options):
        return self.call("DELETE", path, **options)

    def own(self, method, path, body=None, expect=(200, 201, 204)):
        """A call of our own API that has to succeed; returns its JSON."""
        answer = self.call(method, OWN + path, json=body)
        assert answer.status_code in expect, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    # Set-up, through our own API.

    def create_project(self, name):
        return self.own("POST", "/projects", {"name": name})["id"]

    def add_cluster(self, project, name, uri, **options):
        body = {"name": name, "tier": "shared", "connectionString": uri, **options}
        return self.own("POST", f"/projects/{project}/clusters", body)

    def create_key(self, *roles):
        body = {"kind": "apiKey", "description": "made by a test", "roles": list(roles)}
        made = self.own("POST", "/keys", body)
        return ApiKey(made["publicKey"], made["privateKey"])

    def create_service_account(self, *roles):
        body = {"kind": "serviceAccount", "description": "made by a test", "roles": list(roles)}
        made = self.own("POST", "/keys", body)
        return ServiceAccount(made["clientId"], made["clientSecret"])

    def fetch_token(self, account):
        answer = requests.post(
            self.url + "/api/oauth/token",
            auth=(account.id, account.secret),
            data={"grant_type": "client_credentials"},
            timeout=30,
            verify=self.session.verify,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]

    # Snapshots and restores.

    def start_snapshot(self, project, cluster):
        return self.own("POST", f"/projects/{project}/clusters/{cluster}/snapshots", {"description": "by a test"})["id"]

    def wait_snapshot(self, project, cluster, snapshot):
        path = f"/projects/{project}/clusters/{cluster}/snapshots/{snapshot}"
        return self._wait(path, f"snapshot {snapshot}")

    def take_snapshot(self, project, cluster):
        """Takes one and returns its id once it is completed."""
        done = self.wait_snapshot(project, cluster, self.start_snapshot(project, cluster))
        assert done["state"] == "COMPLETED", done
        return done["id"]

    def start_restore(self, project, cluster, snapshot, target, target_project=None):
        """The answer of the tenant endpoint, whatever it is."""
        body = {
            "snapshotId": snapshot,
            "targetDeploymentItemName": target,
            "targetProjectId": target_project or project,
        }
        return self.post(tenant(project, cluster) + "/restore", body)

    def wait_restore(self, project, cluster, restore):
        """The finished job as our own API tells it: with the reason of a failure."""
        return self._wait(f"/projects/{project}/clusters/{cluster}/restoreJobs/{restore}", f"restore {restore}")

    def restore(self, project, cluster, snapshot, target, target_project=None):
        """Restores and returns the job's id once it is completed."""
        answer = self.start_restore(project, cluster, snapshot, target, target_project)
        assert answer.status_code == 200, answer.text
        done = self.wait_restore(project, cluster, answer.json()["id"])
        assert done["state"] == "COMPLETED", done
        return done["id"]

    def _wait(self, path, what):
        def finished():
            found = self.own("GET", path)
            return found if found["state"] in FINISHED else None

        return wait_until(finished, what, seconds=240)


def group(project, version=V2):
    return f"{version}/groups/{project}"


def tenant(project, cluster, version=V2):
    return f"{group(project, version)}/clusters/{cluster}/backup/tenant"


def legacy(project, cluster, version=V2):
    return f"{group(project, version)}/clusters/{cluster}/restoreJobs"


def role(name, project=None, organization=None):
    return {"roleName": name, "projectId": project} if project else {"roleName": name, "orgId": organization}


def assert_error(answer, status, code):
    """Every error body has the members that clients read."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    body = answer.json()
    assert body["errorCode"] == code, body
    assert body["error"] == status
    assert body["reason"] and body["detail"]
    assert answer.headers["Content-Type"] == "application/json"
    return body
