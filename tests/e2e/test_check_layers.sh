#!/usr/bin/env bash
# Goal: scripts/check-layers accepts a tree whose arrows point down, and names each arrow that
# does not. Method: tiny trees in a temporary folder, compiled into the archives a build makes.
set -euo pipefail

checker=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/scripts/check-layers
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failed=0

# fresh: a clean tree of two layers, a program and a test
fresh()
{
	rm -rf "${tree:?}"/*
	mkdir -p "$tree"/{capabilities,dataplane,engine,primitives,apps/one,apps/two,apps/feed} \
		"$tree"/{tests,scripts}
	echo 'int tern_low(void);' >"$tree/capabilities/tern_low.h"
	echo 'int high(void);' >"$tree/engine/high.h"
	printf '%s\n' '#include "tern_low.h"' '#include <stdio.h>' \
		'static const char *const names[] = {"a", "b"};' \
		'int tern_low(void) { return names[1][0]; }' >"$tree/capabilities/low.c"
	printf '%s\n' '#include "high.h"' '#include "tern_low.h"' \
		'int high(void) { return tern_low(); }' >"$tree/engine/high.c"
	printf '%s\n' '#include "tern_low.h"' '#include "decode.h"' >"$tree/apps/one/main.c"
	touch "$tree/apps/feed/decode.h" "$tree/apps/two/two.h" "$tree/tests/helper.h"
	printf '%s\n' '#include "high.h"' '#include "helper.h"' >"$tree/tests/test_high.c"
}

archive()
{
	local layer object source
	shopt -s globstar
	for layer in capabilities engine; do
		mkdir -p "$tree/build/$layer"
		for source in "$tree/$layer"/**/*.c; do
			object=${source#"$tree/$layer/"}
			object=$tree/build/$layer/${object//\//_}.o
			gcc -w -fPIC -c -I"$tree" -I"$tree/capabilities" -I"$tree/engine" \
				-o "$object" "$source"
			ar rcs "$tree/build/$layer/libtern_$layer.a" "$object"
		done
	done
}

# expect NAME CODE [TEXT...]: the checker ends with this code and prints each text
expect()
{
	local name=$1 code=$2 output rc=0 text bad=
	shift 2
	archive
	output=$("$checker" --root "$tree" 2>&1) || rc=$?
	((rc == code)) || bad="exit code $rc, needed $code"
	for text in "$@"; do
		[[ $output == *"$text"* ]] || bad="not in the output: $text"
	done
	if [[ -n $bad ]]; then
		failed=1
		printf '%s\n%s\n[  FAILED  ] %s\n' "$output" "$bad" "$name"
	else
		printf '[       OK ] %s\n' "$name"
	fi
}

fresh
expect 'arrows that point down are accepted' 0

fresh
echo '#include "high.h"' >>"$tree/capabilities/low.c"
expect 'an include that points up' 1 \
	'capabilities/low.c:5: includes engine/high.h: an arrow up, from capabilities to engine'

fresh
printf '%s\n' 'int high(void);' 'int tern_sly(void) { return high(); }' \
	>"$tree/capabilities/sly.c"
expect 'a symbol that points up, and the cycle it makes' 1 \
	'capabilities/sly.c.o: needs high, defined in engine: an arrow up, from capabilities to engine' \
	'a cycle: capabilities -> engine -> capabilities'

fresh
echo '#include "high.h"' >>"$tree/apps/one/main.c"
expect 'a program that includes a private header' 1 \
	'apps/one/main.c:3: includes engine/high.h: apps/ includes public headers'

fresh
echo '#include "../two/two.h"' >>"$tree/apps/one/main.c"
expect 'a program that includes another program' 1 'apps/one/main.c:3: includes apps/two/two.h'

fresh
mkdir "$tree/engine/queue"
echo '#include "engine/high.h"' >"$tree/engine/queue/ring.h"
expect 'a room that includes what is above it' 1 \
	'engine/queue/ring.h:1: includes engine/high.h: an arrow up, from engine/queue to engine'

fresh
mkdir "$tree/apps/feed"/{format,book}
echo '#include "format/itch.h"' >"$tree/apps/feed/book/book.h"
echo '#include "book/book.h"' >>"$tree/apps/one/main.c"
touch "$tree/apps/feed/format/itch.h"
expect 'a room of a program, and another program that uses both' 0
echo '#include "book/book.h"' >"$tree/apps/feed/format/udp.h"
expect 'a room of a program that includes one above it' 1 \
	'apps/feed/format/udp.h:1: includes apps/feed/book/book.h: an arrow up, from apps/feed/format to'

fresh
mkdir "$tree/capabilities/memory"
printf '%s\n' '#include "low.h"' >"$tree/capabilities/memory/heap.h"
echo 'int low(void);' >"$tree/capabilities/low.h"
expect 'a room that stands on what lies in the folder of its layer' 0
echo '#include "memory/heap.h"' >>"$tree/capabilities/low.c"
expect 'a folder of a layer that includes a room above it' 1 \
	'capabilities/low.c:5: includes capabilities/memory/heap.h: an arrow up, from capabilities to'

fresh
mkdir "$tree/engine"/{queue,text}
echo 'int fault(void) { return 0; }' >"$tree/engine/text/fault.c"
printf '%s\n' 'int fault(void);' 'int ring(void) { return fault(); }' >"$tree/engine/queue/ring.c"
expect 'a room that needs a symbol of one above it' 1 \
	'engine/queue/ring.c: needs fault, defined in engine/text/fault.c: an arrow up, from engine/queue'

fresh
mkdir "$tree/engine"/{agent,turn}
printf '%s\n' '#include "engine/turn/tern_turn.h"' >"$tree/engine/agent/life.h"
echo 'int end(void);' | tee "$tree/engine/turn/tern_turn.h" >"$tree/engine/turn/end.h"
echo 'int end(void) { return 0; }' >"$tree/engine/turn/end.c"
printf '%s\n' '#include "engine/agent/life.h"' 'int turn(void) { return end(); }' \
	>"$tree/engine/turn/turn.c"
expect 'public headers of a room are for all; a room uses what is below it' 0
echo '#include "engine/turn/end.h"' >>"$tree/engine/agent/life.h"
printf '%s\n' 'int end(void);' 'int life(void) { return end(); }' >"$tree/engine/agent/life.c"
expect 'an agent that knows of turns' 1 \
	'engine/agent/life.h:2: includes engine/turn/end.h: an arrow up, from engine/agent to' \
	'engine/agent/life.c: needs end, defined in engine/turn/end.c: an arrow up, from engine/agent'

fresh
mkdir "$tree/engine/attic"
touch "$tree/engine/attic/old.h"
expect 'a room without a place' 1 'engine/attic/ has no place in the order of rooms'

# ring LAST: files number 0 to LAST, each needs the next one, and the last one needs the first
ring()
{
	local names=(a b c d) last=$1 i
	for ((i = 0; i <= last; i++)); do
		printf 'int %s(void); int %s(void) { return %s(); }\n' \
			"${names[(i + 1) % (last + 1)]}" "${names[i]}" "${names[(i + 1) % (last + 1)]}" \
			>"$tree/engine/${names[i]}.c"
	done
}

fresh
ring 2
printf '%s\n' 'int a(void);' 'int user(void) { return a(); }' >"$tree/engine/user.c"
expect 'three objects in a circle, and one that leads there' 0
ring 3
expect 'four objects in a circle' 1 'engine: 4 objects in a circle; needed: at most 3' \
	'  engine/a.c -> engine/b.c: b' '  engine/d.c -> engine/a.c: a'

fresh
echo '#include "../tests/helper.h"' >>"$tree/engine/high.c"
expect 'a layer that includes the tests' 1 \
	'engine/high.c:4: includes tests/helper.h: nothing includes tests/'

fresh
mkdir -p "$tree/tests/unit/engine/queue" "$tree/engine/turn"
echo 'int turn(void);' >"$tree/engine/turn/turn.h"
echo '#include "engine/turn/turn.h"' >"$tree/tests/unit/engine/queue/test_ring.c"
expect 'a test that looks above its room' 1 \
	'tests/unit/engine/queue/test_ring.c:1: includes engine/turn/turn.h: a test of engine/queue looks into a room above it, engine/turn'

fresh
echo '#include "b.h"' >"$tree/engine/a.h"
echo '#include "a.h"' >"$tree/engine/b.h"
expect 'headers in a cycle' 1 'headers in a cycle: engine/a.h -> engine/b.h -> engine/a.h'

fresh
mkdir "$tree/apps/two/room" "$tree/bench"
touch "$tree/apps/two/room"/{1..25}.h "$tree/bench"/{1..26}.h
expect 'a folder of 25 headers; the benchmarks have no rooms' 0
touch "$tree/apps/two/room/26.h"
expect 'a folder of 26 headers' 1 \
	'apps/two/room/ has 26 C files and headers; needed: at most 25; cut it into rooms'

fresh
printf '%s\n' '__thread int tern_errno;' 'int count(void) { static int n; return ++n; }' \
	>"$tree/capabilities/state.c"
expect 'writable global data' 1 'capabilities/state.c.o: tern_errno is writable global data' \
	'capabilities/state.c.o: n is writable global data'
printf '%s\n' 'tern_errno one value per thread' 'n a test' >"$tree/scripts/global_exceptions.txt"
expect 'writable global data with a reason' 0
echo 'gone was here once' >>"$tree/scripts/global_exceptions.txt"
expect 'an exception that nothing needs' 1 'gone is listed but no longer there'

fresh
echo 'int x;' >"$tree/primitives/late.c"
expect 'a layer that was not built' 1 'primitives: has source files but'

exit "$failed"
