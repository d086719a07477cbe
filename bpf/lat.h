/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* How long invalidations and virtual commands take: histograms by what they have in common. */
#ifndef LAT_H
#define LAT_H

#include "inv.h"

/* Behind those of invalidations */
enum lat_hook {
	LAT_VCMD = INV_NR_HOOKS,
	LAT_NR_HOOKS,
};

/* The subject of one histogram */
enum lat_by {
	LAT_BY_TYPE,
	LAT_BY_DEVICE,
	LAT_BY_PASID,
};

#define LAT_SLOTS	40		/* 2^39 ns are nine minutes; the last has all above */

struct lat_key {
	__u32 submission;		/* to the queue of a unit, not a request */
	__u32 vcmd;			/* a virtual command, neither of the two */
	__u32 type;			/* if by type: lat_type(), else 0 */
	__u32 pasid;			/* if by PASID: PASID_INVALID if it names none */
	char dev[PASID_DEV_LEN];	/* if by device: its name, or the unit's */
};
_Static_assert(sizeof(struct lat_key) == 16 + PASID_DEV_LEN, "lat_key has holes");

/* All are sums since the trace began. */
struct lat_hist {
	__u64 requests;
	__u64 failed;
	__u64 timed;			/* those whose begin is known */
	__u64 total_ns;
	__u64 slots[LAT_SLOTS];		/* slot n: 2^n ns and more, the first from 0 */
};

#define LAT_QW0		0xe3fULL	/* type and granularity of a descriptor */

/* The type of a virtual command is its number, with this if nobody waited any more */
#define LAT_LATE	(1U << 8)

/* The mark of a type: of a request what is flushed, of a submission by what */
static inline __attribute__((always_inline)) __u32 lat_type(const struct inv_event *e)
{
	if (e->flags & INV_SUBMISSION)
		return e->qw0 & LAT_QW0;
	return e->caches | e->granularity << 8 | (e->flags & INV_HAS_BEGIN ? 0 : 1 << 16);
}

static inline __attribute__((always_inline)) __u32 lat_slot(__u64 ns)
{
	__u32 slot = 0;

	for (int shift = 32; shift; shift >>= 1) {
		if (ns >> shift) {
			ns >>= shift;
			slot += shift;
		}
	}
	return slot < LAT_SLOTS ? slot : LAT_SLOTS - 1;
}

#endif /* LAT_H */
