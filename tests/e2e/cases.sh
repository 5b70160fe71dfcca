# Test cases of the shell tests, to be sourced: a case is what is found wrong between two verdicts.
# A test ends with: exit "$failed"

failed=0
faults=0

# fault TEXT...: something is wrong
fault()
{
	printf '%s\n' "$*"
	faults=$((faults + 1))
}

# verdict NAME: close a test case
verdict()
{
	if ((faults)); then
		failed=1
		printf '[  FAILED  ] %s\n' "$1"
	else
		printf '[       OK ] %s\n' "$1"
	fi
	faults=0
}

# skip REASON NAME: a test case that cannot be had here
skip()
{
	printf '%s\n[  SKIPPED ] %s\n' "$1" "$2"
}
