#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# [utest->req~no-control-of-xen~1]
"""What is installed in a driver domain links nothing that could control Xen.

libxenctrl, libxendevicemodel and libxenforeignmemory are for the control
domain's programs, by their install tags. The keeper links no library of Xen's at all, nor does
a tool for any machine, and a control domain's program nothing of ours that bears the name of a
function of theirs.
"""
import re

from tree import machines, output_of, targets, tool, verdict

CONTROL = re.compile(r"libxen(ctrl|devicemodel|foreignmemory|guest|light|call)")

tool("readelf")
machine = machines()
errors, programs = [], 0
for target in targets():
    if target["type"] != "executable" or not target["installed"] \
            or machine[target["filename"][0]] == "control":
        continue
    programs += 1
    _, dynamic = output_of("readelf", "-d", target["filename"][0])
    forbidden = CONTROL
    if target["name"] == "xdd-keeper" or machine[target["filename"][0]] == "tools":
        forbidden = re.compile("libxen")
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)
    errors += [f"{target['name']} links {library}" for library in needed
               if forbidden.match(library)]
for target in targets():
    if machine.get(target["filename"][0]) == "control":
        _, symbols = output_of("readelf", "-sW", target["filename"][0])
        errors += [f"{target['name']} has a {name} of its own, which hides the library's"
                   for name in re.findall(r"FUNC.* \d+ (x[cs]_\w+)$", symbols, flags=re.M)]
verdict(f"{programs} programs link nothing that could control Xen", errors)
