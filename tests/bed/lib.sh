# shellcheck shell=sh disable=SC2034 # used by those that source it
# lib.sh - what `setup`, `run` and the recipes in parts/ share.
#
# What it is: names, the cache and how to say things. It is sourced, never run.
# A part is something that is built once and kept: parts/ARCH/NAME, or parts/NAME where
# both architectures have the same recipe, builds it into the folder that it gets as its
# only argument. Its key is a hash of its recipe, this file and what the recipe names in
# its "# inputs:" line, so that a changed recipe rebuilds that part and those that are
# built from it. XDD_BED_ARCH says for what machine: amd64 (unless told) or arm64.

bed=$(cd "$(dirname "$0")" && pwd)
bed=${bed%/parts*}
arch=${XDD_BED_ARCH:-amd64}
case $arch in
amd64) foreign='' tools='' ;;
arm64) foreign=qemu-aarch64 tools=aarch64-linux-gnu- ;;
*) echo "bed: no such architecture: $arch" >&2 && exit 125 ;;
esac
cache=${XDD_BED_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/xdd/bed}
suite=bookworm
xen_version=4.17

say()
{
	printf 'bed: %s\n' "$*" >&2
}

die()
{
	say "$*"
	exit 125
}

# A part's recipe, below tests/bed.
part_recipe()
{
	if [ -f "$bed/parts/$arch/$1" ]; then
		echo "parts/$arch/$1"
	else
		echo "parts/$1"
	fi
}

# The files and folders under tests/bed that a part is made from.
part_inputs()
{
	recipe=$(part_recipe "$1")
	printf 'lib.sh %s ' "$recipe"
	sed -n 's/^# inputs: //p' "$bed/$recipe"
}

# The parts that a part is built from.
part_needs()
{
	sed -n 's/^# needs: //p' "$bed/$(part_recipe "$1")"
}

part_key()
{
	{
		# shellcheck disable=SC2046 # several words are meant
		(cd "$bed" && find $(part_inputs "$1") -type f | LC_ALL=C sort | xargs sha256sum)
		for need in $(part_needs "$1"); do
			part_key "$need"
		done
	} | sha256sum | cut -c1-12
}

part_path()
{
	printf '%s/%s-%s-%s\n' "$cache" "$arch" "$1" "$(part_key "$1")"
}

# Installs those of the named Debian packages that are missing.
want_packages()
{
	missing=
	for package; do
		dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
			missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	[ "$(id -u)" = 0 ] || die "not root, and these packages are missing:$missing"
	say "installing$missing"
	apt-get -qq update || true
	# shellcheck disable=SC2086 # several words are meant
	DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends \
		$missing >/dev/null || die "apt-get could not install$missing"
}
