#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts test results: single tests, not programs, wherever they are named.

usage: count.py meson TESTLOG.json	what `meson test` left
       count.py lines STATUS LOG	a program's output and exit status

Prints "PASSED FAILED SKIPPED", then a line for each failure, and why, and one for
each reason to skip: what follows "# SKIP", wherever it is said; and one for each case
of the security catalogue that a test is named after ("t_ring_1_...", or "T-RING-1 ..."
behind "ok - "), with what its tests say they tried ("tally: T-RING-1 4312 rewrites").
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


CASE = re.compile(
    r"^\[ +(OK|FAILED|SKIPPED) +\] t_([a-z]+)_(\d+)_\w+$"
    r"|^(ok|not ok) - (?:T-([A-Z]+)-(\d+)|t_([a-z]+)_(\d+)_)(.*)", flags=re.M)


def cases(text, found):
    """Add to @found, by (family, number): how its tests ended, and what they tried."""
    for m in CASE.finditer(text):
        said, family, number, ok, *others, rest = m.groups()
        family = (family or others[0] or others[2]).upper()
        number = int(number or others[1] or others[3])
        case = found.setdefault((family, number), (collections.Counter(), {}))
        end = said or {"ok": "OK", "not ok": "FAILED"}[ok]
        case[0]["SKIPPED" if "# SKIP" in (rest or "") else end] += 1
    # Begun and never ended: the program died of it.
    begun = re.findall(r"^\[ RUN +\] t_([a-z]+)_(\d+)_(\w+)$", text, flags=re.M)
    for family, number, rest in begun:
        if f"] t_{family}_{number}_{rest}\n" not in text.split(f"_{rest}\n", 1)[1]:
            key = family.upper(), int(number)
            found.setdefault(key, (collections.Counter(), {}))[0]["FAILED"] += 1
    for family, number, n, what in re.findall(
            r"^tally: T-([A-Z]+)-(\d+) (\d+) (.*)$", text, flags=re.M):
        case = found.setdefault((family, int(number)), (collections.Counter(), {}))
        case[1][what] = case[1].get(what, 0) + int(n)


def case_lines(found):
    for (family, number), (ends, tried) in sorted(found.items()):
        end = next(e for e in ("FAILED", "OK", "SKIPPED") if ends[e] or e == "SKIPPED")
        end = {"FAILED": "FAILED", "OK": "passed", "SKIPPED": "skipped"}[end]
        what = ", ".join(f"{n:,} {w}" for w, n in tried.items())
        yield f"T-{family}-{number}".ljust(10) + f"{end}  {what or sum(ends.values())}"


def results():
    if sys.argv[1] == "lines":
        with open(sys.argv[3], encoding="utf-8", errors="replace") as f:
            name = sys.argv[3].rsplit("/", 1)[-1].removesuffix(".log")
            text = f.read()
        cases(text, catalogue)
        yield count(name, sys.argv[2] == "0", sys.argv[2] == "77", text), reasons(name, text)
        return
    with open(sys.argv[2], encoding="utf-8") as f:
        for test in map(json.loads, f):
            text = test.get("stdout", "") + "\n" + test.get("stderr", "")
            cases(text, catalogue)
            yield (count(test["name"], test["result"] in ("OK", "EXPECTEDFAIL"),
                         test["result"] == "SKIP", text), reasons(test["name"], text))


totals, failures, whys, catalogue = [0, 0, 0], [], [], {}
for (passed, failed, skipped), why in results():
    headlines = [f for f in failed if not f.startswith("    ")]
    totals = [a + b for a, b in zip(totals, (passed, len(headlines), skipped))]
    failures += failed
    whys += why
print(*totals)
print(*failures, *whys, *case_lines(catalogue), sep="\n")
