#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What tests/bench prints of what its parts measured: as a table, and as JSON.

usage: bench_figures.py FIGURES
"""
import json
import subprocess
import sys

LINES = """figure snd pv virtual play-5ms wakes_per_period 2.0100 - -
figure snd pv virtual play-5ms wakes_ratio 1.95 aplay -
figure snd pv native play-5ms write_latency_p99_us 31.4 - noisy
figure snd pv virtual loop-5ms position_jitter_p99_ratio nan direct -
a line of another kind
"""
failed = False


def figures(*options):
    """What goes to standard output and to standard error, by lines."""
    run = subprocess.run([sys.argv[1], *options], input=LINES, text=True, check=True,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return run.stdout.splitlines(), run.stderr.splitlines()


def check(what, good):
    global failed
    failed |= not good
    print(f"{'ok' if good else 'not ok'} - {what}")


out, err = figures("--json")
rows = [json.loads(line) for line in out]
check("a figure is an object",
      rows[0] == {"class": "snd", "door": "pv", "where": "virtual", "case": "play-5ms",
                  "metric": "wakes_per_period", "value": 2.01})
check("a ratio says whose it is in", rows[1]["against"] == "aplay" and "note" not in rows[1])
check("noise stands beside what it may have spoilt",
      rows[2]["note"] == "noisy" and "against" not in rows[2])
check("what is no number, and no figure, is left out", len(rows) == 3 and len(err) == 2)
out, _ = figures()
check("a table has a line for each",
      len(out) == 3 and out[1].split()[:4] == ["snd", "pv", "virtual", "play-5ms"]
      and out[1].endswith("of aplay") and out[2].endswith("(noisy)"))
sys.exit(failed)
