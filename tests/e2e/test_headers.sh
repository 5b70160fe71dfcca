#!/usr/bin/env bash
# Goal: a program that includes tern.h has every public header, and needs no other folder for it.
# Method: the installed headers alone in one folder, as they are installed; the compiler says which
# of them tern.h brings.
#
#   test_headers.sh HEADER... -- COMPILER...   the headers that are installed
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/e2e/cases.sh
. "$root/tests/e2e/cases.sh"
installed=$(mktemp -d)
trap 'rm -rf "$installed"' EXIT
while [[ $1 != -- ]]; do
	cp "$1" "$installed"
	shift
done
shift

layers=("$root/capabilities" "$root/dataplane" "$root/engine" "$root/primitives")
while IFS= read -r header; do
	[[ -e $installed/${header##*/} ]] || fault "not installed: $header"
done < <(find "${layers[@]}" -name 'tern_*.h' -o -name tern.h)
verdict 'every public header is installed'

# brought STANDARD: the headers that tern.h brings, one a line
brought()
{
	printf '#include "tern.h"\n' | "${compiler[@]}" -x c "-std=$1" -Wall -Wextra -Werror \
		-I"$installed" -MM - | grep -oE '[^/ ]+\.h\b' | sort -u
}

compiler=("$@")
for standard in c11 gnu17; do
	met=$(brought "$standard") || fault "tern.h is not compiled with -std=$standard"
	for header in "$installed"/*.h; do
		grep -qxF "${header##*/}" <<<"$met" || fault "tern.h does not bring ${header##*/}"
	done
done
verdict 'tern.h brings every public header'

exit "$failed"
