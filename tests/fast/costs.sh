#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The pictures of the bench show the numbers of its tables, and those in Documentation
# the numbers that are written there.

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"
plot=$root/tests/bench/plot
documents="$root/Documentation/testing.md $root/patches/cover-letter-4.txt"
workdir

cat >"$work/tables" <<'END_OF_TABLES'
| live IDs | 1 | 1000 |
|---|---|---|
| allocate | 11 | 12 |
| the IDA that it replaces | 21 | 22 |
| Linux 6.1 | 31 | 32 |
| with a private ID | 99 | 99 |
| free | 100 | 200 |
| the IDA | 300 | 400 |
| Linux 6.1, freeing | 500 | 600 |
| `ioasid_find()` | 41 | 42 |
| `xa_load()` | 43 | 44 |
| `ioasid_find_by_spid()` | 45 | 46 |
| `ioasid_find_spid()` | 47 | 48 |

| live IDs of another table | 1 | 1000 |
| allocate | 99 | 99 |

  descriptors / waits                      here     floor  instructions
  256 pages, one call                   512 / 4   256 / 2        999999
  unbind                                  3 / 1     2 / 1          9999

| instructions for each request | who asks | the tracer | together |
|---|---|---|---|
| `a`, with a comma | 51 | 2 | 53 |
| b | 61 | 3 | 64 |
END_OF_TABLES

has_the_numbers() {
	"$plot" "$work/made up" "$work/tables" && diff - "$work/made up/data" <<-'END'
	# both
	live "this series" "the IDA" "Linux 6.1"
	1 111 321 531
	1000 212 422 632


	# find
	live ioasid_find() ioasid_find_by_spid() xa_load() ioasid_find_spid()
	1 41 45 43 47
	1000 42 46 44 48


	# flushes
	what descriptors "the least descriptors" waits "the least waits"
	"256 pages, one call" 512 256 4 2
	"unbind" 3 2 1 1


	# tools
	what "who asks" "with the tracer"
	"a, with a comma" 51 53
	"b" 61 64


	END
}

# "POINTS SERIES" of a picture; one point of each is in the key.
drawn() {
	xmllint --noout "$1" || return
	awk '
		function tell() { if (name) print points - 1, name }
		/id="gnuplot_plot_/ { tell(); plot = 1; name = points = "" }
		plot && !name && /<text>/ { name = $0; gsub(/.*<text>|<\/text>.*/, "", name) }
		/<use .*translate/ { points++ }
		END { tell() }' "$1"
}

has_the_series() {
	drawn "$work/made up/allocator.svg" >"$work/drawn" &&
		drawn "$work/made up/requests.svg" >>"$work/drawn" &&
		diff - "$work/drawn" <<-'END'
		2 this series
		2 the IDA
		2 Linux 6.1
		2 ioasid_find()
		2 ioasid_find_by_spid()
		2 xa_load()
		2 ioasid_find_spid()
		2 descriptors
		2 the least descriptors
		2 waits
		2 the least waits
		2 who asks
		2 with the tracer
		END
}

other_numbers_other_picture() {
	sed 's/| free | 100 /| free | 150 /' "$work/tables" >"$work/other" &&
		"$plot" "$work/b" "$work/other" &&
		! cmp "$work/b/allocator.svg" "$work/made up/allocator.svg" &&
		cmp "$work/b/requests.svg" "$work/made up/requests.svg"
}

refused() { # SED-COMMAND REGEX: the tables so changed
	sed "$1" "$work/tables" >"$work/other"
	! "$plot" "$work/refused" "$work/other" 2>"$work/err" &&
		grep "$2" "$work/err" && [ ! -e "$work/refused/allocator.svg" ]
}

# Every program but gnuplot
needs_gnuplot() {
	mkdir "$work/bin" && ln -s /bin/* /usr/bin/* "$work/bin/" 2>/dev/null
	rm "$work"/bin/gnuplot*
	! PATH=$work/bin "$plot" "$work/none" "$work/tables" 2>"$work/err" &&
		grep 'missing: gnuplot-nox$' "$work/err" && grep 'make deps' "$work/err" && return
	cat "$work/err"
	return 1
}

same_picture() {
	cmp "$work/documents/$1" "$root/Documentation/$1" ||
		{ echo "tests/bench/plot -u draws them again"; return 1; }
}

check "the data are the numbers of the tables" has_the_numbers
check "a picture has a point for each number" has_the_series
check "another number is another picture" other_numbers_other_picture
check "a row that is missing is named" refused '/^| the IDA |/d' 'no row "the IDA"'
check "a table that is missing is named" refused '/^| instructions/d' 'no table of tools'
check "without gnuplot it says what to install" needs_gnuplot

# shellcheck disable=SC2086 # two files
check "the documents have all tables" "$plot" "$work/documents" $documents
for picture in allocator.svg requests.svg; do
	version=$(sed -n 's/^<desc>Produced by GNUPLOT \(.*[0-9]\) *<.*/gnuplot \1/p' \
		"$root/Documentation/$picture")
	name="Documentation/$picture shows the documented numbers"
	if [ "$version" = "$(gnuplot --version)" ]; then
		check "$name" same_picture $picture
	else
		skip "$name" "it was drawn by ${version:-nobody}, here is $(gnuplot --version)"
	fi
done
finish
