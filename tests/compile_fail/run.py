#!/usr/bin/env python3
"""Programs that must not compile: check that they do not, and that the message is the right one.

  tests/compile_fail/run.py [--cases DIR] [--source-root DIR] [NAME...]

A case is a file <name>.c that opens with

  // tool: gcc | analyzer | clang | clang-thread-safety    one or several, separated by |
  // expect: text that the diagnostics must contain        any number of lines
  // expect[TOOL]: the same, asked of one tool only

Each tool named must refuse the file and say each expected text. A case that mentions TERN_FIXED
is compiled again with it defined and must then pass: that proves the misuse, and nothing else,
was refused. ok_*.c are controls: the tools they name accept them without any diagnostic; a tool
that has no control fails.

Exit codes: 0 all as expected; 1 a case was not; 2 usage; 77 no tool is installed, so all skipped.
"""
import argparse
import glob
import os
import re
import shutil
import subprocess
import sys

WARN = ["-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror"]
TO_OBJECT = ["-c", "-o", "/dev/null"]
TOOLS = {
    # attribute error is only reported for calls that survive optimisation
    "gcc": ["gcc", *WARN, "-O2", *TO_OBJECT],
    "analyzer": ["gcc", *WARN, "-O0", "-fanalyzer", "-DTERN_ANALYZE=1", *TO_OBJECT],
    "clang": ["clang", *WARN, "-O2", *TO_OBJECT],
    "clang-thread-safety": ["clang", *WARN, "-Wthread-safety", *TO_OBJECT],
}
INCLUDED = ["capabilities", "dataplane", "engine", "engine/agent", "engine/config", "engine/fiber",
            "engine/inspect", "engine/node", "engine/schedule", "engine/text", "primitives"]
HEADER = re.compile(r"//\s*(tool|expect)(?:\[([\w-]+)\])?:\s*(.+?)\s*$")


class BadCase(Exception):
    """The opening comment of a case cannot be understood."""


def read_case(path):
    """(tools, [(tool or None, expected text)], whether TERN_FIXED is mentioned)."""
    tools, expected = [], []
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for line in text.splitlines():
        if not line.startswith("//") and line.strip() and not line.startswith("/*"):
            break
        match = HEADER.match(line)
        if match and match.group(1) == "tool":
            tools += [tool.strip() for tool in re.split(r"[|,]", match.group(3))]
        elif match:
            expected.append((match.group(2), match.group(3)))
    unknown = sorted((set(tools) | {tool for tool, _ in expected if tool}) - set(TOOLS))
    if not tools or unknown:
        raise BadCase(f"{path}: tool is '{' '.join(unknown)}'; needed: a line "
                      f"`// tool: ` with one or several of {' | '.join(TOOLS)}")
    return tools, expected, "TERN_FIXED" in text


def dpdk_flags():
    """As system headers: their diagnostics are not the subject here."""
    done = subprocess.run(["pkg-config", "--cflags", "libdpdk"], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    flags = []
    for flag in done.stdout.split():
        flags += ["-isystem", flag[2:]] if flag.startswith("-I") else [flag]
    return flags


class Harness:
    """Compiles cases and keeps count."""

    def __init__(self, source_root):
        self.flags = [f"-I{os.path.join(source_root, folder)}" for folder in INCLUDED]
        self.flags += dpdk_flags()
        self.counts = {"OK": 0, "FAILED": 0, "SKIPPED": 0}
        self.controlled = set()

    def compile(self, tool, path, *extra):
        done = subprocess.run([*TOOLS[tool], *self.flags, *extra, path], text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={**os.environ, "LC_ALL": "C"})
        return done.returncode, done.stdout

    def report(self, result, name, why="", output=""):
        self.counts[result] += 1
        if why:
            print(why)
        if output:
            print("".join(f"    {line}\n" for line in output.splitlines()[-40:]), end="")
        mark = {"OK": "[       OK ]", "FAILED": "[  FAILED  ]", "SKIPPED": "[  SKIPPED ]"}[result]
        print(mark, name, flush=True)

    def run(self, path):
        base = os.path.basename(path).removesuffix(".c")
        try:
            tools, expected, has_fix = read_case(path)
        except BadCase as bad:
            return self.report("FAILED", base, str(bad))
        control = base.startswith("ok_")
        if not control and not expected:
            return self.report("FAILED", base, f"{path}: no `// expect: text` line")
        for tool in tools:
            name = f"{base} ({tool})"
            if not shutil.which(TOOLS[tool][0]):
                self.report("SKIPPED", name, f"{TOOLS[tool][0]} is not installed")
            elif control:
                self.controlled.add(tool)
                self.must_pass(tool, name, path)
            else:
                texts = [text for only, text in expected if only in (None, tool)]
                self.must_fail(tool, name, path, texts, has_fix)

    def must_pass(self, tool, name, path, *extra):
        code, output = self.compile(tool, path, *extra)
        if code or output:
            self.report("FAILED", name, "met: a diagnostic; needed: none", output)
        else:
            self.report("OK", name)

    def must_fail(self, tool, name, path, texts, has_fix):
        code, output = self.compile(tool, path)
        if code == 0:
            self.report("FAILED", name, "met: it compiles; needed: a refusal", output)
            return
        absent = [text for text in texts if text not in output]
        if absent or not texts:
            wanted = " and ".join(f"'{text}'" for text in absent) or "an `// expect:` line"
            self.report("FAILED", name, f"refused, but {wanted} is not in the message", output)
            return
        self.report("OK", name)
        if has_fix:
            self.must_pass(tool, name.replace(" (", ", put right ("), path, "-DTERN_FIXED=1")

    def uncontrolled(self, paths):
        """Tools that a case uses and no control does."""
        used = set()
        for path in paths:
            try:
                used |= set(read_case(path)[0])
            except BadCase:
                pass # already reported
        return sorted(tool for tool in used - self.controlled if shutil.which(TOOLS[tool][0]))


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", default=here, help="folder of the cases")
    parser.add_argument("--source-root", default=os.path.dirname(os.path.dirname(here)))
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these cases")
    options = parser.parse_args()

    paths = sorted(glob.glob(os.path.join(options.cases, "*.c")))
    if options.names:
        known = {os.path.basename(path).removesuffix(".c") for path in paths}
        absent = sorted(set(options.names) - known)
        if absent:
            parser.error(f"no such case: {', '.join(absent)}; there are {', '.join(sorted(known))}")
        paths = [path for path in paths
                 if os.path.basename(path).removesuffix(".c") in options.names]

    harness = Harness(options.source_root)
    for path in paths:
        harness.run(path)
    if not options.names:
        for tool in harness.uncontrolled(paths):
            harness.report("FAILED", f"control ({tool})", f"no ok_*.c names the tool {tool}")
    counts = harness.counts
    print(f"[==========] {sum(counts.values())} test(s) run.")
    print(f"[  PASSED  ] {counts['OK']} test(s).")
    if counts["SKIPPED"]:
        print(f"[  SKIPPED ] {counts['SKIPPED']} test(s).")
    if counts["FAILED"] or not paths:
        print(f"[  FAILED  ] {counts['FAILED']} test(s).")
        return 1
    return 0 if counts["OK"] else 77


sys.exit(main())
