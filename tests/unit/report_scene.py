# SPDX-License-Identifier: MIT
"""What the tests of xdd-policy report share: policies in a folder, the logs that keepers
of them would have written, a witness and a probe, and the page that is made of them.

Not a test.
"""
import glob
import hashlib
import json
import os
import shutil
import subprocess

TRIES = [{"name": f"try-{n}", "result": "skipped" if n % 9 == 0 else "refused",
          "detail": "EPERM", "proves": "nothing is let through"} for n in range(40)]

POLICY = """Format = 1
[Backend]
Class = {kind}
Resource = {resource}
[Client]
Domain = {domain}
Device = {device}
[Limits]
InFlight = 1
Operations = 1/s
Bytes = 5k/s
Events = 99/s
"""


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Scene:
    """A folder: etc/*.policy, NAME/audit.log, witness.json, probe.json, page.html."""

    def __init__(self, program, folder):
        self.program = program
        self.folder = folder
        self.etc = os.path.join(folder, "etc")
        self.page = os.path.join(folder, "page.html")
        os.mkdir(self.etc)
        self.args = []

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
        return self.path(name)

    def copy_policies(self, source):
        for path in glob.glob(os.path.join(source, "*.policy")):
            shutil.copy(path, self.etc)

    def policy(self, name, **values):
        """A policy of its own; @values overrides what POLICY has."""
        said = {"kind": "blk", "resource": "null:1G", "domain": 3, "device": "xvda", **values}
        self.write(f"etc/{name}.policy", POLICY.format(**said) + said.get("rest", ""))

    def names(self):
        return sorted(os.path.basename(p)[:-7] for p in glob.glob(self.etc + "/*.policy"))

    def digest_of(self, name):
        with open(os.path.join(self.etc, name + ".policy"), "rb") as file:
            return digest(file.read())

    def kind_of(self, name):
        with open(os.path.join(self.etc, name + ".policy"), encoding="utf-8") as file:
            return next(l.split("=")[1].strip() for l in file if l.startswith("Class"))

    def log(self, name, client, events):
        """Writes a log of @events behind a start and a device; it is given to the page."""
        start = {"event": "start", "instance": name, "class": self.kind_of(name),
                 "policy": self.digest_of(name), "keeper": digest(b"keeper"),
                 "program": digest(self.kind_of(name).encode()), "boot": "f5ddb8dc7f1e40dc"}
        device = {"event": "device", "text": f"backend/vbd/{client}/51712, generation 1"}
        lines, before = [], "0" * 64
        for seq, event in enumerate([start, device, *events]):
            line = {"seq": seq, "time": f"2026-11-30T02:07:{seq % 60:02}.000Z",
                    "prev": before, "event": event["event"], "lost": 0, **event}
            lines.append(json.dumps(line, separators=(",", ":")))
            before = digest(lines[-1].encode())
        self.write(f"{name}/audit.log", "\n".join(lines) + "\n")
        self.args += ["--audit", self.path(name)]

    def witness(self, **members):
        said = {"format": 1, "domain": 1, "name": "drv", "explained": True,
                "grant_table": {"frames": 1, "frames_max": 64},
                "maptrack": {"frames": 5, "frames_max": 1024},
                "maps": [{"client": 3, "pages": 321, "writable": 123}],
                "event_channels": {"unbound": 0, "interdomain": 9, "other": 4},
                "instances": [{"instance": n, "client": 3, "policy_sha256": self.digest_of(n),
                               "class": self.kind_of(n), "ring_pages": 1, "data_pages": 0,
                               "event_channels": 1, "log": {"state": "good"}}
                              for n in self.names()],
                "unexplained": [], "further": 0, **members}
        self.args += ["--witness", self.write("witness.json", json.dumps(said))]

    def probe(self, name, tries=None):
        tries = TRIES if tries is None else tries
        ends = {word: sum(t["result"] == word for t in tries)
                for word in ("refused", "allowed", "skipped")}
        text = "".join(json.dumps(o) + "\n" for o in [*tries, ends])
        self.args += ["--probe", f"{name}=" + self.write("probe.json", text)]

    def report(self, *more):
        """Exit status, and what was said."""
        command = [self.program, "report", self.etc, "-o", self.page, *self.args, *more]
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True, check=False)
        return run.returncode, run.stdout

    def text(self):
        with open(self.page, encoding="ascii") as file:
            return file.read()


def demo(program, folder, policies):
    """tests/demo's configuration, with logs of about what happens there."""
    scene = Scene(program, folder)
    scene.copy_policies(policies)
    for name in scene.names():
        client = 3 if name.startswith("c1") else 2
        events = [{"event": "connect", "text": "back end, pid 390"},
                  {"event": "map", "id": 65536, "purpose": "ring", "writable": 1, "pages": 1,
                   "refs": "8", "line": 0},
                  {"event": "bind", "text": "event-channel"}]
        if name == "c1_disk":
            events += [{"event": "map", "id": 131072 + n, "purpose": "data", "writable": n % 2,
                        "pages": 32, "refs": f"{100 + 32 * n}-{131 + 32 * n}", "line": 15}
                       for n in range(20)]
            events += [{"event": "refused", "text": "domain 2 reaches for the device of domain 3"}]
        if name == "c1_net":
            events += [{"event": "copies", "segments": 7103, "bytes": 17211401}]
        if name != "spare":
            scene.log(name, client, events)
    scene.witness()
    scene.probe("spare")
    return scene
