"""Adds up the test cases that gtest and pytest wrote as JUnit XML and prints "N passed, N failed, N skipped".

usage: count_cases.py FOLDER FAILED_STEPS      exit status 1 when a case or a step failed, or when nothing ran
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def outcome(case):
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "skipped" if case.find("skipped") is not None or case.get("status") == "notrun" else "passed"


def main():
    folder, failed_steps = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    outcomes = {}  # a case that ran under two sanitizers counts once, with its worst outcome
    for path in list(folder.glob("gtest-*/*.xml")) + list(folder.glob("e2e.xml")):
        for case in ElementTree.parse(path).iter("testcase"):
            outcomes.setdefault((path.name, case.get("classname"), case.get("name")), set()).add(outcome(case))
    failed = sum("failed" in seen for seen in outcomes.values())
    passed = sum("passed" in seen and "failed" not in seen for seen in outcomes.values())
    skipped = len(outcomes) - failed - passed
    failed = max(failed, failed_steps)  # a step can fail without a case: a build, the format, a crash
    print(f"\n{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
