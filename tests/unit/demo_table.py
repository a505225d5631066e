#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The table at the end of tests/demo: what it says of logs, good and bad.

usage: demo_table.py DEMO_TABLE
"""
import hashlib
import json
import os
import subprocess
import sys
import tempfile

EVENTS = [
    {"event": "device", "text": "client 2, vsnd 0"},
    {"event": "connect"},
    {"event": "bind"},
    {"event": "map", "id": 1, "refs": "8,16-31"},
    {"event": "unmap", "id": 1},
    {"event": "refused", "text": "outside of GrantRefs, by 1"},
]
PROBE = "refused  gntdev-map  (EPERM)\n1 refused, 0 allowed, 0 skipped\n"
failed = False


def chained(events):
    """A log of them, each line with its predecessor's hash."""
    previous, lines = "", []
    for number, event in enumerate(events):
        lines.append(json.dumps({"seq": number, "prev": previous, **event}))
        previous = hashlib.sha256(lines[-1].encode()).hexdigest()
    return "\n".join(lines) + "\n"


def table(log, probe=PROBE, shown=None):
    """Exit status and output for one instance, c1_snd."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("c1_snd.audit", log), ("probe.txt", probe), ("c1_snd.shown", shown)):
            if text is not None:
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(text)
        run = subprocess.run([sys.argv[1], os.path.join(folder, "c1_snd.audit"),
                              os.path.join(folder, "probe.txt")],
                             stdout=subprocess.PIPE, text=True, check=False)
        return run.returncode, run.stdout


def check(what, good):
    global failed
    failed |= not good
    print(f"{'ok' if good else 'not ok'} - {what}")


status, said = table(chained(EVENTS))
check("a sound log: served, allowed and refused",
      not status and "client 2" in said and "1 maps of 17 pages" in said
      and "1 x outside of GrantRefs" in said and "chain intact" in said)
check("nothing is shown that is not there", "shown" not in said)
status, said = table(chained(EVENTS), shown="played: a second\nheard: byte for byte\n")
check("what came out of a device has its rows",
      not status and "shown      played: a second\n" in said
      and "shown      heard: byte for byte\n" in said)
status, said = table(chained(EVENTS).replace("GrantRefs", "GrantRef"))
check("a line that was changed, and is the last one, breaks no chain", not status)
status, said = table(chained(EVENTS).replace("vsnd", "vif"))
check("one before it does", status and "chain BROKEN at line 1" in said)
status, said = table("")
check("a log without a line is no log", status != 0)
status, said = table(chained(EVENTS), "ALLOWED  open-mem  (done)\n0 refused, 1 allowed, 0 skipped\n")
check("what the probe was allowed is told, and is a failure", status and "open-mem" in said)
status, said = table(chained(EVENTS), "refused  gntdev-map  (EPERM)\n")
check("a probe that did not end says so", "it did not end" in said)
sys.exit(failed)
