"""Atlas clients over https: they are given our certificate as the one authority that they trust."""

import json
import os
import pathlib
import subprocess

import pytest
from conftest import World, load_sample
from harness.certificates import CertificateFiles
from harness.client import role
from harness.compare import contents
from harness.mongo_servers import prepare
from test_gosdk import check, run

MCP = pathlib.Path(__file__).parent / "mcp"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return CertificateFiles(tmp_path_factory.mktemp("https"))


@pytest.fixture(scope="module")
def https_world(session_servers, files):
    tidemark = session_servers.tidemark(certificate=files)
    owner = tidemark.client()
    source, target = (session_servers.memory("--replica-set", name) for name in ("rs0", "rs1"))
    made = World(tidemark, owner, tidemark.project, "", source, target, None)
    owner.add_cluster(made.project, "Source", source.uri)
    owner.add_cluster(made.project, "Target", target.uri, tier="dedicated")
    load_sample(source)
    made.expected = contents(source)
    made.snapshot = owner.take_snapshot(made.project, "Source")
    return made


def test_go_sdk_with_digest(https_world, files):
    program = prepare("gosdk.sh", "v20240530005")
    key = https_world.key_with("GROUP_OWNER")
    trusted = {"SSL_CERT_FILE": str(files.certificate)}
    check(https_world, run(program, https_world, {"PUBLIC_KEY": key.public, "PRIVATE_KEY": key.private} | trusted))


def test_go_sdk_with_a_service_account(https_world, files):
    program = prepare("gosdk.sh", "v20241113005")
    account = https_world.owner.create_service_account(role("GROUP_OWNER", https_world.project))
    trusted = {"SSL_CERT_FILE": str(files.certificate)}
    check(https_world, run(program, https_world, {"CLIENT_ID": account.id, "CLIENT_SECRET": account.secret} | trusted))


def serves_clusters(world):
    path = f"/api/atlas/v2/groups/{world.project}/clusters"
    return world.owner.get(path, accept="application/vnd.atlas.2025-03-12+json").status_code == 200


@pytest.mark.parametrize("tool", ["atlas-list-projects", "atlas-list-clusters"])
def test_mcp_server_lists(https_world, files, tool):
    """MongoDB's own MCP server, unmodified: it asks for a token over https only."""
    folder = prepare("mcp.sh")
    if tool == "atlas-list-clusters" and not serves_clusters(https_world):
        pytest.skip("the list of clusters is not served yet")
    account = https_world.owner.create_service_account(role("ORG_OWNER", organization=https_world.tidemark.organization))
    lists_projects = tool == "atlas-list-projects"
    asked = {} if lists_projects else {"projectId": https_world.project}
    environment = os.environ | {
        "MDB_MCP_API_BASE_URL": https_world.url,
        "MDB_MCP_API_CLIENT_ID": account.id,
        "MDB_MCP_API_CLIENT_SECRET": account.secret,
        "MDB_MCP_TELEMETRY": "disabled",
        "SSL_CERT_FILE": str(files.certificate),
        "NODE_EXTRA_CA_CERTS": str(files.certificate),
    }
    done = subprocess.run(
        ["node", MCP / "ask.mjs", folder, tool, json.dumps(asked)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    answer = json.loads(done.stdout)
    assert not answer.get("isError"), answer
    assert (https_world.project if lists_projects else "Target") in done.stdout, done.stdout + done.stderr
