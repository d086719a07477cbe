#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# tests/mutants/switch on one small file: a mutant does what its row says, and
# without one nothing changes; a row that does not fit is refused by its name.

root=$(CDPATH='' cd "$(dirname "$0")/../../../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../../ktap.sh
. "$root/tests/lab/ktap.sh"
workdir
mkdir -p "$work/tree" "$work/stub/linux"

cat >"$work/tree/a.c" <<'END'
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv);
int g(void);

static int f(int a, int b)	/* f(a, b) = min(a + b, 9); */
{
	if (a < 0 || b < 0 ||	/* in
				   between */
	    b > 9)
		return -1;
	a += b;
	if (a > 9)
		a = 9;
	else
		a++;
	return a * 2 | 1;
}

#ifdef TWO
int g(void)
{
	return 1;
}
#else
int g(void)
{
	return 2;
}
#endif

int main(int argc, char **argv)
{
	printf("%d %d %s\n", f(7, 1), f(2, -1), "{ , \"x\" };");
	return 0;
}
END
cat >"$work/stub/linux/mutant.h" <<'END'
extern char *__progname;
#define MUTANT(name)	(!strcmp(__progname, name))
END

# row NAME FUNCTION OLD [NEW]: one more stanza
row() {
	printf 'mutant\t%s\nat\ta.c %s\n' "$1" "$2"
	printf '%s\n' "$3" | sed 's/^/-\t/'
	[ -z "${4-}" ] || printf '%s\n' "$4" | sed 's/^/+\t/'
	printf 'fails\tkunit x\n\n'
}

switch() {
	rm -rf "$work/out"
	ROWS=$work/rows "$root/tests/mutants/switch" "$work/tree" "$work/out"
}

builds() {
	switch && cc -Wall -Werror -I"$work/stub" -o "$work/out/none" \
		"$work/out/a.c"
}

prints() { # MUTANT OUTPUT
	ln -f "$work/out/none" "$work/out/$1"
	printed=$("$work/out/$1")
	echo "$printed"
	[ "$printed" = "$2" ]
}

# refuses REASON [ARGUMENTS-OF-ROW..]: the rows, or that one
refuses() {
	reason=$1
	shift
	[ $# -eq 0 ] || row "$@" >"$work/rows"
	! switch 2>"$work/err" && [ ! -e "$work/out" ] &&
		grep -q "^switch: rows:[0-9]*: .*: .*$reason" "$work/err" && return
	cat "$work/err"
	return 1
}

{
	row lines f 'a<0 || b < 0 || b>
		9' 0
	row inner f 'a < 0' 'a > 5'
	row same f 'a < 0' 'a == 7'
	row out f 'a++;'
	row more f 'a += b;' 'a += b;
		a -= 3;'
	row two f 'if (a > 9)
		a = 9;
	else
		a++;
	return a * 2 | 1;' 'return 0;'
	row text main '"{ , \"x\" };"' '"{"'
} >"$work/rows"
check "the switches build" builds
check "none: as it was" prints none '19 -1 { , "x" };'
check "an expression of several lines" prints lines '19 5 { , "x" };'
check "a part of it" prints inner '-1 -1 { , "x" };'
check "twice the same expression" prints same '-1 -1 { , "x" };'
check "a statement left out" prints out '17 -1 { , "x" };'
check "a statement made two" prints more '13 -1 { , "x" };'
check "two statements made one" prints two '0 -1 { , "x" };'
check "a string with a brace" prints text '19 -1 {'

check "refused: what is not there" refuses 'not in f()' a f 'a < 1' 0
check "what is there twice" refuses '2 times in f()' a f '> 9' '> 8'
check "another function's" refuses 'not in main()' a main 'a < 0' 0
check "no such function" refuses 'no functions h()' a h 'a < 0' 0
check "one of two functions" refuses '2 functions g()' a g 1 0
check "a declaration for a function" refuses 'no functions x()' a x 0 0
check "operands of a stronger neighbour" \
	refuses 'not a whole expression beside \*' a f '2 | 1' 0
check "arguments for an expression" \
	refuses 'not a whole expression' a main 'f(7, 1), f(2, -1)' 0
check "a part of a name's path" \
	refuses 'not a whole expression beside a' a f '++' 0
check "the end of a statement" \
	refuses 'not whole statements behind +=' a f 'b;' 0
check "an if that an else follows" \
	refuses 'an else follows' a f 'if (a > 9) a = 9;' 0
check "statements of which an if has the first" \
	refuses 'not whole statements behind else' a f 'a++; return a * 2 | 1;'
check "an expression left out" refuses '+ is missing' a f 'a < 0'
check "half a bracket" refuses 'brackets do not match' a f '(a > 9' 0
{
	row a f 'a < 0 || b < 0' 0
	row b f 'b < 0 || b > 9' 0
} >"$work/rows"
check "two that overlap" refuses 'share a part of'
sed -i 's/a\.c/a.h/' "$work/rows"
check "a header" refuses 'a header stays as it is'
row a f 'a < 0' 0 | sed 's/kunit/unit/' >"$work/rows"
check "a place that is not known" refuses 'unit is none of: kunit'
row a f 'a < 0' 0 | sed /fails/d >"$work/rows"
check "a row that no test is for" refuses 'fails is missing'
finish
