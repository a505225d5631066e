# shellcheck shell=sh disable=SC2034,SC2154 # used by those that source it; lib.sh sets
# roots.sh - what the root file systems of the bed have in common.
#
# What it is: sourced by the recipes that make one; after lib.sh, since it uses arch and
# foreign.

# extract_root ROOT PACKAGES: Debian's packages unpacked, no maintainer script run, and
# what those would have made.
extract_root()
{
	mmdebstrap --architectures="$arch" --variant=extract --include="$2" \
		--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr "$suite" "$1"
	rm -rf "$1"/usr/share/doc "$1"/usr/share/man "$1"/usr/share/locale "$1"/usr/share/info
	mkdir -p "$1/proc" "$1/sys" "$1/dev" "$1/run" "$1/mnt" "$1/root" "$1/tmp" \
		"$1/var/tmp" "$1/var/lib" "$1/var/log"
	rm -rf "$1/var/run" "$1/var/lock" "$1/var/cache/apt" "$1/var/lib/apt" \
		"$1/var/lib/dpkg"
	ln -s /run "$1/var/run"
	cp /usr/share/base-passwd/passwd.master "$1/etc/passwd"
	cp /usr/share/base-passwd/group.master "$1/etc/group"
	chmod 644 "$1/etc/passwd" "$1/etc/group"
}

# busybox_applets ROOT: whatever no package brought.
busybox_applets()
{
	$foreign "$1/usr/bin/busybox" --list | while read -r applet; do
		[ -n "$(find "$1/usr/bin" "$1/usr/sbin" -name "$applet")" ] ||
			ln -s /bin/busybox "$1/usr/bin/$applet"
	done
}

control_packages=xen-utils-$xen_version,xenstore-utils,busybox-static,kmod,bash,dash,coreutils
control_packages=$control_packages,grep,sed,mawk,tar,util-linux,procps,strace,libxengnttab1
control_packages=$control_packages,libxenevtchn1,libxenstore4,iproute2,libmd0,libseccomp2
control_packages=$control_packages,liburing2,libfdt1,libjansson4

driver_packages=systemd,systemd-sysv,udev,kmod,util-linux,e2fsprogs,iproute2,procps,strace
driver_packages=$driver_packages,libxengnttab1,libxenevtchn1,libxenstore4,xenstore-utils
driver_packages=$driver_packages,liburing2,libseccomp2,libmd0,libfdt1,can-utils,iperf3
driver_packages=$driver_packages,iputils-ping,ethtool,busybox-static,libasound2
driver_packages=$driver_packages,libasound2-data,alsa-utils,libdrm2,libpng16-16,libjansson4

# trim_modules FOLDER: what no emulated machine will ever have.
trim_modules()
(
	cd "$1/kernel" || exit
	rm -rf drivers/media drivers/infiniband drivers/staging drivers/iio drivers/hwmon \
		drivers/net/wireless drivers/net/ethernet drivers/gpu/drm/amd \
		drivers/gpu/drm/i915 drivers/gpu/drm/nouveau drivers/gpu/drm/radeon sound/pci \
		sound/soc sound/usb sound/firewire drivers/platform drivers/scsi/*/
)

# add_vkms ROOT VERSION: a card for displays that no emulated machine has; before depmod.
add_vkms()
{
	install -D -m 644 "$(part_path vkms-module)/vkms.ko" \
		"$1/usr/lib/modules/$2/updates/vkms.ko"
}

# dress_driver ROOT: what makes a driver domain of a Debian with systemd.
dress_driver()
{
	for unit in serial-getty@.service getty@tty1.service getty.target apt-daily.timer \
		apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
		e2scrub_reap.service fstrim.timer systemd-resolved.service \
		systemd-timesyncd.service \
		systemd-pstore.service systemd-hwdb-update.service \
		systemd-update-utmp.service systemd-update-utmp-runlevel.service \
		systemd-random-seed.service systemd-binfmt.service systemd-firstboot.service \
		systemd-boot-system-token.service systemd-journal-flush.service \
		systemd-remount-fs.service ldconfig.service; do
		ln -sf /dev/null "$1/etc/systemd/system/$unit"
	done
	cp -R "$bed/files/driver/." "$1/"
	systemctl --root="$1" enable bed-agent.service
	echo drv >"$1/etc/hostname"
	echo '127.0.0.1 localhost drv' >"$1/etc/hosts"
	: >"$1/etc/fstab"
	echo 0123456789abcdef0123456789abcdef >"$1/etc/machine-id"
	touch "$1/etc/.updated" "$1/var/.updated"
}
