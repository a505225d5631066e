#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""trace.py and evidence.py find what they are for: each error is planted in a tree of
three files, and has to be said.

Not for the project's own files, which they read as tests by themselves.
"""
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def tag(kind, name):
    """Made up here, so that what traces this project takes none of them for its own."""
    return f"[{kind}->req~{name}]"


IMPL, UTEST = tag("impl", "one~1"), tag("utest", "one~1")
GOOD = {
    "policy/REQUIREMENTS.md": "`req~one~1`\n\nIt shall be one.\n\nNeeds: impl, utest\n",
    "policy/one.c": f"/* {IMPL} */\n",
    "tests/unit/one.c": f"/* {UTEST} */\nstatic void test_one(void **state)\n{{\n}}\n",
    "tests/unit/loose.c": "static void test_loose(void **state)\n{\n}\n",
    "tests/bed/check.list": "scenarios/spine amd64\n",
    "tests/bed/scenarios/spine/control": "step 'disk appears' true\n# the disk vanishes\n",
    "tests/bed/scenarios/lost/control": "step 'disk appears' true\n",
    "grant-mem/THREAT-MODEL.md":
        "| | assumption | check |\n| --- | --- | --- |\n| AoU-1 | right | read it |\n",
    "grant-mem/FREEDOM.md":
        "AoU-1\n\n| fault | shown by |\n| --- | --- |\n"
        "| a | `unit/one.c: test_one`, `bed/spine: disk appears` |\n| b | not shown: why |\n",
}
MODEL, TABLE = "grant-mem/THREAT-MODEL.md", "grant-mem/FREEDOM.md"
NEEDS = "policy/REQUIREMENTS.md"
failed = False


def said(rule, changes):
    """Exit status and output of a rule, of the good tree with @changes: path -> text."""
    with tempfile.TemporaryDirectory() as root:
        for path, content in {**GOOD, **changes}.items():
            where = os.path.join(root, path)
            os.makedirs(os.path.dirname(where), exist_ok=True)
            with open(where, "w", encoding="utf-8") as file:
                file.write(content)
        target = {"target_sources": [{"sources": [os.path.join(root, "tests/unit/one.c")]}]}
        info = os.path.join(root, "build", "meson-info")
        os.makedirs(info)
        with open(os.path.join(info, "intro-targets.json"), "w", encoding="utf-8") as file:
            json.dump([target], file)
        run = subprocess.run([sys.executable, os.path.join(HERE, rule), root,
                              os.path.join(root, "build")], text=True, check=False,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return run.returncode, run.stdout


def check(what, good, said_of_it=""):
    global failed
    failed |= not good
    print(f"{'ok' if good else 'not ok'} - {what}")
    if not good:
        print("".join(f"# {line}\n" for line in said_of_it.splitlines()), end="")


def finds(rule, what, expected, **changes):
    """@expected is said when @after stands where @before stood in the text of @path."""
    path, before, after = changes["path"], changes["before"], changes["after"]
    assert before in GOOD[path]
    status, output = said(rule, {path: GOOD[path].replace(before, after)})
    errors = [line for line in output.splitlines() if line.startswith("not ok")]
    check(f"{rule} finds {what}", status == 1 and any(expected in e for e in errors),
          output)


def plants(rule, table):
    status, output = said(rule, {})
    check(f"{rule} has nothing to say of a good tree", status == 0, output)
    for what, expected, path, before, after in table:
        finds(rule, what, expected, path=path, before=before, after=after)


plants("trace.py", (
    ("a requirement without code", "req~one~1 has no impl",
     "policy/one.c", IMPL, ""),
    ("a requirement without a test", "req~one~1 has no utest",
     "tests/unit/one.c", UTEST, ""),
    ("a tag without a requirement", tag("impl", "two~1") + ": no REQUIREMENTS.md has that",
     "policy/one.c", "*/", tag("impl", "two~1") + " */"),
    ("a tag of an older revision", tag("utest", "one~0") + ": no REQUIREMENTS.md has that",
     "tests/unit/one.c", "*/", tag("utest", "one~0") + " */"),
    ("a requirement that is there twice", "req~one~1 is there twice",
     NEEDS, "`req~one~1`", "`req~one~2`\nIt shall be.\nNeeds: impl, utest\n\n`req~one~1`"),
    ("a tag that was not asked for", tag("itest", "one~1") + ": its \"Needs:\" does not name",
     "tests/unit/one.c", "*/", tag("itest", "one~1") + " */"),
    ("a kind that there is not", tag("test", "one~1") + ": there are impl",
     "tests/unit/one.c", "*/", tag("test", "one~1") + " */"),
    ("a test's tag in the code", f"policy/one.c: {UTEST}: this is no place",
     "policy/one.c", "*/", UTEST + " */"),
    ("code's tag in a test", f"tests/unit/one.c: {IMPL}: this is no place",
     "tests/unit/one.c", "*/", IMPL + " */"),
    ("a requirement that asks for no test", "names code (impl) and a test",
     NEEDS, "Needs: impl, utest", "Needs: impl"),
    ("one that says nothing", "does not say what shall be", NEEDS, "shall", "will"),
))
plants("evidence.py", (
    ("a test that is not there", "has no test \"test_two\"", TABLE, "test_one", "test_two"),
    ("a program that is not there", "there is no tests/unit/two.c",
     TABLE, "unit/one.c", "unit/two.c"),
    ("a program that nothing builds", "nothing is built of tests/unit/loose.c",
     TABLE, "unit/one.c: test_one", "unit/loose.c: test_loose"),
    ("a step that is not there", "has no test \"disk goes\"", TABLE, "disk appears", "disk goes"),
    ("words that are no step's", "has no test \"disk vanishes\"",
     TABLE, "disk appears", "disk vanishes"),
    ("a scenario that is not there", "no such scenario", TABLE, "bed/spine", "bed/spin"),
    ("a scenario that nothing runs", "nothing runs it", TABLE, "bed/spine", "bed/lost"),
    ("a row that shows nothing", "FREEDOM.md:6: \"shown by\" names no test",
     TABLE, "not shown: why", "surely"),
    ("an assumption that is not there", "there is no AoU-2", TABLE, "AoU-1", "AoU-2"),
    ("one that is there twice", "AoU-1 is there twice",
     MODEL, "| AoU-1 | right |", "| AoU-1 | right | yes |\n| AoU-1 | wrong |"),
))
sys.exit(failed)
