#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Unit tests of what the tools share.

here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
exec "${TOOLS_OUT:-$here/../../build/tools}/unit"
