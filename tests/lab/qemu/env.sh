# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# Points the scripts of patches/bin at the series in tests/lab/qemu/patches: its
# git tree is build/qemu/src. It needs $root and $me.

# shellcheck disable=SC2034,SC2154 # shared with the script that sources this
PATCHES=$root/tests/lab/qemu/patches
BUILD=$root/build/qemu
REPO=$BUILD/src
export PATCHES BUILD REPO
mkdir -p "$BUILD"
# shellcheck source-path=SCRIPTDIR source=../../../patches/bin/lib.sh
. "$root/patches/bin/lib.sh"
KSRC=$cache/$(base_value TARBALL)
export KSRC
