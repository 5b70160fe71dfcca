#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Goal: a trading swarm in two processes ends with the books of one process, byte for byte, also
# where frames are lost; and where a process is killed, nobody mistakes what is left for a result.
# Method: small seeded runs, and real data where TERN_DATA (default: ../shared/data beside the
# repository) has it, with faults on the way between the nodes; kill and interrupt of either node.
#
# usage: test_swarm_nodes.sh PROGRAM
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

# play FILE ARGUMENT...: a run that must succeed, its books in FILE, its summary in FILE.json
play()
{
	local file=$1
	shift
	"$program" --json --books-out "$file" --depth 10000 "$@" >"$file.json" 2>err </dev/null ||
		fault "$*: exit code $?: $(head -n 12 err)"
}

# holds JSON EXPRESSION...: Python expressions over the object `r`, `n` its network
holds()
{
	python3 - "$@" <<-'END' || fault "$1: not as expected"
		import json, sys
		r = json.load(open(sys.argv[1]))
		n, e = r["network"], r["engine"]
		bad = [c["text"] for c in r["checks"] if not c["holds"]]
		bad += [x for x in sys.argv[2:] if not eval(x)]
		print(*bad, sep="\n", end="\n" if bad else "")
		sys.exit(1 if bad else 0)
	END
}

# All that concerns a book goes over the network, so that no message less than all is there.
over_network=('r["holds"]' 'len(n) == 2' 'n[0]["signals"] > r["messages"]["applied"]'
	'[a["node"] for a in e["agents"]] == [1] + [2] * (len(e["agents"]) - 3) + [1, 1]'
	'{l["node"] for l in e["lcores"]} == {1, 2}')

# same FILE EXPRESSION ARGUMENT...: two processes, and the books of one.csv
same()
{
	local file=$1 expression=$2
	shift 2
	play "$file" --nodes 2 "${feed[@]}" "$@"
	holds "$file.json" "${over_network[@]}" "$expression"
	cmp one.csv "$file" || fault "$*: other books than one process has"
}

seeded_books()
{
	feed=(--seed 9 --messages 30000 --symbols 50)
	play one.csv "${feed[@]}" --speed max
	holds one.csv.json 'r["holds"]' 'n == []' 'all(a["node"] == 0 for a in e["agents"])'
	[[ $(wc -l <one.csv) -gt 500 ]] || fault "only $(wc -l <one.csv) levels"
	same two.csv 'n[0]["duplicates"] == 0' --speed max
	same lossy.csv 'n[0]["retransmitted"] > 0' --speed max --fault loss=1%
	same timed.csv 'r["tick_to_trade_ns"]["count"] > 0' --rate 60000 --fault loss=1%
	same bad.csv 'n[0]["retransmitted"] > 0' --speed max --books 5 --strategies 3 \
		--fault 'loss=10%|duplicate=5%,reorder=5%' -o node.carrier=ethernet
	same tight.csv 'n[0]["frames"] > 0' --speed max -o lanes.data_depth=64 \
		-o lanes.express_depth=16 -o mailbox.capacity=8 -o mailbox.high_water=6 \
		-o mailbox.low_water=2 -o memory.block_mib=2
	same polled.csv 'len(e["lcores"]) == 4' --speed max -o engine.mode=polled --lcores 0-4
	verdict 'two processes have the books of one, whatever the network does'
	! cmp -s one.csv <(play other.csv --nodes 2 "${feed[@]}" --seed 10 --speed max; cat other.csv) ||
		fault 'another seed makes the same books'
	verdict 'in two processes another seed makes other books'
}

real_books()
{
	local name='two processes have the books of one after an hour of real order flow, at 1 % loss'
	if [[ ! -r $data/AAPL_1h.itch50 ]]; then
		skip "no sample data in $data: set TERN_DATA" "$name"
		return
	fi
	feed=(--feed "$data/AAPL_1h.itch50" --speed max)
	play one.csv "${feed[@]}"
	[[ $(wc -l <one.csv) -gt 100 ]] || fault "only $(wc -l <one.csv) levels"
	same hour.csv 'r["messages"]["all"] == 92057'
	same lossy.csv 'n[0]["retransmitted"] > 0' --fault loss=1%
	verdict "$name"
}

# start ARGUMENT...: a run of two nodes under way; yields `first` and `second`, their processes
start()
{
	local i
	: >err # what the run before said there is not this one's
	set -m
	TERN_LOG=info "$program" --json --nodes 2 --rate 1000 --books-out kept.csv "$@" >out 2>err &
	first=$!
	set +m
	for ((i = 0; i < 600; i++)); do
		[[ $(grep -c 'connected to a node' err) == 2 ]] && break
		sleep 0.1
	done
	second=$(cat "/proc/$first/task/$first/children")
	second=${second// /}
	[[ -n $second ]] || fault "there is no second process: $(cat err)"
}

# ended CODE PATTERN: `first` has ended so, said so, and left nothing behind
ended()
{
	local rc=0 i
	wait "$first" || rc=$?
	((rc == $1)) || fault "exit code $rc, not $1: $(cat err)"
	for ((i = 0; i < 300; i++)); do
		kill -0 "$second" 2>/dev/null || break
		sleep 0.1
	done
	! kill -0 "$second" 2>/dev/null || fault 'the second process goes on'
	grep -Eq -- "$2" err || fault "no '$2' in: $(cat err)"
	[[ -z $(find . -name 'kept*') ]] || fault 'books of half a feed were written'
}

lost_nodes()
{
	local sockets
	sockets=$(grep -c '@trading_swarm' /proc/net/unix || true)
	start
	kill -KILL "$second"
	ended 69 '^trading_swarm: node 2 was killed by signal 9: the books are lost'
	[[ ! -s out ]] || fault "results without node 2: $(cat out)"
	verdict 'a killed second process ends the run by name'
	start
	kill -KILL "$first"
	ended 137 '^trading_swarm: node 2: node 1 is gone without a word'
	verdict 'a killed first process ends the second'
	start -o node.dead_us=1000000
	kill -STOP "$second"
	ended 69 '^trading_swarm: the connection to node 2 is lost, and [0-9]+ signals came back'
	verdict 'a second process that stands still ends the run by name'
	start
	kill -INT "$first"
	ended 130 .
	holds out 'r["interrupted"]' 'r["holds"]' 'r["messages"]["all"] < 500000'
	verdict 'Ctrl-C ends both processes in good order'
	[[ $(grep -c '@trading_swarm' /proc/net/unix || true) -le $sockets ]] ||
		fault 'a socket was left behind'
	verdict 'two processes leave nothing behind'
}

# refused CODE PATTERN ARGUMENT...: exit code and a message, once
refused()
{
	local code=$1 pattern=$2 rc=0
	shift 2
	"$program" "$@" >out 2>err </dev/null || rc=$?
	((rc == code)) || fault "$*: exit code $rc, not $code: $(tail -n 3 err)"
	[[ $(grep -Ec -- "$pattern" err) == 1 ]] || fault "$*: not once '$pattern' in: $(cat err)"
}

refusals()
{
	refused 2 "--nodes is '3', needs a number from 1 to 2" --nodes 3
	refused 2 '--fault is for the way between two nodes' --fault loss=1%
	refused 78 'loss' --nodes 2 --fault loss=200%
	refused 78 'leave out node.id' --nodes 2 -o node.id=3
	refused 78 'needs tsc with --nodes' --nodes 2 -o engine.mode=polled -o engine.clock=virtual
	refused 66 'No such file' --nodes 2 --feed absent
	refused 78 'needs engine.max_agents' --nodes 2 -o engine.max_agents=1
	verdict 'what two nodes cannot be made of is refused, once'
}

seeded_books
real_books
lost_nodes
refusals
exit "$failed"
