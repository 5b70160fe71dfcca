#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Goal: on the way of a signal to another node and back there is no system call, on ports of rings,
# memif and vhost. Method: a benchmark under strace, brief and 20 times as long; the threads of
# lcores make as many system calls both times. On af_packet they make more: that is seen as well.
#
# usage: test_no_syscalls.sh TERN_BENCH SANITIZER
set -euo pipefail
# shellcheck source=tests/e2e/cases.sh
. "$(dirname "${BASH_SOURCE[0]}")/cases.sh"

bench=$1
sanitizer=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset TERN_LOG

trips_brief=1000
trips_long=20000
# Lcores that start or end wait for each other asleep, and memif wakes a far side that is not up yet.
slack=$(((trips_long - trips_brief) / 10))

# leave REASON: nothing of this can be had here
leave()
{
	printf '%s\n' "$1"
	exit 77
}

[[ $sanitizer == none ]] || leave 'sanitizers make system calls of their own'
command -v strace >/dev/null || leave 'strace is not installed'
strace -o "$scratch/trace" true 2>/dev/null || leave 'strace may trace no process here'
(($(nproc) > 1)) || leave 'needs two CPUs'

# trace BENCHMARK ARGUMENT...: run it, and print how many system calls lcores' threads made
trace()
{
	strace -f -qq -o "$scratch/trace" "$bench" --rounds 1 "$@" >"$scratch/out" 2>"$scratch/err" \
		</dev/null || return 1
	if grep -q ' skipped: ' "$scratch/out"; then
		sed -n 's/.* skipped: //p' "$scratch/out" >"$scratch/skipped"
		return 0
	fi
	# Threads get their names by a file in /proc, which is written right after it was opened.
	python3 - "$scratch/trace" <<'END'
import re, sys
opened, lcores, calls = {}, set(), {}
for line in open(sys.argv[1], errors="replace"):
    caller, _, call = line.partition(" ")
    call = call.strip()
    if not re.match(r"[a-z_0-9]+\(", call):
        continue
    calls[caller] = calls.get(caller, 0) + 1
    name = re.match(r'open(?:at)?\(.*"/proc/self/task/(\d+)/comm"', call)
    if name:
        opened[caller] = name[1]
    elif re.match(r'write\(\d+, "tern-\d+"', call) and caller in opened:
        lcores.add(opened.pop(caller))
if len(lcores) < 2:
    sys.exit("no thread is named as those of lcores are")
print(sum(calls.get(lcore, 0) for lcore in lcores))
END
}

# count PORT: system calls of the brief run and of the long one, in `brief` and `long`
count()
{
	rm -f "$scratch/skipped"
	if ! brief=$(trace --smoke "remote_rtt_$1") || ! long=$(trace "remote_rtt_$1"); then
		fault "tern-bench remote_rtt_$1: $(tail -n 3 "$scratch/err")"
		brief=0 long=0
	fi
}

for port in ring memif vhost; do
	count "$port"
	[[ ! -e $scratch/skipped ]] || fault "$port is skipped: $(cat "$scratch/skipped")"
	((long - brief <= slack)) ||
		fault "$port: $brief system calls for $trips_brief trips, $long for $trips_long"
	verdict "$port: no system call on a signal's way"
done

count packet
if [[ -e $scratch/skipped ]]; then
	skip "$(cat "$scratch/skipped")" 'packet: the calls that there are, are seen'
else
	((long - brief > trips_long - trips_brief)) ||
		fault "packet: $brief system calls for $trips_brief trips, $long for $trips_long"
	verdict 'packet: the calls that there are, are seen'
fi
exit "$failed"
