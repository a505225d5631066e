#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A .c file has at most 600 lines, a function 60 between its braces."""
from tree import files, text, verdict

FILE, FUNCTION = 600, 60


def functions(lines):
    """(first line, length) of each body; its braces stand in the first column."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            yield start, number - start - 1
            start = None


errors, count = [], 0
for path in files(".c"):
    lines = text(path).splitlines()
    if len(lines) > FILE:
        errors.append(f"{path}: {len(lines)} lines, at most {FILE}")
    for start, length in functions(lines):
        count += 1
        if length > FUNCTION:
            errors.append(f"{path}:{start}: a function of {length} lines, at most {FUNCTION}")
verdict(f"{count} functions and their files are of readable size", errors)
