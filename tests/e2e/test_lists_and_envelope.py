"""`pretty`, `envelope`, paging and links (contract section 5)."""

import re

import pytest
from harness.client import V2, V10, assert_error, group, tenant


@pytest.fixture(scope="module")
def jobs(world):
    """The ids of three finished restores of a cluster of their own, newest first."""
    world.owner.add_cluster(world.project, "Listed", world.source.uri)
    snapshot = world.owner.take_snapshot(world.project, "Listed")
    made = [world.owner.restore(world.project, "Listed", snapshot, "Target") for _ in range(3)]
    return made[::-1]


@pytest.fixture
def path(world):
    return tenant(world.project, "Listed") + "/restores"


def ids(answer):
    return [job["id"] for job in answer.json()["results"]]


def test_row_3_02_an_empty_list_has_all_members(world):
    world.owner.add_cluster(world.project, "Empty", world.source.uri)
    answer = world.owner.get(tenant(world.project, "Empty") + "/restores")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["results"], body["totalCount"]) == ([], 0)
    assert [link["rel"] for link in body["links"]] == ["self"]
    assert set(body) == {"links", "results", "totalCount"}


def test_row_3_03_newest_first(world, path, jobs):
    assert ids(world.owner.get(path)) == jobs


def test_row_3_04_pages_are_stable_and_the_total_is_true(world, path, jobs):
    pages = [world.owner.get(path, params={"itemsPerPage": 2, "pageNum": number}) for number in (1, 2, 3)]
    assert [ids(page) for page in pages] == [jobs[:2], jobs[2:], []]
    assert [page.json()["totalCount"] for page in pages] == [3, 3, 3]


def test_row_3_04_include_count_false_leaves_the_total_out(world, path, jobs):
    body = world.owner.get(path, params={"includeCount": "false"}).json()
    assert "totalCount" not in body
    assert len(body["results"]) == len(jobs)


@pytest.mark.parametrize(
    "name, value",
    [
        ("pageNum", "0"),
        ("pageNum", "-1"),
        ("pageNum", "x"),
        ("pageNum", ""),
        ("pageNum", "99999999999999999999"),
        ("itemsPerPage", "0"),
        ("itemsPerPage", "501"),
        ("itemsPerPage", "1.5"),
        ("includeCount", "yes"),
        ("pretty", "1"),
        ("envelope", "TRUE"),
    ],
)
def test_row_3_04_out_of_range_is_refused(world, path, jobs, name, value):
    body = assert_error(world.owner.get(path, params={name: value}), 400, "INVALID_QUERY_PARAMETER")
    assert body["parameters"] == [name]


def test_row_3_04_unknown_parameters_are_ignored(world, path, jobs):
    assert world.owner.get(path, params={"whatever": "1"}).status_code == 200


def links(answer):
    return {link["rel"]: link["href"] for link in answer.json()["links"]}


def test_row_3_06_links_of_a_list(world, path, jobs):
    first = links(world.owner.get(path, params={"itemsPerPage": 1}))
    middle = links(world.owner.get(path, params={"itemsPerPage": 1, "pageNum": 2}))
    last = links(world.owner.get(path, params={"itemsPerPage": 1, "pageNum": 3}))
    base = world.url + path
    assert first == {
        "self": f"{base}?includeCount=true&pageNum=1&itemsPerPage=1",
        "next": f"{base}?includeCount=true&itemsPerPage=1&pageNum=2",
    }
    assert set(middle) == {"self", "next", "previous"}
    assert set(last) == {"self", "previous"}
    assert ids(world.owner.get(middle["next"].removeprefix(world.url))) == [jobs[2]]


def test_row_0_03_envelope_of_an_object(world, path, jobs):
    plain = world.owner.get(f"{path}/{jobs[0]}").json()
    answer = world.owner.get(f"{path}/{jobs[0]}", params={"envelope": "true"})
    assert answer.status_code == 200
    assert answer.json() == {"status": 200, "content": plain}


def test_row_0_03_envelope_of_a_list(world, path, jobs):
    body = world.owner.get(path, params={"envelope": "true"}).json()
    assert set(body) == {"links", "results", "totalCount", "status"}
    assert body["status"] == 200


def test_row_0_03_envelope_of_an_error(world, path):
    answer = world.owner.get(f"{path}/{'0' * 24}", params={"envelope": "true"})
    assert answer.status_code == 404
    assert answer.json()["status"] == 404
    assert answer.json()["content"]["errorCode"] == "TENANT_RESTORE_NOT_FOUND"


def test_row_0_04_pretty_is_jacksons(world, path, jobs):
    answer = world.owner.get(f"{path}/{jobs[0]}", params={"pretty": "true"})
    assert answer.text.startswith('{\n  "clusterName" : "Listed",\n')
    assert answer.json() == world.owner.get(f"{path}/{jobs[0]}").json()


def test_row_0_04_default_has_no_white_space(world, path, jobs):
    text = world.owner.get(f"{path}/{jobs[0]}").text
    assert not re.search(r'[{,:]\s|\s[}"]', text.replace('"Listed"', ""))


def test_row_0_11_instants_are_whole_utc_seconds(world, path, jobs):
    job = world.owner.get(f"{path}/{jobs[0]}").json()
    for name in ("expirationDate", "restoreFinishedDate", "restoreScheduledDate", "snapshotFinishedDate"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", job[name]), name


def test_tenant_snapshots_list_and_get(world):
    listed = world.owner.get(tenant(world.project, "Source") + "/snapshots").json()
    one = world.owner.get(tenant(world.project, "Source") + f"/snapshots/{world.snapshot}").json()
    assert one in listed["results"]
    assert one["status"] == "COMPLETED"
    assert one["mongoDBVersion"].startswith("7.0.")
    assert {"id", "scheduledTime", "startTime", "finishTime", "expiration"} <= set(one)
    unknown = world.owner.get(tenant(world.project, "Source") + f"/snapshots/{'0' * 24}")
    assert_error(unknown, 404, "TENANT_SNAPSHOT_NOT_FOUND")
    assert_error(world.owner.get(tenant(world.project, "Source") + "/snapshots/x"), 404, "INVALID_SNAPSHOT_ID")


def test_projects_are_listed_as_groups(world):
    found = {project["id"] for project in world.owner.get(V2 + "/groups").json()["results"]}
    assert {world.project, world.other_project} <= found
    assert world.owner.get(group(world.project)).json()["id"] == world.project


def test_root_names_the_key(world):
    body = world.owner.get(V2).json()
    assert body["apiKey"]["publicKey"] == world.tidemark.key.public
    assert [role["roleName"] for role in body["apiKey"]["roles"]] == ["ORG_OWNER"]
    assert world.bearer_client().get(V2).json()["apiKey"] is None
    assert world.owner.get(V10, accept=None).status_code == 200
