#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Write a page for each patch, and a table of them.

usage: pages.py TREE FACTS OUT

patches/bin/pages calls it. TREE is build/tree, and OUT gets the pages. FACTS has files
with what other scripts know, a line for each:
  patches  FILE ID of each patch in order      mutants  tests/mutants/switch -p
  tests/N  tests after the first N patches     fails    tests/mutants/switch -t
  record   Documentation/bisect.md             faults   PATCH TEST of tests/stable/rows
  sizes    patches/bin/bisect -z, or no file
tests/mutants/unnoticed explains hunks that no test can notice.
"""
import bisect
import collections
import importlib.machinery
import importlib.util
import os
import re
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(TOP, "tests/host/debug"))
import coverage  # noqa: E402

TREE, FACTS, OUT = sys.argv[1:]
UNNOTICED = os.path.join(TOP, "tests/mutants/unnoticed")
KINDS = "code", "tests", "documentation"
TESTS = re.compile(coverage.TESTS.pattern + r"|^tools/testing/|_test\.h$")
Piece = collections.namedtuple("Piece", "path function lines there mutants why")


def script(path):
    """A script without .py as a module."""
    loader = importlib.machinery.SourceFileLoader("script", os.path.join(TOP, path))
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader("script", loader))
    loader.exec_module(module)
    return module


propose = script("tests/mutants/propose.py")
switch = propose.switch


def git(*args):
    return subprocess.run(["git", "-C", TREE, *args], check=True, encoding="utf-8",
                          errors="replace", stdout=subprocess.PIPE).stdout


def facts(name):
    """The lines of a file of FACTS as words; none if there is no such file."""
    path = os.path.join(FACTS, name)
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as lines:
        return [line.split() for line in lines]


def kind(path):
    if path.startswith("Documentation/") or path == "MAINTAINERS":
        return "documentation"
    return "tests" if TESTS.search(path) else "code"


# --- What a patch adds, and what became of it ----------------------------------------

def added(commit):
    """[(path, added lines)] of each hunk of kernel code in C."""
    hunks, path, number = [], "", 0
    for line in git("diff-tree", "-p", "--no-renames", "-U3", commit + "^", commit,
                    "--", "*.c").split("\n"):
        if line.startswith("+++ "):
            path = line[6:]
        elif line.startswith("@@ "):
            number = int(re.match(r"@@ \S+ \+(\d+)", line)[1])
            hunks.append((path, []))
        elif line.startswith("+"):
            hunks[-1][1].append(number)
            number += 1
        elif line.startswith(" "):
            number += 1
    return [hunk for hunk in hunks if kind(hunk[0]) == "code"]


def declares(body):
    """The tokens of declarations, but of those that compute a value."""
    try:
        found = list(propose.all_statements(propose.statement(body, 0)))
    except (switch.Bad, IndexError):
        return set()
    return {i for one in found if one.kind == "declaration" and
            not any(body[i] == "=" and body[i + 2] not in (",", ";")
                    for i in range(one.first, one.last))
            for i in range(one.first, one.last + 1)}


def function_lines(source):
    """{line: function} of all lines with code: no braces alone, no declarations."""
    starts = [0] + [found.end() for found in re.finditer("\n", source)]
    lines = {}
    for name, body in switch.functions(source):
        without = declares(body)
        for i, token in enumerate(body):
            if token not in ("{", "}") and i not in without:
                lines[bisect.bisect_right(starts, token.start)] = name
    return lines


def origins(paths):
    """{path: [(commit, line there)]} of each line that is there at last."""
    return {path: [(commit, int(line)) for commit, line in re.findall(
        r"^([0-9a-f]{40}) (\d+) \d+", git("blame", "--line-porcelain", "HEAD", "--", path),
        re.M)] for path in paths}


def mutants_at(origin):
    """{(path, commit, line): mutants} of the lines that they change."""
    found = collections.defaultdict(set)
    for name, path, first, last in facts("mutants"):
        for commit, line in origin[path][int(first) - 1:int(last)]:
            found[path, commit, line].add(name)
    return found


class Reason:
    """Why nobody can notice what there is in a function."""

    def __init__(self, where, place):
        self.where, self.text, self.why, self.used = where, "", "", False
        self.path, self.function = place
        self.bound = False      # it is no hunk that could be taken back alone

    def lines(self):
        """Where it is at last."""
        source = switch.read(os.path.join(TREE, self.path))
        body, old = switch.function(source, self.function), switch.tokens(self.text)
        found = [i for i in range(len(body)) if old and body[i:i + len(old)] == old]
        if len(found) != 1 or not self.why:
            sys.exit(f"pages: {self.where}: {len(found)} times in {self.function}(), "
                     f"or without why: {self.text}")
        return range(switch.line_of(source, body[found[0]].start),
                     switch.line_of(source, body[found[0] + len(old) - 1].start) + 1)


def read_reasons(path):
    """The stanzas of tests/mutants/unnoticed: hunk, -, and why or bound."""
    reasons = []
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            key, _, value = line.rstrip().partition("\t")
            if key == "hunk":
                reasons.append(Reason(f"unnoticed:{number}", value.split()))
            elif key == "-":
                reasons[-1].text += value + " "
            elif key in ("why", "bound"):
                reasons[-1].why += " " * bool(reasons[-1].why) + value
                reasons[-1].bound = key == "bound"
    return reasons


def reasons_at(reasons, origin):
    """{(path, commit, line): reasons} of the lines that they are about."""
    found = collections.defaultdict(list)
    for reason in reasons:
        for line in reason.lines():
            found[reason.path, *origin[reason.path][line - 1]].append(reason)
    return found


def pieces(commit, left, mutants, reasons):
    """Hunks of code, one for each function, with the lines that they are at last; and how
    many lines are in none."""
    found, outside = {}, 0
    functions = {}
    for hunk, (path, lines) in enumerate(added(commit)):
        if path not in functions:
            functions[path] = function_lines(git("show", f"{commit}:{path}"))
        for line in lines:
            name = functions[path].get(line)
            if name:
                found.setdefault((hunk, path, name), []).append(line)
            else:
                outside += 1
    return [Piece(path, name, lines,
                  {left[path, commit, line] for line in lines
                   if (path, commit, line) in left},
                  sorted(set().union(*(mutants.get((path, commit, line), ())
                                       for line in lines))),
                  list(dict.fromkeys(reason for line in lines
                                     for reason in reasons.get((path, commit, line), ()))))
            for (_, path, name), lines in found.items()], outside


# --- A patch ---------------------------------------------------------------------------

class Patch:
    """What is known of one patch."""

    def __init__(self, number, commit, file, name):
        self.number, self.commit, self.file, self.name = number, commit, file, name
        self.subject = git("log", "-1", "--format=%s", commit).strip()
        self.page = f"{number:02}-{re.sub(r'.*/|[.]patch$', '', file)[5:]}.md"
        self.touched = [line.split("\t") for line in git(
            "diff-tree", "-r", "--no-commit-id", "--no-renames", "--numstat",
            commit).splitlines()]
        self.pieces, self.outside = [], 0

    def lines(self, of):
        """How many it adds of that kind."""
        return sum(int(plus) for plus, _, path in self.touched if kind(path) == of)

    def bound(self):
        """Those that cannot be taken back alone."""
        return [piece for piece in self.pieces if piece.there and not piece.mutants and
                piece.why and all(reason.bound for reason in piece.why)]

    def there(self):
        """Its hunks of which something is left, and that could be taken back."""
        bound = self.bound()
        return [piece for piece in self.pieces if piece.there and piece not in bound]

    def faults(self):
        """Its tests of tests/stable."""
        return [test for number, test in facts("faults")
                if self.file.startswith(f"stable/{number}-")]

    def noticed(self):
        """A patch of one hunk is taken back by tests/stable."""
        if len(self.pieces) == 1 and self.faults():
            return self.there()
        return [piece for piece in self.there() if piece.mutants]

    def explained(self):
        """Those that nothing changes, and the reason is known."""
        noticed = self.noticed()
        return [piece for piece in self.there() if piece.why and piece not in noticed]

    def open(self):
        noticed = self.noticed()
        return [piece for piece in self.there() if not piece.why and piece not in noticed]

    def bisected(self, record):
        """Builds, warnings, off, boots and tests, or nothing."""
        return record.get(self.name, [])

    def text(self, sizes):
        """The bytes of text that it adds, tests apart, or nothing."""
        return sum(int(text) for _, name, text, _, _ in sizes[self.number]
                   if kind(name.removesuffix("o") + "c") == "code") if sizes else ""


def read_record():
    """{id of a patch: its columns} of Documentation/bisect.md."""
    record, last = {}, []
    with open(os.path.join(FACTS, "record"), encoding="utf-8") as lines:
        for line in lines:
            row = [cell.strip() for cell in line.split("|")]
            if re.match(r"\| \d+ \|", line):
                last = row[3:4] + (last[1:] if row[3] == "as before" else row[4:8])
                record[row[-2].strip("`")] = last
    return record


def read_sizes():
    """{number: [words]} of what is known of sizes."""
    sizes = collections.defaultdict(list)
    for words in facts("sizes"):
        sizes[int(words[0])].append(words)
    return sizes


def read_patches():
    """All patches, with the hunks and mutants of each."""
    commits = git("rev-list", "--reverse", "base..HEAD").split()
    patches = [Patch(number, commit, *words) for number, (commit, words) in enumerate(
        zip(commits, facts("patches"), strict=True), 1)]
    origin = origins(sorted({path for patch in patches for _, _, path in patch.touched
                             if path.endswith(".c") and exists(path)} |
                            {path for _, path, _, _ in facts("mutants")}))
    left = {(path, *line): number for path, lines in origin.items()
            for number, line in enumerate(lines, 1)}
    mutants, reasons = mutants_at(origin), read_reasons(UNNOTICED)
    at = reasons_at(reasons, origin)
    for patch in patches:
        patch.pieces, patch.outside = pieces(patch.commit, left, mutants, at)
        for piece in patch.explained() + patch.bound():
            for reason in piece.why:
                reason.used = True
    useless = [f"pages: {reason.where}: explains no hunk: {reason.text}"
               for reason in reasons if not reason.used]
    if useless:
        sys.exit("\n".join(useless))
    return patches


def exists(path):
    return os.path.exists(os.path.join(TREE, path))


# --- Its page --------------------------------------------------------------------------

def of_bisect(cells):
    """What bisect says, as a sentence."""
    if not cells:
        return "`Documentation/bisect.md` does not know this patch as it is (`make bisect`)"
    builds, warnings, off, boots, tests = cells
    if builds == "as before":
        return f"the compiler sees what it saw before; {tests} tests pass"
    return (f"builds with the new options {builds.replace(' ', ', ')}; new warnings: "
            f"{warnings}; objects that change while the options are n: {off}; "
            f"boots: {boots}; {tests} tests pass")


def of_sizes(number, sizes):
    """The objects that change their size."""
    if not sizes:
        return ["Not known: `make pages SIZES=1` builds what tells."]
    if not sizes[number]:
        return ["None."]
    return ["| object | text | data | bss |", "|---|---|---|---|"] + [
        f"| {name} | {int(text):+} | {int(data):+} | {int(bss):+} |"
        for _, name, text, data, bss in sizes[number]]


def of_tests(patch):
    """The tests that are there with it and not before, and those of its fault."""
    before, after = ({" ".join(words) for words in facts(f"tests/{n}")}
                     for n in (patch.number - 1, patch.number))
    return [f"- {test}" for test in sorted(after - before)] + [
        f"- no more: {test}" for test in sorted(before - after)] + [
        f"- `{test}` of tests/stable, on kernels without and with part 0"
        for test in patch.faults()] or ["None."]


def where(piece):
    lines = len(piece.lines)
    return f"`{piece.path}:{piece.lines[0]}` `{piece.function}()`, " \
        f"{lines} line{'s' * (lines > 1)}"


def of_hunks(patch, tests):
    """Its hunks in functions: those that mutants change, and the others."""
    there, noticed = patch.there(), patch.noticed()
    if not patch.pieces:
        return ["It adds nothing to a function of the kernel."]
    gone = len([piece for piece in patch.pieces if not piece.there])
    page = [f"A hunk counts once for each function that it adds to. Of {len(there)}, mutants",
            f"change {len(noticed)}; later patches replaced {gone}"
            f" more. Besides, it adds {patch.outside} lines of",
            "C that are outside of functions, empty, braces, declarations or comments. Numbers",
            "of lines are those after this patch."]
    if noticed:
        page += ["", "| hunk | mutant | noticed by |", "|---|---|---|"]
        page += [f"| {where(piece)} | `{name}` | {tests[name]} |"
                 for piece in noticed for name in piece.mutants]
        page += [f"| {where(piece)} | no patch | `{test}` of tests/stable |"
                 for piece in noticed if not piece.mutants for test in patch.faults()]
    if patch.explained():
        page += ["", "No mutant changes these, as no test could notice:", ""]
        page += [f"- {where(piece)}: {'; '.join(reason.why for reason in piece.why)}"
                 for piece in patch.explained()]
    if patch.bound():
        page += ["", "These cannot be taken back alone:", ""]
        page += [f"- {where(piece)}: {'; '.join(reason.why for reason in piece.why)}"
                 for piece in patch.bound()]
    if patch.open():
        page += ["", "No mutant changes these:", ""]
        page += [f"- {where(piece)}" for piece in patch.open()]
    return page


def page_of(patch, record, sizes, tests):
    """All of a page."""
    count = ", ".join(f"{patch.lines(of)} of {of}" for of in KINDS)
    return [
        f"# {patch.number}. {patch.subject}", "",
        f"- `{patch.file}`",
        f"- lines it adds: {count}",
        f"- {of_bisect(patch.bisected(record))}",
        "", "| file | added | removed |", "|---|---|---|",
        *(f"| {path} | {plus} | {minus} |" for plus, minus, path in patch.touched),
        "", "## Tests from here on", "", *of_tests(patch),
        "", "## Hunks and mutants", "", *of_hunks(patch, tests),
        "", "## Bytes, with all new options y", "", *of_sizes(patch.number, sizes)]


def table_of(patches, record, sizes):
    """A row for each patch, and one for all."""
    rows = [(patch.number, f"[{patch.subject}]({patch.page})",
             *(patch.lines(of) for of in KINDS),
             *(patch.bisected(record)[3:] or ("?", "?")),
             len(patch.there()), len(patch.noticed()), len(patch.explained()),
             patch.text(sizes))
            for patch in patches]
    sums = [sum(row[i] or 0 for row in rows) for i in (2, 3, 4, 7, 8, 9, 10)]
    rows.append(("", "all", *sums[:3], "", "", *sums[3:6], sums[6] if sizes else ""))
    return ["# The series, patch by patch", "",
            "Written by `make pages`. *Hunks* are those of kernel code in functions of which a",
            "part is there after the last patch, *noticed* those with a line that a mutant of",
            "`tests/mutants` changes, *explained* those of which `tests/mutants/unnoticed` tells",
            "why no test could, *bytes* those of text with the new options y, tests apart.",
            "*Boots* and *tests passed* are of `Documentation/bisect.md`, which does not know the",
            "patches with ?.",
            "",
            "| | patch | code | tests | documentation | boots | tests passed | hunks "
            "| noticed | explained | bytes |",
            "|---|---|---|---|---|---|---|---|---|---|---|",
            *("| " + " | ".join(map(str, row)) + " |" for row in rows)]


def hunks_of(patches):
    """A row for each patch that has hunks."""
    rows = [(patch.number, patch.subject, len(patch.there()), len(patch.noticed()),
             len(patch.explained()), f"`{patch.name}`")
            for patch in patches if patch.there()]
    rows.append(("", "all", *(sum(row[i] for row in rows) for i in (2, 3, 4)), ""))
    return ["| | patch | hunks | noticed | explained | id |", "|---|---|---|---|---|---|",
            *("| " + " | ".join(map(str, row)) + " |" for row in rows)]


def main():
    record, sizes = read_record(), read_sizes()
    tests = collections.defaultdict(str)
    for name, place, test in facts("fails"):
        tests[name] += f"{', ' * bool(tests[name])}{place} `{test}`"
    patches = read_patches()
    shutil.rmtree(OUT, ignore_errors=True)
    os.makedirs(OUT)
    pages = {patch.page: page_of(patch, record, sizes, tests) for patch in patches}
    pages["README.md"] = table_of(patches, record, sizes)
    pages["hunks.md"] = hunks_of(patches)
    pages["rows"] = propose.rows(
        ((patch.number, piece.path, piece.function, piece.there) for patch in patches
         for piece in patch.open()),
        {patch.number: [("stable", test) for test in patch.faults()]
         for patch in patches}, TREE)
    for name, page in pages.items():
        with open(os.path.join(OUT, name), "w", encoding="utf-8") as out:
            out.write("\n".join(page) + "\n")


if __name__ == "__main__":
    main()
