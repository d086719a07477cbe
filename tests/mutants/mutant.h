/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LINUX_MUTANT_H
#define _LINUX_MUTANT_H

#include <linux/bitops.h>
#include <linux/delay.h>
#include <linux/timekeeping.h>
#include <linux/types.h>

bool ioasid_is_mutant(const char *name);
#define MUTANT(name)	ioasid_is_mutant(name)

/*
 * The gap that a race needs, until @cond or for 20 ms: on a busy machine another
 * CPU of the VM can stand still for that long. One CPU at a time waits here, and
 * then none for as long as it waited, so that a test does not last for ever.
 */
#define mutant_gap(cond) do {						\
	static unsigned long waits;					\
	static u64 next;						\
	u64 began = ktime_get_mono_fast_ns();				\
	unsigned int n;							\
									\
	if (began < next || test_and_set_bit_lock(0, &waits))		\
		break;							\
	for (n = 0; n < 400 && !(cond); n++)				\
		udelay(50);						\
	next = 2 * ktime_get_mono_fast_ns() - began;			\
	clear_bit_unlock(0, &waits);					\
} while (0)

#endif
