#!/usr/bin/env python3
"""What the generator makes of policies, good and bad: properties of its output.

usage: generator.py GENERATOR
"""
import os
import subprocess
import sys
import tempfile

POLICY = """Format = 1
[Backend]
Class = blk
Door = pv
Resource = null:1G
ReadOnly = no
[Client]
Domain = 3
Device = xvda
[Memory]
DataPages = 1056
[Limits]
InFlight = 128
Operations = 1000/s
Bytes = 1M/s
Events = 1000/s
"""
LONG = "a_very_long_name_of_an_instance"  # 31: as long as it may be
failed = False


def policy(**keys):
    """The text above with other values."""
    text = POLICY
    for key, value in keys.items():
        if key == "Isolation":
            text = text.replace("[Backend]\n", f"[Backend]\nIsolation = {value}\n")
            continue
        old = next(line for line in text.splitlines() if line.startswith(key + " "))
        text = text.replace(old, f"{key} = {value}")
    return text


class Output:
    """One run of the generator over a directory of policies."""

    def __init__(self, files):
        self.dir = tempfile.TemporaryDirectory()
        policies, self.out = (os.path.join(self.dir.name, d) for d in ("etc", "out"))
        os.mkdir(policies)
        os.mkdir(self.out)
        for name, text in files.items():
            with open(os.path.join(policies, name), "w", encoding="utf-8") as f:
                f.write(text)
        run = subprocess.run([sys.argv[1], self.out, "-", "-", policies], check=False,
                             stderr=subprocess.PIPE, text=True)
        self.status, self.log = run.returncode, run.stderr

    def wants(self, unit):
        path = os.path.join(self.out, unit + ".wants")
        return set(os.listdir(path)) if os.path.isdir(path) else set()

    def settings(self, unit):
        """All "Key=value" lines that were added to a unit."""
        path = os.path.join(self.out, unit + ".d", "50-instance.conf")
        with open(path, encoding="utf-8") as f:
            return [line.strip() for line in f if "=" in line and line[0] != "#"]

    def links(self):
        return [os.path.join(d, f) for d, _, files in os.walk(self.out) for f in files
                if os.path.islink(os.path.join(d, f))]


def check(what, good):
    global failed
    failed |= not good
    print("ok" if good else "not ok", "-", what)


def user(out, unit):
    return next(s for s in out.settings(unit) if s.startswith("User=")).removeprefix("User=")


def plain():
    out = Output({"ivi.policy": policy(), "notes.txt": "", ".hidden.policy": "",
                  ".policy": "", "ivi.policy~": ""})
    keeper, blk = "xdd-keeper@ivi.service", "xdd-blk@ivi.service"
    check("a good policy: nothing is said", out.status == 0 and out.log == "")
    check("multi-user wants xdd.target", out.wants("multi-user.target") == {"xdd.target"})
    check("only NAME.policy counts", out.wants("xdd.target") == {"xdd@ivi.target"})
    check("the instance has both units", out.wants("xdd@ivi.target") == {keeper, blk})
    check("the keeper wants its back end back", f"Wants={blk}" in out.settings(keeper))
    check("one user for both", user(out, keeper) == user(out, blk) == "xdd-ivi")
    # [itest->req~memory-is-bounded~1]
    check("memory is bounded by the policy's pages",
          any(s.startswith("MemoryMax=") for s in out.settings(blk)))
    check("a null resource opens nothing", not any(
        s.startswith(("DeviceAllow", "Bind", "Supplementary")) for s in out.settings(blk)))
    check("links are absolute", all(os.readlink(l).startswith("/") for l in out.links()))


def resources():
    with tempfile.NamedTemporaryFile(suffix=':a"b%c') as image:
        os.chmod(image.name, 0o660)
        if os.getuid() == 0:
            os.chown(image.name, 0, 4242)
        out = Output({
            "dev.policy": policy(Resource="/dev/mapper/a-b"),
            "dev_ro.policy": policy(Resource="/dev/mapper/a-b", ReadOnly="yes"),
            "file.policy": policy(Resource=image.name),
            "file_ro.policy": policy(Resource=image.name, ReadOnly="yes"),
            "memory.policy": policy(Resource="memory:64M"),
        })
        dev, dev_ro, file, file_ro, memory = (
            out.settings(f"xdd-blk@{n}.service")
            for n in ("dev", "dev_ro", "file", "file_ro", "memory"))
        quoted = image.name.replace(":", "\\:").replace('"', '\\"').replace("%", "%%")
    check("a node is bound, and allowed", "DeviceAllow=/dev/mapper/a-b rw" in dev
          and "BindPaths=-/dev/mapper/a-b" in dev)
    check("to be read only: allowed for that", "DeviceAllow=/dev/mapper/a-b r" in dev_ro)
    check("a node is waited for", "After=dev-mapper-a\\x2db.device" in dev)
    check("a node that is not there yet will have its class's group",
          "SupplementaryGroups=disk" in dev)
    check("a file is bound, its name quoted", f"BindPaths=-{quoted}" in file)
    check("to be read only: bound so", f"BindReadOnlyPaths=-{quoted}" in file_ro
          and not any(s.startswith("BindPaths") for s in file_ro))
    check("a file's mount is waited for", f"RequiresMountsFor={quoted}" in file)
    if os.getuid() == 0:
        check("a file's group is joined", "SupplementaryGroups=4242" in file)
    check("no file needs a device", not any(s.startswith("DeviceAllow") for s in file))
    check("a RAM disk is not bounded twice",
          not any(s.startswith("MemoryMax") for s in memory))


def bus():
    """Of Class = can: an interface, what has none, and what is no interface's name."""
    out = Output({f"{name}.policy": policy(Class="can", Resource=resource, Device="0")
                  .replace("ReadOnly = no\n", "") for name, resource in (("can", "can0"), ("vlan", "vcan-ivi.1"),
                                         ("loop", "loopback:"), ("null", "null:"),
                                         ("path", "../can0"), ("dots", ".."),
                                         ("long", "abcdefghijklmnop"))}
                 | {"disk.policy": policy()})
    walls = ("PrivateNetwork", "RestrictAddressFamilies", "SystemCallFilter")

    def back_end(name):
        return out.settings(f"xdd-can@{name}.service")

    def opened(name):
        return [s for s in back_end(name) if s.startswith(walls)]

    device = "sys-subsystem-net-devices-{}.device"
    check("a CAN policy has its own back end", out.wants("xdd@can.target") ==
          {"xdd-keeper@can.service", "xdd-can@can.service"})
    check("an interface: its network namespace, sockets of its family, one processor",
          opened("can") == ["PrivateNetwork=no", "RestrictAddressFamilies=AF_CAN",
                            "SystemCallFilter=sched_setaffinity getcpu"])
    check("it is waited for", f"After={device.format('can0')}" in back_end("can")
          and f"Wants={device.format('can0')}" in back_end("can"))
    check("by its name as systemd writes it",
          "After=" + device.format("vcan\\x2divi.1") in back_end("vlan"))
    check("and nothing else is opened: no node, no file, no group", not any(
        s.startswith(("DeviceAllow", "Bind", "Supplementary", "PrivateUsers",
                      "CapabilityBoundingSet", "AmbientCapabilities"))
        for s in back_end("can")))
    check("its memory is bounded", any(s.startswith("MemoryMax=") for s in back_end("can")))
    for name in ("loop", "null", "path", "dots", "long"):
        check(f"no interface ({name}): no wall is opened", not opened(name)
              and not any("net-devices" in s for s in back_end(name)))
    check("a keeper stays without a network", not any(
        s.startswith(walls) for s in out.settings("xdd-keeper@can.service")))
    check("so does a disk", not any(
        s.startswith(walls) for s in out.settings("xdd-blk@disk.service")))


def tap():
    """Of Class = net: a tap, and what has none."""
    out = Output({f"{name}.policy": policy(Class="net", Resource=resource, Device="0")
                  .replace("ReadOnly = no\n", "") for name, resource in
                  (("tap", "tap-ivi"), ("null", "null:"), ("path", "../tap"))})
    opens = ("PrivateNetwork", "RestrictAddressFamilies", "SystemCallFilter", "Bind", "DeviceAllow",
             "Supplementary", "PrivateUsers", "CapabilityBoundingSet", "AmbientCapabilities")

    def opened(name):
        return [s for s in out.settings(f"xdd-net@{name}.service") if s.startswith(opens)]

    check("a network policy has its own back end", out.wants("xdd@tap.target") ==
          {"xdd-keeper@tap.service", "xdd-net@tap.service"})
    check("a tap: its network namespace, the node of all taps, no more",
          opened("tap") == ["PrivateNetwork=no", "BindPaths=-/dev/net/tun",
                            "DeviceAllow=/dev/net/tun rw"])
    check("it is waited for", "After=sys-subsystem-net-devices-tap\\x2divi.device"
          in out.settings("xdd-net@tap.service"))
    for name in ("null", "path"):
        check(f"no interface ({name}): no wall is opened", not opened(name))


def link():
    """Of Class = net: a named link, what is none, and of another class."""
    out = Output({f"{name}.policy": policy(Class="net", Resource=resource, Device="0")
                  .replace("ReadOnly = no\n", "") for name, resource in
                  (("one", "link:ivi_cluster"), ("upper", "link:Ivi"), ("path", "link:../x"),
                   ("none", "link:"), ("long", "link:" + LONG + "x"))}
                 | {"can.policy": policy(Class="can", Resource="link:ivi", Device="0")
                    .replace("ReadOnly = no\n", "")})
    opens = ("Private", "Restrict", "SystemCallFilter", "Bind", "DeviceAllow", "Supplementary",
             "CapabilityBoundingSet", "AmbientCapabilities", "Requires", "After", "Wants")

    def opened(unit):
        return [s for s in out.settings(unit) if s.startswith(opens)]

    check("a link: its folder, made before it starts, and no network",
          opened("xdd-net@one.service") == [
              "Requires=xdd-link@ivi_cluster.service", "After=xdd-link@ivi_cluster.service",
              "BindPaths=/run/xdd-link/ivi_cluster"])
    check("its keeper has nothing of it",
          opened("xdd-keeper@one.service") == ["Wants=xdd-net@one.service"])
    for name in ("upper", "path", "none", "long"):
        check(f"no link's name ({name}): nothing is opened",
              not opened(f"xdd-net@{name}.service"))
    check("nor for another class", not opened("xdd-can@can.service"))


def sound():
    """Of Class = snd: ALSA's PCMs, a folder's files, and none."""
    with tempfile.TemporaryDirectory(suffix=':a"b%c') as folder:
        os.chmod(folder, 0o770)
        if os.getuid() == 0:
            os.chown(folder, 0, 4242)
        out = Output({f"{name}.policy": policy(Class="snd", Resource=resource, Device="0")
                      .replace("ReadOnly = no\n", "") for name, resource in
                      (("alsa", "alsa:"), ("file", f"file:{folder}"), ("null", "null:"),
                       ("other", "alsa:hw"), ("here", "file:srv"))})
        quoted = folder.replace(":", "\\:").replace('"', '\\"').replace("%", "%%")
    opens = ("Private", "Restrict", "SystemCallFilter", "Bind", "DeviceAllow", "Supplementary",
             "CapabilityBoundingSet", "AmbientCapabilities", "Requires", "After", "Wants")

    def opened(unit):
        return [s for s in out.settings(unit) if s.startswith(opens)]

    check("a sound policy has its own back end", out.wants("xdd@alsa.target") ==
          {"xdd-keeper@alsa.service", "xdd-snd@alsa.service"})
    check("ALSA: its devices, their group, its configuration, and no more",
          opened("xdd-snd@alsa.service") == [
              "After=sound.target", "BindPaths=-/dev/snd", "DeviceAllow=char-alsa rw",
              "SupplementaryGroups=audio", "BindReadOnlyPaths=-/etc/asound.conf -/etc/alsa"])
    check("its keeper has nothing of it",
          opened("xdd-keeper@alsa.service") == ["Wants=xdd-snd@alsa.service"])
    joined = ["SupplementaryGroups=4242"] if os.getuid() == 0 else []
    check("files: their folder, its name quoted, its mount, its group; no device",
          opened("xdd-snd@file.service") ==
          [f"RequiresMountsFor={quoted}", f"BindPaths=-{quoted}"] + joined)
    for name in ("null", "other", "here"):
        check(f"none of these ({name}): nothing is opened", not opened(f"xdd-snd@{name}.service"))


def display():
    """Of Class = displ: a card's node, a folder, files that are read, and memory."""
    def text(resource, section="Connector0 = A 1920x1080"):
        return (policy(Class="displ", Resource=resource, Device="0")
                .replace("ReadOnly = no\n", "") + f"[Display]\n{section}\n")

    def virtio(resource, connector):
        return (text(resource, f"Connector0 = {connector} 1920x1080")
                .replace("Door = pv", "Door = virtio").replace("DataPages = 1056", "PoolPages = 4096"))

    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o700)
        out = Output({
            "drm.policy": text("drm:/dev/dri/card7", "Connector0 = HDMI-A-1 1024x768\n"
                               "Gone = /etc/a:b.png\nEdid = /etc/panel.edid"),
            "png.policy": text(f"png:{folder}"),
            "null.policy": text("null:"),
            "plug.policy": virtio("drm:/dev/dri/card7", "HDMI-A-1"),
            "lent.policy": virtio("lease:/dev/dri/card7", "HDMI-A-1"),
            "path.policy": virtio("drm:/dev/dri/by-path/a", "HDMI-A-1"),
            "up.policy": virtio("drm:/dev/dri/../card7", "HDMI-A-1"),
            "odd.policy": virtio("drm:/dev/dri/card7", "../HDMI"),
            "soft.policy": virtio(f"png:{folder}", "HDMI-A-1"),
            "bad.policy": text("null:", "Connector0 = A"),
            "other.policy": text("/dev/dri/card0")})
    opens = ("Bind", "DeviceAllow", "Supplementary", "Requires", "After", "Wants")

    def opened(unit):
        return [s for s in out.settings(unit) if s.startswith(opens)]

    def memory(unit):
        return int(next(s for s in out.settings(unit) if s.startswith("MemoryMax"))
                   .split("=")[1].rstrip("K"))

    check("a display's policy has its own back end", out.wants("xdd@drm.target") ==
          {"xdd-keeper@drm.service", "xdd-displ@drm.service"})
    check("a card: its node, its group, and the two files, to be read",
          opened("xdd-displ@drm.service") == [
              "Wants=dev-dri-card7.device", "After=dev-dri-card7.device",
              "BindPaths=-/dev/dri/card7", "DeviceAllow=/dev/dri/card7 rw",
              "SupplementaryGroups=video", r"BindReadOnlyPaths=-/etc/a\:b.png",
              "BindReadOnlyPaths=-/etc/panel.edid"])
    check("its keeper has nothing of it",
          opened("xdd-keeper@drm.service") == ["Wants=xdd-displ@drm.service"])
    plug = "BindReadOnlyPaths=-/sys/class/drm/card7-HDMI-A-1/status:/run/xdd-connectors/HDMI-A-1"
    for name in ("plug", "lent"):
        check(f"with virtio what says that something is plugged in ({name})",
              [s for s in opened(f"xdd-displ@{name}.service") if "/sys/" in s] == [plug])
    for name in ("path", "up", "odd", "soft"):
        check(f"none of a card or a connector that is not called so ({name})",
              not [s for s in opened(f"xdd-displ@{name}.service") if "/sys/" in s])
    check("files: their folder, and no device", opened("xdd-displ@png.service") ==
          [f"RequiresMountsFor={folder}", f"BindPaths=-{folder}"])
    for name in ("null", "bad", "other"):
        check(f"none of these ({name}): nothing is opened",
              not opened(f"xdd-displ@{name}.service"))
    check("a larger one may have more memory", memory("xdd-displ@null.service") -
          memory("xdd-keeper@null.service") == 5 * 1920 * 1080 * 4 // 1024)


def lease():
    """Of Class = displ: who lends a card's connectors, and to whom."""
    def text(resource, **keys):
        return (policy(Class="displ", Resource=resource, Device="0", **keys)
                .replace("ReadOnly = no\n", "") + "[Display]\nConnector0 = A 1920x1080\n")

    out = Output({"a.policy": text("lease:/dev/dri/card0"), "b.policy": text("lease:/dev/dri/card0"),
                  "c.policy": text("lease:/dev/dri/by-path/pci-card"),
                  "d.policy": text("drm:/dev/dri/card1"),
                  "bad.policy": text("lease:/dev/dri/card0").replace("Door", "Dor"),
                  "far.policy": text("lease:card0"),
                  "disk.policy": policy(Resource="lease:/dev/dri/card0")})
    opens = ("Bind", "DeviceAllow", "Supplementary", "Requires", "After", "Wants", "Private")

    def opened(unit):
        return [s for s in out.settings(unit) if s.startswith(opens)]

    def lessor(card):
        path = os.path.join(out.out, f"xdd-lease@{card}.service.d", "50-instances.conf")
        with open(path, encoding="utf-8") as f:
            return [line.strip() for line in f if "=" in line and line[0] != "#"]

    check("a leased display: its lessor, its own socket, and no card",
          opened("xdd-displ@a.service") == [
              "BindsTo=xdd-lease@dev-dri-card0.service", "After=xdd-lease@dev-dri-card0.service",
              "BindReadOnlyPaths=-/run/xdd-lease/a"])
    lines = lessor("dev-dri-card0")
    name = next(s for s in lines if s.startswith("User="))
    check("the lessor: its card, its instances, which it wants back, a folder for each",
          [s for s in lines if s != name] == [
              "Wants=dev-dri-card0.device", "After=dev-dri-card0.device",
              "BindPaths=-/dev/dri/card0", "DeviceAllow=/dev/dri/card0 rw",
              "SupplementaryGroups=video",
              "Wants=xdd-displ@a.service", "RuntimeDirectory=xdd-lease/a",
              "BindPaths=-/run/xdd-lease/a",
              "Wants=xdd-displ@b.service", "RuntimeDirectory=xdd-lease/b",
              "BindPaths=-/run/xdd-lease/b", 'Environment="XDD_INSTANCES=a b"'])
    check("another card: another lessor, of another user",
          any(s == 'Environment="XDD_INSTANCES=c"' for s in lessor("dev-dri-by\\x2dpath-pci\\x2dcard"))
          and name not in lessor("dev-dri-by\\x2dpath-pci\\x2dcard"))
    check("its user is no instance's", not name.startswith(("User=xdd-a", "User=xdd-b")))
    check("no lessor for any other", len([d for d in os.listdir(out.out)
                                          if d.startswith("xdd-lease@")]) == 2)
    check("nothing of it for a path that is none, or another class",
          not opened("xdd-displ@far.service") and not any(
              "lease" in s for s in opened("xdd-blk@disk.service")))
    check("a lessor is brought by its instances alone",
          not any("xdd-lease" in l for l in out.links()))
    alone = Output({"a.policy": text("lease:/dev/dri/card0", Isolation="domain")})
    with open(os.path.join(alone.out, "xdd-lease@dev-dri-card0.service.d", "50-instances.conf"),
              encoding="utf-8") as f:
        check("Isolation = domain: that unit is wanted back",
              "Wants=xdd-displ-domain@a.service\n" in f.readlines())


def mixed():
    """Of Class = snd: sound that is mixed, what says it is not, and what cannot be."""
    def card(resource, section):
        return (policy(Class="snd", Resource=resource, Device="0")
                .replace("ReadOnly = no\n", "") + "[Sound]\nStream0 = 0/0 playback x\n" + section)

    out = Output({"mixed.policy": card("alsa:", "Mixed = yes\n"),
                  "no.policy": card("alsa:", "Mixed = no\n"),
                  "plain.policy": card("alsa:", ""),
                  "bad.policy": card("alsa:", "Mixed = yes\nLatency = 1\n"),
                  "file.policy": card("file:/srv", "Mixed = yes\n")})
    more = ("Requires=xdd-mix.service", "After=xdd-mix.service",
            "JoinsNamespaceOf=xdd-mix.service",
            "SystemCallFilter=shmget shmat shmdt shmctl",
            "SystemCallFilter=semget semctl semop semtimedop")

    def settings(unit):
        return [s for s in out.settings(unit) if not s.startswith(("User=", "Environment="))]

    plain = settings("xdd-snd@plain.service")
    check("mixed: one IPC name space, its calls, and no more than others have",
          sorted(settings("xdd-snd@mixed.service")) == sorted(plain + list(more)))
    check("and it stays a private one, of the group", not any(
        s.startswith("Private") for s in settings("xdd-snd@mixed.service")))
    check("its keeper has nothing of it", not any(
        s.startswith(more) for s in out.settings("xdd-keeper@mixed.service")))
    check("not mixed: none of it", settings("xdd-snd@no.service") == plain)
    check("nor for a section with errors, which its back end says",
          settings("xdd-snd@bad.service") == plain)
    check("nor where nothing mixes", not any(
        s.startswith(more) for s in out.settings("xdd-snd@file.service")))


def names():
    other = LONG[:-1] + "x"
    out = Output({LONG + ".policy": policy(), other + ".policy": policy(),
                  "n27_aaaaaaaaaaaaaaaaaaaaaaaaa.policy": policy()})
    users = [user(out, f"xdd-keeper@{n}.service") for n in (LONG, other)]
    check("a long name's user fits", all(len(u) <= 31 for u in users))
    # [itest->req~user-and-slice-of-its-own~1]
    check("and is its own", users[0] != users[1])
    check("and starts like the name", users[0].startswith("xdd-a_very_long_name_"))
    check("for both units", user(out, f"xdd-blk@{LONG}.service") == users[0])


def bad():
    out = Output({"bad.policy": policy().replace("Door", "Dor").replace("128", "many"),
                  "UP-per.policy": policy(), "ok.policy": policy(),
                  "empty.policy": "", "big.policy": "#" * 70000})
    check("bad policies do not fail the run for good ones",
          "xdd-blk@ok.service" in out.wants("xdd@ok.target"))
    check("each error is said with file and line",
          "bad.policy:4: " in out.log and "bad.policy:13: " in out.log)
    # [itest->req~wrong-policy-starts-nothing~1]
    check("a bad policy's keeper is wanted alone, to fail for all to see",
          out.wants("xdd@bad.target") == {"xdd-keeper@bad.service"})
    check("so is that of a bad name",
          out.wants("xdd@UP\\x2dper.target") == {"xdd-keeper@UP\\x2dper.service"})
    check("and of an empty and of an endless file", "big.policy" in out.log and
          out.wants("xdd@empty.target") == {"xdd-keeper@empty.service"} and
          out.wants("xdd@big.target") == {"xdd-keeper@big.service"})
    check("a bad name's user is a good one",
          user(out, "xdd-keeper@UP\\x2dper.service").startswith("xdd-"))


def domain():
    alone = Output({"a.policy": policy(Isolation="domain"), "b.policy": policy()})
    check("Isolation = domain: a unit of its own, no keeper",
          alone.wants("xdd@a.target") == {"xdd-blk-domain@a.service"})
    check("the same client's other device keeps its keeper",
          "xdd-keeper@b.service" in alone.wants("xdd@b.target"))
    two = Output({"a.policy": policy(Isolation="domain"), "b.policy": policy(Domain=4)})
    # [itest->req~domain-isolation-is-for-one-client~1]
    check("not with another client in the same domain",
          two.wants("xdd@a.target") == {"xdd-keeper@a.service"}
          and "a.policy:3: " in two.log)


def nothing():
    with tempfile.TemporaryDirectory() as out:
        run = subprocess.run([sys.argv[1], out, "-", "-", out + "/none"], check=False)
        check("no /etc/xdd: nothing to do", run.returncode == 0 and not os.listdir(out))
    check("an empty /etc/xdd: nothing is wanted", not Output({}).links())


for test in (plain, resources, bus, tap, link, sound, display, lease, mixed, names, bad, domain, nothing):
    test()
sys.exit(failed)
