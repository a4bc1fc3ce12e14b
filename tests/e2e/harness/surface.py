"""The operations of MongoDB's OpenAPI document, and what docs/api-compatibility.md says of each."""

import dataclasses
import functools
import json
import os
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[3]
PREFIX = "/api/atlas/v2"
METHODS = ("get", "post", "put", "patch", "delete")
ROW = re.compile(r"^\| `(\w+)` \| (\w+) `([^`]*)` \| ([^|]*) \| ([^|]*) \|$")


@dataclasses.dataclass(frozen=True)
class Operation:
    id: str
    method: str  # upper case
    path: str  # below the prefix, "" for the root
    versions: tuple
    served: bool = True

    def __str__(self):
        return self.id

    @property
    def parameters(self):
        return re.findall(r"{(\w+)}", self.path)

    @property
    def spec(self):
        return document()["paths"][PREFIX + self.path][self.method.lower()]

    def address(self, values, family=PREFIX):
        """The path with each parameter replaced by its value."""
        return family + re.sub(r"{(\w+)}", lambda found: values[found.group(1)], self.path)

    def accept(self, version):
        return f"application/vnd.atlas.{version}+json"


@functools.cache
def document():
    """None where there is no document: the tests that need it say so."""
    path = os.environ.get("TIDEMARK_OPENAPI")
    if not path:
        return None
    return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))


@functools.cache
def documented():
    """The rows of docs/api-compatibility.md."""
    text = (ROOT / "docs/api-compatibility.md").read_text(encoding="utf-8")
    found = []
    for line in text.splitlines():
        if row := ROW.match(line):
            name, method, path, versions, state = row.groups()
            assert state.strip() in ("**served**", "not yet"), line
            path = "" if path == "/" else path
            found.append(Operation(name, method, path, tuple(versions.split(", ")), state.strip() == "**served**"))
    return found


@functools.cache
def specified():
    """The operations of the document, served as far as ours says so."""
    served = {row.id for row in documented() if row.served}
    found = []
    for path, methods in (document() or {"paths": {}})["paths"].items():
        for method in METHODS:
            if operation := methods.get(method):
                versions = tuple(re.findall(r"\d{4}-\d\d-\d\d", " ".join(operation["x-media-types"])))
                name = operation["operationId"]
                found.append(Operation(name, method.upper(), path.removeprefix(PREFIX), versions, name in served))
    return found


def resolve(schema):
    while "$ref" in schema:
        target = document()
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        schema = target
    return schema
