#!/usr/bin/env python3
"""Holds the code to its layers (docs/architecture.md).

Reads each module's DEPS from its tidemark_module call and fails on an include of another module that is not among
them, on another module's internal/ folder, and on a third-party header outside of the folder that is its home.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
HOMES = {  # header prefix: the folders of src/ that may include it; apps/ may include those marked with "apps"
    "spdlog/": {"base"},
    "openssl/": {"codec", "http"},
    "zstd.h": {"codec"},
    "isa-l": {"codec"},
    "zlib.h": {"codec"},
    "mongoc/": {"mongo"},
    "bson/bson.h": {"bson", "mongo"},
    "sqlite3.h": {"catalog"},
    "curl/": {"curl"},
    "prometheus/": {"telemetry"},
    "libssh/": {"delivery"},
    "boost/asio": {"http"},
    "boost/beast": {"http"},
    "boost/json": {"api", "apps"},
    "toml++": {"config"},
    "CLI/": {"apps"},
}
INCLUDE = re.compile(r'^\s*#include\s+([<"])([^>"]+)[>"]', re.MULTILINE)


def modules():
    found = {}
    for cmake in sorted((ROOT / "src").glob("*/CMakeLists.txt")):
        call = re.search(r"tidemark_module\((\w+)(.*)\)", cmake.read_text(), re.DOTALL)
        deps = re.search(r"\bDEPS\s+((?:\w+\s*)*?)(?=\s*(?:[A-Z_]{4,}|\)|$))", call.group(2)) if call else None
        found[cmake.parent.name] = set(deps.group(1).split()) if deps else set()
    return found


def check_file(path, folder, known, deps):
    for kind, header in INCLUDE.findall(path.read_text()):
        top, _, rest = header.partition("/")
        if kind == '"' and top in known and folder in known and top != folder:
            if top not in deps | {"base"}:
                yield f"{path}: includes {header}, but {folder} does not name {top} in DEPS"
            if rest.startswith("internal/"):
                yield f"{path}: includes {header}, which is internal to {top}"
        for prefix, homes in HOMES.items():
            if kind == "<" and header.startswith(prefix) and folder not in homes:
                yield f"{path}: includes <{header}>, whose home is {', '.join(sorted(homes))}"


def main():
    known = modules()
    problems = []
    for folder in known:
        for path in sorted((ROOT / "src" / folder).rglob("*")):
            if path.suffix in (".h", ".cpp"):
                problems += check_file(path, folder, known, known[folder])
    for path in sorted((ROOT / "apps").rglob("*")):
        if path.suffix in (".h", ".cpp"):
            problems += check_file(path, "apps", known, set(known))
    print("\n".join(problems) or f"layers: {len(known)} modules, nothing out of place")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
