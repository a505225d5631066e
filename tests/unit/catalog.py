#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The journal's catalog has each event of a keeper, by the number that the keeper gives it, and
no other; and journalctl takes it.

usage: catalog.py CATALOG ROOT
"""
import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

CATALOG, ROOT = sys.argv[1:3]
failed = 0


def verdict(name, wrong):
    global failed
    failed |= bool(wrong)
    print(f"{'not ok' if wrong else 'ok'} - {name}{': ' if wrong else ''}{wrong or ''}")


code = "".join(open(path, encoding="utf-8").read()
               for path in glob.glob(f"{ROOT}/grant-mem/cmd/keeper*.c"))
# A line of the journal, but for one that is for the audit log alone.
events = {event for level, event in re.findall(
    r'keeper_event\(\s*k,\s*(\w+),\s*"([a-z-]+)"', code) if level != "LOG_LEVEL_DEBUG"}
text = open(CATALOG, encoding="ascii").read()
ids = re.findall(r"^-- ([0-9a-f]{32})$", text, re.M)
wanted = {hashlib.sha256(event.encode()).hexdigest()[:32]: event for event in events}
verdict("each event has its entry", ", ".join(sorted(
    event for number, event in wanted.items() if number not in ids)))
verdict("each entry is an event's", ", ".join(n for n in ids if n not in wanted))
verdict("each once", ", ".join(n for n in set(ids) if ids.count(n) > 1))
if shutil.which("journalctl"):
    with tempfile.TemporaryDirectory() as root:
        for folder in ("usr/lib/systemd/catalog", "var/lib/systemd/catalog"):
            os.makedirs(os.path.join(root, folder))
        shutil.copy(CATALOG, os.path.join(root, "usr/lib/systemd/catalog"))
        said = "".join(subprocess.run(("journalctl", f"--root={root}", *words),
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                      text=True, check=False).stdout
                       for words in (("--update-catalog",), ("--list-catalog",)))
        verdict("journalctl takes them all", "" if len(re.findall(r"^[0-9a-f]{32} ", said, re.M))
                == len(ids) else said)
else:
    print("ok - journalctl takes them all # SKIP there is no journalctl")
sys.exit(failed)
