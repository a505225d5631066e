# shellcheck shell=sh
# unwrap.sh - an x86 kernel without its compressed wrapping: to undo it in every domain's
# boot, in an emulated machine, costs several seconds each time.
#
# What it is: sourced by the recipes that leave such a kernel.

# number FILE OFFSET SIZE: a little-endian number of the kernel's boot header.
number()
{
	od -An -j "$(($2))" -N "$3" -t "u$3" "$1" | tr -d ' '
}

# unwrap FILE: the payload of a bzImage (Documentation/x86/boot.rst), less the 4 bytes of its
# length that stand behind it. Debian 12's is xz, Debian 13's zstd.
unwrap()
{
	sectors=$(number "$1" 0x1f1 1)
	start=$(((sectors + 1) * 512 + $(number "$1" 0x248 4)))
	case $(number "$1" "$start" 4) in
	4247762216) unpack=zstd ;; # 28 b5 2f fd
	*) unpack=xz ;;
	esac
	tail -c +$((start + 1)) "$1" | head -c $(($(number "$1" 0x24c 4) - 4)) | $unpack -dc
}
