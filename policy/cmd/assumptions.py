#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""assumptions.py - makes assumptions.h's data of the threat model.

usage: assumptions.py THREAT-MODEL.md

The sections "Shared by all instances of one driver domain" and "Not claimed", by their
paragraphs and points; of "Assumptions of use" each row whose first column is AoU-N, under
the heading that it stands below. Ends with 1 if one of the three is not there.
"""
import hashlib
import re
import sys


def literal(text):
    text = " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + text.replace("?", "\\?") + '"'


def sections(lines):
    """Heading of the second level -> its lines."""
    found, name = {}, None
    for line in lines:
        if line.startswith("## "):
            name = line[3:].strip()
        found.setdefault(name, []).append(line)
    return found


def paragraphs(lines):
    """What stands between empty lines, or behind "- "."""
    text = "\n".join(lines[1:]).replace("\n- ", "\n\n")
    return [re.sub(r"^- ", "", p.strip()) for p in text.split("\n\n") if p.strip()]


def rows(lines):
    about = ""
    for line in lines:
        if line.startswith("### "):
            about = line[4:].strip()
        cells = [c.strip() for c in line.strip().strip("|").split(" | ")]
        if re.match(r"\| AoU-\d+ \|", line):
            number, text, check = cells
            yield number, about, text, check


def main(path):
    with open(path, encoding="utf-8") as file:
        model = file.read()
    found = sections(model.splitlines())
    shared = paragraphs(found["Shared by all instances of one driver domain"])
    claims = paragraphs(found["Not claimed"])
    table = list(rows(found["Assumptions of use"]))
    if not (shared and claims and table):
        sys.exit(f"{path}: a section that the report has is empty")
    print("/* Made by assumptions.py: do not edit. */")
    print('#include "policy/cmd/assumptions.h"')
    print("const struct assumption assumptions[] = {")
    for row in table:
        print("\t{" + ", ".join(map(literal, row)) + "},")
    print("};")
    print(f"const unsigned assumptions_n = {len(table)};")
    for name, texts in (("shared", shared), ("not_claimed", claims)):
        print(f"const char *const assumptions_{name}[] = {{")
        for text in texts:
            print(f"\t{literal(text)},")
        print("\t0};")
    digest = hashlib.sha256(model.encode()).hexdigest()
    print(f'const char assumptions_digest[] = "{digest}";')


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
