#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each requirement has its code and its test, and each tag its requirement.

A requirement is an item of a REQUIREMENTS.md in OpenFastTrace's form: an id in backquotes
on a line of its own, what shall be, and a line "Needs: impl, utest". A tag stands beside
what fulfils it, in brackets: a kind, "->", the id. The kinds:

  impl    in what is installed, outside of tests/
  utest   in a test that runs in one process, or reads the sources
  itest   in one of real processes, under a real systemd or on real Xen

Prints, for whoever reads the log, where each requirement is met.
"""
import collections
import re

from tree import files, text, verdict

ITEM = re.compile(r"^`req~([a-z0-9-]+)~(\d+)`\s*$", flags=re.M)
TAG = re.compile(r"\[(\w+)->req~([^\]\s]*)\]")
NEEDS = re.compile(r"^Needs: (.*)$", flags=re.M)
IN_ONE_PROCESS = ("unit", "contract", "device", "hostile", "fuzz", "style")
OF_MANY = ("daemon", "systemd", "bed", "bench-parts")
PLACES = {"impl": (), "utest": IN_ONE_PROCESS, "itest": OF_MANY}
NO_CODE = (".md", ".patch")  # documents show tags, they bear none

errors = []


def requirements():
    """id -> kinds that it needs; what is wrong with an item is said."""
    found = {}
    for path in files("REQUIREMENTS.md"):
        heads = list(ITEM.finditer(text(path)))
        for head, after in zip(heads, heads[1:] + [None]):
            name, revision = head.groups()
            body = text(path)[head.end():after.start() if after else None]
            where = f"{path}: req~{name}~{revision}"
            needs = NEEDS.search(body)
            kinds = re.split(r",\s*", needs[1].strip()) if needs else []
            if any(name == other.split("~")[0] for other in found):
                errors.append(f"{where} is there twice: a name is given once")
            if "shall" not in body.split("Needs:")[0]:
                errors.append(f"{where} does not say what shall be")
            for kind in kinds:
                if kind not in PLACES:
                    errors.append(f"{where} needs \"{kind}\": there are {', '.join(PLACES)}")
            if "impl" not in kinds or len(kinds) < 2:
                errors.append(f"{where}: \"Needs:\" names code (impl) and a test")
            found[f"{name}~{revision}"] = kinds
    return found


def in_place(kind, path):
    parts = path.split("/")
    if kind == "impl":
        return parts[0] != "tests"
    return parts[0] == "tests" and parts[1] in PLACES[kind]


def tags(known):
    """(id, kind) -> the files that bear it; of the others it is said what is wrong."""
    found = collections.defaultdict(set)
    for path in files(""):
        if path.endswith(NO_CODE) or path.startswith("tests/fuzz/corpus/"):
            continue
        for kind, name in TAG.findall(text(path)):
            what = f"{path}: [{kind}->req~{name}]"
            if kind not in PLACES:
                errors.append(f"{what}: there are {', '.join(PLACES)}")
            elif name not in known:
                errors.append(f"{what}: no REQUIREMENTS.md has that")
            elif kind not in known[name]:
                errors.append(f"{what}: its \"Needs:\" does not name {kind}")
            elif not in_place(kind, path):
                errors.append(f"{what}: this is no place for one")
            else:
                found[name, kind].add(path)
    return found


known = requirements()
bearers = tags(known)
for name, kinds in known.items():
    print(f"# req~{name}")
    for kind in kinds:
        if not bearers[name, kind]:
            errors.append(f"req~{name} has no {kind}: nothing bears [{kind}->req~{name}]")
        print("".join(f"#   {kind:5} {path}\n" for path in sorted(bearers[name, kind])), end="")
if not known:
    errors.append("there is no requirement")
verdict(f"{len(known)} requirements have their code and their tests", errors)
