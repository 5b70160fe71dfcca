#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Goal: gdb, with scripts/gdb/tern.py, shows the agents, lcores and mailboxes of a process that
# runs and of one that has left a core file, and garbage harms nothing. Method: a program that
# aborts with agents in known states. What the script holds of the headers is compared with them.
#
# usage: test_gdb.sh GDB_CRASH B_SANITIZE
# shellcheck disable=SC2016 # in single quotes $ is gdb's
set -euo pipefail
# shellcheck source=tests/e2e/cases.sh
. "$(dirname "${BASH_SOURCE[0]}")/cases.sh"

program=$(realpath "$1")
sanitize=$2
root=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset TERN_LOG
cd "$scratch"

# leave REASON: nothing of this can be had here
leave()
{
	printf '%s\n' "$1"
	exit 77
}

[[ $sanitize == none ]] || leave "sanitizers map more memory than a core file holds"
command -v gdb >/dev/null || leave "gdb is not installed"
gdb -nx -batch -ex 'python print(6 * 7)' 2>/dev/null | grep -qx 42 || leave "gdb has no Python"
readelf -S "$program" | grep -q '\.debug_info' || leave "built without debug information"

# debug ARGUMENT...: run gdb; both outputs are in `out`. Its exit code is that of the last command
debug()
{
	gdb -nx -batch -iex 'set debuginfod enabled off' -iex 'set width 0' \
		-iex "source $root/scripts/gdb/tern.py" "$@" -ex 'echo THE END\n' >out 2>&1 </dev/null ||
		fault "gdb: exit code $?: $(tail -n 3 out)"
	grep -q '^THE END$' out || fault "gdb ends early: $(tail -n 3 out)"
}

# on_core COMMAND...: gdb commands, on the core file
on_core()
{
	local command
	local -a arguments=()
	for command in "$@"; do
		arguments+=(-ex "$command")
	done
	debug "${arguments[@]}" "$program" -c core
}

# shows PATTERN...: each is in the output of gdb (grep -E)
shows()
{
	local pattern
	for pattern in "$@"; do
		grep -Eq -- "$pattern" out || fault "no '$pattern' in:"$'\n'"$(cat out)"
	done
}

# What the script holds as numbers, against the headers: gdb does not know a #define.
cat >compare.py <<END
root = "$root"
END
cat >>compare.py <<'END'
import pathlib, re
from tern_read import ASKS, CONSTANTS, FLAGS
known, found = FLAGS | ASKS | CONSTANTS, {}
headers = [header for folder in ("capabilities", "engine")
           for header in sorted((pathlib.Path(root) / folder).rglob("*.h"))]
for header in headers:
    for name, text in re.findall(r"^#define (TERN_\w+) ([^/\n]+)", header.read_text(), re.M):
        if name in known or name.startswith(("TERN_AGENT_", "TERN_ASK_")):
            text = re.sub(r"\b(0x[0-9A-Fa-f]+|\d+)[uUlL]+\b", r"\1", text)
            found[name] = eval(text, {"UINT32_MAX": 0xFFFFFFFF})
for name in sorted(known.keys() | found.keys()):
    if known.get(name) != found.get(name):
        print("UNEQUAL", name, "script", known.get(name), "headers", found.get(name))
print("COMPARED", len(found))
END
debug -ex 'source compare.py'
shows '^COMPARED [1-9][0-9]+$'
! grep UNEQUAL out || fault 'the script and the headers differ'
verdict 'flags and constants are those of the headers'

# A core file from the kernel; from gdb where the kernel gives it to a program or may write none.
(if ulimit -c unlimited; then "$program" || true; fi) >said 2>&1 </dev/null
for file in core core.*; do
	[[ -f $file && $file != core ]] && mv "$file" core
done
fiber='waits for type'
if [[ ! -f core ]]; then
	fiber="($fiber|<its stack is not here>)" # gdb leaves out what has a guard in it
	debug -ex run -ex 'generate-core-file core' "$program"
fi
if [[ ! -f core ]]; then
	skip 'no core file: the kernel gives none, and gdb may not trace a process' 'core files'
	exit "$failed"
fi

on_core 'tern engine' 'tern agents' 'tern lcores' 'tern agents low' 'info threads'
shows '^engine 0x[0-9a-f]+, running, [12] lcores, 10 agents and threads$' \
	'^ADDRESS +NAME +STATUS +LCORE +QUEUED +IN +OUT$' \
	'^0\.[0-9]+\.1 +thread +idle +[1-9] +0 +0 +[1-9][0-9]*$' \
	'^0\.[0-9]+\.1 +gateway +(idle|rest) +0 +0 +0 +0$' \
	'^0\.[0-9]+\.1 +resting +(idle|rest) +0 +0 +0 +0$' \
	'^0\.[0-9]+\.1 +book +paused +0 +4 +0 +0$' \
	'^0\.[0-9]+\.1 +roamer +paused +[01] +3 +0 +0$' \
	'^0\.[0-9]+\.1 +trader +rest +0 +1 +0 +0$' \
	'^0\.[0-9]+\.1 +low-0 +ready +0 +1 +0 +0$' \
	'^0 +striker +turns +[0-9]+ +[0-9]+ +[0-9]+ +2 +[01] +2 +0 +[1-9][0-9]*/[0-9]+$' \
	'^[12] thread +nobody +turns '
(($(grep -c ' low-1 ' out) == 2)) || fault 'agents are not chosen by name'
! grep -E 'unreadable|damaged|Traceback|Python Exception' out || fault 'something is not read'
verdict 'agents and lcores of a core file'

# address_of NAME: as the table of agents shows it
address_of()
{
	awk -v name="$1" '$2 == name { print $1; exit }' agents
}

cp out agents
book=$(address_of book)
roamer=$(address_of roamer)
on_core "tern mailbox $book" "tern mailbox $roamer" "tern agent $book" "tern agent $roamer" \
	"tern agent $(address_of trader)" "tern agent \$tern_agent(\"$book\")->address" \
	"tern agent ${book%.*}.77" 'tern agent 0.60000000.1' 'tern agent' 'tern agent no_such_symbol'
shows '^4 in the mailbox$' \
	"^  \[0\] type 3 from 0\.[12]\.1 to $book, 8 bytes: 88 77 66 55 44 33 22 11$" \
	'^  \[1\] type 4 from .*, iso: 0x[0-9a-f]+$' '^  \[2\] type 5 from .*, val: 0x[0-9a-f]+$' \
	'^  \[3\] type 6 from .*, 0 bytes$' '^[0-3] in the ring$' \
	"to $roamer, 8 bytes: a0 00 00 00 00 00 00 00$" "to $roamer, 8 bytes: a2 00 00 00 00 00 00 00$" \
	'^behaviour +resting$' "^address +$book  [0-9a-f]{16}$" '^flags +started\|shy\|roaming' \
	'^flags +started\|shy\|finishing\|fiber$' "^fiber +$fiber\$" '<wait_for_order>$' \
	"^${book%.*}.77 is gone: its slot is at $book$" '^0.60000000.1 is no address of this engine$' \
	'^usage: ADDRESS' 'No symbol "no_such_symbol"'
(($(grep -c '^name  *book$' out) == 2)) || fault 'an address in a variable is not found'
! grep -E 'unreadable|damaged|Traceback|Python Exception' out || fault 'something is not read'
verdict 'mailboxes of a core file'

lcore='$tern_engine()->lcores[0]'
on_core "print \$tern_agent(\"$book\")->address" "print *\$tern_agent(\"$book\")" \
	'whatis $1' "print $lcore" "print $lcore.pending.finishing" \
	"print $lcore.ready.levels[0]" "print $lcore.mail.shorts" "print $lcore.mail.cells.signals[0]" \
	'print (tern_address)0' "print/r $lcore.pending.finishing"
fibers='(trader|broker) 0\.[0-9]+\.1, rest, 1 queued'
finishing="2 agents = \{\[0\] = $fibers, .*, \[1\] = $fibers, "
low='0\.[0-9]+\.1, ready, 1 queued, lcore 0, listed\|started\|shy'
ready="2 agents = \{\[0\] = low-0 $low, \[1\] = low-1 $low"
shows "^\\\$1 = $book$" "^\\\$2 = book $book, paused, 4 queued, lcore 0, started$" \
	'^type = tern_address$' \
	"^\\\$3 = lcore 0, turns, runs striker, holds .*finishing = $finishing.*shorts = 0 agents" \
	"^\\\$4 = $finishing" "^\\\$5 = $ready" '^\$6 = 0 agents$' '^\$7 = type [0-9]+ from ' \
	'^\$8 = none$' '^\$9 = \{head = [0-9]+, tail = [0-9]+, count = 2\}$'
! grep -E 'unreadable|damaged|Traceback|Python Exception' out || fault 'something is not read'
verdict 'values are printed'

garbage=()
for where in 0 8 main '$sp' '($sp + 4096)' '((char *)$tern_engine() + 1)' \
	'$tern_engine()->directory'; do
	for type in tern_agent tern_signal tern_lcore tern_slot_list tern_ready_list; do
		garbage+=("print *(struct $type *)$where")
	done
	garbage+=("tern engine (struct tern_engine *)$where" "tern engine (struct tern_lcore *)$where"
		"tern agent (struct tern_agent *)$where" "tern mailbox (tern_address)$where")
done
on_core "${garbage[@]}" 'tern engine'
shows '^engine 0x' 'leads to no engine' '<unreadable>'
! grep -E 'Traceback|Python Exception|internal-error' out || fault 'garbage is not seen'
verdict 'garbage is shown as such'

# A queue and two lists that lead back to where they began, in a process that can be written to.
live='agents and lcores of a process that runs'
damaged='damaged lists end'
debug -ex run -ex 'tern agents' -ex 'thread 1' -ex 'tern lcores' -ex 'echo DAMAGE\n' \
	-ex "set \$lcore = &$lcore" -ex "set \$queue = &\$tern_agent(\"$book\")->mailbox" \
	-ex 'set $slot = $lcore->ready.levels[0].head' -ex 'set $first = $lcore->pending.finishing.head' \
	-ex 'set $lcore->agents[$slot].ready_next = $slot' \
	-ex 'set $lcore->reserves[$first].links[TERN_SLOTS_FINISHING].next = $first' \
	-ex 'set $lcore->mail.cells.next[$queue->head] = $queue->head' \
	-ex 'print $lcore->ready.levels[0]' \
	-ex 'print $lcore->pending.finishing' -ex "tern mailbox $book" "$program"
if grep -Eq 'ptrace: Operation not permitted|Could not trace the inferior' out; then
	skip 'a process may not be traced here' "$live"
	skip 'a process may not be traced here' "$damaged"
else
	shows ' book +paused +0 +4 ' ' roamer +paused +[01] +3 ' '^0 +striker +turns '
	! sed '/^DAMAGE$/,$d' out | grep -E 'unreadable|damaged|Traceback|Python Exception' ||
		fault 'something is not read'
	verdict "$live"
	shows '= 1 agent = \{\[0\] = low-0 .*, \[1\] = <damaged: slot [0-9]+ cannot follow>\}$' \
		'= 2 agents = \{\[0\] = (trader|broker) .*, \[1\] = <damaged: slot [0-9]+ cannot follow>\}$' \
		'^  \[1\] <damaged: cell [0-9]+ cannot follow>$'
	verdict "$damaged"
fi
exit "$failed"
