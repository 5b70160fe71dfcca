#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Goal: the benchmarks run, say what they compare, print nothing but their results, and leave nothing
# behind; --strict fails where a ratio to a floor is missed. Method: brief runs, whose figures mean
# nothing, read back as JSON; --slack makes any ratio a good or a bad one.
#
# usage: test_bench.sh TERN_BENCH SANITIZER
set -euo pipefail
# shellcheck source=tests/e2e/cases.sh
. "$(dirname "${BASH_SOURCE[0]}")/cases.sh"

bench=$1
sanitizer=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset TERN_LOG
export TMPDIR=$scratch

# play ARGUMENT...: a run that must succeed in silence
play()
{
	"$bench" --smoke "$@" >"$scratch/out" 2>"$scratch/err" </dev/null ||
		fault "tern-bench $*: exit code $?"
	# Two processes at once may both find the last huge pages free, and the library says who lost.
	sed -i '/^libhugetlbfs: WARNING/d' "$scratch/err"
	[[ ! -s $scratch/err ]] || fault "tern-bench $*: $(cat "$scratch/err")"
}

# judge PROGRAM: look at the JSON of the last run, in `results`, on machines with `cpus` CPUs
judge()
{
	python3 -c "import json, sys
report = json.load(open(sys.argv[1]))
results = {r['name']: r for r in report['results']}
cpus = report['machine']['cpus']
$1" "$scratch/out" 2>"$scratch/err" || fault "$(tail -n 1 "$scratch/err")"
}

cases()
{
	play --json lookup_single lookup_chain lookup_batch_32 lookup_absent_32 \
		lookup_beside_reader lookup_beside_writer lookup_growth signal_id_64 signal_id_one
	judge '
assert len(results) == 9, "not all have run"
for name, result in results.items():
	if cpus < 2 and "skipped" in result:
		continue
	assert "skipped" not in result, (name, result.get("skipped"))
	assert result["value"] > 0 and result["floor"] > 0, name
	assert result["budget"] > 0, name
peers = "lookup_single lookup_chain lookup_batch_32 lookup_absent_32".split()
assert all(results[name]["beside"]["ck_ht"] > 0 for name in peers), "no ck_ht"
assert results["lookup_single"]["pages"] in ("2 MiB", "4 KiB"), "which pages?"'
}

# Whatever has a budget is held to a ratio as well.
floors()
{
	play --json
	judge '
assert len(results) > 40, "not all have run"
of_kernel = "remote_rtt_packet", "remote_rtt_xdp", "loss_50k_packet_5"
for name, result in results.items():
	if "skipped" in result and (cpus < 2 or name in of_kernel):
		assert len(result["skipped"]) > 10, "no reason"
		continue
	assert "skipped" not in result, (name, result.get("skipped"))
	assert result["value"] > 0 and result["floor"] > 0 and result["floor_is"], name
	assert abs(result["ratio"] * result["floor"] / result["value"] - 1) < 0.01, name
	assert (result["ratio_held"] is None) == (result["budget"] is None), name'
}

# strict RC TRIES ARGUMENT...: two costs, a rate and a figure that is held to nothing
strict()
{
	local rc=0 wanted=$1 tries=$2
	shift 2
	"$bench" --smoke --json "$@" spawn rtt_same_lcore steal_speedup fiber_yield >"$scratch/out" \
		2>"$scratch/err" </dev/null || rc=$?
	((rc == wanted)) || fault "tern-bench $*: exit code $rc, not $wanted: $(cat "$scratch/err")"
	cp "$scratch/err" "$scratch/misses"
	judge "
for name, result in results.items():
	tries = 1 if result.get('ratio_held') is None else $tries
	assert 'skipped' in result or result['tries'] == tries, (name, result)"
}

ratios()
{
	local name
	strict 0 1 --strict --tries 3 --slack 1e12
	[[ ! -s $scratch/misses ]] || fault "held, and yet: $(cat "$scratch/misses")"
	strict 0 1 --tries 3 --slack 1e-12
	[[ ! -s $scratch/misses ]] || fault "not strict, and yet: $(cat "$scratch/misses")"
	strict 1 1 --strict --slack 1e-12
	strict 1 3 --strict --slack 1e-12 --tries 3
	for name in spawn rtt_same_lcore; do
		grep -Eq "^tern-bench: $name: [0-9.e+]+ ns is [0-9.e+]+ of its floor, [0-9.e+]+ ns \(.*\);\
 --strict takes at most [0-9.]+e-1[12]\$" "$scratch/misses" || fault "$name: $(cat "$scratch/misses")"
	done
	if (($(nproc) > 1)); then
		grep -Eq '^tern-bench: steal_speedup: .* signals/s .* --strict takes at least 8.5e\+11$' \
			"$scratch/misses" || fault "steal_speedup: $(cat "$scratch/misses")"
	fi
	grep -q fiber_yield "$scratch/misses" && fault 'fiber_yield is held to nothing'
	return 0
}

capabilities()
{
	play --json capability_10 capability_100 capability_1000
	judge '
assert len(results) == 3, "not all have run"
for name, result in results.items():
	assert "skipped" not in result, (name, result.get("skipped"))
	assert min(result["value"], result["floor"], result["beside"]["ck_ht"]) > 0, name
	assert result["budget"] is None, name'
}

matrices()
{
	play --json --matrix
	judge '
companies = 3 if cpus > 1 else 1
assert len(results["lookup_single"]["rows"]) == 2 * 3 * 2 * companies, "single: rows are missing"
assert len(results["lookup_batch"]["rows"]) == 2 * 3 * 5, "batch: rows are missing"
for result in results.values():
	for row in result["rows"]:
		assert min(row["tern"], row["rte_hash"], row["ck_ht"]) > 0, row'
	play --matrix lookup_batch
	grep -Eq '^ +10000 mixed +batch +10000 alone( +[0-9.]+){4}' "$scratch/out" ||
		fault "no row of text: $(cat "$scratch/out")"
	grep -q lookup_single "$scratch/out" && fault 'more than what was asked for'
	return 0
}

# Across a network: what stands beside bare DPDK, and what loses frames.
networks()
{
	play --json remote_rtt_ring remote_rtt_memif remote_rtt_vhost remote_call remote_rate \
		remote_rate_64 remote_block loss_50k_5 tail_loss
	judge '
assert len(results) == 9, "not all have run"
for name, result in results.items():
	if cpus < 2 and "skipped" in result:
		continue
	assert "skipped" not in result, (name, result.get("skipped"))
	assert result["value"] > 0 and result["floor"] > 0 and result["budget"] > 0, name
if cpus > 1:
	assert results["remote_rate"]["beside"]["frames"] < results["remote_rate"]["value"], "frames"
	assert results["tail_loss"]["p50"] > results["tail_loss"]["floor"], "was anything lost?"'
}

usage_errors()
{
	local words rc
	for words in '--matrix lookup_growth' '--matrix nonsense' nonsense; do
		rc=0
		# shellcheck disable=SC2086 # two words are two arguments
		"$bench" $words >"$scratch/out" 2>"$scratch/err" || rc=$?
		((rc == 2)) || fault "tern-bench $words: exit code $rc, not 2"
		grep -q "no .* '${words##* }'" "$scratch/err" || fault "$(cat "$scratch/err")"
	done
	for words in --slack=0 --slack=-1 --slack=inf --slack=2x --tries=0 --tries=101 --rounds=10001; do
		rc=0
		"$bench" "$words" >"$scratch/out" 2>"$scratch/err" || rc=$?
		((rc == 2)) || fault "tern-bench $words: exit code $rc, not 2"
		grep -q -- "${words%=*} takes .*, not '${words#*=}'" "$scratch/err" ||
			fault "$words: $(cat "$scratch/err")"
	done
}

# What perf and bpftrace find in a program that looks agents up.
trace_points()
{
	readelf -n "$bench" | grep -A1 'Provider: tern' | grep -q 'Name: lookup' ||
		fault "no trace point tern:lookup in $bench"
}

# EAL makes a folder of this name for each process, and the nodes of a benchmark share one.
leftovers()
{
	local folder
	for folder in /var/run "${XDG_RUNTIME_DIR:-/tmp}" /tmp; do
		ls -d "$folder"/dpdk/tern-bench-* 2>/dev/null || true
	done
	ls -d "$TMPDIR"/tern-bench-* 2>/dev/null || true
}

before=$(leftovers)
cases
verdict 'lookups and signals by id are compared with their floors'
floors='every figure carries its floor, and a ratio where it has a budget'
if [[ $sanitizer == *thread* ]]; then
	skip 'the benchmarks of the scheduler lend their stack to other threads, unseen by ThreadSanitizer' \
		"$floors"
else
	floors
	verdict "$floors"
fi
ratios
verdict '--strict fails on a missed ratio alone, and names it'
capabilities
verdict 'agents of a capability are looked up in sets and in plain arrays'
networks='signals across a network are compared with bare DPDK'
if [[ $sanitizer == *thread* ]]; then
	skip "DPDK's drivers hand frames from thread to thread, unseen by ThreadSanitizer" "$networks"
else
	networks
	verdict "$networks"
fi
matrices
verdict 'the matrices are whole'
trace_points
verdict 'lookups can be traced'
usage_errors
verdict 'names and numbers that are not there end with 2'
[[ $(leftovers) == "$before" ]] || fault "left behind: $(leftovers)"
verdict 'nothing is left behind'
exit "$failed"
