# SPDX-License-Identifier: GPL-2.0-only
"""Rows for lines that no mutant changes, to be tried: what could break them, and who
might notice.

Lines that were added are taken back: the statements that they make up are left out.
Where that cannot be, a condition is turned round, or another value is returned.
"""
import collections
import importlib.machinery
import importlib.util
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
MOST_TESTS = 8
MOST_ROWS = 2       # for each hunk
# A statement with one of these, left out, shows another fault or stops the machine
NEVER = re.compile(r"lock|complete|wake|kfree|_put|_get\b|rcu|goto|refcount|trace_")
TYPES = re.compile(r"(struct|union|enum|unsigned|signed|int|long|char|void|bool|const|"
                   r"static|[us](8|16|32|64)|s?size_t|guard|CLASS|[A-Z_]+)$")
# Those that need a boot of their own
ALONE = "fail_nth", "vm", "exhaust"

Statement = collections.namedtuple("Statement", "kind first last head parts")


def load(path):
    """A script without .py as a module."""
    loader = importlib.machinery.SourceFileLoader("switch", path)
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader("switch", loader))
    loader.exec_module(module)
    return module


switch = load(os.path.join(HERE, "switch"))


# --- Statements ----------------------------------------------------------------------

def closing(body, i):
    """Where the bracket at i is closed."""
    depth = 0
    while True:
        depth += (body[i] in "([{") - (body[i] in ")]}")
        if not depth:
            return i
        i += 1


def plain(body, i):
    """One that ends with a semicolon."""
    end = i
    while body[end] != ";":
        end = closing(body, end) + 1 if body[end] in "([{" else end + 1
    kind = body[i] if body[i] in ("return", "goto", "break", "continue") else "expression"
    names = [re.match(r"\w", token) is not None for token in body[i:i + 4]]
    if kind == "expression" and (TYPES.match(body[i]) or names[0] and names[1] or
                                 names[0] and body[i + 1] == "*" and names[2]):
        kind = "declaration"
    return Statement(kind, i, end, None, [])


def statement(body, i):
    """The statement that begins at token i; a label is one."""
    word = body[i]
    if word == "{":
        parts, end = [], i + 1
        while body[end] != "}":
            parts.append(statement(body, end))
            end = parts[-1].last + 1
        return Statement("block", i, end, None, parts)
    if word in ("case", "default") or re.match(r"\w", word) and body[i + 1] == ":":
        end = i
        while body[end] != ":":
            end += 1
        return Statement("label", i, end, None, [])
    if word == "do":
        inner = statement(body, i + 1)
        return Statement("loop", i, plain(body, inner.last + 1).last, None, [inner])
    if body[i + 1] == "(":
        head = closing(body, i + 1)
        if word in ("if", "for", "while", "switch") or \
           body[head + 1] not in (";", "=", ".", "->", "["):
            inner = statement(body, head + 1)
            parts = [inner]
            if word == "if" and body[inner.last + 1] == "else":
                parts.append(statement(body, inner.last + 2))
            return Statement(word if word in ("if", "switch") else "loop", i,
                             parts[-1].last, (i + 2, head - 1), parts)
    return plain(body, i)


def all_statements(first):
    """It and those within it."""
    yield first
    for part in first.parts:
        yield from all_statements(part)


# --- Changes ---------------------------------------------------------------------------

class Function:
    """A function of a source, and those of its lines that count."""

    def __init__(self, source, name, lines):
        self.source, self.body = source, switch.function(source, name)
        self.lines, self.code = lines, collections.defaultdict(bool)
        for token in self.body:
            if token not in ("{", "}"):
                self.code[self.line(token.start)] = True

    def line(self, at):
        return switch.line_of(self.source, at)

    def whole(self, first, last):
        """Are all lines with code from one token to another among them?"""
        return all(line in self.lines or not self.code[line] for line in
                   range(self.line(self.body[first].start),
                         self.line(self.body[last].end - 1) + 1))

    def text(self, first, last):
        return " ".join(self.source[self.body[first].start:self.body[last].end].split())


def changes_of(function, one):
    """(order, old, new) of what could be done to a statement."""
    text = function.text(one.first, one.last)
    if function.whole(one.first, one.last):
        if one.kind in ("expression", "if", "loop") and not NEVER.search(text):
            yield one.kind != "if", text, ""
        if one.kind == "return" and one.last > one.first + 1:
            old = function.text(one.first + 1, one.last - 1)
            new = {"true": "false", "false": "true", "0": "-EIO", "NULL": ""}.get(old, "0")
            if new:
                yield 3, old, new
    if one.kind == "if" and function.whole(one.first, one.head[1]):
        condition = function.text(*one.head)
        yield 2, condition, f"!({condition})"


def changes(source, path, name, lines):
    """(old, new) of each that the switch can make, the best first."""
    try:
        function = Function(source, name, lines)
        found = sorted(set(
            change for one in all_statements(statement(function.body, 0))
            for change in changes_of(function, one)))
    except (switch.Bad, IndexError):
        return
    for _, old, new in found:
        place = switch.Place("", "", (path, name))
        place.text = {"-": old, "+": new}
        try:
            place.edit(source)
        except switch.Bad:
            continue
        yield old, new


# --- Tests that might notice -----------------------------------------------------------

class Witnesses:
    """The tests that notice mutants of a function, and of its file."""

    def __init__(self, rows):
        self.near = collections.defaultdict(collections.Counter)
        for row in rows:
            for place in row.places:
                for kind, test in row.tests:
                    if kind not in ALONE:
                        self.near[place.file, place.function][kind, test] += 1
                        self.near[place.file][kind, test] += 1

    def of(self, path, name):
        """Those nearest to a place."""
        both = self.near[path, name].most_common() + self.near[path].most_common()
        return list(dict.fromkeys(test for test, _ in both))[:MOST_TESTS]


def rows(hunks, own, tree):
    """The text of rows for hunks: (number of the patch, path, function, lines there).
    own has the tests that a patch is known to have."""
    witnesses, number = Witnesses(switch.read_rows()), 0
    for patch, path, name, lines in hunks:
        tests = own.get(patch, []) + witnesses.of(path, name)
        source = switch.read(os.path.join(tree, path))
        for old, new in list(changes(source, path, name, lines))[:MOST_ROWS if tests else 0]:
            number += 1
            yield "\n".join([f"mutant\tpatch-{patch}-{number}", f"at\t{path} {name}",
                             f"-\t{old}", *([f"+\t{new}"] if new else []),
                             *(f"fails\t{' '.join(test)}" for test in tests)]) + "\n"
