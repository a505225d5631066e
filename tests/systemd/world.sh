# shellcheck shell=bash
# world.sh - what `boot` and packaging/image share: a private tree of name spaces (mounts,
# processes, cgroups) in which a real systemd is process 1, on a machine without Xen.
# Whoever uses it sets TMPDIR, whose `out` is /run/out in there.

world_to_be_had()
{
	unshare -m -p -f -C true 2>/dev/null &&
		unshare -m mount -t cgroup2 cgroup2 /mnt 2>/dev/null
}

# run_world SECONDS COMMAND: a shell's command in new name spaces, until it ends or its time
# is over. A terminal for systemd's messages; they matter only when something failed.
run_world()
{
	timeout -k 2 "$1" script -qfec "unshare -m -p -f -C --kill-child $2" \
		"$TMPDIR/console" </dev/null >/dev/null 2>&1 || true
}

# mount_world: what a kernel gives, over the root file system that is the working directory.
mount_world()
{
	local node

	mount -t proc proc proc
	mount -t sysfs sysfs sys
	umount -l sys/fs/cgroup 2>/dev/null || true
	mount -t cgroup2 cgroup2 sys/fs/cgroup
	mount -t tmpfs -o mode=755 tmpfs run
	mount -t tmpfs -o mode=755 tmpfs dev
	mkdir dev/pts dev/shm dev/xen
	mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts dev/pts
	ln -s pts/ptmx dev/ptmx
	for node in null zero full random urandom tty; do
		cp -a "/dev/$node" dev/
	done
	# Nodes that a test may open: /dev/null under other numbers' names.
	for node in xen/gntdev xen/evtchn xen/xenbus; do
		mknod -m 660 "dev/$node" c 1 3
	done
	touch dev/console
	mount --bind "$(tty)" dev/console
	mkdir run/out
	mount --bind "$TMPDIR/out" run/out
}

# start_world: systemd, as process 1 of that root. Not chroot: who sits in one gets no user
# name space.
start_world()
{
	mkdir run/old
	pivot_root . run/old
	cd /
	umount -l run/old
	exec env -i container=xdd PATH=/usr/bin:/usr/sbin \
		/lib/systemd/systemd --unit=test.target --log-target=console --show-status=no
}
