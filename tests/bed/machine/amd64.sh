# shellcheck shell=bash disable=SC2034,SC2154 # shared with `run`
# amd64.sh - how `run` makes an x86 machine: the control domain's root is /dev/vda, the
# driver domain's /dev/vdb, and xl creates every domain but the first.
#
# What it is: sourced by `run`; machine_parts, machine_prepare, machine_client and
# machine_start.

# cfg NAME MEMORY VCPUS KERNEL INITRD CMDLINE: the start of a domain's xl.cfg.
cfg()
{
	cat <<-END
		name = "$1"
		type = "pv"
		memory = $2
		vcpus = $3
		kernel = "$4"
		ramdisk = "$5"
		extra = "console=hvc0 $6"
		on_reboot = "restart"
		on_crash = "destroy"
		on_poweroff = "destroy"
	END
}

# What the scenario wants kept for it beyond what every run needs.
machine_parts()
{
	[ ! -f "$folder/driver/parts" ] || xargs -n 1 <"$folder/driver/parts"
}

# The driver domain's disks, as xl has them: its root, and each part, read-only. The parts are
# the machine's last disks.
driver_disks()
{
	local letters=abcdefgh part from=2 to=1

	[ -z "$disk" ] || from=3
	printf '"phy:/dev/vdb,xvda,w"'
	for part in "${more_parts[@]}"; do
		printf ', "phy:/dev/vd%s,xvd%s,r"' ${letters:from++:1} ${letters:to++:1}
	done
}

machine_prepare()
{
	cp "$control/boot.initrd" "$share/boot/"
	overlay "$work/driver" "$folder/driver"
	pack "$work/driver" "$share/driver.tar"
	(cd "$work/driver" && find .) >"$share/driver.list"
	{
		cfg drv 768 2 /boot/vmlinux /bed/boot/boot.initrd \
			"root=/dev/xvda systemd.show_status=no $(cmdline "$folder/driver")"
		echo 'driver_domain = 1'
		echo "disk = [$(driver_disks)]"
		cat "$folder/driver/cfg" 2>/dev/null || true
	} >"$share/cfg/drv"
}

# machine_client NAME KERNEL: a part's name.
machine_client()
{
	local of=/boot/vmlinux

	# The bed's own the control domain has in its root.
	if [ "$2" != kernel ]; then
		cp "$(part_path "$2")/vmlinux" "$share/boot/$2"
		of=/bed/boot/$2
	fi
	{
		cfg "$1" 640 1 "$of" "/bed/initrd/$1" "$(cmdline "$folder/clients/$1")"
		cat "$folder/clients/$1/cfg" 2>/dev/null || true
	} >"$share/cfg/$1"
}

machine_start()
{
	local more=() part threads=multi cpus=2 clock=()

	if [ -f "$folder/virtual" ]; then
		threads=single cpus=1
		clock=(-icount "shift=0,sleep=off" -rtc clock=vm)
	fi
	[ -z "$disk" ] || more=(-drive "file=$disk,if=virtio,format=raw,cache=writeback")
	for part in "${more_parts[@]}"; do
		more+=(-drive "file=$(part_path "$part")/root.img,if=virtio,format=raw,readonly=on")
	done
	TMPDIR=$work timeout --kill-after=5 $((timeout + 30)) qemu-system-x86_64 \
		-accel "tcg,thread=$threads" -cpu max,-smap,-smep,-avx,-avx2,-xsave "${clock[@]}" \
		-smp "$cpus" -m "$memory" \
		-nodefaults -no-reboot -display none -serial "file:$out/serial.log" \
		-kernel "$kernel/xen" \
		-append "dom0_mem=768M,max:768M dom0_max_vcpus=1 com1=115200,8n1 console=com1 \
no-bootscrub conring_size=4M loglvl=info guest_loglvl=warning $(xen_cmdline)" \
		-initrd "$kernel/vmlinux console=hvc0 root=/dev/vda,$control/boot.initrd" \
		-drive "file=$control/root.img,if=virtio,format=raw,snapshot=on,cache=unsafe" \
		-drive "file=$driver/root.img,if=virtio,format=raw,snapshot=on,cache=unsafe" "${more[@]}" \
		-virtfs "local,path=$share,mount_tag=bed,security_model=none,multidevs=remap" \
		-virtfs "local,path=$out,mount_tag=out,security_model=none,multidevs=remap" \
		</dev/null >"$work/qemu.log" 2>&1 &
	qemu=$!
}

# Each domain's console was kept by xenconsoled.
machine_collect()
{
	for log in "$out"/console/guest-*.log; do
		[ -f "$log" ] || continue
		domain=$(basename "${log#*/guest-}" .log)
		[ "$domain" != drv ] || domain=driver
		mv "$log" "$out/$domain.log"
	done
}
