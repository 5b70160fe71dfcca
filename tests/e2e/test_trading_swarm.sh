#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Goal: the trading swarm loses nothing, counts everything once, builds the same books whatever
# the shards, lanes and formats, and ends with the exit code it promises.
# Method: small seeded runs read back as JSON; feeds made and damaged byte by byte; real data where
# TERN_DATA (default: ../shared/data beside the repository) has it.
#
# usage: test_trading_swarm.sh PROGRAM
set -euo pipefail
# shellcheck source=tests/e2e/cases.sh
. "$(dirname "${BASH_SOURCE[0]}")/cases.sh"

program=$(realpath "$1")
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
data=${TERN_DATA:-$repository/../shared/data}/itch
[[ $data == /* ]] || data=$PWD/$data
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset TERN_LOG
cd "$scratch"

# expect CODE PATTERN ARGUMENT...: exit code, and a pattern (grep -E) in either output
expect()
{
	local code=$1 pattern=$2 rc=0
	shift 2
	"$program" "$@" >out 2>err </dev/null || rc=$?
	((rc == code)) || fault "$*: exit code $rc, not $code: $(tail -n 3 err)"
	cat out err | grep -Eq -- "$pattern" || fault "$*: no '$pattern' in: $(tail -n 3 err)"
}

# play JSON ARGUMENT...: a run that must succeed
play()
{
	local file=$1
	shift
	"$program" --json "$@" >"$file" 2>err </dev/null || fault "$*: exit code $?: $(head -n 12 err)"
	python3 -m json.tool "$file" >/dev/null || fault "$*: no JSON"
}

# holds JSON EXPRESSION...: Python expressions over the object `r`
holds()
{
	python3 - "$@" <<-'END' || fault "$1: not as expected"
		import json, sys
		r = json.load(open(sys.argv[1]))
		m, b, o, e = r["messages"], r["books"], r["orders"], r["engine"]
		bad = [c["text"] for c in r["checks"] if not c["holds"]]
		bad += [x for x in sys.argv[2:] if not eval(x)]
		print(*bad, sep="\n", end="\n" if bad else "")
		sys.exit(1 if bad else 0)
	END
}

# itch: feed.itch, 20 messages of one symbol: a directory entry, adds, a delete; end of session
make_feed()
{
	python3 - <<-'END'
		import struct
		def header(kind, at): return kind + struct.pack(">HHHI", 7, 0, 0, at)
		def message(b): return struct.pack(">H", len(b)) + b
		def add(ref, side, shares, price):
		    return message(header(b"A", ref * 1000) +
		                   struct.pack(">Qc", ref, side) + struct.pack(">I8sI", shares, b"TERN    ", price))
		feed = message(header(b"R", 1) + b"TERN    " + b"QN" + struct.pack(">I", 100) +
		               b"NCZ PN1N" + struct.pack(">I", 0) + b"N" + b" ")[:41]
		for i in range(1, 10):
		    feed += add(2 * i, b"B", 100 * i, 1000000 - 100 * i)
		    feed += add(2 * i + 1, b"S", 100 * i, 1000000 + 100 * i)
		feed += message(header(b"D", 90000) + struct.pack(">Q", 2))
		open("feed.itch", "wb").write(feed + b"\0\0")
	END
}

seeded_run()
{
	play seeded.json --seed 5 --messages 4000 --symbols 10 --rate 20000 --trace-every 8
	holds seeded.json 'r["holds"]' 'm["all"] == 4000' 'sum(m["types"].values()) == 4000' \
		'm["applied"] + m["informative"] + sum(m["anomalies"].values()) == m["all"]' \
		'b["symbols"] == 10' 'o["all"] > 0' \
		'o["all"] == o["filled"] + o["partly_filled"] + o["missed"] + o["rejected"] + o["refused"]' \
		'o["refused"] == sum(o["refused_by"].values())' \
		'r["tick_to_trade_ns"]["count"] == o["all"] - o["refused"]' \
		'0 < r["tick_to_trade_ns"]["p50"] <= r["tick_to_trade_ns"]["max"]' \
		'r["feed_late_ns"]["count"] == 4000' '0.15 < m["seconds"] < 60' \
		'len(e["agents"]) == 9' 'e["drained"]' 'e["undelivered"] == 0' \
		'e["blocks_leaked"] == 0' 'e["page_bytes"] >= 4096 and e["memory_bytes"] > 0' \
		'e["agents"][1]["name"] == "book-0" and e["agents"][1]["lane_ns"]["count"] > 0'
	verdict 'a seeded run counts everything once'
}

# No machine keeps this pace. Counted from when it was due, the last message is as late as the run is
# long, and so is what is traded upon it; counted from when it was sent, it would seem to be in time.
overdue_run()
{
	play overdue.json --seed 5 --messages 50000 --symbols 10 --rate 100000000
	holds overdue.json 'r["holds"]' 'r["feed_late_ns"]["count"] == 50000' \
		'r["feed_late_ns"]["max"] > 0.6e9 * m["seconds"]' \
		'r["tick_to_trade_ns"]["max"] > 0.6e9 * m["seconds"]'
	verdict 'latency counts from the intended time'
}

text_output()
{
	expect 0 '^Checks: ([0-9]+) of \1 counts agree$' --messages 2000 --symbols 4
	local pattern
	for pattern in '^  all +2,000 ' '^    A +[0-9,]+  add order$' '^  tick to trade +[0-9]' \
		'^  book-1 ' '^  strategy-3 ' '^  risk ' '^  executor ' \
		'^Stop: drained, 0 signals undelivered, 0 blocks leaked$' '^      collar_bp '; do
		grep -Eq "$pattern" out || fault "no '$pattern' in the summary"
	done
	[[ ! -s err ]] || fault "messages without need: $(cat err)"
	expect 0 '^Latency: not measured at full speed' --messages 2000 --speed max
	verdict 'the summary is readable'
}

# books FILE ARGUMENT...: final books of the same generated feed
books()
{
	local file=$1
	shift
	play "$file.json" --seed 9 --messages 30000 --symbols 50 --books-out "$file" --depth 200 "$@"
	holds "$file.json" 'r["holds"]'
	python3 -c 'import json, sys
r = json.load(open(sys.argv[1]))
print(r["messages"]["types"], r["messages"]["applied"], r["books"]["resting_orders"])' \
		"$file.json" >"$file.counts"
}

same_books()
{
	books one.csv --speed max
	books again.csv --speed max
	books single.csv --speed max --books 1 --strategies 1
	books seven.csv --speed max --books 7 --strategies 5
	books timed.csv --rate 200000
	books tight.csv --speed max -o lanes.data_depth=64 -o lanes.express_depth=16 \
		-o mailbox.capacity=8 -o mailbox.high_water=6 -o mailbox.low_water=2 \
		-o memory.block_mib=2
	[[ $(wc -l <one.csv) -gt 500 ]] || fault "only $(wc -l <one.csv) levels"
	local file
	for file in again single seven timed tight; do
		cmp one.csv $file.csv || fault "$file.csv differs"
		cmp one.csv.counts $file.csv.counts || fault "$file: counts differ"
	done
	verdict 'the same feed makes the same books, for any shards, pace and lanes'
	books other.csv --speed max --seed 10
	! cmp -s one.csv other.csv || fault 'another seed makes the same books'
	verdict 'another seed makes other books'
}

virtual_time()
{
	local virtual=(--messages 20000 -o engine.mode=polled -o engine.clock=virtual)
	play virtual1.json "${virtual[@]}"
	play virtual2.json "${virtual[@]}"
	holds virtual1.json 'r["holds"]' 'o["filled"] > 0'
	cmp virtual1.json virtual2.json || fault 'two runs in virtual time differ'
	verdict 'in virtual time two runs are the same to the last fill'
}

one_lcore()
{
	local cpu
	cpu=$(taskset -pc $$ | sed 's/.*: *\([0-9]*\).*/\1/')
	expect 0 'lcores   1 on CPU [0-9]+: all agents share it' --lcores "$cpu" --messages 3000
	verdict 'one lcore is enough'
}

# limited LIMIT EXPRESSION...: a run under one limit, in virtual time
limited()
{
	local limit=$1
	shift
	play limits.json --messages 20000 -o engine.mode=polled -o engine.clock=virtual \
		--limit "$limit"
	holds limits.json "o[\"refused_by\"][\"${limit%=*}\"] > 0" "$@"
}

limits()
{
	limited order_shares=0 'o["all"] == o["refused"]' 'o["shares_bought"] == 0' \
		'o["shares_sold"] == 0' 'o["positions"] == 0'
	limited orders_per_s=0 'o["filled"] == 0'
	limited open_orders=0 'o["filled"] == 0'
	limited notional_usd=10 'o["filled"] == 0'
	limited position_shares=100 'o["filled"] > 0' 'o["positions"] > 0'
	limited collar_bp=0
	verdict 'risk refuses by each of its limits'
}

usage_errors()
{
	expect 0 '^Usage: trading_swarm ' --help
	expect 0 '^trading_swarm .*[0-9]+\.[0-9]+' --version
	expect 2 "unrecognized option '--frob'" --frob
	expect 2 'one argument too many' feed.itch
	expect 2 "--speed is 'fast'" --speed fast
	expect 2 "--speed is '0x'" --speed 0x
	expect 2 "--rate is '0'" --rate 0
	expect 2 "--books is '65', needs a number from 1 to 64" --books 65
	expect 2 "--messages is 'many'" --messages many
	expect 2 'did you mean collar_bp' --limit colar_bp=5
	expect 2 "limit collar_bp is 'x'" --limit collar_bp=x
	expect 2 '--symbols is for the generator' --feed feed.itch --symbols 5
	expect 2 'both go to standard output' --json --books-out -
	verdict 'wrong command lines end with 2'
}

configuration_errors()
{
	expect 78 'did you mean engine.idle' -o engine.idel=spin
	expect 78 'engine.idle is "fast"' --set engine.idle=fast
	expect 78 'CPU 65535' --lcores 65535
	expect 66 'No such file' --config absent.ini
	printf '[engine]\nmax_agent=5\n' >bad.ini
	expect 78 'bad.ini:2: .*did you mean engine.max_agents' --config bad.ini
	expect 78 'needs engine.max_agents' -o engine.max_agents=4
	printf '[engine]\ntrace_every=0\n' >good.ini
	expect 0 'Checks' --config good.ini --messages 1000
	verdict 'refused configurations end with 78'
}

bad_feeds()
{
	local size
	make_feed
	size=$(stat -c %s feed.itch)
	expect 0 '^  all +20 ' --feed feed.itch
	expect 66 'No such file' --feed absent
	expect 66 'directory' --feed .
	: >empty
	expect 66 'empty' --feed empty
	printf 'no feed at all' >text
	expect 66 'text' --feed text --books-out kept.csv
	head -c $((size - 9)) feed.itch >"cut"
	expect 66 'cut inside the message at byte' --feed cut --books-out kept.csv
	grep -Eq '^  all +19 ' out || fault 'cut: what could be read was not played'
	printf '\0\0' >none
	expect 66 'holds no message' --feed none --books-out kept.csv
	{ head -c 41 feed.itch && printf '\0\014Zabcdefghijk' && tail -c +42 feed.itch; } >unknown
	expect 1 'feed: type_unknown: 1' --feed unknown
	head -c $((size - 2)) feed.itch >endless
	expect 1 'feed: end_missing: 1' --feed endless
	expect 69 'No such file' --feed feed.itch --books-out absent/books.csv
	[[ ! -e kept.csv && -z $(find . -name 'kept*') ]] || fault 'a bad feed left books behind'
	expect 0 'Checks' --feed feed.itch --books-out kept.csv
	[[ $(wc -l <kept.csv) == 18 && $(sed -n 2p kept.csv) == TERN,7,bid,1,999800,200,1 ]] ||
		fault "books of feed.itch: $(cat kept.csv)"
	expect 0 'Checks' --feed feed.itch --speed 1000x
	verdict 'bad feeds are named and leave nothing behind'
}

full_disk()
{
	local arguments rc
	for arguments in --json --help --messages=1000; do
		rc=0
		"$program" --messages 1000 --speed max "$arguments" >/dev/full 2>err || rc=$?
		((rc == 69)) || fault "$arguments on a full disk: exit code $rc, not 69"
	done
	verdict 'a full disk is no success'
}


# interrupted NAME SIGNAL CODE ARGUMENT...: a run that a signal ends
interrupted()
{
	local name=$1 number=$2 code=$3 rc=0 i
	shift 3
	set -m
	"$program" --json --books-out int.csv "$@" >"$name" 2>err &
	local child=$!
	set +m
	for ((i = 0; i < 100; i++)); do # it blocks signals once it is under way
		grep -q '^SigBlk:.*4003$' /proc/$child/status 2>/dev/null && break
		sleep 0.05
	done
	kill -s "$number" $child
	wait $child || rc=$?
	((rc == code)) || fault "$name: exit code $rc, not $code: $(cat err)"
	[[ ! -e int.csv ]] || fault "$name: books of half a feed were written"
}

interrupts()
{
	interrupted int.json INT 130 --rate 1000
	holds int.json 'r["interrupted"]' 'r["holds"]' 'm["all"] < 500000'
	interrupted term.json TERM 143 --rate 1000
	mkfifo pipe
	make_feed
	(cat feed.itch && sleep 30) >pipe &
	local writer=$!
	interrupted pipe.json INT 130 --feed pipe --rate 10
	kill $writer 2>/dev/null || true
	verdict 'Ctrl-C ends it cleanly, even where a pipe is silent'
}

# the hour of real order flow, from both formats
real_data()
{
	local name='both formats of an hour of real order flow make the same books'
	if [[ ! -r $data/AAPL_1h.itch50 ]]; then
		skip "no sample data in $data: set TERN_DATA" "$name"
		return
	fi
	local counts='m["types"]["A"] == 44353 and m["types"]["D"] == 40959 and '
	counts+='m["types"]["E"] == 4067 and m["types"]["P"] == 2201 and m["types"]["X"] == 469'
	play hour.json --feed "$data/AAPL_1h.itch50" --speed max --books-out hour.csv --depth 10000
	holds hour.json 'r["holds"]' 'm["all"] == 92057' "$counts" 'r["feed"]["format"] == "binaryfile"'
	verdict 'an hour of real order flow is counted'
	if ! command -v xz >/dev/null; then
		skip 'there is no xz to unpack the capture' "$name"
		return
	fi
	xz -dc "$data/AAPL_1h.moldudp64.pcap.xz" >hour.pcap
	play pcap.json --feed hour.pcap --speed max --books-out pcap.csv --depth 10000
	holds pcap.json 'r["holds"]' 'm["all"] == 92057' "$counts" 'r["feed"]["format"] == "moldudp64"'
	[[ $(wc -l <hour.csv) -gt 100 ]] || fault "only $(wc -l <hour.csv) levels"
	cmp hour.csv pcap.csv || fault 'the books differ between the formats'
	verdict "$name"
}

seeded_run
overdue_run
text_output
same_books
virtual_time
one_lcore
limits
usage_errors
configuration_errors
bad_feeds
full_disk
interrupts
real_data
exit "$failed"
