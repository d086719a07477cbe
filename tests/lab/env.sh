# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# The scripts on the host depend on this, whoever calls them. They source it
# first, with $root set:
#   root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd)

# shellcheck disable=SC2034,SC2154 # shared with the script that sources this

# Scripts read messages, and sort, comm and ranges must mean the same to all.
export LC_ALL=C
umask 022

# These change tools behind a script's back. Of git's, only where the user's
# settings are is kept; the scripts say what counts of these.
unset CDPATH ENV BASH_ENV POSIXLY_CORRECT GREP_OPTIONS TAR_OPTIONS XZ_OPT \
	XZ_DEFAULTS ZSTD_CLEVEL NINJA_STATUS SHELLCHECK_OPTS VERSION_CONTROL \
	PERL5OPT PERL5LIB PERL_UNICODE PYTHONPATH PYTHONHOME PYTHONOPTIMIZE
# shellcheck disable=SC2046 # names of variables
unset $(env | sed -n -e '/^GIT_CONFIG/d' \
	-e 's/^\(\(GIT\|QUILT\|KBUILD\|KCONFIG\)_[A-Z0-9_]*\)=.*/\1/p')
# The kernel's make would build for another machine or with another compiler,
# and a make that called us passes its options on.
unset ARCH SUBARCH CROSS_COMPILE LLVM LLVM_IAS KCFLAGS KCPPFLAGS KAFLAGS \
	CFLAGS CPPFLAGS LDFLAGS OUTPUT O MAKEFLAGS MFLAGS MAKELEVEL \
	MAKEOVERRIDES MAKEFILES GNUMAKEFLAGS

# Can the directory $1 be written, or made?
can_write() {
	at=$1
	while [ ! -e "$at" ]; do
		at=$(dirname "$at")
	done
	[ -d "$at" ] && [ -w "$at" ]
}

# Caches go below build/ where there is no home to write in. ccache does not
# say so: with it, kbuild takes the assembler for one that is not supported.
cache=${XDG_CACHE_HOME:-${HOME:-/}/.cache}/nested-sva
can_write "$cache" || cache=$root/build/cache
# Kernels and QEMU of another directory shall find what ccache has. The compiler tells it
# which files it reads, so that nothing is preprocessed twice; cc knows what that misses.
export CCACHE_BASEDIR="$root" CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1
if command -v ccache >/dev/null &&
   ! { dir=$(ccache -k cache_dir 2>/dev/null) && can_write "$dir"; }; then
	export CCACHE_DIR="$root/build/cache/ccache"
fi
