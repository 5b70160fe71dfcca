#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Goal: real order flow is counted and its books are rebuilt exactly, from both file formats.
# Method: `tern feed` on the sample data against counts and books from an independent replay.
#
# usage: test_feed_real_data.sh PROGRAM
# TERN_DATA names the folder of the sample data (default: ../shared/data beside the repository).
# Exit codes: 0 passed, 1 failed, 77 skipped.
set -euo pipefail

program=$(realpath "$1")
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
data=${TERN_DATA:-$repository/../shared/data}/itch
if [[ ! -r $data/AAPL_672.itch50 ]]; then
	echo "skipped: no sample data in $data (set TERN_DATA)"
	exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

fail()
{
	echo "FAILED: $*"
	failed=1
}

# counts FILE: "type count" lines, sorted, and the total
counts()
{
	"$program" feed stat "$1" | awk '
		/^  messages/ { print "messages", $2 }
		/^types/ { types = 1; next }
		/^counters/ { types = 0 }
		types { print $1, $2 }'
}

check_672()
{
	local file=$1
	"$program" feed book "$data/$file" --symbol AAPL --depth 50 --at "$data/AAPL_672.bounds" \
		>"$scratch/book.csv" || fail "$file: exit status $?"
	[[ $(wc -l <"$scratch/book.csv") == 672 ]] || fail "$file: not 672 rows"
	cmp "$scratch/book.csv" "$data/AAPL_672.book50.csv" || fail "$file: books differ"
}

check_hour()
{
	local file=$1
	counts "$file" >"$scratch/counts" || fail "$file: exit status $?"
	local line
	for line in 'messages 92057' 'A 44353' 'D 40959' 'E 4067' 'P 2201' 'X 469'; do
		grep -qx "$line" "$scratch/counts" || fail "$file: no count '$line'"
	done
	printf '%s\n' 1000 50000 92057 >"$scratch/bounds"
	"$program" feed book "$file" --symbol AAPL --depth 100 --at "$scratch/bounds" \
		>"$scratch/$(basename "$file").csv" || fail "$file: book: exit status $?"
}

# every message decodes; sequence numbers and orders of these single packets are out of context
check_packet()
{
	local file=$1 rc=0
	"$program" feed stat "$file" --json >"$scratch/stat.json" 2>"$scratch/messages" || rc=$?
	((rc <= 1)) || fail "$file: exit status $rc"
	grep -Eq '"length_wrong": 0,' "$scratch/stat.json" || fail "$file: wrong lengths"
	grep -Eq '"type_unknown": 0,' "$scratch/stat.json" || fail "$file: unknown types"
	grep -Eq '"messages": [1-9]' "$scratch/stat.json" || fail "$file: no message"
	if grep -vE 'late_join|sequence_zero|gap|message_missing|reference_unknown' \
		"$scratch/messages"; then
		fail "$file: another fault"
	fi
}

check_672 AAPL_672.itch50
check_672 AAPL_672.moldudp64.pcap
check_hour "$data/AAPL_1h.itch50"
if command -v xz >/dev/null; then
	xz -dc "$data/AAPL_1h.moldudp64.pcap.xz" >"$scratch/AAPL_1h.pcap"
	check_hour "$scratch/AAPL_1h.pcap"
	cmp "$scratch/AAPL_1h.itch50.csv" "$scratch/AAPL_1h.pcap.csv" ||
		fail "the hour's books differ between the formats"
else
	echo "not checked: AAPL_1h.moldudp64.pcap.xz, as there is no xz"
fi
packets=0
for file in "$data"/packets/*.pcap; do
	check_packet "$file"
	packets=$((packets + 1))
done
((packets > 0)) || fail "no single packets in $data/packets"
((failed)) || echo "passed: books, counts, $packets captures"
exit "$failed"
