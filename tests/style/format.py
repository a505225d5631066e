#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every C file looks as .clang-format says."""
import re

from tree import KERNEL, files, output_of, tool, verdict

# A module is formatted as its kernel is: .clang-format is not that.
sources = [f for f in files(".c", ".h") if not f.startswith(KERNEL)]
_, said = output_of(tool("clang-format"), "--dry-run", *sources)
found = re.findall(r"^(\S+?):(\d+):\d+: (?:warning|error)", said, flags=re.M)
first = {}
for path, line in found:
    first.setdefault(path, line)
verdict(f"{len(sources)} files are formatted",
        [f"{p}:{l}: clang-format would change this file" for p, l in first.items()])
