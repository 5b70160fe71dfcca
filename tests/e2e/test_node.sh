#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Goal: `tern node` runs a node that others come to and go from, ends as it is told to and leaves
# nothing behind; `tern peers`, `tern ping` and `tern fault` say and do what is true of it; what
# cannot be is refused by name, with the exit code that is promised.
# Method: two nodes as two processes over memif, asked from outside; bad configurations one by one;
# an engine without a network; a program with a hostile name.
#
# usage: test_node.sh TERN TRADING_SWARM
set -euo pipefail
# shellcheck source=tests/e2e/cases.sh
. "$(dirname "${BASH_SOURCE[0]}")/cases.sh"

tern=$(realpath "$1")
swarm=$(realpath "$2")
scratch=$(mktemp -d)
children=()
trap 'kill -KILL "${children[@]}" 2>/dev/null || true; rm -rf "$scratch"' EXIT
unset TERN_LOG
cd "$scratch"

socket=$scratch/wire
last_cpu=$(python3 -c 'import os; print(max(os.sched_getaffinity(0)))')
first_cpu=$(python3 -c 'import os; print(min(os.sched_getaffinity(0)))')
printf '1 10.0.0.1\n2 10.0.0.2\n' >members
cat >node.ini <<END
[engine]
max_agents = 1000
[memory]
block_mib = 2
mailbox_mib = 1
[node]
members = $scratch/members
frames = 2048
dead_us = 2000000
END

# device ROLE: a side of the wire, at a file that its server has to take away again
device()
{
	printf 'net_memif0,role=%s,socket=%s,socket-abstract=no' "$1" "$socket"
}

# expect CODE PATTERN ARGUMENT...: exit code, and a pattern (grep -E) in either output
expect()
{
	local code=$1 pattern=$2 rc=0
	shift 2
	timeout 20 "$tern" "$@" >out 2>err </dev/null || rc=$?
	((rc == code)) || fault "tern $*: exit code $rc, not $code: $(cat err)"
	cat out err | grep -Eq -- "$pattern" || fault "tern $*: no '$pattern' in: $(cat out err)"
}

# holds EXPRESSION...: Python expressions over the object `r` that was printed
holds()
{
	python3 - "$@" <<-'END' || fault "not as expected: $(cat out)"
		import json, sys
		r = json.load(open("out"))
		bad = [x for x in sys.argv[1:] if not eval(x)]
		print(*bad, sep="\n", end="\n" if bad else "")
		sys.exit(1 if bad else 0)
	END
}

# wait_for COMMAND...: until it succeeds, for 20 s at most
wait_for()
{
	local i
	for ((i = 0; i < 400; i++)); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.05
	done
	fault "waited in vain for: $*"
}

# node_start FILE CPU ARGUMENT...: a node; its process is $child
node_start()
{
	local file=$1 cpu=$2
	shift 2
	"$tern" node --config node.ini --set "engine.lcores=$cpu" "$@" >"$file" 2>"$file.err" \
		</dev/null &
	child=$!
	children+=("$child")
}

# node_end PROCESS SIGNAL FILE: it ends well, and says so
node_end()
{
	local rc=0
	kill "-$2" "$1"
	wait "$1" || rc=$?
	((rc == 0)) || fault "tern node: exit code $rc, not 0: $(cat "$3.err")"
	grep -q '^ended node=' "$3" || fault "no end in: $(cat "$3")"
}

pair_start()
{
	node_start one.out "$first_cpu" --set node.id=1 --set "node.device=$(device server)"
	one=$child
	wait_for grep -q '^up node=1 .* lcores=1 members=2$' one.out
	node_start two.out "$last_cpu" --set node.id=2 --set "node.device=$(device client)"
	two=$child
	wait_for grep -qx 'connected node=2 lcores=1' one.out
	wait_for grep -qx 'connected node=1 lcores=1' two.out
}

pair_start
verdict 'two nodes find each other'

peers()
{
	expect 0 "^tern, process $one, engine 0: node 1 of 2, lcores 1$" peers --pid "$one"
	grep -Eq '^ +2 +1 +1/1 +0 ' out || fault "no row of node 2 in: $(cat out)"
	! grep -Eq '.{81}' out || fault "a line is too wide: $(cat out)"
	expect 0 tern.peers peers --json --pid "$two"
	holds 'r["schema"] == "tern.peers/1"' "r['engine']['pid'] == $two" 'r["node"] == 2' \
		'[x["node"] for x in r["peers"]] == [1]' 'r["peers"][0]["links_open"] == 1' \
		'r["peers"][0]["links"] == 1 and r["peers"][0]["lcores"] == 1' \
		'r["peers"][0]["lost"] == 0' '0 <= r["peers"][0]["quiet_ns"] < 5e9'
	expect 2 'engines are there; look at one of them' peers
	expect 0 '^ +[0-9a-f]* .*tern.echo' route lookup tern.echo --pid "$one"
}
peers
verdict 'peers are shown'

ping_pair()
{
	expect 0 '^3 sent, 3 answered, 0 lost$' ping 2 --count 3 --interval 1 --pid "$one"
	(($(grep -Ec '^node 2: [0-9.]+ [mnu]?s$' out) == 3)) || fault "not 3 times: $(cat out)"
	grep -Eq '^min .*, p50 .*, p99 .*, max ' out || fault "no summary in: $(cat out)"
	expect 0 tern.ping ping 1 --count 50 --interval 0 --json --pid "$two"
	holds 'r["sent"] == r["answered"] == 50 and r["lost"] == 0' \
		'0 < r["min_ns"] <= r["p50_ns"] <= r["p99_ns"] <= r["max_ns"] < 1e9'
	expect 0 tern.peers peers --json --pid "$two"
	holds 'r["peers"][0]["signals_out"] >= 50 and r["peers"][0]["signals_in"] >= 50' \
		'r["peers"][0]["srtt_ns"] > 0' 'r["peers"][0]["frames_out"] >= 50'
	expect 1 'no node 3 in its cluster' ping 3 --pid "$one"
	expect 1 'no node 1 in its cluster' ping 1 --pid "$one"
	expect 2 'NODE is "x"; allowed: 1..8191' ping x
	expect 2 'NODE is "0"; allowed' ping 0
	expect 2 '^Usage: tern ping' ping
}
ping_pair
verdict 'a node is pinged'

faults()
{
	local again
	expect 0 '^rules  off$' fault --pid "$one"
	(($(wc -l <out) == 1)) || fault "counters of nothing: $(cat out)"
	expect 0 '^rules  loss=20%$' fault 'loss=20%' --pid "$one"
	expect 0 '60 answered, 0 lost$' ping 2 --count 60 --interval 0 --pid "$one"
	expect 0 tern.fault fault --json --pid "$one"
	holds 'r["schema"] == "tern.fault/1"' 'r["rules"] == "loss=20%"' 'not r["pending"]' \
		'r["in"]["seen"] >= 60 and r["out"]["seen"] >= 60' \
		'r["in"]["lost"] > 2 and r["out"]["lost"] > 2' 'r["in"]["duplicated"] == 0'
	expect 0 tern.peers peers --json --pid "$one"
	holds 'r["peers"][0]["retransmitted"] > 0'
	expect 0 'partition' fault 'partition,node=2,way=out' --pid "$one"
	expect 1 'no answer within 1 s' ping 2 --count 1 --pid "$one"
	expect 0 '^rules  off$' fault off --pid "$one"
	expect 0 '1 answered' ping 2 --count 1 --pid "$one"
	again=$("$tern" fault --json --pid "$one" | sed -n 's/.*"seen": //p' | tr -d '\n')
	expect 0 '0 lost' ping 2 --count 20 --interval 0 --pid "$one"
	[[ $again == "$("$tern" fault --json --pid "$one" | sed -n 's/.*"seen": //p' | tr -d '\n')" ]] ||
		fault 'rules are off, and frames pass through them'
	expect 2 'bogus' fault bogus --pid "$one"
	expect 2 'loss' fault 'loss=101%' --pid "$one"
	expect 2 'rules' fault "$(printf 'loss=1%%;%.0s' {1..100})" --pid "$one"
	expect 0 '^rules  off$' fault --pid "$one"
}
faults
verdict 'a network is broken on purpose, and mended'

# shellcheck disable=SC2317 # wait_for calls it
twice()
{
	(($(grep -cx "$1" one.out) == 2))
}

comings()
{
	kill -KILL "$two"
	wait "$two" 2>/dev/null || true
	wait_for grep -qx 'lost node=2' one.out
	expect 1 'not connected' ping 2 --count 1 --pid "$one"
	expect 0 tern.peers peers --json --pid "$one"
	holds 'r["peers"][0]["links_open"] == 0 and r["peers"][0]["lost"] == 1'
	node_start two.out "$last_cpu" --set node.id=2 --set "node.device=$(device client)"
	two=$child
	wait_for twice 'connected node=2 lcores=1'
	node_end "$two" TERM two.out
	wait_for twice 'lost node=2'
	expect 69 'cannot be opened' node --config node.ini --set "engine.lcores=$last_cpu" \
		--set node.id=2 --set "node.device=$(device server)"
	expect 1 'not connected' ping 2 --count 1 --pid "$one"
	node_end "$one" INT one.out
	[[ ! -e $socket ]] || fault 'the socket is still there'
	! grep -q "tern.$one\|tern.$two" /proc/net/unix || fault 'an inspector is still there'
}
comings
verdict 'nodes come and go, and leave nothing behind'

# refused CODE PATTERN SETTING...: no node starts so
refused()
{
	local code=$1 pattern=$2 settings=()
	shift 2
	while (($#)); do
		settings+=(--set "$1")
		shift
	done
	expect "$code" "$pattern" node --config node.ini --set "engine.lcores=$first_cpu" \
		--set node.id=1 --set "node.device=$(device server)" "${settings[@]}"
	[[ ! -s out ]] || fault "refused, yet it said: $(cat out)"
	(($(wc -l <err) == 1)) || fault "not one line: $(cat err)"
	[[ ! -e $socket ]] || fault "a socket is left of: $pattern"
}

bad_input()
{
	refused 69 'no such PCI device' node.device=ffff:ff:1f.7
	refused 69 'no such interface' node.device=nonesuch0
	refused 69 'net_nonesuch0: it cannot be opened' node.device=net_nonesuch0
	refused 78 'rolle *is no argument of memif' node.device=net_memif0,rolle=server
	refused 78 'MTU of 65535 does not fit' node.mtu=65535
	refused 78 'node.mtu is "1279"' node.mtu=1279
	refused 78 'node.id is 3, which .*/members does not list' node.id=3
	refused 78 'node.id is 0' node.id=0
	refused 78 'node.id is "16384"' node.id=16384
	refused 66 'node.members: .*/absent: cannot open' "node.members=$scratch/absent"
	printf '1 10.0.0.1\n2 10.0.0.1\n' >twice
	refused 78 'twice:2: .* has the address of a node before it' "node.members=$scratch/twice"
	printf '1 10.0.0.1\n1 10.0.0.2\n' >twice
	refused 78 'twice:2: "1" is there twice' "node.members=$scratch/twice"
	printf '1 10.0.0.256\n' >wrong
	refused 78 'wrong:1: "10.0.0.256" is no address' "node.members=$scratch/wrong"
	refused 78 'node.address is "10.0.0", which is no address' node.address=10.0.0
	refused 78 'loss' node.fault=loss=101%
	refused 78 'engine.mode is polled' engine.mode=polled
	refused 78 'nonode is no key' node.nonode=1
	printf '[node]\nid=1\nmembers=%s/members\n' "$scratch" >alone.ini
	expect 78 'node.device is not set' node --config alone.ini
	expect 78 'node.members is not; write the file' node --set node.id=1 --set "node.device=$(device server)"
	expect 66 'No such file' node --config absent.ini
	expect 2 '^Usage: tern node' node more
	expect 2 'twice' node --config a --config b
	if [[ $EUID -ne 0 ]]; then
		refused 77 'CAP_NET_RAW' node.device=lo
	fi
}
bad_input
verdict 'what cannot be is refused by name'

# Both are node 1, at the two ends of one wire.
twins()
{
	node_start one.out "$first_cpu" --set node.id=1 --set "node.device=$(device server)"
	one=$child
	wait_for grep -q '^up node=1' one.out
	node_start two.out "$last_cpu" --set node.id=1 --set "node.device=$(device client)"
	two=$child
	wait_for grep -q "another machine has this node's address" one.out.err
	wait_for grep -q "another machine has this node's address" two.out.err
	node_end "$two" TERM two.out
	node_end "$one" TERM one.out
}
twins
verdict 'two nodes with one number are noticed'

without_network()
{
	"$swarm" --json --rate 1000 >swarm.json 2>swarm.err </dev/null &
	local other=$!
	children+=("$other")
	wait_for "$tern" route stat --pid "$other"
	expect 69 'it has no network: .*tern node' peers --pid "$other"
	expect 69 'it has no network' ping 2 --pid "$other"
	expect 69 'it has no network' fault --pid "$other"
	expect 69 'it has no network' fault loss=1% --pid "$other"
	kill -TERM "$other"
	wait "$other" || true
	expect 69 "process $other has no engine to look at" peers --pid "$other"
}
without_network
verdict 'an engine without a network says so'

# The program's name is in what an engine says of itself.
plain_text()
{
	cp "$tern" $'t\x1b[2J'
	"./"$'t\x1b[2J' node --config node.ini --set "engine.lcores=$first_cpu" --set node.id=1 \
		--set "node.device=$(device server)" >odd.out 2>odd.err </dev/null &
	local odd=$!
	children+=("$odd")
	wait_for grep -q '^up node=1' odd.out
	expect 0 '^t\\x1b\[2J, process ' peers --pid "$odd"
	! grep -q $'\x1b' out err || fault 'it speaks to the terminal'
	expect 0 '"t\\u001B\[2J"' peers --json --pid "$odd"
	! grep -q $'\x1b' out err || fault 'it speaks to the terminal'
	expect 2 'allowed' ping $'\x1b[2J' --pid "$odd"
	! grep -q $'\x1b' err || fault 'it speaks to the terminal'
	expect 2 '' fault $'\x1b[2J' --pid "$odd"
	! grep -q $'\x1b' err || fault 'it speaks to the terminal'
	kill -TERM "$odd"
	wait "$odd" || true
}
plain_text
verdict 'nothing speaks to the terminal'
exit "$failed"
