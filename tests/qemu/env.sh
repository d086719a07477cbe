# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# Points the scripts of tests/series at the series in tests/qemu/patches: its
# git tree is build/qemu/src. Sourced with $root and $me set.

# shellcheck disable=SC2034,SC2154 # shared with the script that sources this
PATCHES=$root/tests/qemu/patches
BUILD=$root/build/qemu
REPO=$BUILD/src
export PATCHES BUILD REPO
mkdir -p "$BUILD"
# shellcheck source-path=SCRIPTDIR source=../series/lib.sh
. "$root/tests/series/lib.sh"
KSRC=$cache/$(base_value TARBALL)
export KSRC
