/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The filter that every tool has, and what it names; shared with user space. */
#ifndef FILTER_H
#define FILTER_H

#include <stdbool.h>
#include <linux/types.h>

#define PASID_INVALID	0xffffffffU
#define PASID_MAX	0xfffffU
#define PASID_COMM_LEN	16
#define PASID_DEV_LEN	40	/* a UUID, as mediated devices have, fits */

#define PASID_MAX_RANGES	16

struct pasid_range {
	__u32 lo;
	__u32 hi;		/* inclusive */
};

/* 0 means: do not filter by this. */
struct pasid_filter {
	__u32 tgid;
	__u32 failed_only;
	__u32 nr_ranges;
	struct pasid_range range[PASID_MAX_RANGES];
};
_Static_assert(sizeof(struct pasid_filter) == 12 + 8 * PASID_MAX_RANGES,
	       "pasid_filter has holes");

static inline __attribute__((always_inline)) bool
pasid_listed(const volatile struct pasid_filter *f, __u32 pasid)
{
	__u32 i;

	if (!f->nr_ranges)
		return true;
	for (i = 0; i < PASID_MAX_RANGES; i++) {
		if (i >= f->nr_ranges)
			break;
		if (pasid >= f->range[i].lo && pasid <= f->range[i].hi)
			return true;
	}
	return false;
}

#endif /* FILTER_H */
