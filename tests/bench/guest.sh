#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs the benchmark module and passes on what it printed.

[ ! -e ioasid_old.ko ] || insmod ioasid_old.ko || exit 1
insmod ioasid_bench.ko || exit 1
dmesg | sed -n 's/.*ioasid_bench: bench /bench /p'
dmesg | grep -q 'ioasid_bench: bench done 0'
