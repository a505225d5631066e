#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A file includes its own floor and those below, and Xen only where it may.

  0 common   1 policy   2 grant-mem   3 xenbus   4 backends/door
  5 a class's core   6 its front doors   7 programs and tools   8 tests

Within a class, its libraries say which file is core and which is door. A core
is pure beyond its floor: of the floors below it knows common/ and policy/ alone.

xenbus/linux/ stands beside the floors: a kernel's module, which runs in the client. It
includes the kernel's headers, Xen's among them, and its own, and nothing of ours; nothing
of ours includes it.
"""
import glob
import os
import re

from tree import BUILD, KERNEL, ROOT, files, sources, targets, text, verdict

FLOOR = {"common": 0, "policy": 1, "grant-mem": 2, "xenbus": 3, "backends": 7,
         "systemd": 7, "tests": 8}
CORE, DOOR, PROGRAM = 5, 6, 7
SEARCH = ("", "common/hook", "tests/hook")
# Where an include of Xen's own may stand, beside *-xen.c.
# Tests compare our own wire structs with Xen's.
XEN = ((re.compile(r"xen/(io/|xen\.h|errno\.h|grant_table\.h)"), ("tests/",)),
       (re.compile(r"xen/|xengnttab\.h|xenevtchn\.h"), ("tests/bed/",)),
       (re.compile(r"xenstore\.h"), ("tests/", "xenbus/cmd/")),
       (re.compile(r"xen\w*\.h"), ("xenbus/cmd/",)))


def class_floors():
    """File -> floor, of all that a class's libraries are made of."""
    floors = {}
    for target in targets():
        if not target["defined_in"].startswith(os.path.join(ROOT, "backends", "")):
            continue  # a test's own build of the same sources
        for source in sources(target):
            parts = source.split("/")
            if parts[0] == "backends" and len(parts) == 3 and parts[1] != "door" \
                    and target["type"] == "static library":
                # A core may have its ways to the host in a library of their own.
                core = target["name"] in (f"xdd-{parts[1]}", f"xdd-{parts[1]}-host")
                floors[source] = CORE if core else DOOR
    return floors


CLASS = class_floors()


def floor(path):
    parts = path.split("/")
    if "cmd" in parts[:-1] and parts[0] != "tests":
        return PROGRAM
    if parts[0] != "backends" or len(parts) < 3:
        return FLOOR[parts[0]]
    if parts[1] == "door":
        return 4
    if path.endswith(".c"):
        return CLASS.get(path, PROGRAM)
    # A header is where its module is: noun.c, or noun-this.c and noun-that.c.
    stem = path[:-2]
    of = [f for c, f in CLASS.items() if c == stem + ".c"] or \
         [f for c, f in CLASS.items() if c.startswith(stem + "-")]
    if not of and glob.glob(os.path.join(ROOT, stem + "-*.c")):
        return PROGRAM  # what only the program is made of
    return min(of, default=DOOR)


def resolve(path, name):
    for folder in (os.path.dirname(path),) + SEARCH:
        candidate = os.path.normpath(os.path.join(folder, name))
        if os.path.exists(os.path.join(ROOT, candidate)):
            return candidate
    return None


def wrong_include(path, name):
    """Why a file may not include one of ours, or None."""
    target = resolve(path, name)
    if not target:
        made = any(name == f for _, _, names in os.walk(BUILD) for f in names)
        return None if made else f"no such header: {name}"
    if target.startswith(KERNEL):
        return f"{name}: a kernel module's"
    if floor(path) != 8 and target.startswith("tests/") and "/hook/" not in target:
        return f"{name}: nothing uses tests/"
    if floor(target) > floor(path):
        return f"{name} is of floor {floor(target)}, this file of {floor(path)}"
    if floor(path) == CORE and 2 <= floor(target) < CORE:
        return f"{name}: a core knows of no grant, no xenstore, no ring"
    return None


def wrong_xen(path, name):
    if path.endswith("-xen.c"):
        return None
    for pattern, allowed in XEN:
        if pattern.match(name):
            good = path.startswith(allowed)
            return None if good else f"<{name}>: Xen's headers are for *-xen.c"
    return None


def wrong_in_kernel(path, bracket, name):
    if bracket == '"':
        good = os.path.exists(os.path.join(ROOT, KERNEL, name)) and "/" not in name
        return None if good else f"{name}: a kernel module includes nothing of ours"
    good = re.match(r"(uapi/)?linux/|xen/|asm/", name)
    return None if good else f"<{name}>: not a kernel's header"


def main():
    errors = []
    ours = [f for f in files(".c", ".h") if f.split("/")[0] in FLOOR]
    for path in ours:
        for number, line in enumerate(text(path).splitlines(), 1):
            include = re.match(r'\s*#\s*include\s*(["<])([^">]+)', line)
            if not include:
                continue
            check = wrong_include if include[1] == '"' else wrong_xen
            if path.startswith(KERNEL):
                why = wrong_in_kernel(path, include[1], include[2])
            else:
                why = check(path, include[2])
            if why:
                errors.append(f"{path}:{number}: {why}")
    verdict(f"{len(ours)} files include their own floor and those below", errors)


main()
