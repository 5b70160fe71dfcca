#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Record the load traces of test_forecast.c again.

  record.py steady|bursty|daily|regime [--build DIR] > TRACE.txt

Each generates a feed with `tern feed generate`, plays it into `tern feed stat -` through a pipe, a
millisecond's messages at a time, and notes the CPU time that the decoder took in every interval,
as a share of one CPU. The messages keep the generator's own bursts and pauses, sped up; what
differs is by how much: always the same; in bursts after long quiet; a U over the day; jumping
between levels. The noise of the machine is in all of them.

Exit codes: 0 recorded; 1 the programs failed; 2 usage.
"""
import argparse
import os
import random
import struct
import subprocess
import sys
import time

HOME = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../../../.."))
SLOT_S = 0.001  # the messages of so long are written at once
CLOCK_SCHED = 2  # the CPU-time clock of another process: clock_getcpuclockid(3)
HEAD_MESSAGES = 300  # more than the directory that opens a generated day


def messages(feed):
    """Timestamp in ns and end in bytes of each message of a BinaryFILE."""
    at = 0
    while at + 13 <= len(feed):
        length = struct.unpack_from(">H", feed, at)[0]
        if length == 0:
            return
        yield int.from_bytes(feed[at + 7:at + 13], "big"), at + 2 + length
        at += 2 + length


def steady_rates(seconds):
    """Messages a second, for every millisecond."""
    return [200000] * (seconds * 1000)


def bursty_rates(seconds):
    """Three sources over a trickle, each silent for long and then busy, both with heavy tails.

    A few such sources together make bursts that come in clusters: Willinger, Taqqu, Sherman and
    Wilson, "Self-Similarity Through High-Variability", IEEE/ACM Transactions on Networking, 1997.
    Half of the silences last over 0.18 s, of the bursts over 0.05 s.
    """
    draw, rates = random.Random(1), [2000] * (seconds * 1000)
    for _ in range(3):
        at = 0
        while at < len(rates):
            at += round(100 * draw.paretovariate(1.2))
            rate, end = draw.lognormvariate(12, 0.7), at + round(30 * draw.paretovariate(1.4))
            for i in range(at, min(end, len(rates))):
                rates[i] += rate
            at = end
    return rates


def regime_rates(seconds):
    """Levels of 0.3 to 1.5 s, each unlike the one before."""
    draw, rates, level = random.Random(1), [], 0
    while len(rates) < seconds * 1000:
        level = draw.choice([rate for rate in (50000, 120000, 250000, 400000) if rate != level])
        rates += [level] * draw.randint(300, 1500)
    return rates[:seconds * 1000]


def daily_rates(seconds):
    """A day from open to close: three times as many messages at its ends as at noon.

    That is about the shape of the volume of US shares: Jain and Joh, "The Dependence between
    Hourly Prices and Trading Volume", Journal of Financial and Quantitative Analysis, 1988.
    """
    count = seconds * 1000
    return [80000 + 160000 * (2 * i / count - 1) ** 2 for i in range(count)]


def slots(build, rates):
    """A generated feed in pieces of one millisecond each, warped to the rates."""
    wanted = int(sum(rates) * SLOT_S * 1.1) + HEAD_MESSAGES
    feed = subprocess.run([os.path.join(build, "apps/tern/tern"), "feed", "generate",
                           "--symbols=32", f"--messages={wanted}"],
                          stdout=subprocess.PIPE, check=True).stdout
    listed = list(messages(feed))[HEAD_MESSAGES:]
    now_ns = listed[0][0]
    ns_per_message = (listed[-1][0] - now_ns) / len(listed)
    pieces, cut = [], 0
    for timestamp_ns, end in listed:
        while timestamp_ns > now_ns:
            if len(pieces) == len(rates):
                return pieces
            now_ns += rates[len(pieces)] * SLOT_S * ns_per_message
            pieces.append(feed[cut:end])
            cut = end
    raise OSError("the generated feed is shorter than the rates")


def play(process, pieces, interval_s):
    """CPU shares of a process that reads these pieces from its input, one for each interval."""
    clock = ~process.pid << 3 | CLOCK_SCHED
    slots_each = round(interval_s / SLOT_S)
    start = time.monotonic()
    at, used = start, time.clock_gettime(clock)
    for i, piece in enumerate(pieces, 1):
        time.sleep(max(0.0, start + i * SLOT_S - time.monotonic()))
        if i % slots_each == 0:
            at_before, used_before = at, used
            at, used = time.monotonic(), time.clock_gettime(clock)
            yield (used - used_before) / (at - at_before)
        process.stdin.write(piece)


def record(build, rates, interval_s):
    pieces = slots(build, rates)
    process = subprocess.Popen([os.path.join(build, "apps/tern/tern"), "feed", "stat", "-"],
                               stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, bufsize=0)
    try:
        return list(play(process, pieces, interval_s))
    finally:
        process.kill()
        process.wait()


STAT = "CPU share of `tern feed stat -`, which decodes a generated feed from a pipe,"
ABOUT = {
    "steady": [STAT, "every 10 ms. 200000 messages/s in the generator's own bursts, sped up."],
    "bursty": [STAT, "every 10 ms. The noise is recorded, the bursts are made: to 2000 messages/s",
               "come those of three sources, each silent and busy in turn for heavy-tailed",
               "durations (seeded), at about 160000 messages/s when busy. After Willinger et",
               "al., see record.py."],
    "regime": [STAT, "every 10 ms, while the rate of the feed jumps between 50000, 120000, 250000",
               "and 400000 messages/s, in the generator's own bursts, sped up."],
    "daily": [STAT, "every 20 ms. The noise is recorded, the shape is made: the rate of the feed",
              "follows a U from 240000 messages/s down to 80000 and back in 30 s, which stands",
              "for a trading day. After Jain and Joh, see record.py."],
}

# the rates for so many seconds, the seconds, the interval in seconds
SHAPES = {"steady": (steady_rates, 10, 0.01), "bursty": (bursty_rates, 15, 0.01),
          "daily": (daily_rates, 30, 0.02), "regime": (regime_rates, 12, 0.01)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", choices=sorted(SHAPES))
    parser.add_argument("--build", default=os.path.join(HOME, "build"), help="a built tree")
    options = parser.parse_args()
    rates, seconds, interval_s = SHAPES[options.shape]
    load = record(options.build, rates(seconds), interval_s)
    lines = ["SPDX-License-Identifier: Apache-2.0", *ABOUT[options.shape],
             f"Again: record.py {options.shape} > {options.shape}.txt"]
    print("".join(f"# {line}\n" for line in lines), end="")
    for value in load:
        print(f"{value:.5f}")


if __name__ == "__main__":
    try:
        main()
    except (OSError, subprocess.CalledProcessError) as failure:
        sys.exit(f"record.py: {failure}")
