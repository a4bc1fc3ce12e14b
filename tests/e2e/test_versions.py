"""Accept and Content-Type (contract section 4)."""

import pytest
from harness.client import FIRST_VERSION, V10, V15, assert_error, legacy, tenant

RELEASES = [
    "2023-01-01",
    "2023-02-01",
    "2023-10-01",
    "2023-11-15",
    "2024-05-30",
    "2024-08-05",
    "2024-10-23",
    "2024-11-13",
    "2025-02-19",
    "2025-03-12",
]
RESOLVED = "application/vnd.atlas.2023-01-01+json;charset=utf-8"


def accept(date):
    return f"application/vnd.atlas.{date}+json"


@pytest.fixture
def path(world):
    return tenant(world.project, "Source") + "/restores"


@pytest.mark.parametrize("date", RELEASES)
def test_row_3_01_each_release_resolves_to_the_newest_not_later(world, path, date):
    answer = world.owner.get(path, accept=accept(date))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == RESOLVED


def test_row_3_01_a_later_date_than_all_known_resolves_to_the_newest(world, path):
    assert world.owner.get(path, accept=accept("2031-12-31")).headers["Content-Type"] == RESOLVED


@pytest.mark.parametrize(
    "value",
    [
        None,
        "*/*",
        "application/json",
        accept("2022-01-01"),
        accept("2024-06-01"),
        accept("2024-13-45"),
        accept("preview"),
        accept("2023-01-01.upcoming"),
        accept("yesterday"),
        "application/vnd.atlas.2023-01-01+xml",
    ],
)
def test_row_0_09_other_accepts_are_406(world, path, value):
    answer = world.owner.get(path, accept=value)
    assert answer.status_code == 406
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == {
        "detail": "Invalid accept header or version date.",
        "error": 406,
        "errorCode": "INVALID_VERSION_DATE",
        "parameters": [],
        "reason": "Not Acceptable",
    }


def test_row_3_01_the_first_versioned_member_of_a_list_counts(world, path):
    answer = world.owner.get(path, accept="text/html, application/vnd.atlas.2024-05-30+json;q=0.9, */*")
    assert answer.headers["Content-Type"] == RESOLVED


@pytest.mark.parametrize("version", [V10, V15])
@pytest.mark.parametrize("value", [None, "*/*", FIRST_VERSION, accept("2031-01-01")])
def test_row_1_01_unversioned_paths_ignore_accept(world, version, value):
    answer = world.owner.get(tenant(world.project, "Source", version) + "/restores", accept=value)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"


def test_row_1_02_v1_bodies_equal_v2_bodies(world, finished_restore):
    def body(version):
        found = world.owner.get(tenant(world.project, "Source", version) + f"/restores/{finished_restore}").json()
        return {name: value for name, value in found.items() if name != "links"}

    assert body("/api/atlas/v1.0") == body("/api/atlas/v2") == body("/api/atlas/v1.5")


def test_row_0_10_deprecated_but_never_gone(world, finished_restore):
    for path in (
        tenant(world.project, "Source") + "/restores",
        tenant(world.project, "Source") + "/restores/unknown",
        legacy(world.project, "Source") + f"/{finished_restore}",
    ):
        answer = world.owner.get(path)
        assert "Deprecation" in answer.headers, path
        assert "Sunset" not in answer.headers


def post_as(world, content_type):
    headers = {"Content-Type": content_type} if content_type else {}
    body = b'{"snapshotId":"000000000000000000000000","targetDeploymentItemName":"Target"}'
    return world.owner.call("POST", tenant(world.project, "Source") + "/restore", headers=headers, data=body)


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", FIRST_VERSION, accept("2024-05-30"), None],
)
def test_row_2_02_json_types_are_taken(world, content_type):
    assert_error(post_as(world, content_type), 404, "TENANT_SNAPSHOT_NOT_FOUND")


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded"])
def test_row_2_02_other_types_are_415(world, content_type):
    assert_error(post_as(world, content_type), 415, "UNSUPPORTED_MEDIA_TYPE")
