#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Make the feed fuzzers' seeds in tests/fuzz/corpus/ from generated feeds. They are committed; run it
# again when a format gains something that the seeds should show.
#
# usage: make_corpus.sh PROGRAM    a program that knows `feed generate`, such as tern
set -euo pipefail

program=$1
corpus=$(dirname "${BASH_SOURCE[0]}")/corpus
mkdir -p "$corpus"/{binaryfile,pcap,moldudp64,itch}

"$program" feed generate --messages 60 --symbols 2 -o "$corpus/binaryfile/day"
head -c 200 "$corpus/binaryfile/day" >"$corpus/binaryfile/cut"
printf '\0\0' >"$corpus/binaryfile/end_only"

"$program" feed generate --messages 40 --symbols 1 --format moldudp64 -o "$corpus/pcap/day"
head -c 300 "$corpus/pcap/day" >"$corpus/pcap/cut"
# the first frame alone: without file header (24) and record header (16)
tail -c +41 "$corpus/pcap/day" | head -c 200 >"$corpus/pcap/frame"

head -c 1500 "$corpus/binaryfile/day" >"$corpus/itch/day"

# datagrams behind their lengths: data, heartbeat, end of session, request, another session
{
	printf '\0\044SESSION001\0\0\0\0\0\0\0\001\0\001\0\016S0000000000O00'
	printf '\0\024SESSION001\0\0\0\0\0\0\0\002\0\0'
	printf '\0\024SESSION001\0\0\0\0\0\0\0\005\377\377'
	printf '\0\024SESSION001\0\0\0\0\0\0\0\002\0\003'
	printf '\0\030SESSION002\0\0\0\0\0\0\0\001\0\001\0\002xy'
} >"$corpus/moldudp64/stream"
