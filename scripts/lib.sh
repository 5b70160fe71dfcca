# shellcheck shell=bash
# What scripts/run, scripts/test and scripts/check share. Sourced, never run.
#
# Exit codes: 1 a check found something, 2 usage, 69 unavailable, 77 permission,
# 78 configuration.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/tern.XXXXXX")
hugepages_taken=0
child=
stop_signal=
nr_hugepages=/proc/sys/vm/nr_hugepages

say()
{
	printf '%s\n' "$*"
}

die()
{
	local code=$1
	shift
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit "$code"
}

# usage: print the comment that opens the calling script
usage()
{
	sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$0"
}

# quietly WHAT COMMAND...: silent while it works; shows its output where it fails
quietly()
{
	local what=$1 rc=0
	shift
	run_child "$@" >"$scratch/log" 2>&1 || rc=$?
	if ((rc)); then
		cat "$scratch/log" >&2
		say "$what: failed with exit code $rc, output above" >&2
	fi
	return "$rc"
}

# run_child COMMAND...: run a program so that a signal to this script reaches it, and its
# exit code comes back. It gets its own process group: Ctrl-C arrives once, through here.
run_child()
{
	local rc=0
	set -m
	"$@" <&0 &
	child=$!
	set +m
	wait "$child" || rc=$?
	child=
	return "$rc"
}

# on_signal NAME NUMBER: pass it on, give the child 10 s to end, leave with its exit code; a
# script that sets stop_signal passes that on instead and leaves with 128 + NUMBER
on_signal()
{
	local rc=$((128 + $2)) child_rc=0 tries
	trap '' INT TERM HUP
	if [[ -n $child ]]; then
		kill -s "${stop_signal:-$1}" -- "-$child" 2>/dev/null || true
		for ((tries = 0; tries < 100; tries++)); do
			kill -0 "$child" 2>/dev/null || break
			sleep 0.1
		done
		kill -s KILL -- "-$child" 2>/dev/null || true
		wait "$child" 2>/dev/null || child_rc=$?
		[[ -n $stop_signal ]] || rc=$child_rc
	fi
	exit "$rc"
}

on_exit()
{
	hugepages_give_back
	rm -rf "$scratch"
}

trap on_exit EXIT
trap 'on_signal INT 2' INT
trap 'on_signal TERM 15' TERM
trap 'on_signal HUP 1' HUP

# packages GROUP...: the names that packages.txt lists under these groups
packages()
{
	local group
	for group in "$@"; do
		awk -v group="$group" '$1 == group { print $2 }' "$root/scripts/packages.txt"
	done
}

# need_packages GROUP...: install what is missing
need_packages()
{
	local -a wanted missing=() install
	local name
	if ! command -v dpkg-query >/dev/null; then
		say "packages: this is no Debian, so nothing was checked; scripts/packages.txt" \
			"names what is needed" >&2
		return 0
	fi
	mapfile -t wanted < <(packages "$@")
	for name in "${wanted[@]}"; do
		[[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) == installed ]] ||
			missing+=("$name")
	done
	((${#missing[@]})) || return 0

	install=(apt-get install -y --no-install-recommends "${missing[@]}")
	if ((EUID != 0)); then
		die 77 "packages are missing: ${missing[*]}" $'\n'"run as root:" \
			"apt-get update && ${install[*]}"
	fi
	say "packages: installing ${missing[*]}"
	export DEBIAN_FRONTEND=noninteractive
	if ! quietly 'apt-get update' apt-get -o DPkg::Lock::Timeout=120 update </dev/null ||
		! quietly 'apt-get install' "${install[@]}" -o DPkg::Lock::Timeout=120 </dev/null
	then
		die 69 "packages could not be installed: ${missing[*]}"
	fi
}

# configure DIR MESON_OPTION...: set a build directory up once; meson keeps it fresh afterwards
configure()
{
	local dir=$root/$1 mode=()
	shift
	if [[ -f $dir/build.ninja ]]; then
		grep -qF "\"source\": \"$root\"" "$dir/meson-info/meson-info.json" && return 0
		mode=(--wipe) # the tree was moved or copied here with its build directory
	fi
	quietly "meson setup ${dir##*/}" meson setup "${mode[@]}" "$dir" "$root" "$@"
}

# build DIR NINJA_TARGET...: everything where no target is named
build()
{
	local dir=$1
	shift
	quietly "build in $dir" ninja -C "$root/$dir" "$@"
}

# hugepages_take COUNT: reserve 2 MiB pages where that is allowed and nobody did it before.
# Sets hugepages_note to one line for the user. 0 where pages are there, 1 where none are.
hugepages_take()
{
	local want=$1 before available_kib
	local need_kib=$((want * 2048 * 4))
	hugepages_note=
	before=$(cat "$nr_hugepages" 2>/dev/null || say 0)
	available_kib=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)
	if ((before > 0)); then
		hugepages_note="$before already reserved, left as they are"
		return 0
	elif ! grep -q '^Hugepagesize: *2048 kB' /proc/meminfo; then
		hugepages_note='none, slower: the default huge page here is not 2 MiB'
	elif ((EUID != 0)); then
		hugepages_note="none, slower: reserving needs root: echo $want > $nr_hugepages"
	elif [[ ! -w $nr_hugepages ]]; then
		hugepages_note="none, slower: $nr_hugepages is not writable here"
	elif ((available_kib < need_kib)); then
		hugepages_note="none, slower: $((available_kib / 1024)) MiB of memory available,"
		hugepages_note+=" $((need_kib / 1024)) MiB needed before pages are set aside"
	else
		hugepages_reserve "$want"
		return
	fi
	return 1
}

hugepages_reserve()
{
	local want=$1
	hugepages_taken=$want # from here on a signal gives back whatever was obtained
	if ! printf '%s\n' "$want" 2>/dev/null >"$nr_hugepages"; then
		hugepages_taken=0
		hugepages_note="none, slower: writing to $nr_hugepages was refused"
		return 1
	fi
	hugepages_taken=$(cat "$nr_hugepages")
	hugepages_note="$hugepages_taken of $want obtained, 2 MiB each, given back at the end"
	((hugepages_taken > 0)) || hugepages_note='none, slower: memory is too fragmented'
	((hugepages_taken > 0))
}

# hugepages_give_back: take off what hugepages_take put on, whatever others did meanwhile
hugepages_give_back()
{
	local now
	((hugepages_taken > 0)) || return 0
	now=$(cat "$nr_hugepages")
	printf '%s\n' $((now > hugepages_taken ? now - hugepages_taken : 0)) >"$nr_hugepages"
	hugepages_taken=0
}

# meson options of the sanitizer builds
# shellcheck disable=SC2034,SC2054 # used by test and check; meson takes a list with commas
asan_options=(-Db_sanitize=address,undefined -Db_lundef=false -Ddebug=true -Doptimization=1
	-Dwerror=false -Ddebug_blocks=true -Ddebug_states=true)
# shellcheck disable=SC2034
tsan_options=(-Db_sanitize=thread -Db_lundef=false -Ddebug=true -Doptimization=1 -Dwerror=false
	-Ddebug_states=true)

# tsan_wrapper: what to run tests under TSan with; its memory map fits no more than 28 random bits
tsan_wrapper()
{
	if (($(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || say 28) > 28)); then
		say 'setarch -R'
	fi
}
