#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""xdd-policy report in a real browser: of the demo's configuration, and of 64 instances
with names as long as they may be, no two lines of text overlap, nothing leaves the page,
and it prints to A4.

usage: report_browser.py XDD_POLICY POLICIES

A script measures the texts, in a copy of the page: the page itself has none, and lets none
run. Debian's chromium-headless-shell; root has to be let off its sandbox. Without a browser
the test is skipped.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

from report_scene import Scene, demo

PROGRAM, POLICIES = sys.argv[1:3]
BROWSER = shutil.which("chromium-headless-shell") or shutil.which("chromium")
MEASURE = """<script>
const rects = [], wide = document.documentElement.clientWidth, out = [];
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
	const node = walk.currentNode, range = document.createRange();
	if (!node.data.trim() || node.parentElement.closest('script'))
		continue;
	range.selectNodeContents(node);
	for (const r of range.getClientRects())
		if (r.width > 1 && r.height > 1)
			rects.push({l: r.left, r: r.right, t: r.top + r.height * 0.15,
				    b: r.bottom - r.height * 0.15, node, text: node.data});
}
rects.sort((a, b) => a.t - b.t);
let overlaps = 0, outside = 0;
for (let i = 0; i < rects.length; i++) {
	const a = rects[i];
	if (a.l < -1 || a.r > wide + 1)
		out.push('outside: ' + a.text, outside++);
	for (let k = i + 1; k < rects.length && rects[k].t < a.b; k++) {
		const b = rects[k];
		if (a.node !== b.node && a.l + 1 < b.r && b.l + 1 < a.r)
			out.push('overlap: ' + a.text + ' | ' + b.text, overlaps++);
	}
}
const result = {texts: rects.length, overlaps, outside, wide,
		scroll: document.documentElement.scrollWidth,
		svg: document.querySelectorAll('svg').length,
		font: getComputedStyle(document.body).fontFamily, out: out.slice(0, 6)};
document.body.innerHTML = '';
document.body.setAttribute('data-result', JSON.stringify(result));
</script></body>"""
failed = False


def check(what, good, why=""):
    global failed
    failed |= not good
    print(f"{'ok' if good else 'not ok'} - {what}", flush=True)
    if not good:
        print(f"# {why}")


def browse(folder, *args):
    """What the browser prints; its home is @folder."""
    command = [BROWSER, "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
               "--hide-scrollbars", f"--user-data-dir={folder}/browser", *args]
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         env={**os.environ, "HOME": folder}, timeout=400, check=False)
    return run.stdout if run.returncode == 0 else run.stdout + run.stderr


def measure(scene, window, plant=""):
    """The page, measured in a window of so many pixels' width; @plant goes into it first."""
    text = scene.text()
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    copy = scene.write("copy.html", text.replace("</body>", plant + MEASURE))
    said = browse(scene.folder, f"--window-size={window},2000", "--dump-dom", "file://" + copy)
    found = re.search(r'data-result="([^"]*)"', said)
    if not found:
        return {"out": said[-600:], "overlaps": -1, "outside": -1}
    return json.loads(found[1].replace("&quot;", '"').replace("&lt;", "<")
                      .replace("&gt;", ">").replace("&amp;", "&"))


def is_clean(what, scene, window):
    seen = measure(scene, window)
    check(f"{what}: no text overlaps another, none leaves the page",
          seen["overlaps"] == 0 and seen["outside"] == 0 and seen["texts"] > 200
          and seen["scroll"] <= seen["wide"], seen)
    return seen


def many(folder):
    scene = Scene(PROGRAM, folder)
    for n in range(64):
        name = f"a_long_name_of_31_character_{n:03}"
        scene.policy(name, domain=n // 5 + 1, device=n * 16,
                     resource="/dev/" + f"{n:03}" * 80,
                     rest="[Memory]\nDataPages = 1048576\nGrantRefs = 8-4294967295\n")
    status, said = scene.report("--event-channels", "4000", "--nodes", "4000", "--watches", "500",
                                "--maptrack", "99999999")
    check("64 instances: written", status == 0, said[-300:])
    seen = is_clean("64 instances", scene, 1100)
    check("64 instances: five pictures", seen.get("svg") == 5, seen)


def of_the_demo(folder):
    scene = demo(PROGRAM, folder, POLICIES)
    status, said = scene.report()
    check("the demo's page: written", status == 0, said)
    is_clean("the demo's page", scene, 1240)
    is_clean("the demo's page, as wide as paper", scene, 700)
    planted = measure(scene, 1240, '<p style="position:absolute;top:30px;left:100px">planted'
                                   " over the heading</p>")
    check("a text that is planted over another is found", planted["overlaps"] > 0, planted)
    return scene


def printed(scene):
    path = scene.path("page.pdf")
    said = browse(scene.folder, "--no-pdf-header-footer", f"--print-to-pdf={path}",
                  "file://" + scene.page)
    if not os.path.exists(path):
        check("it prints", False, said[-600:])
        return
    with open(path, "rb") as file:
        data = file.read()
    pages = len(re.findall(rb"/Type /Page\b", data))
    boxes = {tuple(round(float(n)) for n in box.split())
             for box in re.findall(rb"/MediaBox \[([^\]]*)\]", data)}
    check("it prints to A4", data.startswith(b"%PDF") and pages > 3
          and boxes <= {(0, 0, 595, 842), (0, 0, 596, 842), (0, 0, 594, 842)}, (pages, boxes))


if not BROWSER:
    print("ok - the page in a browser # SKIP no chromium-headless-shell is installed")
    sys.exit(77)
with tempfile.TemporaryDirectory() as directory:
    printed(of_the_demo(directory))
with tempfile.TemporaryDirectory() as directory:
    many(directory)
sys.exit(failed)
