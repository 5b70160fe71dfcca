#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Goal: every bad input gets its message and its exit status, quickly, and nothing is left behind.
# Method: good files from `tern feed generate`, broken one way at a time, and bad command lines.
#
# usage: test_feed_bad_input.sh PROGRAM
# Exit codes: 0 passed, 1 failed.
set -euo pipefail

program=$(realpath "$1")
scratch=$(mktemp -d)
trap 'chmod -R u+rwx "$scratch"; rm -rf "$scratch"' EXIT
failed=0
cd "$scratch"

# expect STATUS TEXT ARGUMENT...: run `tern feed ARGUMENT...`; TEXT must be in its messages;
# an empty TEXT wants none
expect()
{
	local status=$1 text=$2 rc=0
	shift 2
	timeout 20 "$program" feed "$@" >out 2>err || rc=$?
	if ((rc != status)) || [[ $(<err) != *"$text"* ]] || [[ -z $text && -s err ]]; then
		echo "FAILED: feed $*: status $rc, expected $status and '$text'; it said:"
		cat err
		failed=1
	fi
}

# patch FILE OFFSET ESCAPES: overwrite bytes
patch()
{
	printf '%b' "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

"$program" feed generate --messages 2000 --symbols 3 -o good.itch
"$program" feed generate --messages 2000 --symbols 3 --format moldudp64 -o good.pcap
size=$(stat -c %s good.itch)
pcap_size=$(stat -c %s good.pcap)
echo 100 >bounds
expect 0 '' stat good.itch
expect 0 '' stat good.pcap
expect 0 '' book good.pcap --symbol AAAA --at bounds

# files that cannot be read at all
expect 66 'No such file' stat absent
expect 66 'Is a directory' stat .

# names that would speak to a terminal
expect 66 'absent\x0a\x1b[2J: cannot be opened' stat $'absent\n\x1b[2J'
expect 2 "'one\x0amore' is one file too many" stat good.itch $'one\nmore'
expect 2 "--depth is '\u{202e}1'" book good.itch --depth $'\xe2\x80\xae1'
cp good.itch $'odd\xc2\x9b\xff'
expect 0 '' stat $'odd\xc2\x9b\xff'
[[ $(head -n 1 out) == 'odd\u{9b}\xff ('* ]] || { echo "FAILED: an odd name: $(cat -v out)"; failed=1; }
expect 0 '' stat --json $'odd\xc2\x9b\xff'
grep -Fq '"odd\u009b'$'\xef\xbf\xbd"' out || { echo "FAILED: an odd name in JSON: $(cat -v out)"; failed=1; }

: >empty
expect 66 'empty (0 bytes)' stat empty
expect 66 'empty (0 bytes)' book empty --symbol AAAA --at bounds
printf 'some text, no feed\n' >text
expect 66 'no feed: starts with bytes 73 6f 6d' stat text
if (($(id -u))); then
	cp good.itch secret
	chmod 0 secret
	expect 66 'Permission denied' stat secret
fi

# BinaryFILE: cut, zero lengths, no end, unknown type, wrong length, unknown order
head -c $((size - 10)) good.itch >"cut"
expect 66 "cut inside the message at byte" stat cut
grep -qE '^  messages +1999' out || { echo 'FAILED: cut: messages not counted'; failed=1; }
expect 66 "cut inside the message at byte" book cut --symbol AAAA --at bounds
head -c 1 good.itch >"cut"
expect 66 'cut inside the message at byte 0' stat cut
head -c 4096 /dev/zero >zeros
expect 66 'a zero length at byte 0 ends the session, but bytes follow' stat zeros
cp good.itch zero
patch zero 14 '\0\0'
expect 66 'a zero length at byte 14 ends the session' stat zero
head -c 2 /dev/zero >none
expect 66 'holds no message' stat none
head -c $((size - 2)) good.itch >endless
expect 1 'end_missing' stat endless
cp good.itch unknown
patch unknown 2 'Z'
expect 1 'type_unknown: 1, first at byte 0' stat unknown
patch unknown 2 'R'
expect 1 'length_wrong: 1, first at byte 0' stat unknown
{
	printf '\0\023D\0\001\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\007'
	cat good.itch
} >orphan
expect 1 'reference_unknown: 1, first at byte 0' stat orphan
expect 1 'reference_unknown: 1' book orphan --symbol AAAA --at bounds

# captures: link type, cuts, counts past the end
cp good.pcap other
patch other 20 '\161\0'
expect 66 'link type 113 (LINUX_SLL), needs Ethernet' stat other
head -c $((pcap_size - 7)) good.pcap >cut.pcap
expect 66 'cut or corrupt behind packet' stat cut.pcap
head -c 30 good.pcap >cut.pcap
expect 66 'cut or corrupt behind packet 0' stat cut.pcap
head -c 10 good.pcap >cut.pcap
expect 66 'no readable pcap' stat cut.pcap
cp good.pcap past
patch past 100 '\177\377' # 24 file header, 16 record header, 42 frame headers, count at 18
expect 1 'count_past_end: 1, first at packet 1' stat past
cp good.pcap snapped
patch snapped 36 '\377\007' # the first packet was longer on the wire
patch snapped 56 '\006\0' # and so says its IP header
expect 1 'packet_snapped: 1, first at packet 1' stat snapped
cp good.pcap gap
patch gap 99 '\005'
expect 1 'late_join: 1, first at packet 1' stat gap

# command lines and outputs
expect 2 'subcommand is missing'
expect 2 "no subcommand 'replay'" replay
expect 2 'FILE is missing' stat
expect 2 'unrecognized option' stat --frob good.itch
expect 2 '--symbol is missing' book good.itch --at bounds
expect 2 '--at is missing' book good.itch --symbol AAAA
expect 2 "--depth is '0', needs a number from 1 to 10000" book good.itch --depth 0
expect 2 "--messages is 'many'" generate --messages many
expect 2 "--format is 'csv'" generate --format csv
expect 66 'no symbol ZZZZ' book good.itch --symbol ZZZZ --at bounds
expect 66 'line 1 wants the book after 9999 messages' book good.itch --symbol AAAA \
	--at <(echo 9999)
printf '5\n4\n' >down
expect 66 'line 2 is 4, needs 5 or more' book good.itch --symbol AAAA --at down
expect 66 'empty: needs one number' book good.itch --symbol AAAA --at empty
expect 69 'No such file or directory' generate -o absent/out
expect 69 'No space left on device' generate -o /dev/full
for command in "stat good.itch" "book good.itch --symbol AAAA --at bounds" generate; do
	rc=0
	# shellcheck disable=SC2086 # words on purpose
	"$program" feed $command >/dev/full 2>err || rc=$?
	if ((rc != 69)) || ! grep -q 'No space left' err; then
		echo "FAILED: feed $command to a full disk: status $rc"
		failed=1
	fi
done
mkdir kept
echo old >kept/out
(
	ulimit -f 8
	trap '' XFSZ
	expect 69 'File too large' generate --messages 100000 -o kept/out
	exit "$failed"
) || failed=1
[[ $(cat kept/out) == old && $(ls -A kept) == out ]] ||
	{ echo 'FAILED: a failed generate left something behind'; failed=1; }
((failed)) || echo passed
exit "$failed"
