"""What a request body may be and what it may not (row 2.3 to 2.7)."""

import socket

import pytest
import requests
from harness.client import FIRST_VERSION, assert_error, tenant
from harness.compare import assert_same, contents
from harness.raw_http import RawConnection, digest_header

UNKNOWN = "0" * 24
MIB = 1 << 20


@pytest.fixture(scope="module")
def target_before(world):
    world.restore()
    return contents(world.target)


@pytest.fixture(autouse=True)
def target_is_untouched(world, target_before):
    """Row 2.15: whatever is refused here leaves the target as it was."""
    yield
    assert_same(target_before, contents(world.target))


@pytest.fixture
def path(world):
    return tenant(world.project, "Source") + "/restore"


def post(world, path, data):
    headers = {"Content-Type": "application/json"}
    return world.owner.call("POST", path, data=data, headers=headers)


def good(world, **changes):
    body = {"snapshotId": UNKNOWN, "targetDeploymentItemName": "Target", **changes}
    return {name: value for name, value in body.items() if value is not ...}


@pytest.mark.parametrize("name", ["snapshotId", "targetDeploymentItemName"])
@pytest.mark.parametrize("value", [..., None])
def test_row_2_03_required_members(world, path, name, value):
    body = assert_error(world.owner.post(path, good(world, **{name: value})), 400, "MISSING_ATTRIBUTE")
    assert body["parameters"] == [name]


@pytest.mark.parametrize("data", [b"", b"{}", b" \n"])
def test_row_2_03_an_empty_body_misses_members(world, path, data):
    assert_error(post(world, path, data), 400, "MISSING_ATTRIBUTE")


@pytest.mark.parametrize("name", ["T\u00e9st\u6f22\u5b57-_.(),:&@+'0", "a", "x" * 64])
def test_row_2_04_odd_but_right_target_names(world, path, name):
    answer = world.owner.start_restore(world.project, "Source", world.snapshot, name)
    assert_error(answer, 404, "CLUSTER_NOT_FOUND")


@pytest.mark.parametrize("name", ["", "x" * 65, "a b", "a/b", "a\nb", "a\u0000b", "\U0001f600", "a$b"])
def test_row_2_04_wrong_target_names(world, path, name):
    answer = world.owner.post(path, good(world, targetDeploymentItemName=name))
    body = assert_error(answer, 400, "VALIDATION_ERROR")
    assert body["badRequestDetail"]["fields"][0]["field"] == "targetDeploymentItemName"
    assert body["badRequestDetail"]["fields"][0]["description"]


@pytest.mark.parametrize("name", ["snapshotId", "targetProjectId"])
@pytest.mark.parametrize("value", ["x", "A" * 24, "0" * 25, ""])
def test_row_2_04_malformed_ids(world, path, name, value):
    body = assert_error(world.owner.post(path, good(world, **{name: value})), 400, "VALIDATION_ERROR")
    assert body["badRequestDetail"]["fields"][0]["field"] == name


@pytest.mark.parametrize("value", [1, True, [], {}, 1.5])
def test_row_2_04_wrong_types(world, path, value):
    answer = world.owner.post(path, good(world, snapshotId=value))
    body = assert_error(answer, 400, "INVALID_JSON_ATTRIBUTE")
    assert body["parameters"] == ["snapshotId"]


def test_row_2_06_unknown_member_is_refused(world, path):
    body = assert_error(world.owner.post(path, good(world, snapshotID="x")), 400, "INVALID_ATTRIBUTE")
    assert body["parameters"] == ["snapshotID"]


def test_row_2_06_read_only_members_are_ignored(world, path):
    extra = {"status": "COMPLETED", "id": UNKNOWN, "clusterName": "x", "links": [], "snapshotUrl": "http://x/"}
    assert_error(world.owner.post(path, good(world, **extra)), 404, "TENANT_SNAPSHOT_NOT_FOUND")


@pytest.mark.parametrize(
    "data, code",
    [
        (b'{"snapshotId":"' + UNKNOWN.encode() + b'","snapshotId":"x"}', "MALFORMED_JSON"),
        (b'{"a":{"b":1,"b":2}}', "MALFORMED_JSON"),
        (b"{} x", "MALFORMED_JSON"),
        (b"{}{}", "MALFORMED_JSON"),
        (b'{"snapshotId":"\xff\xfe"}', "MALFORMED_JSON"),
        (b'{"snapshotId":"\xed\xa0\x80"}', "MALFORMED_JSON"),
        (b"[" * 10000 + b"]" * 10000, "MALFORMED_JSON"),
        (b'{"a":' * 10000 + b"1" + b"}" * 10000, "MALFORMED_JSON"),
        (b"{", "MALFORMED_JSON"),
        (b"x" * MIB, "MALFORMED_JSON"),
        (b"\0", "MALFORMED_JSON"),
        (b"[]", "INVALID_JSON"),
        (b'"text"', "INVALID_JSON"),
    ],
    ids=[
        "duplicate", "nested-duplicate", "trailing", "two-values", "utf-8", "surrogate", "deep-array", "deep-object",
        "cut", "garbage-1-MiB", "nul", "array", "string",
    ],
)  # fmt: skip
def test_row_2_07_bodies_that_are_no_object(world, path, data, code):
    assert_error(post(world, path, data), 400, code)
    assert world.owner.get(tenant(world.project, "Source") + "/restores").status_code == 200


def test_row_2_07_empty_first_digest_body_is_challenged_and_the_second_counts(world, path):
    connection = RawConnection(world.tidemark)
    first = connection.send("POST", path, {"Content-Type": "application/json", "Content-Length": "0"})
    assert first.status == 401
    nonce = first.getheader("WWW-Authenticate").split('nonce="')[1][:32]
    headers = {
        "Authorization": digest_header(world.tidemark.key, "POST", path, nonce),
        "Accept": FIRST_VERSION,
        "Content-Type": "application/json",
    }
    second = connection.send("POST", path, headers, b'{"snapshotId":"%s","targetDeploymentItemName":"x"}' % UNKNOWN.encode())
    assert (second.status, "TENANT_SNAPSHOT_NOT_FOUND" in second.text) == (404, True)
    connection.close()


def chunks():
    yield b'{"snapshotId":"' + UNKNOWN.encode()
    yield b'","targetDeploymentItemName"'
    yield b':"Target"}'


def test_scenario_7_chunked_on_both_requests_of_the_exchange(world, path):
    connection = RawConnection(world.tidemark)
    headers = {"Content-Type": FIRST_VERSION, "Accept": FIRST_VERSION, "Transfer-Encoding": "chunked"}
    first = connection.send("POST", path, headers, chunks(), chunked=True)
    assert first.status == 401
    nonce = first.getheader("WWW-Authenticate").split('nonce="')[1][:32]
    headers["Authorization"] = digest_header(world.tidemark.key, "POST", path, nonce)
    second = connection.send("POST", path, headers, chunks(), chunked=True)
    assert (second.status, "TENANT_SNAPSHOT_NOT_FOUND" in second.text) == (404, True)
    connection.close()


def test_row_2_07_a_chunked_body_without_credentials_leaves_the_connection_usable(world, path):
    connection = RawConnection(world.tidemark)
    for _ in range(3):
        headers = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
        assert connection.send("POST", path, headers, iter([b"x" * 65536] * 8), chunked=True).status == 401
    connection.close()


@pytest.mark.parametrize("size", [MIB + 1, 2 * MIB])
def test_row_2_07_a_body_over_the_bound_is_413(world, path, size):
    client = world.bearer_client()
    answer = client.call("POST", path, data=b"x" * size, headers={"Content-Type": "application/json"})
    assert_error(answer, 413, "PAYLOAD_TOO_LARGE")


def send_endlessly(connection, size):
    """Sends until all is out or the server has had enough."""
    part = b"x" * MIB
    try:
        for _ in range(size // MIB):
            connection.sendall(part)
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def test_row_2_07_a_body_of_100_mib_is_answered_or_cut_off(world, path):
    with socket.create_connection(("127.0.0.1", world.tidemark.port), timeout=60) as connection:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {100 * MIB}\r\n\r\n"
        connection.sendall(head.encode())
        cut = not send_endlessly(connection, 100 * MIB)
        try:
            answer = connection.recv(4096)
        except ConnectionResetError:
            answer = b""
    assert cut or answer.startswith((b"HTTP/1.1 401", b"HTTP/1.1 413"))
    assert requests.get(world.url + "/healthz", timeout=30).status_code == 200


# A list shows 500 snapshots at once: a text without a bound would be one of half a gigabyte.


@pytest.mark.parametrize("family", ["own", "cloud"])
def test_a_description_has_a_bound(world, family):
    path, accept, more = {
        "own": (f"/api/tidemark/v1/projects/{world.project}/clusters/Source/snapshots", "application/json", {}),
        "cloud": (
            f"/api/atlas/v2/groups/{world.project}/clusters/Source/backup/snapshots",
            FIRST_VERSION,
            {"retentionInDays": 1},
        ),
    }[family]
    answer = world.owner.post(path, {"description": "x" * 1025, **more}, accept=accept)
    body = assert_error(answer, 400, "VALIDATION_ERROR")
    assert body["badRequestDetail"]["fields"] == [
        {"field": "description", "description": "must be at most 1024 bytes long"}
    ]
