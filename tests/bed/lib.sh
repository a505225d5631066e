# shellcheck shell=sh disable=SC2034 # used by those that source it
# lib.sh - what `setup`, `run` and the recipes in parts/ share.
#
# What it is: names, the cache and how to say things. It is sourced, never run.
# A part is something that is built once and kept: parts/NAME builds it into the
# folder that it gets as its only argument. Its key is a hash of its recipe, this
# file and what the recipe names in its "# inputs:" line, so that a changed recipe
# rebuilds that part and those that are built from it.

bed=$(cd "$(dirname "$0")" && pwd)
case $bed in */parts) bed=${bed%/parts} ;; esac
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

# The files and folders under tests/bed that a part is made from.
part_inputs()
{
	printf 'lib.sh parts/%s ' "$1"
	sed -n 's/^# inputs: //p' "$bed/parts/$1"
}

# The parts that a part is built from.
part_needs()
{
	sed -n 's/^# needs: //p' "$bed/parts/$1"
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
	printf '%s/%s-%s\n' "$cache" "$1" "$(part_key "$1")"
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
