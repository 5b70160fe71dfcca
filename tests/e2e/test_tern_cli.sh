#!/usr/bin/env bash
# Goal: each command of `tern` explains itself, does what it says, and ends with the exit code
# it promises. Method: run the program with good and bad command lines; a stand-in for
# tern-bench; the table in docs/configuration.md against the defaults the program prints.
#
#   test_tern_cli.sh TERN CONFIGURATION_MD
set -euo pipefail
# shellcheck source=tests/e2e/cases.sh
. "$(dirname "${BASH_SOURCE[0]}")/cases.sh"

tern=$1
table=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset TERN_LOG

# expect CODE PATTERN ARGUMENT...: exit code, and a pattern (grep -E) in either output
expect()
{
	local code=$1 pattern=$2 rc=0
	shift 2
	"$tern" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null || rc=$?
	((rc == code)) || fault "tern $*: exit code $rc, not $code"
	if ((code)) && [[ -s $scratch/out ]]; then
		fault "tern $*: refused, yet it printed to standard output"
	fi
	cat "$scratch/out" "$scratch/err" | grep -Eq -- "$pattern" ||
		fault "tern $*: no '$pattern' in: $(cat "$scratch/out" "$scratch/err")"
}

help_texts()
{
	local words
	expect 0 '^Usage: tern ' --help
	expect 0 '^Usage: tern ' help
	for words in version config 'config check' 'config show' fault feed node peers ping route \
		'route lookup' 'route report' 'route show' 'route stat'; do
		# shellcheck disable=SC2086 # two words are two arguments
		expect 0 "^Usage: tern $words" $words --help
		# shellcheck disable=SC2086
		expect 0 "^Usage: tern $words" help $words
	done
}

usage_errors()
{
	expect 2 '^Usage: tern '
	expect 2 "unrecognized option '--bogus'" --bogus
	expect 2 '"verzion" is no command: did you mean "version"' verzion
	expect 2 '"nonsense" is no command' nonsense
	expect 2 '"nonsense" is no command' help nonsense
	expect 2 '"chekc" is no command: did you mean "check"' config chekc
	expect 2 "unrecognized option '--bogus'" version --bogus
	expect 2 '^Usage: tern version' version more
	expect 2 '^Usage: tern config check' config check
	expect 2 '^Usage: tern config show' config show a b
	expect 2 '^Usage: tern config' config
}

version()
{
	expect 0 '^tern [0-9]+\.[0-9]+' --version
	expect 0 '^licence +Apache-2.0' version
	expect 0 '"version"' version --json
	python3 -c 'import json, sys
found = json.load(open(sys.argv[1]))
wanted = "version licence compiler build_type dpdk cpu_features".split()
sys.exit(sorted(found) != sorted(wanted) or not found["cpu_features"])' "$scratch/out" ||
		fault 'tern version --json: not the object expected'
}

configuration()
{
	local file=$scratch/tern.ini
	expect 0 '^max_agents=65536 ' config show
	cp "$scratch/out" "$file"
	expect 0 '^lcores=[0-9]' config check "$file"
	expect 0 '= 1000 [+] 1 x 4096 [+] 8 x 1024 = 13288' config check --set engine.lcores=0 "$file"
	expect 0 '= 2 x 9 = 18' config check --set engine.lcores=0 \
		--set mailbox.capacity=9 --set mailbox.high_water=9 --set mailbox.low_water=1 "$file"
	"$tern" config check "$file" >"$scratch/checked.ini"
	expect 0 '^max_agents=65536 ' config check "$scratch/checked.ini"
	expect 0 '^max_agents=65536 ' config show "$file"
	cmp -s "$scratch/out" "$file" || fault 'tern config show: not the file it wrote'
	expect 0 '^seed=9 ' config show --set engine.seed=8 -s engine.seed=9 "$file"
	expect 78 'did you mean engine.seed' config show --set engine.sed=8
	expect 78 'names CPU 65535.*allowed: [0-9].*write engine.lcores=' \
		config check --set engine.lcores=65535 "$file"
	echo 'max_agents=0' >>"$file"
	expect 78 "$file:[0-9]+: log.max_agents is no key: did you mean engine.max_agents" \
		config check "$file"
	: >"$file"
	expect 78 'empty' config check "$file"
	expect 66 'No such file' config check "$scratch/absent.ini"
	expect 66 'Is a directory' config show "$scratch"
	if [[ $EUID -ne 0 ]]; then
		chmod 0 "$file"
		expect 77 'Permission denied' config show "$file"
	fi
	TERN_LOG=debug expect 0 '^level=debug ' config show
}

# Rows of the table as `key=value allowed`, and the same from the program.
documentation()
{
	awk -F ' *[|] *' '/^[|] `/ { gsub(/`/, ""); print $2 "=" $3 " ; " $4 }' "$table" \
		>"$scratch/documented"
	"$tern" config show |
		awk '/^\[/ { section = substr($0, 2, length($0) - 2) } /=/ { sub(/^; /, ""); print section "." $0 }' \
			>"$scratch/real"
	diff "$scratch/documented" "$scratch/real" || fault "$table is not what tern does"
}

# The program is copied so that nothing but the stand-in lies beside it.
benchmarks()
{
	mkdir "$scratch/bin"
	cp "$tern" "$scratch/bin/tern"
	local tern=$scratch/bin/tern rc=0
	if ! PATH=/usr/bin:/bin command -v tern-bench >/dev/null; then
		PATH=/usr/bin:/bin expect 69 "no benchmarks are installed: .*$scratch/bin" bench lane
	fi
	# shellcheck disable=SC2016 # for the stand-in to expand
	printf '#!/bin/sh\necho "stand-in: $*"\nexit 7\n' >"$scratch/bin/tern-bench"
	expect 77 'cannot run tern-bench: Permission denied' bench lane
	chmod +x "$scratch/bin/tern-bench"
	"$tern" bench lane --json >"$scratch/out" || rc=$?
	((rc == 7)) || fault "tern bench: exit code $rc, not that of tern-bench"
	[[ $(cat "$scratch/out") == 'stand-in: lane --json' ]] ||
		fault 'tern bench: the arguments do not arrive'
}

full_disk()
{
	local words rc
	for words in --help version 'version --json' 'config show'; do
		rc=0
		# shellcheck disable=SC2086
		"$tern" $words >/dev/full 2>"$scratch/err" || rc=$?
		((rc == 69)) || fault "tern $words on a full disk: exit code $rc, not 69"
		(($(wc -l <"$scratch/err") == 1)) || fault "tern $words on a full disk: no message"
	done
}

help_texts
verdict 'every command explains itself'
usage_errors
verdict 'wrong command lines end with 2'
version
verdict 'the version is there for people and programs'
configuration
verdict 'configurations are shown, checked and refused'
documentation
verdict 'the documented keys are the real ones'
benchmarks
verdict 'benchmarks are run, or missed by name'
full_disk
verdict 'a full disk is no success'
exit "$failed"
