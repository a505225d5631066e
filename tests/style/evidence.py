#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A test that a document names is there, and so is an assumption of use.

A document names a test in backquotes, by its place below tests/:

  `unit/maps.c: test_never`               a function of a program that is built
  `bed/life: keeper killed under load`    words of a scenario's step; of a script's check
  `bed/spine`, `unit/maps.c`              all of it

A table with the column "shown by" has in each row a test there, or "not shown" and why
not, or "-" where nothing is claimed. An assumption (AoU-7) is defined once, in a row of
grant-mem/THREAT-MODEL.md, wherever it is spoken of.
"""
import os
import re

from tree import ROOT, files, sources, targets, text, verdict

FOLDERS = "unit|contract|device|hostile|fuzz|daemon|systemd|style|bed"
NAMED = re.compile(rf"`({FOLDERS})/([\w.-]+)(?::\s+([^`]+))?`")
DEFINED = re.compile(r"^\| (AoU-\d+) \|", flags=re.M)
SAID = re.compile(r"\b(step|skip|check|test)\b|\bok - ")
PAGES = tuple(f".{n}" for n in range(1, 9))
MODEL = "grant-mem/THREAT-MODEL.md"

built = {source for target in targets() for source in sources(target)}


def exists(path):
    return os.path.exists(os.path.join(ROOT, path))


def runs():
    """All that says which scenarios are run."""
    found = [f for f in files("") if f.startswith(("tests/bed/", "tests/bench"))
             and not f.startswith("tests/bed/scenarios/")]
    return "".join(text(f) for f in found + [f for f in ("tests/long", "tests/demo") if exists(f)])


def of_bed(name):
    """The script of a scenario that is run by somebody, or None."""
    path = f"tests/bed/scenarios/{name}/control"
    run = re.search(rf"scenarios/{re.escape(name)}(?![\w-])", runs())
    return path if exists(path) and run else None


def why_not(folder, name, case):
    """What is wrong with a test that a document names, or None."""
    path = f"tests/{folder}/{name}"
    if folder == "bed" and not os.path.isfile(os.path.join(ROOT, path)):
        path = of_bed(name)
        if not path:
            return "there is no such scenario, or nothing runs it"
    if not exists(path):
        return f"there is no {path}"
    if path.endswith(".c") and path not in built:
        return f"nothing is built of {path}"
    if not case:
        return None
    if path.endswith(".c"):
        stem = re.escape(case.removeprefix("test_"))
        found = re.search(rf"^(static )?(void|int|bool) (test_)?{stem}\(", text(path), flags=re.M)
    else:
        found = any(case in line and SAID.search(line) for line in text(path).splitlines())
    return None if found else f"{path} has no test \"{case}\""


def rows(document):
    """(line, cells by the name of their column) of a document's tables."""
    columns = None
    for number, line in enumerate(document.splitlines(), 1):
        if not line.startswith("|"):
            columns = None
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if columns is None:
            columns = cells
        elif not re.fullmatch(r"[\s|:-]*", line):
            yield number, dict(zip(columns, cells))


def unshown(cell):
    return not (NAMED.search(cell) or cell.startswith(("not shown", "-")))


errors, count = [], 0
for path in files(".md"):
    document = text(path)
    for number, line in enumerate(document.splitlines(), 1):
        for named in NAMED.finditer(line):
            count += 1
            why = why_not(*named.groups())
            if why:
                errors.append(f"{path}:{number}: {named[0]}: {why}")
    errors += [f"{path}:{number}: \"shown by\" names no test, and does not say \"not shown\""
               for number, row in rows(document) if unshown(row.get("shown by", "-"))]
defined = DEFINED.findall(text(MODEL)) if exists(MODEL) else []
errors += [f"{MODEL}: {name} is there twice" for name in sorted(set(defined))
           if defined.count(name) > 1]
for path in files(".md", *PAGES):
    errors += [f"{path}: there is no {name}" for name in
               sorted(set(re.findall(r"AoU-\d+", text(path))) - set(defined))]
verdict(f"{count} tests that documents name are there, and {len(defined)} assumptions", errors)
