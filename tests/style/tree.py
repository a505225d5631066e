# SPDX-License-Identifier: MIT
"""What the style tests share: the files of the project, and how to report.

Not a test. Each test is told SOURCE_ROOT and BUILD_ROOT; `verdict` ends it.
"""
import json
import os
import re
import subprocess
import sys

ROOT, BUILD = (os.path.abspath(p) for p in sys.argv[1:3])
SKIP = 77  # meson's word for "not here"
# The client's kernel module: a kernel builds it, not meson, with its own headers and
# flags and in its own style (tests/bed/parts/virtio-module builds it; checkpatch).
# Of the rules that a compiler's view decides, floors.py and layout.py have their own for
# it; size, SPDX and "no #if in a .c" are everybody's.
KERNEL = "xenbus/linux/"


def files(*suffixes):
    """Paths below the root, sorted; no build directory, no hidden folder."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(d for d in folders if d[0] != "." and d != "__pycache__"
                            and not (folder == ROOT and d.startswith("build")))
        found += [os.path.relpath(os.path.join(folder, n), ROOT) for n in sorted(names)]
    return [f for f in found if f.endswith(suffixes)]


def text(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="surrogateescape") as f:
        return f.read()


def targets():
    """What meson builds: a list of its targets."""
    with open(os.path.join(BUILD, "meson-info", "intro-targets.json"), encoding="utf-8") as f:
        return json.load(f)


def machines():
    """For what machine each program is: its install tag, by its path in the build."""
    with open(os.path.join(BUILD, "meson-info", "intro-install_plan.json"),
              encoding="utf-8") as f:
        return {path: row["tag"] for path, row in json.load(f)["targets"].items()}


def sources(target):
    """A target's own sources, below the root."""
    return [os.path.relpath(s, ROOT) for group in target["target_sources"]
            for s in group["sources"]]


def blank_comments(code):
    """The same text with each comment and literal blanked; lines stay lines."""
    pattern = r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, lambda m: re.sub(r"[^\n]", "" if m[0][0] == "/" else "_", m[0]),
                  code, flags=re.S)


def code_lines(path):
    return sum(1 for line in blank_comments(text(path)).splitlines() if line.strip())


def tool(name):
    """Skips the test where a tool is not installed."""
    if subprocess.run(["sh", "-c", f"command -v {name}"], stdout=subprocess.DEVNULL,
                      check=False).returncode:
        print(f"ok - {name} # SKIP not installed")
        sys.exit(SKIP)
    return name


def output_of(*command):
    """Exit status and all that a command says."""
    run = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=False,
                         stderr=subprocess.STDOUT, text=True)
    return run.returncode, run.stdout


def verdict(what, errors):
    """The end: one line for what holds, or one for each place where it does not."""
    for error in errors:
        print(f"not ok - {error}")
    if not errors:
        print(f"ok - {what}")
    sys.exit(1 if errors else 0)
