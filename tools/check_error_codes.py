#!/usr/bin/env python3
"""Every error code that an answer can have is named by a test: clients go by its exact words, and one that no test
names may be misspelt or never sent. Prints what is missing; exit status 1."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
# A status and its code, in the tables and in the calls of src/api.
SENT = re.compile(r'(?:\b[45]\d\d,\s*|InvalidPathId\(\s*)"([A-Z][A-Z0-9_]+)"')
NAMED = re.compile(r"\b[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+\b")


def main():
    tests = [*ROOT.glob("src/**/*_test.cpp"), *ROOT.glob("tests/**/*.py"), *ROOT.glob("tests/**/*.go")]
    named = {code for path in tests for code in NAMED.findall(path.read_text(encoding="utf-8"))}
    sent = {}
    for path in sorted((ROOT / "src/api").glob("*.cpp")):
        if not path.name.endswith("_test.cpp"):
            for code in SENT.findall(path.read_text(encoding="utf-8")):
                sent.setdefault(code, path.relative_to(ROOT))
    missing = sorted(code for code in sent if code not in named)
    for code in missing:
        print(f"{sent[code]}: no test names {code}")
    print(f"{len(sent)} error codes, {len(missing)} of them in no test")
    return 1 if missing or not sent else 0


if __name__ == "__main__":
    sys.exit(main())
