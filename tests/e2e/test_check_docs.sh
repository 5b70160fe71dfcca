#!/usr/bin/env bash
# Goal: scripts/check-docs finds what a page or a drawing says that is no longer true, and nothing
# else. Method: break one thing at a time in a copy of the tree.
# shellcheck disable=SC2016 # backticks are a page's
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/e2e/cases.sh
. "$root/tests/e2e/cases.sh"
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
page=docs/life-of-a-signal.md
drawing=docs/life-of-a-signal.draw

# fresh: a copy of what the checker reads
fresh()
{
	rm -rf "${tree:?}"/*
	(cd "$root" && cp -r capabilities dataplane engine primitives apps bench examples tests docs \
		scripts README.md "$tree")
}

# ends CODE COMMAND...: it ends so; its output is kept for `says`
ends()
{
	local needed=$1 rc=0
	shift
	output=$("$@" 2>&1) || rc=$?
	((rc == needed)) || fault "exit code $rc, needed $needed: $output"
}

says()
{
	[[ $output == *"$1"* ]] || fault "not in the output: $1; met: $output"
}

check()
{
	ends "$1" "$root/scripts/check-docs" --root "$tree"
}

# move FUNCTION FROM TO: its body goes by another name, another file has one
move()
{
	sed -i "s/\\b$1(/$1_before(/" "$tree/$2"
	printf '\nvoid %s(void)\n{\n}\n' "$1" >>"$tree/$3"
}

fresh
check 0
[[ -z $output ]] || fault "$output"
verdict 'pages and drawings of today are accepted'

echo 'It calls `tern_no_such_function()`.' >>"$tree/$page"
check 1
says "$page:$(wc -l <"$tree/$page"): tern_no_such_function() is not defined anywhere"
verdict 'a function that is not there'

fresh
printf '\n%s\n' 'It lies in `engine/nowhere.c`, and says `TERN_NO_SUCH_NAME`.' >>"$tree/$page"
check 1
says 'engine/nowhere.c is not there'
says 'TERN_NO_SUCH_NAME is not in the code'
verdict 'a path and a name that are not there'

fresh
move tern_agent_resting engine/lcore/agent_state.h engine/lcore/agent_state.c
check 1
says 'docs/life-of-an-agent.md:'
says 'tern_agent_resting() is not in engine/lcore/agent_state.h but in engine/lcore/agent_state.c'
verdict 'a function that has moved to another file'

fresh
move tern_mail_ring_put engine/queue/mail_ring.c engine/schedule/roaming.c
check 1
says "$page:"
says "$drawing:"
says 'tern_mail_ring_put() is not in engine/queue/ but in engine/schedule/roaming.c'
verdict 'a function that has moved to another room'

fresh
printf '\n%s\n' 'Somebody calls `take_over()`; the text `tern_send()' >>"$tree/$page"
check 1
says 'engine/thread.c, engine/turn/roaming_run.c; needed: which, as a path before it'
says 'a backtick without its other'
verdict 'a function of which there are several, without its file'

fresh
sed -i 's/one lane of a turn/a lane of a turn/' "$tree/$drawing"
check 1
says "${drawing%.draw}.svg is not what scripts/draw makes of $drawing"
ends 0 "$root/scripts/draw" "$tree/$drawing"
check 0
verdict 'a picture older than its text, until it is drawn again'

fresh
rm "$tree/docs/life-of-an-agent.svg"
mv "$tree/$drawing" "$tree/docs/other.draw"
check 1
says 'docs/life-of-an-agent.svg is not there'
says 'docs/life-of-a-signal.svg: has no .draw beside it'
says 'docs/other.svg is not there'
says 'links to life-of-an-agent.svg, which is not there'
verdict 'a picture without its text, and a text without its picture'

fresh
sed -i 's/MOVE(READY,  PAUSE,  PAUSED/MOVE(READY,  PAUSE,  REST/' "$tree/engine/lcore/agent_table.h"
check 1
says 'docs/agent-states.svg is not what scripts/agent-states makes of engine/lcore/agent_table.h'
"$root/scripts/agent-states" --root "$tree" --svg >"$tree/docs/agent-states.svg"
check 0
sed -i 's/MOVE(READY,  PAUSE,  REST/MOVE(READY,  PAUSE,  ASLEEP/' "$tree/engine/lcore/agent_table.h"
check 1
says 'not known: READY, PAUSE, ASLEEP'
verdict 'a picture of the states that is older than their table'

fresh
printf '\n/*\n * As in %s, %s and <sys/epoll.h>, but not %s.\n */\n' mail_ring.h queue/mail_ring.h nest/mail_ring.h \
	>>"$tree/engine/queue/wheel.c"
check 1
says "engine/queue/wheel.c:$(($(wc -l <"$tree/engine/queue/wheel.c") - 1)): names nest/mail_ring.h, which"
[[ $(wc -l <<<"$output") == 1 ]] || fault "$output"
verdict 'a comment that names a file that is not there'

# row CELL...: one more in the table of features; `at` is its line
features=docs/features.md
row()
{
	at=$(awk '/^\| [0-9]/ { last = NR } END { print last + 1 }' "$tree/$features")
	sed -i "${at}i | $(printf '%s | ' "$@")" "$tree/$features"
}

fresh
row 998 words '`tern_no_such_call()`, `[engine] no_such_key`, `engine/nowhere.c`' '`unit/nowhere/test_none.c`'
check 1
says "$features:$at: tern_no_such_call() is not defined anywhere"
says 'no_such_key is not in the code'
says 'engine/nowhere.c is not there'
says 'unit/nowhere/test_none.c is neither below tests/ nor in the tree'
verdict 'a feature whose API and test are not there'

fresh
row '997-999' words '`tern_send()`' '`tern bench no_such_bench`, `test_stop.c`'
row 998 '' - -
row '997 (partly)' words
check 1
says 'no_such_bench is not in the code'
says 'test_stop.c is neither'
says "feature 998 has a row in line $((at - 2)), too"
says "$features:$((at - 1)): no words"
says "$features:$((at - 1)): no API or command"
says "$features:$((at - 1)): no test; a feature without one is left out"
says "$features:$at: 2 cells"
verdict 'a feature that says nothing, or twice'

fresh
row 998 'left out: words' - -
row 999 words '`tern_send()`, `TERN_POLICY_*`, `tern bench spawn`, `scripts/run`' '`unit/feed/`, `compile_fail/send_*.c`'
check 0
verdict 'a feature that is left out, or has all'

# draw LINE...: a drawing of these lines
draw()
{
	printf '%s\n' "$@" >"$tree/docs/small.draw"
}

three=('column a a/' 'column b b/' 'column c c/' row 'box x a one' 'box y b two' 'box z c three')
draw "${three[@]}" 'arrow x -> z:'
check 1
says 'docs/small.draw: draw: '
says 'the arrow x -> z runs through y'
ends 1 "$root/scripts/draw" "$tree/docs/small.draw"
[[ ! -e $tree/docs/small.svg ]] || fault 'it was drawn even so'
verdict 'an arrow that runs through a box is not drawn'

draw "${three[@]}" 'arrow x -> y: here' 'arrow x -> y +3: there'
ends 1 "$root/scripts/draw" --stdout "$tree/docs/small.draw"
verdict 'texts that lie on each other are not drawn'

draw "${three[@]}" 'arrow x -> nobody: here'
ends 66 "$root/scripts/draw" --stdout "$tree/docs/small.draw"
says 'small.draw:8: not understood: arrow x -> nobody: here'
ends 66 "$root/scripts/draw" --stdout "$tree/docs/nothing.draw"
ends 2 "$root/scripts/draw" --stdout "$tree/$page"
verdict 'a drawing that is not understood is named with its line'

draw 'title <&>' "${three[@]}" 'arrow x <-> y -4: here | and there' 'arrow y -> z: & on'
ends 0 "$root/scripts/draw" --stdout "$tree/docs/small.draw"
says '<title>&lt;&amp;&gt;</title>'
says '>and there</text>'
python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parseString(sys.argv[1])' "$output" ||
	fault 'not well-formed'
verdict 'a drawing is well-formed, whatever its texts'

for script in draw agent-states check-docs; do
	ends 0 "$root/scripts/$script" --help
	says 'Exit codes: 0'
	ends 2 "$root/scripts/$script" --no-such-option
done
verdict 'all say how they are used'

exit "$failed"
