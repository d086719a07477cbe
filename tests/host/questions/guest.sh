#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM, by tests/host/questions.sh: runs the commands NN.LOAD of the directory
# beside it, each while its load runs, and leaves what they print in /out. One whose
# NN.only fails is left out.

# shellcheck source=/dev/null
. /lib/ktap.sh
# shellcheck source-path=SCRIPTDIR source=../../vmm/vfio.sh
. ./vfio.sh

mkdir -p /usr/lib/nested-sva /sys/fs/bpf /boot
cp .config "/boot/config-$(uname -r)"
cp pasids.bpf.o /usr/lib/nested-sva/
vfio_bind
mkdir work
cd work || exit
for block in ../[qs]*/[0-9]*.[!o]*; do
	name=${block##*/}
	if [ -e "${block%.*}.only" ] && ! sh "${block%.*}.only" >/dev/null 2>&1; then
		: >"/out/$name.lacks"
		continue
	fi
	setsid sh ../load.sh "${name#*.}" >/dev/null 2>&1 &
	load=$!
	for _ in $(seq 600); do
		[ ! -e begun ] || break
		sleep 0.1
	done
	timeout -k 5 100 sh -e "$block" >"/out/$name" 2>"/out/$name.err"
	echo $? >"/out/$name.status"
	kill -KILL -- -$load 2>/dev/null
	wait $load
	# one that waits in the kernel still leaves, and the next question is not about it
	for _ in $(seq 600); do
		kill -0 "-$load" 2>/dev/null || break
		sleep 0.1
	done
	rm -f begun
done
ok "the commands were run"
finish
