#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Shell scripts pass shellcheck, whether or not their names tell."""
import os
import re

from tree import ROOT, files, output_of, tool, verdict


def is_shell(path):
    with open(os.path.join(ROOT, path), "rb") as f:
        return path.endswith(".sh") or re.match(rb"#!\s*\S*\b(ba|da)?sh\b", f.readline())


tool("shellcheck")
scripts = [f for f in files("") + [".ci/run"] if is_shell(f)]
_, said = output_of("shellcheck", "-x", "-P", "SCRIPTDIR", "-S", "warning", "-f", "gcc", *scripts)
verdict(f"{len(scripts)} shell scripts pass", said.splitlines())
