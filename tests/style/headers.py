#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each header compiles alone: it includes all that it needs."""
import concurrent.futures

from tree import KERNEL, files, output_of, tool, verdict

CC = [tool("cc"), "-fsyntax-only", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra",
      "-Werror", "-I.", "-x", "c"]


def compiles(path):
    hook = "tests/hook" if path.startswith("tests/") else "common/hook"
    status, said = output_of(*CC, f"-I{hook}", "-include", path, "/dev/null")
    return next((l for l in said.splitlines() if "error:" in l), path) if status else None


# A kernel's headers are not on this machine, or not of the kernel that is meant.
headers = [h for h in files(".h") if not h.startswith(KERNEL)]
with concurrent.futures.ThreadPoolExecutor() as pool:
    verdict(f"{len(headers)} headers compile alone",
            [e for e in pool.map(compiles, headers) if e])
