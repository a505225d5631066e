# shellcheck shell=bash
# stage.sh - what `security` and `boot` share: the project as it is installed.

# stage BUILD_DIR STAND_IN DIR: an installed tree in DIR, STAND_IN standing for the
# programs that need Xen; /lib is a link into /usr on the machines it is for.
stage()
{
	meson install -C "$1" --no-rebuild --destdir "$3" >/dev/null
	mkdir -p "$3/usr"
	[ ! -d "$3/lib" ] || cp -a "$3/lib" "$3/usr/"
	units=$3/usr/lib/systemd/system
	libexec=$(sed -n 's/^ExecStart=\(.*\)\/xdd-keeper .*/\1/p' "$units/xdd-keeper@.service")
	mkdir -p "$3$libexec"
	for program in xdd-keeper xdd-enter xdd-blk xdd-can xdd-net xdd-snd xdd-displ \
		xdd-lease; do
		install -m 755 "$2" "$3$libexec/$program"
	done
}
