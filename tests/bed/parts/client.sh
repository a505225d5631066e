# shellcheck shell=sh disable=SC2154 # used after lib.sh, which sets bed
# client.sh - a client's root file system, an initramfs with a stock kernel's modules.
#
# What it is: sourced by the recipes of clients, after roots.sh and modules.sh. A package that
# a scenario needs in a client is added here; mind the memory, every client holds all of it.
# Whatever the kernel, the programs are the same.

# make_client PART: leaves client.initrd. What a scenario adds is a second archive behind it.
make_client()
(
	root=$1/root
	packages=fio,e2fsprogs,util-linux,busybox-static,kmod,xenstore-utils,libxengnttab1
	packages=$packages,libxenevtchn1,iproute2,strace,libmd0,libseccomp2,liburing2,can-utils
	packages=$packages,iperf3,iputils-ping,ethtool,alsa-utils,libasound2,libasound2-data
	packages=$packages,libdrm2,libdrm-tests

	extract_root "$root" "$packages"
	cd "$root" || exit
	find usr/share -mindepth 1 -maxdepth 1 ! -name misc ! -name terminfo ! -name alsa -exec rm -rf {} +
	rm -rf usr/lib/python3* usr/bin/python3* usr/bin/perl* usr/lib/*/perl* usr/lib/*/gconv \
		usr/lib/udev usr/lib/systemd usr/lib/valgrind usr/bin/gdb* var/cache
	ln -sf busybox bin/sh
	busybox_applets "$root"
	cp -R "$bed/files/client/." .
	chmod 755 init etc/bed/*
	for name in reboot poweroff halt; do
		ln -sf /etc/bed/down "sbin/$name"
		rm -f "bin/$name"
	done
	copy_modules "$root" xen-blkfront xen-netfront xen-evtchn xen-gntdev xen-gntalloc \
		xen-privcmd xenfs snd-xen-front drm_xen_front xen-kbdfront virtio_blk \
		virtio_net virtio-gpu virtio_snd virtio_input can can-raw can-bcm can-isotp \
		can-j1939 can-gw can-dev vcan vxcan loop brd null_blk ext4 xfs vfat dm-mod tun veth \
		dummy bridge 8021q af_packet ipv6 snd-pcm evdev
	# Not gzip: xl would try to unpack it, and trip over the second archive.
	find . | cpio --quiet -o -H newc | zstd -q -10 -T0 >"$1/client.initrd"
	cd "$1" || exit
	# The kernel looks for a second archive at multiples of 4 alone.
	truncate -s %4 client.initrd
	rm -rf "$root"
)
