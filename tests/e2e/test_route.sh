#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Goal: `tern route` tells of a running engine in another process what is true, says which one
# where there are several, ends with the exit code it promises, and the engine never notices.
# Method: trading swarms that run until they are told to end, looked at from outside; for what no
# swarm does, one that answers with a reply of the fuzzers' corpus.
#
# usage: test_route.sh TERN TRADING_SWARM ODD_NAMES
set -euo pipefail
# shellcheck source=tests/e2e/cases.sh
. "$(dirname "${BASH_SOURCE[0]}")/cases.sh"

tern=$(realpath "$1")
swarm=$(realpath "$2")
odd_names=$(realpath "$3")
corpus=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../fuzz/corpus/inspect")
scratch=$(mktemp -d)
children=()
trap 'kill -KILL "${children[@]}" 2>/dev/null || true; rm -rf "$scratch"' EXIT
unset TERN_LOG
cd "$scratch"

# expect CODE PATTERN ARGUMENT...: exit code, and a pattern (grep -E) in either output
expect()
{
	local code=$1 pattern=$2 rc=0
	shift 2
	"$tern" route "$@" >out 2>err </dev/null || rc=$?
	((rc == code)) || fault "tern route $*: exit code $rc, not $code: $(cat err)"
	if ((code)) && [[ -s out ]]; then
		fault "tern route $*: refused, yet it printed to standard output"
	fi
	cat out err | grep -Eq -- "$pattern" ||
		fault "tern route $*: no '$pattern' in: $(cat out err)"
}

# holds EXPRESSION...: Python expressions over the object `r` that was printed
holds()
{
	python3 - "$@" <<-'END' || fault 'not as expected'
		import json, sys
		r = json.load(open("out"))
		bad = [x for x in sys.argv[1:] if not eval(x)]
		print(*bad, sep="\n", end="\n" if bad else "")
		sys.exit(1 if bad else 0)
	END
}

# swarm_start FILE ARGUMENT...: a swarm that runs for minutes; its process is $child
swarm_start()
{
	local file=$1
	shift
	"$swarm" --json --rate 1000 "$@" >"$file" 2>"$file.err" </dev/null &
	child=$!
	children+=("$child")
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

# shellcheck disable=SC2317 # wait_for calls it
all_agents()
{
	"$tern" route stat --pid "$1" | grep -Eq '^  routes +9 '
}

# swarm_end PROCESS FILE: its run is whole, but for its early end
swarm_end()
{
	local rc=0
	kill -TERM "$1"
	wait "$1" || rc=$?
	((rc == 143)) || fault "swarm: exit code $rc, not 143: $(cat "$2.err")"
	cp "$2" out
	holds 'r["holds"]' 'r["engine"]["drained"]' 'r["engine"]["undelivered"] == 0' \
		'r["engine"]["blocks_leaked"] == 0'
}

swarm_start one.json
one=$child
wait_for all_agents "$one"
verdict 'a running engine is found'

table()
{
	expect 0 "^trading_swarm, process $one, engine 0, up [0-9]" stat --pid "$one"
	expect 0 '^  buckets +[0-9,]+  +[0-9.]+ % full$' stat --pid "$one"
	expect 0 '^  memory +[0-9.]+ [KM]iB ' stat --pid "$one" --engine 0
	expect 0 '"tern.route/1"' stat --pid "$one" --json
	holds 'r["schema"] == "tern.route/1"' "r['engine']['pid'] == $one" \
		'r["engine"]["number"] == 0 and r["engine"]["program"] == "trading_swarm"' \
		'r["engine"]["uptime_ns"] > 0' 'r["table"]["routes"] == 9' \
		'r["table"]["bytes"] > 0 and r["table"]["buckets"] > 0' \
		'r["table"]["agents_max"] >= 9'
	holds 'len(r["router"]["lcores"]) == r["table"]["lcores"]' \
		'r["router"]["bytes"]["routes"] > r["table"]["bytes"]' \
		'not any(r["router"]["lookups"].values())' \
		'not any(r["router"]["times"].values())'
	expect 0 '^  absent +0  missing ids remembered; [0-9.]+ [KM]iB' stat --pid "$one"
	expect 0 '^  node +-  it has no number' report --pid "$one"
	expect 0 '^  nodes +0  nothing is lacking' report --pid "$one"
	! grep -q compared out || fault "nodes where there are none: $(cat out)"
	expect 0 '"nodes"' report --pid "$one" -j
	holds 'r["nodes"] == [] and r["contradictions"] == [] and r["report"]["drift_node"] is None'
	expect 0 '^  absent +0  missing' stat --pid "$one"
	! grep -Eq '^lookups|^updates|^timed|^  remote|^by cap' out || fault "what never was is shown: $(cat out)"
}
table
verdict 'the table is described for people and programs'

# teller: an engine of which only the answers are there; its process is $child
teller()
{
	python3 - "$corpus" >teller.out 2>&1 <<-'END' &
		import os, socket, struct, sys
		listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		listener.bind(f"\0tern.{os.getpid()}.0")
		listener.listen()
		replies = {1: "stat_reply", 4: "counts_reply", 5: "capabilities_reply", 6: "report_reply"}
		while True:
		    client = listener.accept()[0]
		    stat = open(f"{sys.argv[1]}/stat_reply", "rb").read()[1:]
		    try:
		        client.send(stat[:6] + struct.pack("<HIi", 0, 16, 0))
		        while request := client.recv(100):
		            kind = struct.unpack_from("<H", request, 6)[0]
		            client.send(open(f"{sys.argv[1]}/{replies[kind]}", "rb").read()[1:])
		    except OSError:
		        pass # who lists engines only looks who listens here
	END
	child=$!
	children+=("$child")
}

router()
{
	local line
	teller
	wait_for "$tern" route stat --pid "$child"
	expect 0 '^lookups of ids$' stat --pid "$child"
	for line in '  local             1,000  found in this process' \
		'  remote               20  found on other nodes' \
		'  expired               1  of them known to have been missing before' \
		'  batches               4  of 10.0 ids on average, counted above' \
		'lookups of capabilities' '  found                 7  with somebody who can take signals' \
		'timed             lookups        p50        p99' \
		'  local               100      30 ns      90 ns' \
		'updates from other nodes' '  merged                4  known already' \
		'  absent                3  missing ids remembered; 5.0 MiB for them' \
		'by capability                         lookups    in vain     agents mean time' \
		'  quotes                                1,000         10      3,000     50 ns' \
		'  all others                                7          7          0         -' \
		'  members               8  of 5 agents'; do
		grep -Fqx -- "$line" out || fault "no line '$line' in: $(cat out)"
	done
	! grep -Eq '^  unindexed|^  absent .* ns$|.{81}' out ||
		fault "what never was is shown, or a line is too wide: $(cat out)"
	expect 0 '"lcores"' stat --pid "$child" --json
	holds 'r["router"]["lookups"]["local"] == 1000' \
		'r["router"]["lookups"]["batch_ids"] == 40' \
		'r["router"]["lcores"][0]["lcore"] == 0' \
		'list(r["router"]["lcores"][0]["lookups"].values()) == list(range(1, 13))' \
		'r["router"]["times"]["local"] == {"samples": 100, "p50_ns": 30, "p99_ns": 90}' \
		'r["router"]["times"]["absent"] is None' 'r["router"]["updates"]["invalidated"] == 3' \
		'r["router"]["sets"] == {"count": 2, "agents": 5, "members": 8}' \
		'r["router"]["bytes"] == {"routes": 77824, "absent": 5242880, "sets": 8512}'
	holds 'r["router"]["capabilities"][0] == {"id": "00000000000000010000000000000002", "name": "quotes", "lookups": 1000, "unknown": 10, "answers": 3000, "timed": 4, "ns": 200, "ns_max": 90}' \
		'r["router"]["capabilities"][1]["id"] is None' 'len(r["router"]["capabilities"]) == 2'
	agreement
	kill "$child"
	wait "$child" || true
}

agreement()
{
	local line
	expect 0 '^  node +3  this one' report --pid "$child"
	for line in '  routes                      9  to agents of other nodes' \
		'  nodes                       2  something may be lacking of 1; most of node 5' \
		'  concurrent 00000000000000010000000000000002  0014000006000007 0018000006000007     6' \
		'    5                 1012                 1000                 1012           12     1.0 s ago' \
		'    6                   20                   20                    0            0         never'; do
		grep -Fqx -- "$line" out || fault "no line '$line' in: $(cat out)"
	done
	expect 0 '"nodes"' report --pid "$child" --json
	holds 'r["schema"] == "tern.route/1"' 'r["report"]["node"] == 3 and r["report"]["behind"] == 1' \
		'r["report"]["drift_node"] == 5 and r["report"]["drift_max"] == 12' \
		'[n["node"] for n in r["nodes"]] == [5, 6]' 'r["nodes"][0]["told_ago_ns"] == 10**9' \
		'r["nodes"][1]["told_ago_ns"] is None' 'r["contradictions"][0]["kind"] == "concurrent"' \
		'r["contradictions"][0]["origin"] == 6'
	expect 2 '^Usage: tern route report' report risk
}
router
verdict 'what lookups and updates came to is told'

routes()
{
	local name
	expect 0 '^ID +ADDRESS ' show --pid "$one"
	for name in feed book-{0,1} strategy-{0,1,2,3} risk executor; do
		grep -Eq "^[0-9a-f]{32} .* local .* never .* $name\$" out || fault "no $name: $(cat out)"
	done
	(($(wc -l <out) == 11)) || fault "11 lines expected: $(cat out)"
	expect 0 routes show --pid "$one" --json
	holds 'r["schema"] == "tern.route/1"' 'len(r["routes"]) == 9' 'not r["more"]' \
		'len({x["id"] for x in r["routes"]}) == 9' \
		'all(x["node"] == 0 and x["hops"] == 0 and x["source"] == "local" for x in r["routes"])' \
		'all(x["expires_in_ns"] is None for x in r["routes"])' \
		'{x["agent"]["behaviour"] for x in r["routes"]} >= {"book", "risk"}' \
		'all(x["agent"]["lcore"] >= 0 for x in r["routes"])'
	expect 0 routes show --pid "$one" --local --json
	holds 'len(r["routes"]) == 9'
	expect 0 routes show --pid "$one" --remote --json
	holds 'r["routes"] == []' 'not r["more"]'
	expect 0 routes show --pid "$one" --limit 4 -j
	holds 'len(r["routes"]) == 4' 'r["more"]'
	expect 0 routes show --pid "$one" --limit 9 -j
	holds 'len(r["routes"]) == 9' 'not r["more"]'
	expect 0 '^\.\.\.$' show --pid "$one" --limit 1
	(($(wc -l <out) == 4)) || fault "4 lines expected: $(cat out)"
}
routes
verdict 'each route is shown, or as many as are asked for'

lookups()
{
	local id uuid
	expect 0 '^  name +risk$' lookup --pid "$one" risk
	id=$(sed -n 's/^  id *//p' out)
	[[ $id =~ ^[0-9a-f]{32}$ ]] || fault "'$id' is no id"
	uuid=${id:0:8}-${id:8:4}-${id:12:4}-${id:16:4}-${id:20}
	expect 0 '^  name +risk$' lookup --pid "$one" "$id"
	expect 0 '^  name +risk$' lookup --pid "$one" "${id^^}"
	expect 0 '^  name +risk$' lookup --pid "$one" "$uuid"
	expect 0 '"risk"' lookup --pid "$one" --json risk
	holds "r['route']['id'] == '$id'" 'r["route"]["agent"]["name"] == "risk"' \
		'r["schema"] == "tern.route/1"'
	expect 1 'no agent has the name "nobody"' lookup --pid "$one" nobody
	expect 1 'no agent has the id "0{32}"' lookup --pid "$one" "$(printf '%032d' 0)"
	expect 1 'no agent has the name' lookup --pid "$one" "${uuid/-/x}"
	expect 1 'no agent has the name ""' lookup --pid "$one" ''
}
lookups
verdict 'ids and names are looked up'

usage_errors()
{
	expect 2 '^Usage: tern route'
	expect 2 '"shwo" is no command: did you mean "show"' shwo
	expect 2 '^Usage: tern route lookup' lookup --pid "$one"
	expect 2 '^Usage: tern route lookup' lookup --pid "$one" one two
	expect 2 '^Usage: tern route show' show --pid "$one" more
	expect 2 '^Usage: tern route stat' stat risk
	expect 2 '--limit is "0"; allowed: 1\.\.' show --limit 0
	expect 2 '--pid is "x"; allowed: 1\.\.' stat --pid x
	expect 2 '--engine is "-1"; allowed: 0\.\.' stat --engine=-1
	expect 2 "unrecognized option '--limit" stat --limit 3
}
usage_errors
verdict 'wrong command lines end with 2'

# plain FILE: nothing but lines of printable UTF-8, whatever names were given
plain()
{
	python3 - "$1" <<-'END' || fault "$1 is not plain: $(cat -v "$1")"
		import sys
		text = open(sys.argv[1], "rb").read().decode("utf-8")
		sys.exit(not all(c.isprintable() for line in text.split("\n") for c in line))
	END
}

odd_names()
{
	local shown odd=$'a\n\x1b[2J\x7f\x85\xc2\x9b\xe2\x80\xa8\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8b\xff\\\xc3\xa9'
	# shellcheck disable=SC1003 # it is a backslash
	shown='a\x0a\x1b[2J\x7f\x85\u{9b}\u{2028}\u{202e}\u{2066}\u{200b}\xff\\'$'\xc3\xa9'
	mkfifo hold
	"$odd_names" "$odd" <hold >odd.out 2>&1 &
	child=$!
	children+=("$child")
	exec 9>hold
	wait_for "$tern" route lookup --pid "$child" "$odd"
	expect 0 a lookup --pid "$child" "$odd"
	plain out
	grep -Fqx -- "  name       $shown" out || fault "no '$shown' in: $(cat -v out)"
	grep -Fqx -- "  behaviour  $shown" out || fault "no behaviour '$shown' in: $(cat -v out)"
	grep -Fq 'a\x0a\x1b[2J\x7f\x85\u{9b}' out || fault "the program's name: $(head -n 1 out)"
	expect 0 a show --pid "$child"
	plain out
	(($(wc -l <out) == 3)) || fault "3 lines expected: $(cat -v out)"
	expect 0 a lookup --json --pid "$child" "$odd"
	plain out
	holds 'r["route"]["agent"]["name"] == "a\n\x1b[2J\x7f\ufffd\x9b\u2028\u202e\u2066\u200b\ufffd\\\u00e9"' \
		'r["engine"]["program"].startswith("a\n\x1b[2J\x7f\ufffd\x9b")'
	expect 1 'no agent has the name' lookup --pid "$one" "$odd"
	plain err
	expect 2 'are there; look at one of them' show
	plain err
	# A line for each engine of this machine, others of whose may run.
	(($(wc -l <err) >= 3)) || fault "3 lines expected: $(cat -v err)"
	exec 9>&-
	wait "$child" || fault "odd_names: $(cat odd.out)"
}
odd_names
verdict 'no name speaks to the terminal'

odd_arguments()
{
	local argument
	for argument in $'--\n\x1b[2J' $'--limit=\x9b' $'--l=\x1b' $'-\x1b' $'-j\x9b'; do
		expect 2 . show "$argument"
		plain err
		(($(wc -l <err) <= 3)) || fault "a line was forged: $(cat -v err)"
		grep -Eq '\\x(1b|9b)' err || fault "no escape in: $(cat -v err)"
	done
	expect 2 'is no command' $'\x1b[2J\n'
	plain err
}
odd_arguments
verdict 'no argument speaks to the terminal'

several()
{
	local pick
	swarm_start two.json
	local two=$child
	wait_for all_agents "$two"
	expect 2 '^tern route show: [0-9]+ engines are there; look at one of them:$' show
	grep -Eq "^  tern route show --pid $one --engine 0 +# trading_swarm$" err ||
		fault "the first is not listed: $(cat err)"
	pick=$(sed -n "s/^  tern route \(show --pid $two .*\)#.*/\1/p" err)
	# shellcheck disable=SC2086 # a command line
	expect 0 "^trading_swarm, process $two, engine 0" $pick
	swarm_end "$two" two.json
	expect 69 "process $two has no engine to look at" stat --pid "$two"
}
several
verdict 'of several engines one is picked'

none()
{
	expect 69 "process $$ has no engine to look at: .*engine.inspect" show --pid "$$"
	expect 69 "process $one has no engine 7" show --pid "$one" --engine 7
	swarm_start quiet.json -o engine.inspect=false
	local quiet=$child
	wait_for grep -q '^SigBlk:.*4003$' "/proc/$quiet/status"
	expect 69 "process $quiet has no engine to look at" stat --pid "$quiet"
	swarm_end "$quiet" quiet.json
}
none
verdict 'where there is no engine it says what to start'

alone()
{
	local name='without any engine it says what to start' rc=0
	if ! unshare -rn true 2>/dev/null; then
		skip 'no network namespace of its own is allowed here' "$name"
		return
	fi
	unshare -rn "$tern" route show >out 2>err || rc=$?
	((rc == 69)) || fault "exit code $rc, not 69"
	grep -q 'there is no engine to look at: .* start trading_swarm' err || fault "$(cat err)"
	verdict "$name"
}
alone

other_users()
{
	local name='engines of other users are theirs' rc=0
	cp "$tern" tern
	chmod 755 . tern
	if [[ $EUID -ne 0 ]] || ! setpriv --reuid=65534 --clear-groups ./tern --version >out 2>&1; then
		skip 'only root can be another user' "$name"
		return
	fi
	setpriv --reuid=65534 --clear-groups ./tern route show --pid "$one" >out 2>err || rc=$?
	((rc == 77)) || fault "exit code $rc, not 77: $(cat err)"
	grep -q 'of other users: run this as that user, or as root' err || fault "$(cat err)"
	verdict "$name"
}
other_users

mute()
{
	kill -STOP "$one"
	expect 69 'no answer within 5 s: its process may be stopped' stat --pid "$one"
	kill -CONT "$one"
	expect 0 routes stat --pid "$one"
}
mute
verdict 'a process that is stopped keeps nobody waiting for long'

full_disk()
{
	local words rc
	for words in stat show 'show --json' 'lookup risk'; do
		rc=0
		# shellcheck disable=SC2086
		"$tern" route $words --pid "$one" >/dev/full 2>err || rc=$?
		((rc == 69)) || fault "tern route $words on a full disk: exit code $rc, not 69"
	done
}
full_disk
verdict 'a full disk is no success'

swarm_end "$one" one.json
verdict 'the engine did not notice'
exit "$failed"
