# shellcheck shell=sh disable=SC2154 # used after lib.sh, which sets arch
# headers.sh - what a Debian release builds a module of its kernel with.
#
# What it is: sourced by the recipes headers-RELEASE. Compiler, make and kbuild are that
# release's own and run on this machine, in a root of their own: what is installed here does
# not matter. Only the kernel's headers are of the architecture that is built for. Debian's
# package of them wants a compiler and a kernel of that architecture too, so it is fetched
# and unpacked by itself.

# extract_headers PART RELEASE COMPILER [VERSION]: leaves root/, with that kernel's headers
# in /usr/src, and `version`. Without a VERSION it is the release's newest.
extract_headers()
{
	host=$(dpkg --print-architecture)
	prefix='' architectures=$host
	compiler=$3
	if [ "$host" != "$arch" ]; then
		case $arch in
		amd64) prefix=x86-64-linux-gnu ;;
		arm64) prefix=aarch64-linux-gnu ;;
		esac
		architectures=$host,$arch
		compiler=$compiler,$3-$prefix
	fi
	debs=$1/debs
	mkdir "$debs"
	cat >"$debs/fetch" <<-EOF
		#!/bin/sh
		# Run by mmdebstrap, with its root: what that root's apt knows, fetched.
		set -eu
		export APT_CONFIG="\$MMDEBSTRAP_APT_CONFIG"
		cd "$debs"
		version=${4:-}
		[ -n "\$version" ] || version=\$(apt-cache depends linux-headers-$arch:$arch |
			sed -n 's/.*Depends: linux-headers-\([^:]*\).*/\1/p' | head -n 1)
		apt-cache show "linux-headers-\$version:$arch" |
			sed -n 's/^Depends: .*\(linux-kbuild-[^ ,]*\).*/\1/p' | head -n 1 >kbuild
		apt-get download "linux-headers-\$version:$arch" "\$(cat kbuild):$host" \\
			"linux-headers-\${version%-"$arch"}-common"
		echo "\$version" >../version
		for deb in *.deb; do
			dpkg-deb --fsys-tarfile "\$deb" | tar -x -C "\$1" ./usr
		done
	EOF
	chmod 755 "$debs/fetch"
	mmdebstrap --architectures="$architectures" --variant=extract \
		--include="make,dash,coreutils,mawk,grep,sed,findutils,kmod,pahole,$compiler" \
		--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
		--extract-hook="$debs/fetch" "$2" "$1/root"
	rm -rf "$debs"
	ln -sf dash "$1/root/bin/sh"
	ln -sf mawk "$1/root/usr/bin/awk"
	rm -rf "$1/root/usr/share/doc" "$1/root/usr/share/man" "$1/root/usr/share/locale" \
		"$1/root/var/cache/apt" "$1/root/var/lib/apt"
	mkdir -p "$1/root/dev" "$1/root/tmp" "$1/root/module"
}
