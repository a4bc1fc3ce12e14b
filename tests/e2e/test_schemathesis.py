"""schemathesis sends what the OpenAPI document allows, and what it does not, to every operation: no status that is not
documented, no body that does not fit its schema, no 5xx. TIDEMARK_SCHEMATHESIS=N sends N examples of each operation, in
every version and with both kinds of credentials; without it two short runs have to do."""

import copy
import json
import os
import pathlib
import re
import subprocess

import pytest
from harness.client import role
from harness.surface import ROOT, document, specified
from conftest import load_sample

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
EXAMPLES = os.environ.get("TIDEMARK_SCHEMATHESIS", "4")
FULL = "TIDEMARK_SCHEMATHESIS" in os.environ

pytestmark = [
    pytest.mark.skipif(document() is None, reason="TIDEMARK_OPENAPI names no OpenAPI document"),
    pytest.mark.timeout(900),
]


@pytest.fixture(scope="module")
def program():
    made = subprocess.run([ROOT / "tools/testservers/schemathesis.sh"], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return made.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def seeded(module_servers):
    """A server, its owner, and what there is for each parameter."""
    tidemark = module_servers.tidemark()
    owner = tidemark.client()
    source, target = module_servers.memory(), module_servers.memory()
    load_sample(source)
    owner.add_cluster(tidemark.project, "Source", source.uri)
    owner.add_cluster(tidemark.project, "Target", target.uri, tier="dedicated")
    owner.add_cluster(tidemark.project, "Flex", source.uri, tier="flex")
    snapshots = [owner.take_snapshot(tidemark.project, name) for name in ("Source", "Flex")]
    restore = owner.restore(tidemark.project, "Source", snapshots[0], "Target")
    clusters = ["Source", "Target"]
    return tidemark, owner, {
        "groupId": [tidemark.project],
        "clusterName": [*clusters, "Flex"],
        "name": ["Flex", "Source"],
        "snapshotId": snapshots,
        "restoreId": [restore],
        "jobId": [restore],
        "restoreJobId": [restore],
        "databaseName": ["shop"],
        "collectionName": ["orders"],
        "sourceNamespace": ["shop.orders"],
        "targetGroupId": [tidemark.project],
        "targetProjectId": [tidemark.project],
        "targetClusterName": ["Target"],
        "targetDeploymentItemName": ["Target"],
    }


def free_texts(schema):
    if isinstance(schema, dict):
        choices = schema.get("oneOf", ())
        if choices and schema.get("type") == "object" and all(each.get("type") == "string" for each in choices):
            del schema["type"]
        for part in schema.values():
            free_texts(part)
    for part in schema if isinstance(schema, list) else ():
        free_texts(part)


@pytest.fixture(scope="module")
def specification(tmp_path_factory):
    """The document with a 400 for every operation: some reads have none, and all refuse `pretty=maybe` and the like. And
    with nulls in a timestamp, as recorded of cloud restore jobs, and without its "objects" that are one of some texts."""
    amended = copy.deepcopy(document())
    free_texts(amended["components"]["schemas"])
    for member in amended["components"]["schemas"]["ApiBSONTimestampView"]["properties"].values():
        member["nullable"] = True
    refusal = {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ApiError"}}}}
    for each in specified():
        amended["paths"]["/api/atlas/v2" + each.path][each.method.lower()]["responses"].setdefault("400", refusal)
    path = tmp_path_factory.mktemp("specification") / "openapi.json"
    path.write_text(json.dumps(amended), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def run(program, seeded, specification, tmp_path_factory):
    tidemark, _, known = seeded

    def go(accept, *options, **environment):
        served = [argument for each in specified() if each.served for argument in ("--include-operation-id", each.id)]
        command = [
            program, "run", str(specification), "--url", tidemark.url, "--checks", CHECKS,
            "--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES, "--seed", "1", "--no-color",
            "--warnings", "off", "--suppress-health-check", "all", "--continue-on-failure",
            "-H", f"Accept: application/vnd.atlas.{accept}+json", *options, *served,
        ]
        environment |= {
            "SCHEMATHESIS_HOOKS": str(pathlib.Path(__file__).parent / "harness/schemathesis_hooks.py"),
            "TIDEMARK_KNOWN": json.dumps(known),
        }
        found = subprocess.run(
            command, env=os.environ | environment, cwd=tmp_path_factory.mktemp("schemathesis"),
            capture_output=True, text=True, check=False, timeout=800,
        )
        assert found.returncode == 0, found.stdout[-8000:] + found.stderr[-2000:]
        tested = re.search(r"Tested: (\d+)", found.stdout)
        assert tested and int(tested[1]) == len(served) // 2, found.stdout[-3000:]
        assert tidemark.is_running()
        return found.stdout

    return go


@pytest.mark.parametrize("accept", ["2025-03-12", *(["2023-01-01", "2024-08-05"] if FULL else [])])
def test_with_a_token(run, seeded, accept):
    tidemark, owner, _ = seeded
    roles = role("GROUP_OWNER", tidemark.project), role("ORG_READ_ONLY", None, tidemark.organization)
    run(accept, "-H", f"Authorization: Bearer {owner.fetch_token(owner.create_service_account(*roles))}")


@pytest.mark.parametrize("accept", ["2023-01-01", *(["2024-08-05", "2025-03-12"] if FULL else [])])
def test_with_digest(run, seeded, accept):
    tidemark, owner, _ = seeded
    key = owner.create_key(role("GROUP_OWNER", tidemark.project))
    run(accept, TIDEMARK_DIGEST=f"{key.public}:{key.private}")
