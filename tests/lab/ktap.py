#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Read KTAP (or TAP 13) strictly and count its results.

usage: ktap.py FILE

Only leaves count: a test with subtests is the sum of them. Every doubt is an
error: no plan, fewer or more results than planned, numbers that are not 1, 2,
3.., a stream that ends inside a subtest, "Bail out!", a test that says ok over
a subtest that failed. Exit status: 0 all well, 1 failed, 2 usage.
"""
import re
import sys

VERSION = re.compile(r"(KTAP version 1|TAP version 13)\s*$")
PLAN = re.compile(r"1\.\.(\d+)\s*(#\s*SKIP\b.*)?$", re.I)
RESULT = re.compile(r"(not )?ok\b *(\d+)?(?: - | -$| )?(.*)$")
SKIP = re.compile(r"(?:^|\s)#\s*SKIP\b\s*(.*)$", re.I)
BAIL = re.compile(r"Bail out!")
SUBTEST = re.compile(r"# Subtest: ")


class Document:
    """A version line and what belongs to it, at one indentation."""

    def __init__(self, indent, parent):
        self.indent = indent
        self.parent = parent
        self.plan = None
        self.skipped = False
        self.subtest = False
        self.results = 0
        self.child = None       # the subtest whose result comes next
        self.path = ""          # numbers of the tests around this document
        self.before = 0         # failures seen when it began


class Report:
    """The content of a stream: counts, failed tests and errors of form."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []      # (name, the diagnostics above its result)
        self.skips = []         # "name: reason"
        self.errors = []

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.errors += other.errors

    @property
    def good(self):
        return not self.failed and not self.errors

    def summary(self):
        return (f"{self.passed} passed, {self.failed + len(self.errors)} "
                f"failed, {self.skipped} skipped")


class Parser:
    def __init__(self):
        self.report = Report()
        self.top = self.current = None
        self.number = 0
        self.diagnostics = []

    def error(self, text):
        where = f"line {self.number}: " if self.number else ""
        self.report.errors.append(where + text)

    def parse(self, lines):
        for self.number, line in enumerate(lines, 1):
            line = line.rstrip("\r\n")
            text = line.lstrip(" \t")
            self.line(len(line) - len(text), text)
        if self.top is None:
            self.error("no KTAP or TAP version line: nothing was reported")
            return self.report
        if self.current is not self.top:
            self.error("the stream ends inside a subtest")
        while self.current:
            self.close(self.current)
            self.current = self.current.parent
        return self.report

    def line(self, indent, text):
        if VERSION.match(text):
            self.open(indent)
        elif BAIL.match(text):
            self.error(text)
        elif self.current is None:
            return
        elif SUBTEST.match(text) and indent == self.current.indent:
            self.current.subtest = True
        elif PLAN.match(text):
            self.plan(indent, PLAN.match(text))
        elif RESULT.match(text):
            self.result(indent, text)
            self.diagnostics = []
        elif text.startswith("#"):
            self.diagnostics.append(text)

    def open(self, indent):
        if self.top is None:
            self.top = self.current = Document(indent, None)
        elif indent > self.current.indent:
            child = Document(indent, self.current)
            child.path = f"{self.current.path}{self.current.results + 1}."
            child.before = self.failing()
            self.current.child = child
            self.current = child
        else:
            self.error("a version line where a result was expected")

    def failing(self):
        return self.report.failed + len(self.report.errors)

    def plan(self, indent, match):
        if indent != self.current.indent:
            return
        if self.current.plan is not None:
            self.error("a second plan")
        self.current.plan = int(match[1])
        if match[2]:
            self.current.skipped = True
            self.report.skipped += 1
            self.report.skips.append(match[2].strip("# "))

    def result(self, indent, text):
        document = self.current
        while document and document.indent != indent:
            document = document.parent
        if document is None:
            return              # some program's output that looks like one
        ended = 0
        while self.current is not document:
            self.close(self.current)
            self.current = self.current.parent
            ended += 1
        if ended > 1:
            self.error("a subtest without its result")
        bad, number, name = RESULT.match(text).groups()
        document.results += 1
        if number is None or int(number) != document.results:
            self.error(f"result {number} where {document.results} was expected")
        child, document.child = document.child, None
        self.count(document, child, bool(bad), name.strip())

    def count(self, document, child, bad, name):
        report = self.report
        skip = SKIP.search(name)
        name = SKIP.sub("", name) or f"{document.path}{document.results}"
        if child is not None and self.failing() > child.before:
            if not bad:
                self.error(f"{name} says ok, but a subtest failed")
        elif bad:
            report.failed += 1
            report.failures.append((name, self.diagnostics))
        elif child is not None:
            return
        elif skip:
            report.skipped += 1
            report.skips.append(f"{name}: {skip[1]}")
        else:
            report.passed += 1

    def close(self, document):
        """Check a document of which no more lines will come."""
        if document.plan is None:
            # KUnit plans no parameters: a subtest in the subtest of a suite.
            # The result of the case closes it, so it cannot be cut unseen.
            if not (document.subtest and document.parent
                    and document.parent.subtest):
                self.error("no plan line")
        elif document.results != document.plan:
            self.error(f"{document.plan} results planned, "
                       f"{document.results} reported")
        elif document.plan == 0 and not document.skipped:
            self.error("a plan of no tests, and no reason to skip")


def parse(lines):
    return Parser().parse(lines)


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    with open(sys.argv[1], encoding="utf-8", errors="replace",
              newline="\n") as stream:
        report = parse(stream)
    for name, _ in report.failures:
        print(f"failed: {name}")
    for text in report.errors:
        print(f"error: {text}")
    print(report.summary())
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main())
