#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The compiler of kernels: an object with the bytes of another file has those of now,
# whatever is in the cache. KTAP.

root=$(CDPATH='' cd "$(dirname "$0")/../../../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../../ktap.sh
. "$root/tests/lab/ktap.sh"
workdir

has() { # BYTES
	echo "$1" >bytes
	"$root/tests/lab/cc" -Wp,-MMD,bytes.d -c -o bytes.o bytes.S &&
		grep -a "$1" bytes.o
}

compiles_c() {
	echo 'int i;' >i.c && "$root/tests/lab/cc" -c -o i.o i.c && nm i.o | grep -w i
}

cd "$work" || exit
export CCACHE_DIR="$work/ccache"
echo '.incbin "bytes"' >bytes.S
check "the first" has first
check "another" has other
check "C is compiled" compiles_c
finish
