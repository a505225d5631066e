#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tree: its fixed top level, a README for each room, no #if in a .c file."""
import os
import re

from tree import KERNEL, ROOT, blank_comments, files, text, verdict

ROOMS = {"backends", "common", "xenbus", "grant-mem", "policy", "systemd", "tests"}
TOP = ROOMS | {"meson.build", "meson_options.txt", "meson.options", "CHANGELOG", "README.md",
               "LICENSE"}

errors = []
for entry in sorted(os.listdir(ROOT)):
    if entry[0] != "." and entry not in TOP and not entry.startswith("build"):
        errors.append(f"{entry}: the top level is fixed")
for needed in ("CHANGELOG", "LICENSE", "README.md", KERNEL + "README.md",
               *(f"{r}/README.md" for r in sorted(ROOMS))):
    if not os.path.exists(os.path.join(ROOT, needed)):
        errors.append(f"{needed} is missing")
if not re.search(r"^## ", text("CHANGELOG"), flags=re.M):
    errors.append("CHANGELOG: no section")
for path in files(".c"):
    for number, line in enumerate(blank_comments(text(path)).splitlines(), 1):
        if re.match(r"\s*#\s*(if|ifdef|ifndef|elif)\b", line):
            # The kernel module has one header for what differs between kernels.
            errors.append(f"{path}:{number}: meson picks a file, no #if")
for path in files(".c", ".h"):
    if "SPDX-License-Identifier" not in text(path)[:200]:
        errors.append(f"{path}: no SPDX-License-Identifier")
for path in files(""):
    # The module is the kernel's to load, and so of the kernel's licence; nothing else is.
    theirs = "SPDX-License-Identifier: " + "GPL" in text(path)[:200]
    if theirs != (path.startswith(KERNEL) and not path.endswith((".md", "LICENSE"))):
        errors.append(f"{path}: GPL-2.0-only is for {KERNEL}, and for all of it")
verdict("the tree is laid out as it should be", errors)
