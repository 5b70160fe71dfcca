#!/usr/bin/env bash
# Goal: scripts/test-cases counts every case once and takes no broken test for a good one.
# Method: feed it test logs as meson writes them and compare the lines it prints.
set -euo pipefail

counter=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/scripts/test-cases
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0

# expect NAME RESULT EXIT_STATUS STDOUT LINES: STDOUT in JSON's escapes; LINES as `result case`
expect()
{
	local counted
	printf '{"name":"tern:unit / t","result":"%s","returncode":%s,"command":["t"],"stdout":"%s"}\n' \
		"$2" "$3" "$4" >"$log"
	counted=$("$counter" pass "$log" 2>/dev/null | tr '\t' ' ')
	if [[ $counted == "$5" ]]; then
		printf '[       OK ] %s\n' "$1"
	else
		failed=1
		printf 'met:\n%s\nneeded:\n%s\n[  FAILED  ] %s\n' "$counted" "$5" "$1"
	fi
}

expect 'the summary of failed cases is not counted again' FAIL 1 \
	'[ RUN      ] a\n[       OK ] a\n[ RUN      ] b\n[  FAILED  ] b\n[==========] 2 test(s) run.\n[  FAILED  ] 1 test(s), listed below:\n[  FAILED  ] b\n' \
	$'ok pass/t: a \nfailed pass/t: b '
expect 'a skipped case carries its reason' OK 0 \
	'[ RUN      ] a\nno such port\n[  SKIPPED ] a\n[==========] 1 test(s) run.\n' \
	'skipped pass/t: a no such port'
expect 'a case that never ended failed' FAIL 134 '[ RUN      ] a\n' \
	'failed pass/t: a it began and never ended'
expect 'a test that failed after its cases passed' FAIL 1 '[ RUN      ] a\n[       OK ] a\n' \
	$'ok pass/t: a \nfailed pass/t: whole test fail, exit status 1'
expect 'a test that ran out of time' TIMEOUT -15 '' \
	'failed pass/t: whole test timeout, exit status -15'
expect 'a plain program is one case' OK 0 'hello\n' 'ok pass/t: whole test '
expect 'a test that skips as a whole' SKIP 77 'needs root\n' 'skipped pass/t: whole test needs root'
exit "$failed"
