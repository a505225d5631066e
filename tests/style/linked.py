#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# [utest->req~no-control-of-xen~1]
"""What is installed in a driver domain links nothing that could control Xen.

libxenctrl, libxendevicemodel and libxenforeignmemory are for the control
domain's tools. The keeper links no library of Xen's at all, and these tools nothing
of ours that bears the name of a function of theirs.
"""
import re

from tree import output_of, targets, tool, verdict

CONTROL_DOMAIN = {"xdd-attach", "xdd-witness"}
CONTROL = re.compile(r"libxen(ctrl|devicemodel|foreignmemory|guest|light|call)")

tool("readelf")
errors, programs = [], 0
for target in targets():
    if target["type"] != "executable" or not target["installed"] \
            or target["name"] in CONTROL_DOMAIN:
        continue
    programs += 1
    _, dynamic = output_of("readelf", "-d", target["filename"][0])
    forbidden = re.compile("libxen") if target["name"] == "xdd-keeper" else CONTROL
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)
    errors += [f"{target['name']} links {library}" for library in needed
               if forbidden.match(library)]
for target in targets():
    if target["name"] in CONTROL_DOMAIN:
        _, symbols = output_of("readelf", "-sW", target["filename"][0])
        errors += [f"{target['name']} has a {name} of its own, which hides the library's"
                   for name in re.findall(r"FUNC.* \d+ (x[cs]_\w+)$", symbols, flags=re.M)]
verdict(f"{programs} programs link nothing that could control Xen", errors)
