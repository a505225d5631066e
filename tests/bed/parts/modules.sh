# shellcheck shell=bash
# modules.sh - copies chosen kernel modules, and all that they depend on.
#
# What it is: sourced by the recipes that want few modules; of the part `kernel`, unless
# kernel_part names another.

# copy_modules ROOT MODULE...: into ROOT/lib/modules; names that this kernel lacks are
# skipped. Prints the modules' paths below ROOT in an order that insmod can follow.
copy_modules()
(
	root=$1
	shift
	kernel=$(part_path "${kernel_part:-kernel}")
	version=$(cat "$kernel/version")
	from=$kernel/modules/lib/modules/$version
	to=$root/lib/modules/$version
	mkdir -p "$to"
	for module; do
		modprobe -d "$kernel/modules" -S "$version" --show-depends "$module" 2>/dev/null ||
			echo "no module $module in $version" >&2
	done | sed -n 's/^insmod //p' | sed 's/ .*//' | awk '!seen[$0]++' | while read -r path; do
		below=${path#*"/lib/modules/$version/"}
		mkdir -p "$to/$(dirname "$below")"
		cp "$from/$below" "$to/$below"
		echo "/lib/modules/$version/$below"
	done
	cp "$from/modules.order" "$from/modules.builtin" "$from/modules.builtin.modinfo" "$to/"
	depmod -b "$root" "$version"
)
