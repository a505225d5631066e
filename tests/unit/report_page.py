#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""xdd-policy report, its page without a browser: what it says of the demo's configuration,
that no input can put markup into it, and that what is wrong leaves no page.

usage: report_page.py XDD_POLICY XDD_AUDIT POLICIES THREAT-MODEL
"""
import collections
import hashlib
import html.parser
import json
import os
import re
import subprocess
import sys
import tempfile

from report_scene import Scene, demo

PROGRAM, AUDIT, POLICIES, MODEL = sys.argv[1:5]
VOID = {"meta", "br", "col"}
ALLOWED = VOID | set("""html head title style body h1 h2 h3 p ul li a b i small code pre span
    div strong em table colgroup thead tbody tr th td svg defs marker path rect text""".split())
BAD = '"><script>alert(1)</script><img src=x onerror=y></pre></table>\'&'
failed = False


class Page(html.parser.HTMLParser):
    """Elements, ids, links and attributes; and whether each element that begins ends."""

    def __init__(self, text):
        super().__init__()
        self.open, self.wrong, self.ids, self.links = [], [], [], set()
        self.words, self.cells, self.row = [], [], None
        self.feed(text)
        if self.open:
            self.wrong.append(f"never ends: {self.open}")

    def handle_starttag(self, tag, attrs):
        if tag not in ALLOWED:
            self.wrong.append(f"element {tag}")
        for name, value in attrs:
            if name.startswith("on") or name in ("src", "srcdoc", "action") \
                    or (name == "href" and not value.startswith("#")):
                self.wrong.append(f"attribute {name}={value}")
            if name == "href":
                self.links.add(value[1:])
            if name == "id":
                self.ids.append(value)
        if tag not in VOID and not self.get_starttag_text().endswith("/>"):
            self.open.append(tag)
        if tag == "tr":
            self.row = []
            self.cells.append(self.row)
        if tag in ("td", "th") and self.row is not None:
            self.row.append("")

    def handle_endtag(self, tag):
        if self.open and self.open[-1] == tag:
            self.open.pop()
        elif tag not in ("path", "rect"):
            self.wrong.append(f"</{tag}> within {self.open[-1:]}")

    def handle_data(self, data):
        self.words.append(data)
        if self.row:
            self.row[-1] += data


def check(what, good, why=""):
    global failed
    failed |= not good
    print(f"{'ok' if good else 'not ok'} - {what}")
    if not good:
        print(f"# {why}")


def well_formed(what, text):
    page = Page(text)
    check(f"{what}: only elements of ours, each ends, nothing is fetched", not page.wrong,
          page.wrong[:5])
    twice = [i for i, n in collections.Counter(page.ids).items() if n > 1 and i != "a"]
    lost = page.links - set(page.ids)
    check(f"{what}: each link has its place, each place one name", not twice and not lost,
          (twice, lost))
    return page


def account(scene, name):
    run = subprocess.run([AUDIT, "account", "--json", scene.path(name)],
                         stdout=subprocess.PIPE, check=True)
    return json.loads(run.stdout)


def of_the_demo(folder):
    scene = demo(PROGRAM, folder, POLICIES)
    status, said = scene.report()
    check("the demo's configuration: written, no alarm", status == 0 and "0 alarms" in said, said)
    text = scene.text()
    page = well_formed("the demo's page", text)
    status, _ = scene.report()
    check("the same inputs make the same page", scene.text() == text)
    rows = {r[0]: r for r in page.cells if len(r) == 8 and r[-1].find("audit.log") < 0}
    for name in scene.names():
        check(f"{name}: its policy's hash is there", scene.digest_of(name) in text)
        if name == "spare":
            check("spare: without a log nothing is said to be known",
                  any(r[0] == name and "not known" in r[1] for r in page.cells))
            continue
        sums, row = account(scene, name), rows.get(name, [""] * 8)
        check(f"{name}: what was used is what xdd-audit adds up",
              row[1].startswith(f"{sums['pages_at_most']} of ")
              and row[2] == str(sums["maps"]) and row[4] == str(sums["binds"])
              and (row[3] == "none" or row[3].startswith(str(sums["copied_segments"]))), row)
    with open(os.path.join(scene.etc, "c1_disk.policy"), encoding="utf-8") as file:
        line = file.read().splitlines().index("DataPages = 1056") + 1
    check("the line that allows is named", f'href="#c1_disk-{line}"' in text)
    check("and is the line", re.search(rf'id="c1_disk-{line}"><i>{line}</i> DataPages = 1056<',
                                       text) is not None)


def of_the_model(scene):
    with open(MODEL, encoding="utf-8") as file:
        model = file.read()
    numbers = re.findall(r"^\| (AoU-\d+) \|", model, flags=re.M)
    text = scene.text()
    check(f"all {len(numbers)} assumptions of use, once each",
          numbers and re.findall(r'<tr id="(AoU-\d+)">', text) == numbers)
    check("and the hash of the file that has them",
          hashlib.sha256(model.encode()).hexdigest() in text)


def hostile(folder):
    scene = Scene(PROGRAM, folder)
    scene.policy("a", rest=f"# {BAD}\n")
    scene.policy("b", device="xvdb", resource="/dev/" + BAD.replace(" ", "/"))
    scene.log("a", 3, [{"event": "refused", "text": BAD}, {"event": BAD, "text": BAD},
                       {"event": "start", "instance": "a", "class": BAD, "policy": BAD,
                        "keeper": BAD, "program": BAD, "boot": BAD}])
    scene.log("b", 3, [{"event": "start", "instance": BAD, "class": "blk"}])
    scene.witness(name=BAD, unexplained=[{"why": BAD, "remedy": BAD, "count": 1, "kind": BAD,
                                          "instance": BAD, "which": BAD}])
    scene.probe("a", [{"name": BAD, "result": r, "detail": BAD, "proves": BAD}
                      for r in ("refused", "allowed", "skipped")])
    status, said = scene.report()
    check("hostile inputs: a page with alarms", status == 1, said)
    text = scene.text()
    page = well_formed("hostile inputs", text)
    check("what they say is there as text", "".join(page.words).count("<script>") > 10)
    check("all of it is printable ASCII", not re.search(r"[^\n -~]", text))


def says(said, name, line, what):
    good = any(l.startswith(name + (f":{line}: " if line else ": ")) and what in l
               for l in said.splitlines())
    check(f"{os.path.basename(name)}: {what}", good, said)


def wrong_inputs(folder):
    scene = Scene(PROGRAM, folder)
    scene.policy("a")
    scene.write("etc/b.policy", "Format = 2\n")
    scene.write("page.html", "what was there\n")
    scene.args = ["--audit", scene.path("gone"),
                  "--witness", scene.write("w.json", '{"format":\n1,}'),
                  "--probe", scene.write("p.txt", "refused  x  (EPERM)\n"),
                  "--probe", "nobody=" + scene.path("p.txt")]
    status, said = scene.report()
    check("what is wrong is no page: exit 2", status == 2, said)
    says(said, scene.path("etc/b.policy"), 1, "allowed: 1")
    says(said, scene.path("gone"), 0, "there is no audit.log here")
    says(said, scene.path("w.json"), 2, "allowed: what xdd-witness --json prints")
    says(said, scene.path("p.txt"), 0, "it is torn")
    says(said, scene.path("p.txt"), 0, "no policy here is of that instance")
    check("the page that was there stays", open(scene.page, encoding="ascii").read()
          == "what was there\n")
    check("no other file is left",
          sorted(os.listdir(folder)) == ["etc", "p.txt", "page.html", "w.json"])


def places(folder):
    scene = Scene(PROGRAM, folder)
    scene.policy("a")
    os.mkfifo(scene.path("fifo"))
    os.symlink("elsewhere", scene.path("link"))
    for name in ("fifo", "link", "etc"):
        scene.page = scene.path(name)
        status, said = scene.report()
        check(f"no page in the place of what is no file: {name}",
              status == 2 and "no regular file" in said, said)
    check("the link stands", os.path.islink(scene.path("link")))
    scene.page = scene.path("no", "folder.html")
    check("nor where no folder is", scene.report()[0] == 2)
    os.remove(scene.path("etc", "a.policy"))
    scene.page = scene.path("page.html")
    check("no policies, no page", scene.report()[0] == 2 and not os.path.exists(scene.page))


for part in (of_the_demo, hostile, wrong_inputs, places):
    with tempfile.TemporaryDirectory() as directory:
        part(directory)
with tempfile.TemporaryDirectory() as directory:
    one = Scene(PROGRAM, directory)
    one.policy("a", rest="[Memory]\nExclusive = no\n")
    one.policy("b", device="xvdb", kind="blk\nIsolation = domain")
    code, output = one.report()
    check("Isolation = domain is an alarm", code == 1 and "NO KEEPER" in one.text(), output)
    of_the_model(one)
    code, output = one.report("--json")
    result = json.loads("\n".join(l for l in output.splitlines()))["result"]
    check("--json: the alarms", code == 1 and len(result["alarms"]) == 1
          and result["alarms"][0]["section"] == "reach", output)
sys.exit(failed)
