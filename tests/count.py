#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts test results: single tests, not programs, wherever they are named.

usage: count.py meson TESTLOG.json	what `meson test` left
       count.py lines STATUS LOG	a program's output and exit status

Prints "PASSED FAILED SKIPPED", then a line for each failure, and why, and one for
each reason to skip: what follows "# SKIP", wherever it is said.
A test is named by cmocka's lines or by "ok - NAME", "not ok - NAME", either
with "# SKIP" after it. A program that names none is one test; one that failed
without saying which is one failure more.
"""
import collections
import json
import re
import sys

TAIL = 25


def named(text):
    """(passed, failed names, skipped) of the tests that an output names."""
    ok = re.findall(r"^ok\b(.*)", text, flags=re.M)
    skipped = sum("# SKIP" in rest for rest in ok)
    failed = re.findall(r"^not ok\s+(?:\d+\s*)?-?\s*(.*)", text, flags=re.M)
    passed = len(ok) - skipped + len(re.findall(r"^\[       OK \] ", text, flags=re.M))
    failed += sorted(set(re.findall(r"^\[  FAILED  \] (\S+)$", text, flags=re.M)))
    skipped += len(set(re.findall(r"^\[  SKIPPED \] (\S+)$", text, flags=re.M)))
    return passed, failed, skipped


def count(name, good, skip, text):
    passed, failed, skipped = named(text)
    failed = [f"{name}: {f}" for f in failed]
    if skip:
        return passed, failed, skipped or 1
    if good and not passed and not failed and not skipped:
        passed = 1
    if not good and not failed:
        failed = [f"{name}: failed"] + [f"    {l}" for l in text.splitlines()[-TAIL:]]
    return passed, failed, skipped


def reasons(name, text):
    whys = collections.Counter(re.findall(r"# SKIP[ \t]+(.*\S)", text))
    return [f"skipped: {name}: {why} ({n})" for why, n in whys.items()]


def results():
    if sys.argv[1] == "lines":
        with open(sys.argv[3], encoding="utf-8", errors="replace") as f:
            name = sys.argv[3].rsplit("/", 1)[-1].removesuffix(".log")
            text = f.read()
        yield count(name, sys.argv[2] == "0", sys.argv[2] == "77", text), reasons(name, text)
        return
    with open(sys.argv[2], encoding="utf-8") as f:
        for test in map(json.loads, f):
            text = test.get("stdout", "") + "\n" + test.get("stderr", "")
            yield (count(test["name"], test["result"] in ("OK", "EXPECTEDFAIL"),
                         test["result"] == "SKIP", text), reasons(test["name"], text))


totals, failures, whys = [0, 0, 0], [], []
for (passed, failed, skipped), why in results():
    headlines = [f for f in failed if not f.startswith("    ")]
    totals = [a + b for a, b in zip(totals, (passed, len(headlines), skipped))]
    failures += failed
    whys += why
print(*totals)
print(*failures, *whys, sep="\n")
