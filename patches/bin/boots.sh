# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# In the VM: that this runs at all is the result.

# shellcheck source=/dev/null
. /lib/ktap.sh

ok "boots"
finish
