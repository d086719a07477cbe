/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Requests to invalidate IOMMU caches: event and filter, shared with user space. */
#ifndef INV_H
#define INV_H

#include <stddef.h>

#include "filter.h"

enum inv_hook {
	INV_BEGIN,
	INV_END,
	INV_SUBMIT,		/* of kernels without these: to the hardware's queue */
	INV_SUBMITTED,
	INV_NR_HOOKS,
};

/* As the caller numbers them: linux/iommu.h of the series */
#define INV_IOTLB	(1U << 0)
#define INV_DEV_IOTLB	(1U << 1)
#define INV_PASID_CACHE	(1U << 2)

enum inv_granularity {
	INV_DOMAIN,
	INV_PASID,
	INV_ADDR,
	INV_NR_GRANULARITIES,
};

/* Which members of an event hold something */
#define INV_HAS_PASID	(1U << 0)
#define INV_HAS_BEGIN	(1U << 1)	/* else only what its end tells is known */
#define INV_UNREADABLE	(1U << 2)	/* the kernel could not read the request */
#define INV_LEAF	(1U << 3)	/* only leaf entries of the page table */
#define INV_STALLED	(1U << 4)	/* under way at end_ns; set by user space */
#define INV_SUBMISSION	(1U << 5)	/* of descriptors to the queue of a unit of VT-d */
#define INV_BELOW	(1U << 6)	/* a submission that was made for the request id */

/* One request, when it has ended, or while it is under way. */
struct inv_event {
	__u64 ts_ns;			/* of the begin, CLOCK_MONOTONIC */
	__u64 end_ns;
	__u64 id;			/* the kernel's number of the request */
	__u64 pasid;
	__u64 addr;
	union {
		__u64 granule;
		__u64 qw0;		/* of a submission: its first descriptor */
	};
	union {
		__u64 granules;
		__u64 qw1;
	};
	__u32 flags;			/* INV_HAS_BEGIN.. */
	__u32 tgid;
	__u32 tid;
	__s32 ret;			/* 0 or -errno */
	__u32 entries;			/* of the call that it came with; descriptors */
	__u16 cpu;
	__u8 caches;			/* INV_IOTLB.. */
	__u8 granularity;		/* enum inv_granularity, or what was given */
	char comm[PASID_COMM_LEN];
	char dev[PASID_DEV_LEN];		/* or the unit; zeros behind the name */
};
_Static_assert(sizeof(struct inv_event) == 136, "inv_event has holes");
_Static_assert(offsetof(struct inv_event, comm) == 80, "inv_event moved");

/* The stack of who waits for it: return addresses in the kernel, 0 behind the last */
#define INV_STACK_LEN	32

struct inv_stack {
	__u64 ip[INV_STACK_LEN];
};

/* Types of descriptors: VT-d specification 6.5.2 */
enum inv_desc {
	INV_DESC_CONTEXT = 1,
	INV_DESC_IOTLB,
	INV_DESC_DEV_TLB,
	INV_DESC_IEC,
	INV_DESC_WAIT,
	INV_DESC_PIOTLB,
	INV_DESC_PASID_CACHE,
	INV_DESC_PASID_DEV_TLB,
	INV_DESC_PAGE_RESPONSE,
	INV_NR_DESCS,
};

static inline __attribute__((always_inline)) enum inv_desc inv_desc(__u64 qw0)
{
	return (qw0 & 0xf) | (qw0 >> 5 & 0x70);
}

/* Whether such a descriptor is about one PASID, which is in the same bits of each */
static inline __attribute__((always_inline)) bool inv_desc_has_pasid(__u64 qw0)
{
	switch (inv_desc(qw0)) {
	case INV_DESC_PIOTLB:
	case INV_DESC_PASID_DEV_TLB:
		return true;
	case INV_DESC_PASID_CACHE:
		return (qw0 >> 4 & 3) == 1;	/* else of a domain, or all */
	case INV_DESC_PAGE_RESPONSE:
		return qw0 >> 4 & 1;
	default:
		return false;
	}
}

/* How begins and ends found each other. */
struct inv_pairs {
	__u64 overflow;			/* begins for which there was no room */
	__u64 refused;			/* begins that were not stored for another reason */
	__u64 unpaired;			/* ends whose begin is not known */
};

/* 0 or "" means: do not filter by this. */
struct inv_filter {
	struct pasid_filter common;
	__u32 tid;
	char dev[PASID_DEV_LEN];
};
_Static_assert(sizeof(struct inv_filter) ==
	       sizeof(struct pasid_filter) + 4 + PASID_DEV_LEN, "inv_filter has holes");

static inline __attribute__((always_inline)) bool
inv_same_device(const volatile char *a, const char *b)
{
	for (int i = 0; i < PASID_DEV_LEN; i++) {
		if (a[i] != b[i])
			return false;
	}
	return true;
}

/*
 * These are the same at the begin and the end of a request: who, which device and
 * PASID. So the end of a request that was filtered is known without a look-up.
 * The end has 32 bits of the PASID only; wrong ones are cut for both.
 */
static inline __attribute__((always_inline)) bool
inv_wanted(const volatile struct inv_filter *f, const struct inv_event *e)
{
	if (f->common.tgid && f->common.tgid != e->tgid)
		return false;
	if (f->tid && f->tid != e->tid)
		return false;
	if (f->dev[0] && !inv_same_device(f->dev, e->dev))
		return false;
	if (!f->common.nr_ranges)
		return true;
	return (__u32)e->pasid && pasid_listed(&f->common, e->pasid);
}

/* And what only the end tells */
static inline __attribute__((always_inline)) bool
inv_result_wanted(const volatile struct inv_filter *f, const struct inv_event *e)
{
	return !f->common.failed_only || e->ret;
}

#endif /* INV_H */
