/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The kernel keeps this of each PASID for pasidtop; shared with user space. */
#ifndef TOP_H
#define TOP_H

#include "inv.h"

/* Behind those of invalidations */
enum top_hook {
	TOP_ALIVE = INV_NR_HOOKS,
	TOP_ALLOC,
	TOP_FREE,
	TOP_ATTACH,
	TOP_DETACH,
	TOP_NR_HOOKS,
};

#define TOP_STACK_LEN	24

/* An allocation that was seen */
struct top_alloc {
	__u64 born_ns;			/* CLOCK_MONOTONIC */
	__u64 start_ns;			/* of the owner's process, CLOCK_BOOTTIME */
	__u32 tgid;
	__u32 reserved;
	char comm[PASID_COMM_LEN];
	__u64 ip[TOP_STACK_LEN];	/* who allocated it; 0 behind the last */
};
_Static_assert(sizeof(struct top_alloc) == 40 + 8 * TOP_STACK_LEN, "top_alloc has holes");

/* PASID_INVALID: invalidations of all, that name none */
struct top_key {
	__u32 pasid;
	char dev[PASID_DEV_LEN];	/* or the unit */
};

/*
 * The invalidations of it since the trace began. Only the longest time is of a
 * period, each of which has a number: user space counts it up and then reads what
 * the last one has left.
 */
struct top_busy {
	__u64 requests;
	__u64 failed;
	__u64 bytes;			/* of ranges, if they were done */
	__u64 timed;			/* those whose begin is known */
	__u64 total_ns;			/* of these */
	__u64 max_ns[2];
	__u32 period[2];
};

#endif /* TOP_H */
