"""The command line as a user meets it."""

import json
import pathlib
import shlex
import subprocess

import pytest
from harness.client import V2
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
    ["cluster", "set"],
    ["cluster", "set-uri"],
    ["cluster", "remove"],
    ["snapshot", "take"],
    ["snapshot", "list"],
    ["snapshot", "show"],
    ["snapshot", "delete"],
    ["snapshot", "diff"],
    ["snapshot", "export"],
    ["snapshot", "import"],
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
    ["repo", "repair"],
    ["repo", "stats"],
    ["export-target", "add"],
    ["export-target", "list"],
    ["export-target", "remove"],
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


def test_a_cluster_that_has_moved_keeps_its_snapshots(world, run, session_servers):
    server = session_servers.memory("--replica-set", "rs0")
    project = ["--project", world.project]
    run("cluster", "add", "Mover", *project, "--uri", server.uri)
    server.client.shop.orders.insert_many([{"_id": i} for i in range(10)])
    before = contents(server)
    taken = run("snapshot", "take", "Mover", *project)
    moved = session_servers.memory("--replica-set", "rs0")
    said = world.tidemark.command("cluster", "set-uri", "Mover", *project, "--uri", moved.uri, key=world.tidemark.key)
    assert (said.returncode, said.stdout) == (0, "cluster Mover changed\n"), said.stderr
    run("restore", "start", "Mover", *project, "--snapshot", taken["id"], "--target", "Mover")
    assert_same(before, contents(moved))
    assert run("cluster", "set", "Mover", *project, "--paused")["paused"] is True
    nothing = world.tidemark.command("cluster", "set", "Mover", *project, key=world.tidemark.key)
    assert (nothing.returncode, nothing.stderr) == (
        2, "error: changing a cluster: nothing to change was given\nhint: tidemark cluster set --help\n"
    )  # fmt: skip
    assert run("cluster", "set", "Mover", *project, "--no-paused")["paused"] is False


def test_what_a_terminal_would_obey_is_shown(world):
    """Whoever may take snapshots writes descriptions that an owner reads in a terminal."""
    told = "\x1b]0;mine\x07 \u202egnp.exe \x9b2J\nnext é☃"
    path = f"/projects/{world.project}/clusters/Source/snapshots"
    made = world.owner.own("POST", path, {"description": told})["id"]
    world.owner.wait_snapshot(world.project, "Source", made)
    done = world.tidemark.command("snapshot", "show", "Source", made, "--project", world.project, key=world.tidemark.key)
    shown = next(line for line in done.stdout.splitlines() if "description" in line)
    assert shown.split("description")[1].strip() == (
        r"\x1b]0;mine\x07 \u202egnp.exe \u009b2J\nnext é☃"
    )


def test_a_download_is_no_restore_into_its_source(world):
    body = {"deliveryType": "download", "snapshotId": world.snapshot}
    made = world.owner.post(f"{V2}/groups/{world.project}/clusters/Source/backup/restoreJobs", body).json()["id"]
    done = world.tidemark.command("restore", "list", "Source", "--project", world.project, key=world.tidemark.key)
    row = next(line for line in done.stdout.splitlines() if line.startswith(made))
    assert "(download)" in row
    assert "Source" not in row


@pytest.mark.parametrize("option", ["--ids", "--target-project", "--only", "--rename"])
def test_an_empty_option_is_not_left_out(world, option):
    """`--ids "$IDS"` of a script that has not set IDS: without --ids the whole collection would be replaced."""
    start = ["restore", "start", "Source", "--project", world.project, "--snapshot", world.snapshot]
    before = len(world.owner.own("GET", f"/projects/{world.project}/clusters/Source/restoreJobs")["results"])
    done = world.tidemark.command(*start, "--target", "Target", option, "", key=world.tidemark.key)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {option}: it is empty\n")
    after = len(world.owner.own("GET", f"/projects/{world.project}/clusters/Source/restoreJobs")["results"])
    assert before == after


def test_a_missing_subcommand_names_the_command(world):
    done = world.tidemark.command("cluster")
    assert done.stderr == "error: A subcommand is required\nhint: tidemark cluster --help\n"


def test_a_failed_job_is_a_failed_command(world, run):
    run("cluster", "add", "CliGone", "--project", world.project, "--uri", "mongodb://127.0.0.1:1/", "--tier", "shared")
    failed = run("snapshot", "take", "CliGone", "--project", world.project, status=1)
    assert failed.returncode != 0
    assert "error: " in failed.stderr


# What is typed counts, whatever the environment says: it would be another project or another server.


def with_environment(monkeypatch, **variables):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return lambda *arguments: subprocess.run(
        [BINARY, *arguments], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("command", [["cluster", "list"], ["snapshot", "list", "Source"], ["restore", "list", "Source"]])
def test_a_typed_project_is_not_replaced_by_the_environment(world, monkeypatch, command):
    key = world.tidemark.key
    run = with_environment(
        monkeypatch,
        TIDEMARK_URL=world.url,
        TIDEMARK_PUBLIC_KEY=key.public,
        TIDEMARK_PRIVATE_KEY=key.private,
        TIDEMARK_PROJECT=world.project,
    )
    assert run(*command).returncode == 0
    typed = run(*command, "--project", "a" * 24)
    assert typed.returncode != 0
    assert "No group with ID " + "a" * 24 in typed.stderr


@pytest.mark.parametrize("command", [["cluster", "list"], ["project", "list"], ["audit"], ["audit", "verify"]], ids=" ".join)
def test_a_typed_server_and_key_are_not_replaced_by_the_environment(world, monkeypatch, command):
    key = world.tidemark.key
    run = with_environment(
        monkeypatch,
        TIDEMARK_URL="http://127.0.0.1:1",
        TIDEMARK_PUBLIC_KEY="nobody",
        TIDEMARK_PRIVATE_KEY="nothing",
        TIDEMARK_PROJECT=world.project,
    )
    done = run(*command, "--url", world.url, "--public-key", key.public, "--private-key", key.private)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "arguments, told, hint",
    [
        (["cluster", "list"], "--project is required", "tidemark cluster list --help"),
        (["snapshot", "delete", "Source", "--project", "a"], "id is required", "tidemark snapshot delete --help"),
        (["snapshot"], "A subcommand is required", "tidemark snapshot --help"),
        (["snapshot", "remove"], 'tidemark snapshot has no "remove"', "tidemark snapshot --help"),
        (["foo"], 'tidemark has no "foo"', "tidemark --help"),
        (["project", "list", "--all", "5"], 'tidemark project list has no "--all"', "tidemark project list --help"),
    ],
)
def test_wrong_usage_is_told_with_the_command_that_helps(world, arguments, told, hint):
    done = world.tidemark.command(*arguments)
    assert done.returncode == 2
    assert done.stderr == f"error: {told}\nhint: {hint}\n"


# What was typed as one name is one name: no part of another path.


@pytest.mark.parametrize("name", ["Source?x", "Source/snapshots", "Source#", "Source%20", "Source/../Target"])
def test_a_name_is_not_taken_for_a_path(world, name):
    for command in (["cluster", "show"], ["cluster", "remove"], ["schedule", "show"], ["snapshot", "list"]):
        done = world.tidemark.command(*command, name, "--project", world.project, key=world.tidemark.key)
        assert done.returncode == 3, done.stdout
        assert f"No cluster named {name} exists" in done.stderr
    shown = world.tidemark.command("snapshot", "show", "Source", world.snapshot + "?x", "--project", world.project,
                                   key=world.tidemark.key)
    assert shown.returncode == 3, shown.stdout


def test_an_empty_name_is_told(world):
    done = world.tidemark.command("cluster", "remove", "", "--project", world.project, key=world.tidemark.key)
    assert done.returncode == 2
    assert done.stderr == "error: name: it is empty\nhint: tidemark cluster remove --help\n"


def test_a_moment_with_an_offset_is_understood(world):
    done = world.tidemark.command("audit", "--since", "2026-11-25T10:00:00+02:00", key=world.tidemark.key)
    assert done.returncode == 0, done.stderr


def test_relaxed_goes_with_json_only(world, tmp_path):
    done = world.tidemark.command("snapshot", "export", "Source", world.snapshot, "--project", world.project, "--relaxed",
                                  "-o", str(tmp_path / "x.tar.gz"), key=world.tidemark.key)
    assert done.returncode == 2
    assert done.stderr.startswith("error: exporting: --relaxed is a form of JSON, and the format is tar.gz\nhint: ")
    assert not list(tmp_path.iterdir())


def test_names_cannot_forge_lines_or_command_a_terminal(world, session_servers):
    memory = session_servers.memory("--replica-set", "rs0")
    for name in ("two\n  drop  database shop", "esc\x1b[2J", "Ünï"):
        memory.client["odd"][name].insert_one({"_id": 1})
    world.owner.add_cluster(world.project, "Memory", memory.uri)
    snapshot = world.owner.take_snapshot(world.project, "Memory")
    plan = world.tidemark.command("restore", "start", "Memory", "--snapshot", snapshot, "--target", "Memory", "--dry-run",
                                  "--project", world.project, key=world.tidemark.key)
    assert plan.returncode == 0, plan.stderr
    lines = plan.stdout.splitlines()
    assert [line for line in lines if line.startswith("  drop ")] == ["  drop  database odd"]
    assert "\x1b" not in plan.stdout
    assert any("odd.two\\n  drop  database shop: 1 documents" in line for line in lines)
    assert any("odd.Ünï: 1 documents" in line for line in lines)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_example_of_the_help_can_be_called(world, command):
    text = world.tidemark.command(*command, "--help").stdout
    if "--url" not in text:
        pytest.skip("it works on this machine's files")
    example = text.split("xample", 1)[1].split("tidemark ", 1)[1].splitlines()[0].split(" && ")[0]
    done = world.tidemark.command(
        *shlex.split(example), "--url", "http://127.0.0.1:1", "--public-key", "x", "--private-key", "y"
    )
    assert done.returncode == 8, done.stderr  # the server is not there; the usage is right


def test_what_has_ended_has_no_progress(world, finished_restore):
    cluster = f"/projects/{world.project}/clusters/Source"
    assert "progress" not in world.owner.own("GET", f"{cluster}/snapshots/{world.snapshot}")
    assert "progress" not in world.owner.own("GET", f"{cluster}/restoreJobs/{finished_restore}")


def test_a_typed_data_directory_is_not_replaced_by_the_environment(tmp_path, monkeypatch):
    run = with_environment(monkeypatch, TIDEMARK_DATA_DIR=str(tmp_path / "told"))
    typed = tmp_path / "typed"
    assert run("init", "--data-dir", str(typed)).returncode == 0
    assert not (tmp_path / "told").exists()
    before = (typed / "master.key").read_bytes()
    rotated = run("master-key", "rotate", "--data-dir", str(typed))
    assert rotated.returncode == 0, rotated.stderr
    assert (typed / "master.key").read_bytes() != before
    assert run("init").returncode == 0
    assert (tmp_path / "told").exists()


def test_the_environment_may_give_what_is_required(world, monkeypatch):
    key = world.tidemark.key
    run = with_environment(
        monkeypatch,
        TIDEMARK_URL=world.url,
        TIDEMARK_PUBLIC_KEY=key.public,
        TIDEMARK_PRIVATE_KEY=key.private,
        TIDEMARK_PROJECT=world.project,
        TIDEMARK_CLUSTER_URI=world.target.uri,
    )
    assert run("cluster", "add", "FromEnvironment").returncode == 0
    assert "FromEnvironment" in run("cluster", "list").stdout
    assert run("cluster", "remove", "FromEnvironment").returncode == 0
