"""The command line as a user meets it."""

import json
import pathlib
import subprocess

import pytest
from harness.compare import assert_same, contents
from harness.tidemark import BINARY, Tidemark

COMMANDS = [
    ["init"],
    ["serve"],
    ["project", "list"],
    ["project", "create"],
    ["project", "delete"],
    ["key", "create"],
    ["key", "list"],
    ["key", "revoke"],
    ["key", "show"],
    ["key", "update"],
    ["key", "make-owner"],
    ["key", "secret", "add"],
    ["key", "secret", "list"],
    ["key", "secret", "delete"],
    ["org", "create"],
    ["org", "list"],
    ["org", "show"],
    ["cluster", "add"],
    ["cluster", "list"],
    ["cluster", "check"],
    ["cluster", "remove"],
    ["snapshot", "take"],
    ["snapshot", "list"],
    ["snapshot", "show"],
    ["snapshot", "delete"],
    ["snapshot", "diff"],
    ["snapshot", "export"],
    ["schedule", "show"],
    ["schedule", "set"],
    ["restore", "start"],
    ["drill", "show"],
    ["drill", "set"],
    ["drill", "scratch"],
    ["drill", "run"],
    ["drill", "list"],
    ["cluster", "show"],
    ["restore", "list"],
    ["restore", "show"],
    ["restore", "watch"],
    ["restore", "end"],
    ["master-key", "rotate"],
    ["master-key", "export"],
    ["master-key", "import"],
    ["repo", "open", "folder", "list"],
    ["repo", "open", "folder", "show"],
    ["repo", "open", "folder", "restore"],
    ["repo", "open", "folder", "export"],
    ["repo", "check"],
    ["repo", "gc"],
    ["repo", "stats"],
    ["notify", "add"],
    ["notify", "list"],
    ["notify", "remove"],
    ["notify", "test"],
    ["audit"],
    ["audit", "verify"],
]


@pytest.fixture
def run(world):
    def run_command(*arguments, status=0):
        done = world.tidemark.command(*arguments, "--output", "json", key=world.tidemark.key)
        assert done.returncode == status or (status and done.returncode), done.stderr
        return json.loads(done.stdout) if status == 0 and done.stdout.strip() else done

    return run_command


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_has_an_example(world, command):
    done = world.tidemark.command(*command, "--help")
    assert done.returncode == 0
    assert "xample" in done.stdout


def test_init_names_what_was_made(world):
    assert set(world.tidemark.made) == {
        "dataDir",
        "organizationId",
        "projectId",
        "projectName",
        "publicKey",
        "privateKey",
    }


def test_init_twice_is_refused_with_a_hint(world):
    done = world.tidemark.command("init", "--data-dir", str(world.tidemark.data_dir))
    assert done.returncode != 0
    assert done.stderr.startswith("error: ")
    assert "hint: " in done.stderr


def test_wrong_key_is_told(world):
    done = world.tidemark.command("project", "list", key=type(world.tidemark.key)("nobody", "nothing"))
    assert done.returncode != 0
    assert done.stderr.startswith("error: ")


def test_no_server_is_told(world):
    done = world.tidemark.command(
        "project", "list", "--url", "http://127.0.0.1:1", "--public-key", "x", "--private-key", "y"
    )
    assert done.returncode != 0
    assert done.stderr.startswith("error: ")


def test_a_dead_process_with_the_same_id_is_not_noticed(world):
    """The driver's segment of shared memory bears the process id: a killed process leaves it behind."""
    left = pathlib.Path("/dev/shm")
    if not left.is_dir():
        pytest.skip("there is no /dev/shm: the driver makes no segment")
    script = f'touch {left}/mongoc-$$; exec "$0" "$@"'
    command = ["sh", "-c", script, BINARY, "project", "list", "--url", "http://127.0.0.1:1"]
    process = subprocess.Popen(
        [*command, "--public-key", "x", "--private-key", "y"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    _, told = process.communicate(timeout=60)
    assert process.returncode != 0
    assert told.startswith("error: "), told
    assert not (left / f"mongoc-{process.pid}").exists()


def test_a_killed_server_leaves_no_shared_memory(tmp_path):
    server = Tidemark(tmp_path).start()
    pid = server.pid
    server.kill()
    assert not pathlib.Path(f"/dev/shm/mongoc-{pid}").exists()


def test_projects_and_keys(world, run):
    made = run("project", "create", "Made by the command line")
    assert made["name"] == "Made by the command line"
    assert made["id"] in json.dumps(run("project", "list"))
    key = run("key", "create", "--kind", "apiKey", "--role", "GROUP_READ_ONLY", "--project", made["id"])
    assert {"id", "kind", "publicKey", "privateKey", "roles"} <= set(key)
    assert key["privateKey"] not in json.dumps(run("key", "list"))
    run("key", "revoke", key["id"])
    account = run("key", "create", "--kind", "serviceAccount", "--role", "GROUP_OWNER", "--project", made["id"])
    assert {"clientId", "clientSecret"} <= set(account)


def test_from_cluster_to_restore(world, run, session_servers):
    target = session_servers.ferretdb()
    project = ["--project", world.project]
    run("cluster", "add", "CliSource", *project, "--uri", world.source.uri, "--tier", "shared")
    run("cluster", "add", "CliTarget", *project, "--uri", target.uri, "--tier", "dedicated")
    assert run("cluster", "check", "CliSource", *project)["canRead"] is True
    assert "CliTarget" in json.dumps(run("cluster", "list", *project))
    snapshot = run("snapshot", "take", "CliSource", *project)["id"]
    assert run("snapshot", "show", "CliSource", snapshot, *project)["state"] == "COMPLETED"
    start = ["restore", "start", "CliSource", *project, "--snapshot", snapshot, "--target", "CliTarget"]
    assert run(*start, "--dry-run")["plan"]["writes"]
    assert contents(target) == {}
    restore = run(*start)["id"]
    assert run("restore", "show", "CliSource", restore, *project)["state"] == "COMPLETED"
    assert run("restore", "watch", "CliSource", restore, *project)["state"] == "COMPLETED"
    assert restore in json.dumps(run("restore", "list", "CliSource", *project))
    assert_same(world.expected, contents(target))
    run("snapshot", "delete", "CliSource", snapshot, *project)
    run("cluster", "remove", "CliTarget", *project)
    assert "CliTarget" not in json.dumps(run("cluster", "list", *project))


def test_a_failed_job_is_a_failed_command(world, run):
    run("cluster", "add", "CliGone", "--project", world.project, "--uri", "mongodb://127.0.0.1:1/", "--tier", "shared")
    failed = run("snapshot", "take", "CliGone", "--project", world.project, status=1)
    assert failed.returncode != 0
    assert "error: " in failed.stderr
