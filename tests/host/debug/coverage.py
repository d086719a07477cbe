#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Which lines of the series were executed?

usage: coverage.py [-u] KERNEL DIR..

KERNEL is the output directory of a kernel built with "tests/lab/vm/kernel -c", each
DIR the results of one boot of it. Of every C file that the series touches, tests
apart, the lines that it adds are counted, and of these those that any boot executed.
Prints a table; the lines that were not reached go to KERNEL/unreached. With -u writes
the table into Documentation/testing.md, and fails if a line was not reached whose
function is not in the table there that says why.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../../.."))
LINUX = os.path.join(TOP, "build/linux")
BASE = os.path.join(TOP, "build/series/source/pristine")
HEAD = "| file | lines | reached | of 100 |"
DOC = os.path.join(TOP, "Documentation/testing.md")
OURS = re.compile(r"(drivers|kernel)/")  # lib/ has files of the same name
TESTS = re.compile(r"selftest\.c$|_kunit\.c$|/tests/")


def added(path):
    """The numbers of the lines that the series adds to a file."""
    old = os.path.join(BASE, path)
    if not os.path.exists(old):
        old = os.devnull
    diff = subprocess.run(["diff", "-U0", old, os.path.join(LINUX, path)],
                          capture_output=True, text=True, check=False).stdout
    lines = set()
    for start, length in re.findall(r"^@@ .* \+(\d+)(?:,(\d+))? @@", diff, re.M):
        lines.update(range(int(start), int(start) + int(length or 1)))
    return lines


def gcov(kernel, stem, counts, work):
    """{line: (how often, function)} of one object in one boot, of its own C file."""
    notes = os.path.join(kernel, stem + ".gcno")
    name = os.path.basename(stem)
    shutil.copy(notes, os.path.join(work, name + ".gcno"))
    shutil.copy(counts, os.path.join(work, name + ".gcda"))
    run = subprocess.run(["gcov", "--json-format", "--stdout", name + ".gcda"],
                         cwd=work, capture_output=True, check=True)
    lines = {}
    for source in json.loads(run.stdout)["files"]:
        if source["file"].endswith(f"{stem}.c"):
            for line in source["lines"]:
                add(lines, line["line_number"], line["count"],
                    line.get("function_name", ""))
    return lines


def add(lines, number, count, function):
    lines[number] = (lines.get(number, (0,))[0] + count, function)


def executed(kernel, boots):
    """{path: {line: (how often, function)}} of all boots together."""
    total = {}
    with tempfile.TemporaryDirectory() as work:
        for boot in boots:
            top = f"{boot}/out/gcov{os.path.realpath(kernel)}"
            for counts in glob.glob("**/*.gcda", root_dir=top, recursive=True):
                stem = counts.removesuffix(".gcda")
                if not OURS.match(stem) or TESTS.search(stem + ".c"):
                    continue
                sums = total.setdefault(stem + ".c", {})
                found = gcov(kernel, stem, os.path.join(top, counts), work)
                for number, (count, function) in found.items():
                    add(sums, number, count, function)
    return total


def text_of(path):
    with open(os.path.join(LINUX, path), encoding="utf-8") as source:
        return source.read().split("\n")


def table_of(rows):
    rows.append(("all", sum(row[1] for row in rows), sum(row[2] for row in rows)))
    return [HEAD, "|---|---|---|---|"] + [
        f"| {path} | {lines} | {reached} | {100 * reached / lines:.1f} |"
        for path, lines, reached in rows]


def update(table):
    """The lines of the old table end with the first empty one."""
    with open(DOC, encoding="utf-8") as doc:
        before, rest = doc.read().split(HEAD + "\n")
    after = rest[rest.index("\n\n"):]
    with open(DOC, "w", encoding="utf-8") as doc:
        doc.write(before + "\n".join(table) + after)


def explained():
    """The functions of which Documentation/testing.md says why."""
    with open(DOC, encoding="utf-8") as doc:
        rows = re.findall(r"^\| (`\w+\(\)`.*?) \|", doc.read(), re.M)
    return set(re.findall(r"`(\w+)\(\)`", " ".join(rows)))


def main():
    args = sys.argv[1:]
    write = args[0] == "-u"
    kernel, *boots = args[write:]
    rows, missed = [], []
    for path, lines in sorted(executed(kernel, boots).items()):
        ours = sorted(added(path) & lines.keys())
        if not ours:
            continue
        text = text_of(path)
        cold = [(lines[n][1], f"{path}:{n}:{text[n - 1]}\n")
                for n in ours if not lines[n][0]]
        missed += cold
        rows.append((path, len(ours), len(ours) - len(cold)))
    if not rows:
        sys.exit("coverage: no boot has counted anything")
    with open(os.path.join(kernel, "unreached"), "w", encoding="utf-8") as out:
        out.writelines(line for _, line in missed)
    table = table_of(rows)
    print("\n".join(table))
    if write:
        update(table)
        reasons = explained()
        missed = [line for function, line in missed if function not in reasons]
        if missed:
            sys.exit("coverage: testing.md does not say why:\n" + "".join(missed))


if __name__ == "__main__":
    main()
