#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Process 1 of the guest in the VM. Runs the commands that come on the second
# serial port, one a line, and ends what each prints with "=end STATUS"; or gives
# a shell on the first.

export PATH=/bin HOME=/root TERM="${TERM:-vt100}"

/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys

serve() {
	stty raw -echo
	echo "=end 0"
	while read -r command; do
		(eval "$command") 2>&1 </dev/null
		echo "=end $?"
	done
}

cd /t || exit
if grep -q guest.serve /proc/cmdline; then
	serve </dev/ttyS1 >/dev/ttyS1
else
	echo "Linux $(uname -r) in a guest. Leave with \"exit\" or Ctrl-D."
	setsid cttyhack sh
fi
poweroff -f
