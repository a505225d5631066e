# shellcheck shell=bash
# lib.sh - what `check`, `demo` and `long` share: sourced, never run.
#
# Sets: root (of the project), work (all that is built goes there). A caller
# sees progress lines with the seconds since its start; what tools say is in
# $work/*.log, and its end is shown when they fail.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$root/build/check
started=$SECONDS
# What one clone has compiled, another one need not; meson finds ccache by itself.
export CCACHE_NOHASHDIR=1

# say TEXT...: a line of progress.
say()
{
	printf '[%4d s] %s\n' $((SECONDS - started)) "$*"
}

die()
{
	say "$*" >&2
	exit 1
}

# quietly LOG COMMAND...: output to $work/LOG.log, its end shown on failure.
quietly()
{
	local log=$work/$1.log

	shift
	mkdir -p "$work"
	"$@" </dev/null >"$log" 2>&1 && return
	tail -n 40 "$log" >&2
	die "failed: $* (all of it: $log)"
}

# The packages of tests/packages that are not installed.
missing_packages()
{
	local package

	sed 's/#.*//' "$root/tests/packages" | while read -r package; do
		[ -n "$package" ] || continue
		dpkg-query -W -f='${Status}' "$package" 2>/dev/null |
			grep -q 'ok installed' || printf '%s ' "$package"
	done
}

# Installs what is missing, and nothing when all is there.
install_packages()
{
	local missing

	missing=$(missing_packages)
	[ -n "$missing" ] || return 0
	[ "$(id -u)" = 0 ] || die "not root, and these packages are missing: $missing"
	say "installing $missing"
	export DEBIAN_FRONTEND=noninteractive
	quietly apt-update apt-get -q update
	# shellcheck disable=SC2086 # several words are meant
	quietly apt-install apt-get -q -y install --no-install-recommends $missing
}

# build NAME [MESON_OPTION...]: configures and builds into $work/NAME.
build()
{
	local name=$1 how=

	shift
	say "building: $name"
	[ ! -f "$work/$name/build.ninja" ] || how=--reconfigure
	quietly "configure-$name" meson setup $how --prefix=/usr "$@" "$work/$name" "$root"
	quietly "build-$name" ninja -C "$work/$name"
}

build_plain()
{
	build plain -Dtest_programs=true
}

# The compiler warns of what only sanitizers' code could do: the plain build
# is the one that has to be free of warnings.
build_sanitized()
{
	build sanitized -Dwerror=false -Db_sanitize=address,undefined \
		-Dc_args=-fno-sanitize-recover=all
}

# For arm64, as it ships; made anew when what it is built against is another.
build_arm64()
{
	local sysroot

	say "arm64: what it is built against; made the first time"
	quietly sysroot "$root/tests/cross/sysroot"
	sysroot=$("$root/tests/cross/sysroot" --print)
	grep -qsF "$sysroot" "$work/arm64/meson-private/cmd_line.txt" || rm -rf "$work/arm64"
	build arm64 --cross-file "$sysroot/meson.ini" \
		--cross-file "$root/tests/cross/arm64.ini" -Dtest_programs=true
}

# What a driver domain gets, as a tree in $work/stage; after build_plain.
stage()
{
	rm -rf "$work/stage"
	quietly stage meson install -C "$work/plain" --no-rebuild --destdir "$work/stage"
}

# The same for arm64, in $work/stage-arm64; after build_arm64.
stage_arm64()
{
	rm -rf "$work/stage-arm64"
	quietly stage-arm64 meson install -C "$work/arm64" --no-rebuild \
		--destdir "$work/stage-arm64"
}

# Debian packages, in $work/packages. Debian's build has another home, and so no cache.
build_packages()
{
	say "building: packages"
	CCACHE_DIR=$(ccache -k cache_dir) quietly packages \
		"$root/systemd/make-packages" "$work/packages"
}

# What a scenario with a file `packages` gets as its stage: these, and those of releases to
# either side, none of them installed. Of their protocol's version the newer one speaks one
# more, and the older one none of ours. After build_packages.
stage_packages()
{
	local to=$work/stage-packages/usr/share/xdd-packages

	rm -rf "$work/stage-packages"
	mkdir -p "$to/this"
	cp "$work"/packages/xdd-{driver,control,client,tools}_*.deb "$to/this/"
	quietly package-newer "$root/tests/packaging/neighbour" 0.1.1-1 1 2 \
		"$work/packages" "$to/newer"
	quietly package-older "$root/tests/packaging/neighbour" 0.0.9-1 0 0 \
		"$work/packages" "$to/older"
}

# on_bed LABEL ARCH SCENARIO [OPTION...]: a scenario's folder on real Xen, with what is
# staged for that machine; its output is in $work/LABEL.log, what it brings back in
# $work/LABEL. Returns its status.
on_bed()
{
	local label=$1 arch=$2 scenario=$3 tree=$work/stage

	shift 3
	[ "$arch" = amd64 ] || tree=$work/stage-$arch
	[ ! -f "$scenario/packages" ] || tree=$work/stage-packages
	"$root/tests/bed/run" --arch "$arch" --stage "$tree" --out "$work/$label" "$@" \
		"$scenario" </dev/null >"$work/$label.log" 2>&1
}

# listed FILE: the scenarios and machines of a list below tests/bed, "SCENARIO ARCH" a line.
listed()
{
	sed 's/#.*//' "$root/tests/bed/$1" | while read -r scenario machines; do
		for arch in $machines; do
			echo "$scenario $arch"
		done
	done
}
