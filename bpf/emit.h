/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Counts of what a program did with its events; shared with user space. */
#ifndef EMIT_H
#define EMIT_H

#include <linux/types.h>

/*
 * At rest, seen == sent + filtered + lost holds for each program, and user
 * space has received what was sent. Both are checked when a tool ends.
 */
struct emit_counters {
	__u64 seen;
	__u64 sent;
	__u64 filtered;
	__u64 lost;
};

#define EMIT_SLOTS	20	/* one per event type of a tool */

#endif /* EMIT_H */
