# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# xdd-completion.bash - what may stand next in a command line of xdd's tools. bash reads it under
# the name of the tool (bash-completion); nothing is run to find out, and no root is needed.

# What a person may name, and where: the tests have other places.
_xdd_etc=/etc/xdd _xdd_log=/var/log/xdd

# _xdd_say WORD...: a line each.
_xdd_say()
{
	printf '%s\n' "$@"
}

# _xdd_words TOOL COMMAND: what may stand there but names and files; options, and words.
_xdd_words()
{
	case $1:$2 in
	xdd-policy:) _xdd_say check show explain diff learn xl dt report --help ;;
	xdd-policy:check) _xdd_say --maptrack --event-channels --watches --nodes --descriptors --memory --pv --json ;;
	xdd-policy:learn) _xdd_say --spare --json ;;
	xdd-policy:xl) _xdd_say --backend --client --json ;;
	xdd-policy:dt) _xdd_say --xen --driver-domain --client --verify --json ;;
	xdd-policy:report) _xdd_say --output --audit --witness --probe --maptrack --event-channels --watches --nodes --descriptors --memory --pv --json ;;
	xdd-policy:*) _xdd_say --json ;;
	xdd-audit:) _xdd_say verify show account head --help ;;
	xdd-audit:verify) _xdd_say --head ;;
	xdd-audit:show) _xdd_say --instance --domid --event --refused --since --until --json ;;
	xdd-audit:account) _xdd_say --json ;;
	xdd-attach:) _xdd_say attach detach list watch --help ;;
	xdd-attach:attach) _xdd_say --backend --client --privileged-backend ;;
	xdd-attach:detach) _xdd_say --backend --client --force ;;
	xdd-attach:list) _xdd_say --backend --json ;;
	xdd-attach:watch) _xdd_say --privileged-backend ;;
	xddctl:) _xdd_say list top prometheus reload drain resume probe --help ;;
	xddctl:list | xddctl:probe) _xdd_say --json ;;
	xddctl:top) _xdd_say --interval --count ;;
	xdd-witness:*) _xdd_say --policies --audit --fetch --heads --boot --console --client --accept-dropped --json --help ;;
	xdd-canfront:*) _xdd_say --backends --late-ack --restart-ms --ring-pages --verbose --help ;;
	esac
}

# _xdd_value TOOL COMMAND OPTION: what may be its value; fails if it takes none.
_xdd_value()
{
	case $3 in
	--xen) _xdd_say 4.17 4.18 4.19 4.20 4.21 4.22 ;;
	--event) _xdd_say bind connect copies counted device disconnect map refused reload reported start state stop unmap xenstore ;;
	--instance) _xdd_names policy ;;
	--ring-pages) _xdd_say 1 2 4 8 auto ;;
	--json | --pv | --refused | --force | --privileged-backend | --late-ack | --verbose | --help) return 1 ;;
	--*) ;;
	*) return 1 ;;
	esac
}

# _xdd_names SUFFIX: instances that have such a file.
_xdd_names()
{
	local file

	for file in "$_xdd_etc"/*."$1"; do
		[ ! -e "$file" ] || basename "$file" ".$1"
	done
}

# _xdd_question WORD: what may stand behind that word of "explain NAME may".
_xdd_question()
{
	case $1 in
	may) _xdd_say map copy bind serve ;;
	as) _xdd_say ring data pool ;;
	domain | at | tag) ;;
	*) _xdd_say readable writable from to as pages segments channels of domain tag at ;;
	esac
}

# _xdd_operands TOOL COMMAND: what may be named, beside files.
_xdd_operands()
{
	case $1:$2 in
	xdd-policy:explain)
		case $COMP_CWORD in
		2) _xdd_names policy ;;
		3) _xdd_say may ;;
		*) _xdd_question "${COMP_WORDS[COMP_CWORD - 1]}" ;;
		esac
		;;
	xdd-policy:check | xdd-policy:xl | xdd-policy:dt) _xdd_names policy ;;
	xdd-policy:learn) [ ! -d "$_xdd_log" ] || printf '%s\n' "$_xdd_log"/* ;;
	xdd-audit:*) [ ! -d "$_xdd_log" ] || printf '%s\n' "$_xdd_log"/* ;;
	xdd-attach:attach | xdd-attach:detach) _xdd_names attach ;;
	xddctl:*) _xdd_names policy ;;
	esac
}

# _xdd_is_path OPTION: its value is a file's or a folder's.
_xdd_is_path()
{
	case $1 in
	--verify | --audit | --policies | --heads | --console | --witness | --output) ;;
	*) return 1 ;;
	esac
}

# _xdd_takes_files TOOL COMMAND: what stands there may be one.
_xdd_takes_files()
{
	case $1:$2 in
	xdd-policy:explain) [ "$COMP_CWORD" = 2 ] ;;
	xddctl:prometheus) ;;
	xddctl:*) return 1 ;;
	esac
}

_xdd()
{
	local tool=${1##*/} word=$2 last=$3 command='' words line

	[ "$COMP_CWORD" = 1 ] || command=${COMP_WORDS[1]}
	COMPREPLY=()
	if [ -n "$command" ] && words=$(_xdd_value "$tool" "$command" "$last"); then
		_xdd_is_path "$last" && mapfile -t COMPREPLY < <(compgen -f -- "$word")
	elif [ -z "$command" ] || [[ $word = -* ]]; then
		words=$(_xdd_words "$tool" "$command")
	else
		words=$(_xdd_operands "$tool" "$command")
		! _xdd_takes_files "$tool" "$command" || mapfile -t COMPREPLY < <(compgen -f -- "$word")
	fi
	# Not by compgen, which would expand what stands in a file's name.
	while IFS= read -r line; do
		[[ -z $line || $line != "$word"* ]] || COMPREPLY+=("$line")
	done <<<"$words"
}

complete -o filenames -F _xdd xdd-policy xdd-audit xdd-attach xdd-witness xddctl xdd-canfront
