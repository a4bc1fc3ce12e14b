"""The jobs that kill_jobs.py cuts, each with what has to be true of it at every moment and at its end."""

import contextlib
import hashlib
import io
import json
import tarfile
import time

import bson
import requests

from harness.client import V2, group, legacy, tenant
from harness.compare import assert_same, contents
from harness.export_reader import below, exported

NEW = "application/vnd.atlas.2025-03-12+json"
MARKER = "tidemark_restore"
FINAL = (
    "Successful", "Failed", "Cancelled", "FINISHED", "BROKEN", "SUCCESSFUL", "FAILED", "CANCELED", "COMPLETED", "passed",
    "failed", "stopped",
)  # fmt: skip
USERS = ("system.users", "system.roles")


def documents_of(server):
    """{(database, collection): the documents of it as text, in order}, as an export is read."""
    return {name: sorted(str(bson.decode(document)) for document in documents.values())
            for name, (documents, _) in contents(server).items()}


class CutJob:
    """One kind of job. `id` is that of the job under way, None when the kill came before it was begun."""

    NAME = ""
    IDS = ""  # of all jobs of this kind, as a query of the catalog
    DONE = "Successful"
    AUDITED = ""  # what the audit log says of a job that went well, once

    def __init__(self, world):
        self.world = world
        self.id = None
        self.answered = None  # the id that the request was answered with
        self.known = set()
        self.snapshot = None

    def ask(self, client):
        """Sends the request; the connection may end under it."""
        raise NotImplementedError

    def state(self):
        raise NotImplementedError

    def is_finished(self):
        return self.id is None or self.state() in FINAL

    def prepare(self):
        self.id = self.answered = None
        self.snapshot = self.world.rng.choice(list(self.world.expected))

    def adopt(self, catalog):
        """Which job the request has made: none or one, and the one that was answered."""
        found = {row[0] for row in catalog.execute(self.IDS)} - self.known
        assert len(found) <= 1, f"{self.NAME}: one request made {found}"
        assert self.answered is None or found == {self.answered}, f"{self.NAME}: {self.answered} is not {found}"
        self.known |= found
        self.id = found.pop() if found else None

    def check_dead(self, catalog):
        """While the server is dead: what says that it is done, is."""

    def check_end(self):
        if self.id is None:
            return
        state = self.state()
        assert state == self.DONE, f"{self.NAME} {self.id} ended as {state}: {self.tell()}"
        self.check_done()

    def check_done(self):
        raise NotImplementedError

    def tell(self):
        return ""


class Export(CutJob):
    AUDITED = "exportCompleted"

    def __init__(self, world, bucket):
        super().__init__(world)
        self.bucket = bucket
        self.second = 0  # of the last request
        self.IDS = f"SELECT id FROM exports WHERE bucket = '{bucket}'"

    def objects(self):
        raise NotImplementedError

    def unfinished(self, prefix):
        """What an upload that was cut has left."""
        raise NotImplementedError

    # Exports that are asked for within one second have one prefix.
    def prepare(self):
        super().prepare()
        while int(time.time()) <= self.second:
            time.sleep(0.02)
        self.second = int(time.time()) + 1

    def path(self, rest=""):
        return f"{V2}/groups/{self.world.project}/clusters/Source/backup/exports{rest}"

    def ask(self, client):
        made = client.post(self.path(), {"snapshotId": self.snapshot, "exportBucketId": self.bucket})
        assert made.status_code == 200, made.text
        self.answered = made.json()["id"]

    def state(self):
        return self.tell()["state"]

    def tell(self):
        return self.world.client.get(self.path(f"/{self.id}")).json()

    # `.complete` is the last: where it is, all the rest is.
    def check_dead(self, catalog):
        rows = catalog.execute("SELECT id, snapshot, state, prefix FROM exports WHERE id = ?", (self.id,)).fetchall()
        for identifier, snapshot, state, prefix in rows:
            files = below(self.objects(), prefix)
            is_complete = prefix + "/.complete" in files
            assert state < 3 or is_complete, f"export {identifier} is finished without .complete"
            if is_complete:
                self.check_files(files, prefix, snapshot)

    def check_files(self, files, prefix, snapshot):
        assert exported(files, prefix) == self.world.expected[snapshot]
        assert json.loads(files[prefix + "/.complete"])["totalFiles"] == len(files) - 1

    def check_done(self):
        prefix = self.tell()["prefix"]
        assert not self.unfinished(prefix)
        self.check_files(below(self.objects(), prefix), prefix, self.snapshot)


class S3Export(Export):
    NAME = "S3 export"

    # One snapshot has one export at a time: the last one is for the other bucket.
    def prepare(self):
        super().prepare()
        self.snapshot = self.world.rng.choice(list(self.world.expected)[:-1])

    def objects(self):
        return dict(self.world.s3.objects)

    def unfinished(self, prefix):
        return [key for key, _ in self.world.s3.uploads.values() if key.startswith(prefix)]

    def check_done(self):
        super().check_done()
        prefix = self.tell()["prefix"]
        changes = [key for method, key in self.world.s3.requests if method != "HEAD" and key.startswith(prefix + "/")]
        first = changes.index(prefix + "/.complete")
        assert set(changes[first:]) == {prefix + "/.complete"}, "something was changed after .complete"


class DirectoryExport(Export):
    NAME = "directory export"

    def prepare(self):
        super().prepare()
        self.snapshot = list(self.world.expected)[-1]

    def objects(self):
        root = self.world.exports / self.world.project / "folder"
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*")
                if path.is_file() and not path.name.endswith(".%unfinished")}

    def unfinished(self, prefix):
        return list((self.world.exports / self.world.project / "folder" / prefix).rglob("*.%unfinished"))


def archived(data):
    """The documents of an archive, as an export is read; fails when anything of it is missing."""
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
        files = {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}
    names = {name.removesuffix(".bson"): bson.decode_all(data) for name, data in files.items() if name.endswith(".bson")}
    return {tuple(name.split("/")[1:]): sorted(str(document) for document in found) for name, found in names.items()
            if not name.split("/")[1] == "admin"}


class Push(CutJob):
    NAME = "push"
    IDS = "SELECT restore FROM pushes"
    DONE = "FINISHED"
    AUDITED = "restoreCompleted"

    def ask(self, client):
        body = {"delivery": {"methodName": "SCP"}, "snapshotId": self.snapshot}
        made = client.post(legacy(self.world.project, "Source"), body)
        assert made.status_code == 200, made.text
        self.answered = made.json()["results"][0]["id"]

    def state(self):
        return self.tell()["statusName"]

    def tell(self):
        return self.world.client.get(legacy(self.world.project, "Source") + f"/{self.id}").json()

    # A file under its own name is whole.
    def check_dead(self, catalog):
        for name, state, sha1 in catalog.execute(
            "SELECT p.file_name, r.state, p.sha1 FROM pushes p JOIN restores r ON r.id = p.restore WHERE r.id = ?",
            (self.id,),
        ):
            file = self.world.ssh.inbox / name
            assert state < 3 or file.exists(), f"{name} is finished and not there"
            if file.exists():
                data = file.read_bytes()
                assert archived(data) == self.world.expected[self.snapshot]
                assert state < 3 or hashlib.sha1(data).hexdigest() == sha1

    def check_done(self):
        job = self.tell()
        [told] = job["hashes"]
        files = [file for file in self.world.ssh.inbox.iterdir() if self.id in file.name]
        assert [file.name for file in files] == [told["fileName"]]  # and no .part of it
        data = files[0].read_bytes()
        assert hashlib.sha1(data).hexdigest() == told["hash"]
        assert archived(data) == self.world.expected[self.snapshot]
        files[0].unlink()


class CollectionRestore(CutJob):
    NAME = "collection restore"
    IDS = "SELECT restore FROM collection_restores"
    DONE = "SUCCESSFUL"
    AUDITED = "restoreCompleted"

    def prepare(self):
        super().prepare()
        target = self.world.parts
        target.wipe()
        target.client["shop"]["c1"].insert_one({"_id": "mine"})
        target.client["other"]["things"].insert_one({"_id": 1})
        self.before = contents(target)

    def path(self, rest=""):
        return f"{group(self.world.project)}/clusters/Source/collectionRestoreJobs{rest}"

    def ask(self, client):
        body = {
            "snapshotId": self.snapshot, "targetClusterName": "Parts", "targetGroupId": self.world.project,
            "writeStrategy": "CREATE_NEW", "indexStrategy": "ALL", "databases": [{"sourceNamespace": "shop"}],
        }  # fmt: skip
        made = client.post(self.path(), body, accept=NEW)
        assert made.status_code == 201, made.text
        self.answered = made.json()["id"]

    def state(self):
        return self.tell()["state"]

    def tell(self):
        return self.world.client.get(self.path(f"/{self.id}"), accept=NEW).json()

    # What is said to be restored is; what was there stays.
    def check_dead(self, catalog):
        found = contents(self.world.parts)
        assert {name: found.get(name) for name in self.before} == self.before
        rows = catalog.execute("SELECT source, effective, state FROM restored_namespaces WHERE restore = ?", (self.id,))
        self.check_namespaces([(source, effective) for source, effective, state in rows if state == 5], found)

    def check_namespaces(self, names, found):
        for source, effective in names:
            expected = self.world.states[self.snapshot][tuple(source.split(".", 1))]
            assert found[tuple(effective.split(".", 1))] == expected, f"{source} as {effective}"

    def check_done(self):
        rows = self.world.client.get(self.path(f"/{self.id}/collections"), accept=NEW).json()["results"]
        assert {row["state"] for row in rows} == {"SUCCESSFUL"}
        names = [(row["sourceNamespace"], row["effectiveTargetNamespace"]) for row in rows]
        wanted = {".".join(name) for name in self.world.states[self.snapshot] if name[0] == "shop"}
        assert {source for source, _ in names} == wanted
        found = contents(self.world.parts)
        self.check_namespaces(names, found)
        assert {name: found[name] for name in self.before} == self.before
        assert len(found) == len(self.before) + len(names), "more than what was asked for"


class WholeRestore(CutJob):
    """With users and roles."""

    NAME = "restore with users and roles"
    DONE = "COMPLETED"
    AUDITED = "restoreCompleted"

    def __init__(self, world):
        super().__init__(world)
        self.IDS = "SELECT id FROM restores WHERE delivery = 0 AND target_name = 'Target'"

    def prepare(self):
        super().prepare()
        self.world.target.wipe()
        admin = self.world.target.client["admin"]
        for name in USERS:
            admin[name].delete_many({})
        admin["system.users"].insert_one({"_id": "shop.old", "user": "old", "db": "shop", "credentials": {}, "roles": []})
        self.world.target.client["shop"]["c0"].insert_one({"_id": "of the target"})

    def ask(self, client):
        made = client.start_restore(self.world.project, "Source", self.snapshot, "Target")
        assert made.status_code == 200, made.text
        self.answered = made.json()["id"]

    def state(self):
        return self.tell()["state"]

    def tell(self):
        path = f"/projects/{self.world.project}/clusters/Source/restoreJobs/{self.id}"
        return self.world.client.own("GET", path)

    def check_dead(self, catalog):
        for (state,) in catalog.execute("SELECT state FROM restores WHERE id = ?", (self.id,)):
            if state == 3:
                self.check_done()

    def check_done(self):
        assert_same(self.world.states[self.snapshot], contents(self.world.target))
        for name in USERS:
            assert users_of(self.world.target, name) == self.world.users[self.snapshot][name]
        assert not list(self.world.target.client[MARKER]["incomplete"].find()), "it is still marked"


def users_of(server, name):
    """Without what the server writes by itself."""
    found = {}
    for document in server.client["admin"][name].find():
        document.pop("userId", None)
        found[document["_id"]] = document
    return found


class Drill(CutJob):
    NAME = "drill"
    IDS = "SELECT id FROM drills"
    DONE = "passed"
    AUDITED = "drillPassed"

    def path(self, rest=""):
        return f"/projects/{self.world.project}/clusters/Source/drills{rest}"

    def ask(self, client):
        self.answered = client.own("POST", self.path(), {})["id"]

    def state(self):
        return self.tell()["state"]

    def tell(self):
        return self.world.client.own("GET", self.path(f"/{self.id}"))

    def check_dead(self, catalog):
        for (state,) in catalog.execute("SELECT state FROM drills WHERE id = ?", (self.id,)):
            assert state in (0, 1, 2), state
            if state == 2:
                self.check_scratch()

    def check_scratch(self):
        assert contents(self.world.scratch) == {}
        assert MARKER not in self.world.scratch.client.list_database_names()

    def check_done(self):
        drill = self.tell()
        assert drill["restored"], drill
        assert drill["documents"] == sum(map(len, self.world.expected[drill["snapshotId"]].values()))
        self.check_scratch()
        cluster = self.world.client.own("GET", f"/projects/{self.world.project}/clusters/Source")
        assert cluster["lastVerified"]["drillId"] == self.id
        assert cluster["lastVerified"]["intact"]


class Download(CutJob):
    """One that may be fetched once: cut, it goes on to the same bytes; whole, it is used up."""

    NAME = "download"
    IDS = "SELECT restore FROM downloads"
    DONE = "FINISHED"

    def prepare(self):
        super().prepare()
        self.snapshot = self.world.large
        self.got, self.whole, self.url = b"", False, None

    def ask(self, client):
        body = {"snapshotId": self.snapshot, "delivery": {"methodName": "HTTP", "maxDownloads": 1}}
        made = client.post(legacy(self.world.project, "Large"), body)
        assert made.status_code == 200, made.text
        job = made.json()["results"][0]
        self.answered, self.url = job["id"], job["delivery"]["url"]
        pause = self.world.rng.choice((0, 0, 0.02))
        with contextlib.suppress(requests.RequestException):
            answer = requests.get(self.url, stream=True, timeout=60)
            assert answer.status_code == 200, answer.text
            for piece in answer.iter_content(1 << 20):
                self.got += piece
                time.sleep(pause)
            self.whole = True

    def state(self):
        return self.tell()["statusName"]

    def tell(self):
        return self.world.client.get(legacy(self.world.project, "Large") + f"/{self.id}").json()

    def check_dead(self, catalog):
        reference = self.world.archive
        assert self.got == reference[: len(self.got)]
        for (complete,) in catalog.execute("SELECT complete FROM downloads WHERE restore = ?", (self.id,)):
            assert complete == 1 or not self.whole, "it was fetched whole and is not counted"

    def check_done(self):
        if self.url is None:  # the answer was lost, the job is there
            return
        if not self.whole:
            start = min(len(self.got), len(self.world.archive) - 1)
            rest = requests.get(self.url, headers={"Range": f"bytes={start}-"} if start else {}, timeout=60)
            if rest.status_code != 403:  # counted, and the last piece was on its way when the kill came
                assert rest.status_code == (206 if start else 200), rest.status_code
                assert self.got[:start] + rest.content == self.world.archive
                again = requests.get(self.url, timeout=60)
                assert again.content == self.world.archive if again.status_code == 200 else again.status_code == 403
        assert requests.get(self.url, timeout=60).status_code == 403
        [told] = self.tell()["hashes"]
        assert told["hash"] == hashlib.sha1(self.world.archive).hexdigest()
