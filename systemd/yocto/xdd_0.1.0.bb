# SPDX-License-Identifier: MIT
# An outline of a recipe for Yocto. NOT TRIED: it was written from the manual and from what
# the Debian packages were seen to need, and no bitbake has parsed it. Open, at least:
#  1. SRC_URI and SRCREV have to be set to where your copy of the tree is;
#  2. names of dependencies are those of openembedded-core, meta-openembedded (jansson,
#     libmd, libseccomp are in one or the other, by release) and meta-virtualization
#     (xen-tools); they were not looked up in a release of yours;
#  3. systemd 252 or newer is needed in the driver domain, with seccomp;
#  4. the kernel modules of clients (xenbus/linux) want a recipe of their own, with
#     "inherit module"; none is here;
#  5. what is split off below is what `meson install --tags` puts apart. A file that a later
#     release adds falls into ${PN}, which is not empty then: that is an error to be seen,
#     not to be allowed.
SUMMARY = "Devices for Xen client VMs from an unprivileged driver domain"
LICENSE = "MIT"
LIC_FILES_CHKSUM = "file://LICENSE;md5=19d07bf9d73432247db1feb2ceb935ba"

SRC_URI = "git://SET.THIS/xdd.git;protocol=https;branch=main"
SRCREV = "${AUTOREV}"
S = "${WORKDIR}/git"

DEPENDS = "alsa-lib dtc jansson libdrm libmd libpng libseccomp liburing systemd xen-tools"

inherit meson pkgconfig systemd useradd features_check
REQUIRED_DISTRO_FEATURES = "systemd seccomp"

# tests/check runs on a development machine. Asserts stay on (b_ndebug).
EXTRA_OEMESON = "-Dtests=false -Dwerror=false"

PACKAGES =+ "${PN}-driver ${PN}-control ${PN}-client ${PN}-tools"

FILES:${PN}-tools = " \
    ${sbindir}/xdd-policy \
    ${sbindir}/xdd-audit \
    ${datadir}/bash-completion \
"
FILES:${PN}-control = " \
    ${sbindir}/xdd-attach \
    ${sbindir}/xdd-witness \
    ${systemd_system_unitdir}/xdd-attach.service* \
"
FILES:${PN}-client = " \
    ${bindir}/xdd-canfront \
    ${systemd_system_unitdir}/xdd-canfront@.service* \
    ${nonarch_libdir}/sysusers.d/xdd-client.conf \
    ${nonarch_libdir}/modules-load.d/xdd-client.conf \
    ${nonarch_base_libdir}/udev/rules.d/60-xdd-client.rules \
"
FILES:${PN}-driver = " \
    ${libexecdir}/xdd \
    ${sbindir}/xddctl \
    ${systemd_system_unitdir} \
    ${systemd_unitdir}/system-generators/xdd-generator \
    ${nonarch_libdir}/systemd/catalog/xdd.catalog \
    ${nonarch_libdir}/sysusers.d/xdd.conf \
    ${nonarch_libdir}/tmpfiles.d/xdd.conf \
    ${nonarch_libdir}/modules-load.d/xdd.conf \
    ${nonarch_libdir}/modprobe.d/xdd.conf \
    ${nonarch_base_libdir}/udev/rules.d/60-xdd.rules \
"
ALLOW_EMPTY:${PN} = "0"

# The group has to be there when the image is made: its root may be read-only.
USERADD_PACKAGES = "${PN}-driver ${PN}-client"
GROUPADD_PARAM:${PN}-driver = "--system xdd"
GROUPADD_PARAM:${PN}-client = "--system xdd"

# The generator starts what has a policy; nothing is enabled in a driver domain.
SYSTEMD_PACKAGES = "${PN}-control"
SYSTEMD_SERVICE:${PN}-control = "xdd-attach.service"

RDEPENDS:${PN}-driver = "systemd udev kernel-module-xen-evtchn kernel-module-xen-gntdev"
RRECOMMENDS:${PN}-driver = "${PN}-tools"
