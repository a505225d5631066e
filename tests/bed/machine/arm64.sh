# shellcheck shell=bash disable=SC2034,SC2154 # shared with `run`
# arm64.sh - how `run` makes an Arm machine: one device tree names the driver domain and
# every client, and Xen starts them all with the control domain (dom0less).
#
# What it is: sourced by `run`; machine_parts, machine_prepare, machine_client and machine_start.
# Domain numbers follow the order in the tree: drv is 1, the clients 2, 3, ... by name.

# Modules lie behind the place where QEMU puts the device tree.
next_address=$((0x50000000))
domains='' nodes='' loaders=()
declare -A kernel_reg kernel_at

# load FILE: makes QEMU load it; sets module_reg for the tree.
load()
{
	local size

	size=$(stat -L -c %s "$1")
	module_reg=$(printf '<0x0 0x%x 0x0 0x%x>' $next_address "$size")
	module_at=$(printf '%x' $next_address)
	loaders+=(-device "loader,file=$1,addr=0x$module_at,force-raw=on")
	next_address=$(((next_address + size + 0x3fffff) & ~0x1fffff))
}

# load_kernel PART: once, however many domains boot it; the control domain can read it, too,
# as it must to create a client anew.
load_kernel()
{
	[ -z "${kernel_at[$1]:-}" ] || return 0
	load "$(part_path "$1")/vmlinux"
	kernel_reg[$1]=$module_reg kernel_at[$1]=$module_at
	cp "$(part_path "$1")/vmlinux" "$share/boot/$1"
}

# setting FILE KEY DEFAULT: a number from what a scenario adds to an xl.cfg.
setting()
{
	local value

	value=$(sed -n "s/^$2 *= *//p" "$1" 2>/dev/null | tail -n 1)
	echo "${value:-$3}"
}

# domain NAME MEMORY KERNEL INITRD CMDLINE: its node; KERNEL is a part's name. One CPU: of a
# domain with more, init-dom0less 4.17 cannot write the nodes (README.md).
domain()
{
	load_kernel "$3"
	load "$4"
	nodes+="
	$1 {
		compatible = \"xen,domain\";
		#address-cells = <2>;
		#size-cells = <2>;
		memory = <0x0 $(($2 * 1024))>;
		cpus = <1>;
		vpl011;
		xen,enhanced = \"enabled\";
		module@${kernel_at[$3]} {
			compatible = \"multiboot,kernel\", \"multiboot,module\";
			reg = ${kernel_reg[$3]};
			bootargs = \"console=ttyAMA0 $5\";
		};
		module@$module_at {
			compatible = \"multiboot,ramdisk\", \"multiboot,module\";
			reg = $module_reg;
		};
	};"
	domains+="$1"$'\n'
}

# Its driver domain has no more disks.
machine_parts()
{
	:
}

machine_prepare()
{
	local over=$work/driver/overlay

	overlay "$over" "$folder/driver"
	mkdir -p "$over/etc"
	cp "$driver/passwd" "$driver/group" "$driver/shadow" "$over/etc/"
	[ ! -d "$over/usr/lib/sysusers.d" ] || systemd-sysusers --root="$over" 2>/dev/null
	(cd "$work/driver" && find . | cpio --quiet -o -H newc -R 0:0) >"$work/driver.cpio"
	cat "$driver/driver.initrd" "$work/driver.cpio" >"$work/driver.initrd"
	domain drv "$(setting "$folder/driver/cfg" memory 1024)" kernel "$work/driver.initrd" \
		"systemd.show_status=no $(cmdline "$folder/driver")"
}

# machine_client NAME KERNEL: a part's name.
machine_client()
{
	local cfg=$folder/clients/$1/cfg memory vcpus args

	memory=$(setting "$cfg" memory 640) vcpus=$(setting "$cfg" vcpus 1)
	args=$(cmdline "$folder/clients/$1")
	domain "$1" "$memory" "$2" "$share/initrd/$1" "$args"
	cat >"$share/cfg/$1" <<-END
		name = "$1"
		memory = $memory
		vcpus = $vcpus
		kernel = "/bed/boot/$2"
		ramdisk = "/bed/initrd/$1"
		extra = "console=hvc0 $args"
		on_reboot = "restart"
		on_crash = "destroy"
		on_poweroff = "destroy"
	END
	# Each of its disks, as "VDEV TAG".
	grep -os '"[^"]*target=[^"]*"' "$cfg" |
		sed 's/.*vdev=\([^,"]*\).*target=\([^,"]*\).*/\1 \2/' >"$share/disks/$1"
}

machine_tree()
{
	local control_reg control_at policy

	printf '%s' "$domains" >"$share/domains"
	load "$control/control.initrd"
	control_reg=$module_reg control_at=$module_at policy=
	if [ -f "$folder/xsm-policy" ]; then
		load "$folder/xsm-policy"
		policy="module@$module_at {
			compatible = \"xen,xsm-policy\", \"multiboot,module\";
			reg = $module_reg;
		};"
	fi
	"${machine[@]}" -machine dumpdtb="$work/machine.dtb" 2>/dev/null
	{
		dtc -q -I dtb -O dts "$work/machine.dtb"
		cat <<-END
			/ { chosen {
				xen,xen-bootargs = "console=dtuart dom0_mem=512M dom0_max_vcpus=1 \
			bootscrub=0 xsm=dummy conring_size=4M loglvl=info guest_loglvl=warning \
			console_timestamps=boot $(xen_cmdline)";
				xen,dom0-bootargs = "console=hvc0";
				#address-cells = <2>;
				#size-cells = <2>;
				module@${kernel_at[kernel]} {
					compatible = "multiboot,kernel", "multiboot,module";
					reg = ${kernel_reg[kernel]};
				};
				module@$control_at {
					compatible = "multiboot,ramdisk", "multiboot,module";
					reg = $control_reg;
				};
				$policy
				$nodes
			}; };
		END
	} >"$work/all.dts"
	dtc -q -I dts -O dtb -o "$work/all.dtb" "$work/all.dts"
	cp "$work/all.dtb" "$share/all.dtb"
}

machine_start()
{
	local threads=multi cpus=2 counter=() clock=()

	if [ -n "$count" ]; then
		threads=single
		gcc -shared -fPIC -O2 -Wall -o "$work/insn.so" "$bed/count/insn.c"
		counter=(-plugin "$work/insn.so" -d plugin -D "$out/insn.log")
	fi
	if [ -f "$folder/virtual" ]; then
		# One thread, which runs a CPU until its next timer: two that wait for each
		# other would take seconds over it.
		threads=single cpus=1
		clock=(-icount "shift=0,sleep=off" -rtc clock=vm)
	fi
	machine=(qemu-system-aarch64 -machine "virt,virtualization=on,gic-version=3"
		-cpu cortex-a57 -accel "tcg,thread=$threads" "${clock[@]}" -smp "$cpus" -m "$memory"
		-nodefaults -no-reboot -display none -serial "file:$out/serial.log"
		-monitor "unix:$work/monitor,server=on,wait=off")
	machine_tree
	TMPDIR=$work timeout --kill-after=5 $((timeout + 30)) "${machine[@]}" "${counter[@]}" \
		-kernel "$kernel/xen" -dtb "$work/all.dtb" "${loaders[@]}" \
		-fsdev "local,id=bed,path=$share,security_model=none,multidevs=remap" \
		-device virtio-9p-device,fsdev=bed,mount_tag=bed \
		-fsdev "local,id=out,path=$out,security_model=none,multidevs=remap" \
		-device virtio-9p-device,fsdev=out,mount_tag=out \
		</dev/null >"$work/qemu.log" 2>&1 &
	qemu=$!
}

# Xen prints what the domains say, each line with the domain's number; of those that xl
# created xenconsoled kept it.
machine_collect()
{
	local id=1 domain log

	while read -r domain; do
		log=$out/$domain.log
		[ "$domain" != drv ] || log=$out/driver.log
		tr -d '\r' <"$out/serial.log" | sed -n "s/^(XEN) DOM$id: //p" >"$log"
		[ ! -f "$out/console/guest-$domain.log" ] ||
			cat "$out/console/guest-$domain.log" >>"$log"
		id=$((id + 1))
	done <"$share/domains"
}
