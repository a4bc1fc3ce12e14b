"""What holds for every operation of the surface, whoever wrote it (contract sections 1, 2, 4, 5, 6): the cases come
from MongoDB's OpenAPI document and from docs/api-compatibility.md, not from the code."""

import json

import pytest
import requests
from harness.client import V2, V10, V15, assert_error
from harness.openapi import problems
from harness.surface import documented, specified, document, resolve

LATER = "application/vnd.atlas.2025-03-12+json"
NOBODY = "0123456789abcdef01234567"
NO_DOCUMENT = "TIDEMARK_OPENAPI names no OpenAPI document"

pytestmark = pytest.mark.skipif(document() is None, reason=NO_DOCUMENT)

OPERATIONS = [operation for operation in specified() if operation.served]
READS = [operation for operation in OPERATIONS if operation.method == "GET"]
WRITES = [operation for operation in OPERATIONS if operation.method != "GET"]
WITH_BODY = [operation for operation in OPERATIONS if "requestBody" in operation.spec]
IN_PROJECT = [operation for operation in OPERATIONS if "groupId" in operation.parameters]
ON_CLUSTER = [operation for operation in OPERATIONS if {"clusterName", "name"} & set(operation.parameters)]
VERSIONS = [(operation, version) for operation in OPERATIONS for version in operation.versions]


def each(operations):
    return pytest.mark.parametrize("operation", operations, ids=str)


@pytest.fixture(scope="module")
def values(world):
    """Something for each parameter of a path. Objects that are looked up are unknown ones."""
    return {
        "groupId": world.project,
        "clusterName": "Source",
        "name": "Source",
        "databaseName": "shop",
        "collectionName": "orders",
        "sourceNamespace": "shop.orders",
        **{
            name: NOBODY
            for name in ("restoreId", "snapshotId", "jobId", "restoreJobId", "exportId", "exportBucketId", "checkpointId")
        },
    }


# Operations of Atlas that our copy of the document leaves out.
BEYOND = {"getDataProtectionSettings", "updateDataProtectionSettings", "disableDataProtectionSettings"}


def test_the_table_of_the_documents_is_the_specification_s():
    rows = {row.id: (row.method, row.path, row.versions) for row in documented() if row.id not in BEYOND}
    wanted = {each.id: (each.method, each.path, each.versions) for each in specified()}
    assert rows == wanted
    assert len(wanted) == 62
    assert BEYOND <= {row.id for row in documented()}


@each(OPERATIONS)
def test_nobody_gets_in_without_credentials(world, values, operation):
    path = operation.address(values)
    answer = requests.request(operation.method, world.url + path, headers={"Accept": LATER}, data=b"{", timeout=30)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith('Digest realm="MMS Public API", domain="", nonce="')
    assert answer.json()["errorCode"] == "UNEXPECTED_ERROR"


@each(IN_PROJECT)
def test_projects_are_looked_at_before_all_else(world, values, operation):
    for project, code in ((NOBODY, "GROUP_NOT_FOUND"), (NOBODY.upper(), "INVALID_GROUP_ID"), ("x", "INVALID_GROUP_ID")):
        path = operation.address(values | {"groupId": project})
        answer = world.owner.call(operation.method, path, accept=LATER, data=b"{", headers={"Content-Type": "text/css"})
        assert assert_error(answer, 404, code)["parameters"] == [project]


@each(ON_CLUSTER)
def test_unknown_clusters(world, values, operation):
    if "requestBody" in operation.spec:
        pytest.skip("its body is looked at first: the tests of its family have this")
    path = operation.address(values | {"clusterName": "Nowhere", "name": "Nowhere"})
    body = assert_error(world.owner.call(operation.method, path, accept=LATER), 404, "CLUSTER_NOT_FOUND")
    assert body["parameters"] == ["Nowhere", world.project]


@each(OPERATIONS)
def test_versions_are_asked_for(world, values, operation):
    path = operation.address(values)
    for accept in (None, "*/*", "application/json", "application/vnd.atlas.2022-01-01+json"):
        assert_error(world.owner.call(operation.method, path, accept=accept), 406, "INVALID_VERSION_DATE")
    before = {"2023-02-01": "2023-01-01", "2024-05-30": "2023-01-01", "2024-11-13": "2024-10-23", "2025-03-12": "2025-02-19"}
    if early := before.get(operation.versions[0]):
        assert_error(world.owner.call(operation.method, path, accept=operation.accept(early)), 406, "INVALID_VERSION_DATE")


@each(OPERATIONS)
def test_other_methods_are_refused_with_the_right_ones(world, values, operation):
    path = operation.address(values)
    known = {each.method for each in OPERATIONS if each.path == operation.path}
    allowed = known | ({"HEAD"} if "GET" in known else set())
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - known:
        answer = world.owner.call(method, path, accept=LATER)
        assert_error(answer, 405, "METHOD_NOT_ALLOWED")
        assert set(answer.headers["Allow"].split(", ")) == allowed


@each(OPERATIONS)
def test_older_families_serve_what_is_as_old_as_they_are(world, values, operation):
    for family, newest in ((V10, "2023-01-01"), (V15, "2023-02-01")):
        answer = world.owner.call(operation.method, operation.address(values, family), accept=None)
        if operation.versions[0] <= newest:
            assert answer.status_code not in (405, 406), answer.text
            assert answer.headers["Content-Type"] == "application/json"
            assert answer.json()["errorCode"] != "RESOURCE_NOT_FOUND" if answer.status_code == 404 else True
        else:
            assert answer.status_code in (404, 405), answer.text


@pytest.mark.parametrize("operation, version", VERSIONS, ids=lambda value: str(value))
def test_deprecated_versions_say_so_on_errors_too(world, values, operation, version):
    path = operation.address(values | {"clusterName": "Nowhere", "name": "Nowhere"})
    answer = world.owner.call(operation.method, path, accept=operation.accept(version))
    last = operation.versions[-1]
    if operation.spec.get("deprecated"):
        assert "Deprecation" in answer.headers
        assert "Sunset" not in answer.headers, "what Atlas has retired goes on here"
    elif version != last and version in operation.spec.get("x-sunset", {}):
        assert answer.headers["Deprecation"] and answer.headers["Sunset"] == "Thu, 1 Jul 2027 00:00:00 GMT"
    elif version == last and "x-sunset" not in operation.spec:
        assert "Sunset" not in answer.headers


@each(WITH_BODY)
def test_bodies_that_cannot_be_read(world, values, operation):
    path = operation.address(values)

    def refusal(body, content_type="application/json"):
        answer = world.owner.call(operation.method, path, accept=LATER, data=body, headers={"Content-Type": content_type})
        return answer.status_code, answer.json()["errorCode"]

    assert refusal(b"{}", "text/plain") == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert refusal(b"{}", "application/vnd.atlas.2022-01-01+json") == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert refusal(b'{"a":') == (400, "MALFORMED_JSON")
    assert refusal(b"{} {}") == (400, "MALFORMED_JSON")
    assert refusal(b'{"links":[],"links":[]}') == (400, "MALFORMED_JSON")
    assert refusal(b"\xff") == (400, "MALFORMED_JSON")
    assert refusal(b"[]") == (400, "INVALID_JSON")
    assert refusal(b'{"whatever":1}') == (400, "INVALID_ATTRIBUTE")
    assert refusal(b'{"links":[' + b" " * (1 << 20) + b"]}") == (413, "PAYLOAD_TOO_LARGE")


@each(WITH_BODY)
def test_members_that_only_answers_have_are_ignored(world, values, operation):
    """No answer may blame them: what is wrong with the request is something else."""
    content = operation.spec["requestBody"]["content"]
    media_type = next(each for each in content if each.startswith("application/vnd"))
    members = resolve(content[media_type]["schema"]).get("properties", {})
    sent = {name: None for name, schema in members.items() if schema.get("readOnly")}
    answer = world.owner.call(
        operation.method, operation.address(values), accept=media_type, data=json.dumps(sent),
        headers={"Content-Type": media_type},
    )
    assert answer.status_code < 500
    if answer.status_code == 400:
        body = answer.json()
        assert body["errorCode"] != "INVALID_ATTRIBUTE", body
        assert not set(body["parameters"]) & set(sent), body


@each(READS)
def test_reads_answer_as_specified(world, values, operation):
    """In each version: status, type, schema; HEAD, pretty and envelope are the same answer in other forms."""
    path = operation.address(values)
    for version in operation.versions:
        answer = world.owner.get(path, accept=operation.accept(version))
        assert_specified(operation, version, answer)
        head = world.owner.call("HEAD", path, accept=operation.accept(version))
        assert (head.status_code, head.content) == (answer.status_code, b"")
        assert head.headers["Content-Type"] == answer.headers["Content-Type"]
        pretty = world.owner.get(path, accept=operation.accept(version), params={"pretty": "true"})
        assert pretty.json().keys() == answer.json().keys()
        assert '\n  "' in pretty.text and '" : ' in pretty.text
        wrapped = world.owner.get(path, accept=operation.accept(version), params={"envelope": "true"}).json()
        assert wrapped["status"] == answer.status_code
        for switch in ("pretty", "envelope"):
            bad = world.owner.get(path, accept=operation.accept(version), params={switch: "maybe"})
            assert_error(bad, 400, "INVALID_QUERY_PARAMETER")


def assert_specified(operation, version, answer):
    responses = operation.spec["responses"]
    assert str(answer.status_code) in responses, answer.text
    response = resolve(responses[str(answer.status_code)])
    if answer.status_code < 300:
        media_type = operation.accept(version)
        assert answer.headers["Content-Type"] == media_type + ";charset=utf-8"
    else:
        media_type = "application/json"
        assert answer.headers["Content-Type"] == media_type
        assert answer.headers["X-Error-Code"] == answer.json()["errorCode"]
        assert answer.json()["errorCode"] not in ("RESOURCE_NOT_FOUND", "METHOD_NOT_ALLOWED")
    schema = response["content"][media_type]["schema"]
    assert not list(problems(answer.json(), schema, "body"))


@each([operation for operation in READS if "{" not in operation.path.rsplit("/", 1)[-1]])
def test_lists_page(world, values, operation):
    path = operation.address(values)
    answer = world.owner.get(path, accept=LATER, params={"itemsPerPage": "1", "pageNum": "1"})
    if answer.status_code != 200 or "results" not in answer.json():
        assert answer.status_code != 200 or operation.spec["operationId"] in NO_LISTS, answer.text
        return
    body = answer.json()
    assert len(body["results"]) <= 1
    assert "totalCount" not in world.owner.get(path, accept=LATER, params={"includeCount": "false"}).json()
    beyond = world.owner.get(path, accept=LATER, params={"pageNum": "4000"}).json()
    assert (beyond["results"], beyond["totalCount"]) == ([], body["totalCount"])
    for name, value in (("pageNum", "0"), ("itemsPerPage", "501"), ("includeCount", "yes")):
        assert_error(world.owner.get(path, accept=LATER, params={name: value}), 400, "INVALID_QUERY_PARAMETER")


NO_LISTS = ("getSystemStatus", "getGroupClusterSnapshotSchedule", "getGroupClusterBackupSchedule")


@each([operation for operation in specified() if not operation.served])
def test_what_is_not_served_fails_clearly(world, values, operation):
    answer = world.owner.call(operation.method, operation.address(values), accept=LATER)
    assert answer.json()["errorCode"] in ("RESOURCE_NOT_FOUND", "METHOD_NOT_ALLOWED"), "docs/api-compatibility.md is behind"
