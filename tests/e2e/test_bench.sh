#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Goal: the lookup benchmarks run, say what they compare, print nothing but their results, and leave
# nothing behind. Method: brief runs, whose figures mean nothing, read back as JSON.
#
# usage: test_bench.sh TERN_BENCH
set -euo pipefail
# shellcheck source=tests/e2e/cases.sh
. "$(dirname "${BASH_SOURCE[0]}")/cases.sh"

bench=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset TERN_LOG

# play ARGUMENT...: a run that must succeed in silence
play()
{
	"$bench" --smoke "$@" >"$scratch/out" 2>"$scratch/err" </dev/null ||
		fault "tern-bench $*: exit code $?"
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
}

# What perf and bpftrace find in a program that looks agents up.
trace_points()
{
	readelf -n "$bench" | grep -A1 'Provider: tern' | grep -q 'Name: lookup' ||
		fault "no trace point tern:lookup in $bench"
}

# EAL makes a folder of this name for each process.
leftovers()
{
	local folder
	for folder in /var/run "${XDG_RUNTIME_DIR:-/tmp}" /tmp; do
		ls -d "$folder"/dpdk/tern-bench-* 2>/dev/null || true
	done
}

before=$(leftovers)
cases
verdict 'lookups and signals by id are compared with their floors'
capabilities
verdict 'agents of a capability are looked up in sets and in plain arrays'
matrices
verdict 'the matrices are whole'
trace_points
verdict 'lookups can be traced'
usage_errors
verdict 'names that are not there end with 2'
[[ $(leftovers) == "$before" ]] || fault "left behind: $(leftovers)"
verdict 'nothing is left behind'
exit "$failed"
