"""Clusters in three shapes, and projects (contract section 7.5)."""

import pytest
from harness import openapi
from harness.client import V10, V15, assert_error, group

VERSIONS = ["2023-01-01", "2023-02-01", "2024-08-05"]
DEPRECATION = "Mon, 5 Aug 2024 00:00:00 GMT"
SUNSET = "Thu, 1 Jul 2027 00:00:00 GMT"


@pytest.fixture(scope="module")
def own(session_servers):
    """A project with clusters of every tier, one of which has a login."""
    tidemark = session_servers.tidemark()
    owner = tidemark.client()
    server = session_servers.memory()
    host = server.uri.removeprefix("mongodb://").split("/")[0]
    tidemark.host = host
    owner.add_cluster(tidemark.project, "Plain", server.uri)
    owner.add_cluster(tidemark.project, "Big", server.uri, tier="dedicated", encryptionAtRest=True, paused=True)
    owner.add_cluster(tidemark.project, "Flex", server.uri, tier="flex")
    owner.add_cluster(
        tidemark.project, "Locked", f"mongodb://alice:hunter2@{host}/reports?replicaSet=rs0&appName=hunter2"
    )
    owner.own("POST", f"/projects/{tidemark.project}/clusters/Plain/check")
    return tidemark


def media_type(version):
    return f"application/vnd.atlas.{version}+json"


def get(own, rest, version="2024-08-05", **options):
    return own.client().get(group(own.project) + "/clusters" + rest, accept=media_type(version), **options)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["Plain", "Big", "Locked"])
def test_one_is_of_the_schema_of_its_version(own, version, name):
    answer = get(own, "/" + name, version)
    assert answer.headers["Content-Type"] == media_type(version) + ";charset=utf-8"
    template = "/groups/{groupId}/clusters/{clusterName}"
    assert openapi.check_answer(answer, template, "get", media_type(version)) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_lists_are_of_the_schema_of_their_version(own, version):
    answer = get(own, "", version)
    assert openapi.check_answer(answer, "/groups/{groupId}/clusters", "get", media_type(version)) == []
    rows = answer.json()["results"]
    assert [row["name"] for row in rows] == ["Big", "Locked", "Plain"]
    assert rows[2] == get(own, "/Plain", version).json()


def test_the_wrong_media_type_would_be_seen(own):
    """The checker is not blind: each shape breaks the schemas of the two others."""
    template = "/groups/{groupId}/clusters/{clusterName}"
    for version in VERSIONS:
        for other in set(VERSIONS) - {version}:
            found = openapi.check_answer(get(own, "/Plain", version), template, "get", media_type(other))
            # 2023-02-01 lacks only what 2024-08-05 has added; its replication specs differ by numShards.
            assert found != [], f"{version} as {other}"


def test_old_versions_are_deprecated(own):
    for answer in (get(own, "", "2023-01-01"), get(own, "/Plain", "2024-05-30"), get(own, "/Nobody", "2023-02-01")):
        assert (answer.headers["Deprecation"], answer.headers["Sunset"]) == (DEPRECATION, SUNSET)
    for version in ("2024-08-05", "2025-03-12"):
        assert {"Deprecation", "Sunset"}.isdisjoint(get(own, "/Plain", version).headers)


def test_the_unversioned_families_have_the_shapes_of_their_time(own):
    for prefix, version in ((V10, "2023-01-01"), (V15, "2023-02-01")):
        for rest in ("", "/Plain"):
            path = group(own.project, prefix) + "/clusters" + rest
            answer = own.client().get(path, accept=None)
            assert answer.headers["Content-Type"] == "application/json"
            same = get(own, rest, version).text.replace("/api/atlas/v2", prefix)
            assert answer.text == same


def test_nobody_sees_a_login(own):
    for version in VERSIONS:
        for rest in ("", "/Locked"):
            text = get(own, rest, version).text
            assert "hunter2" not in text and "alice" not in text
            assert f"mongodb://{own.host}/?authSource=reports&replicaSet=rs0" in text


def test_what_was_told_and_what_was_seen(own):
    plain, big = get(own, "/Plain").json(), get(own, "/Big").json()
    assert plain["connectionStrings"] == {"standard": f"mongodb://{own.host}/"}
    assert plain["mongoDBVersion"].startswith(plain["mongoDBMajorVersion"] + ".")
    assert (plain["paused"], plain["encryptionAtRestProvider"]) == (False, "NONE")
    assert (big["paused"], big["encryptionAtRestProvider"]) == (True, "AWS")
    assert "mongoDBVersion" not in big  # nobody has looked at it yet


def test_flex_clusters_are_refused_by_their_code(own):
    for rest in ("/Flex", "/Flex/processArgs"):
        body = assert_error(get(own, rest), 400, "CANNOT_USE_FLEX_CLUSTER_IN_CLUSTER_API")
        assert (body["detail"], body["parameters"]) == ("Flex cluster Flex cannot be used in the Cluster API.", ["Flex"])
    assert_error(get(own, "/Nobody"), 404, "CLUSTER_NOT_FOUND")


def test_a_cluster_is_idle_again_after_a_restore_into_it(servers):
    source, target = servers.memory(), servers.memory()
    tidemark = servers.tidemark()
    owner, project = tidemark.client(), tidemark.project
    source.client["shop"]["orders"].insert_many([{"_id": n} for n in range(50)])
    owner.add_cluster(project, "Source", source.uri)
    owner.add_cluster(project, "Target", target.uri)
    snapshot = owner.take_snapshot(project, "Source")
    owner.restore(project, "Source", snapshot, "Target")
    states = [row["stateName"] for row in owner.get(group(project) + "/clusters").json()["results"]]
    assert states == ["IDLE", "IDLE"]


def test_deleted_clusters_are_listed_while_their_snapshots_are_kept(servers):
    source = servers.memory()
    tidemark = servers.tidemark()
    owner, project = tidemark.client(), tidemark.project
    owner.add_cluster(project, "Gone", source.uri)
    owner.take_snapshot(project, "Gone")
    owner.own("DELETE", f"/projects/{project}/clusters/Gone")
    path = group(project) + "/clusters"
    assert owner.get(path).json()["results"] == []
    answer = owner.get(path, params={"includeDeletedWithRetainedBackups": "true"})
    assert openapi.check_answer(answer, "/groups/{groupId}/clusters", "get") == []
    assert [row["name"] for row in answer.json()["results"]] == ["Gone"]
    assert "includeDeletedWithRetainedBackups=true" in answer.json()["links"][0]["href"]
    assert_error(owner.get(path + "/Gone"), 404, "CLUSTER_NOT_FOUND")


def test_projects_are_of_the_schema(own):
    client = own.client()
    every = client.get("/api/atlas/v2/groups")
    assert openapi.check_answer(every, "/groups", "get") == []
    one = client.get(group(own.project))
    assert openapi.check_answer(one, "/groups/{groupId}", "get") == []
    assert one.json()["clusterCount"] == 4
    of_organization = client.get(f"/api/atlas/v2/orgs/{own.organization}/groups")
    assert of_organization.json()["results"] == every.json()["results"] == [one.json()]
    assert_error(client.get("/api/atlas/v2/orgs/0123456789abcdef01234567/groups"), 401, "USER_CANNOT_ACCESS_ORG")
