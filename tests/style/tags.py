#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each installed file is for one machine: its install tag is there, and the right one.

Installed is what `meson install` puts into a folder, whole and once for each tag, so
that nothing is judged by how it is listed. Where a file is wrong is seen by what it needs
or what needs it: a unit's program and a program's page are for the same machine. A unit may ask whether a
program is there (ConditionFileIsExecutable=).
"""
import os
import re
import subprocess
import sys
import tempfile

from tree import BUILD, verdict

# Packages are made of these (systemd/debian). "tests" is never on a real machine.
MACHINES = ("driver", "control", "client", "tools", "tests")
SETTINGS = re.compile(r"/(?:sysusers|tmpfiles|modprobe|modules-load|rules)\.d/"
                      r"(?:\d+-)?xdd(?:-(\w+))?\.(?:conf|rules)$")


def installed(*options):
    """What such an install brings: each path, with its text where it is a unit."""
    with tempfile.TemporaryDirectory() as root:
        run = subprocess.run(("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet",
                              "--destdir", root, *options), stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, check=False)
        if run.returncode:
            sys.exit(f"not ok - meson install failed: {run.stdout}")
        found = {}
        for folder, _, names in os.walk(root):
            for name in names:
                path = os.path.join(folder, name)
                unit = name.endswith((".service", ".target", ".timer"))
                with open(path, encoding="utf-8", errors="replace") as f:
                    found[path.removeprefix(root)] = f.read() if unit else ""
        return found


def wrong(path, code, machine, here):
    """Why a file is not one of this machine's, with all that is here; or None."""
    name = os.path.basename(path)
    folder = os.path.basename(os.path.dirname(path))
    names = {os.path.basename(p) for p in here}
    setting = SETTINGS.search(path)
    if "/libexec/xdd/tests/" in path:
        return None if machine == "tests" else "is a test's"
    if "/libexec/xdd/" in path and machine != "driver":
        return "is a driver domain's: nobody else has a folder of programs"
    if re.search(r"\.[1-8]$", name):
        program = name[:-2]
        if any(os.path.basename(p) == program for p in everything) and program not in names:
            return "is the page of a program that is elsewhere"
        if program not in names and machine != "tools":
            return "is a page of no program: the tools have those"
    if setting and machine != (setting[1] or "driver"):
        return f"is, by its name, for: {setting[1] or 'driver'}"
    if folder.endswith((".service.d", ".target.d")) and folder != "xdd-.service.d" \
            and folder.removesuffix(".d") not in names:
        return "changes a unit that is elsewhere"
    asked = set(re.findall(r"^ConditionFileIsExecutable=(\S+)$", code, re.M))
    for program in re.findall(r"(/usr/\S*/xdd\S*)", code):
        if program not in here | asked:
            return f"starts {program}, which is elsewhere"
    return None


everything = installed()
errors, owner = [], {}
for tag in MACHINES:
    files = installed("--tags", tag)
    for path, code in files.items():
        if path in owner:
            errors.append(f"{path}: is tagged {owner[path]} and {tag}")
        owner[path] = tag
        reason = wrong(path, code, tag, files.keys())
        if reason:
            errors.append(f"{path}: is tagged {tag}, and {reason}")
errors += [f"{path}: has no install_tag of {', '.join(MACHINES)}"
           for path in sorted(everything.keys() - owner.keys())]
verdict(f"{len(everything)} installed files are each for one machine", errors)
