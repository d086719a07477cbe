/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* PASID lifecycle: the event, shared with user space. */
#ifndef PASID_H
#define PASID_H

#include <stddef.h>

#include "filter.h"

enum pasid_type {
	PASID_ALLOC,
	PASID_FREE,
	PASID_PENDING,		/* freed, but referenced yet */
	PASID_SPID,		/* got a private ID */
	PASID_SET_NEW,
	PASID_SET_QUOTA,
	PASID_SET_END,
	PASID_GET,
	PASID_PUT,
	PASID_ALIVE,		/* was there when the trace began; from the iterator */
	PASID_REGISTER,		/* another allocator wants to choose the PASIDs */
	PASID_UNREGISTER,
	PASID_ATTACH,		/* a page table of any kind to a PASID of a device */
	PASID_DETACH,
	PASID_BIND,		/* a page table of a guest */
	PASID_UNBIND,
	PASID_FAULT,		/* DMA that was refused; from what the driver prints */
	PASID_PAGE_REQ,		/* a device asks for a page */
	PASID_PAGE_RESP,	/* and is answered */
	PASID_NR_TYPES,
};

/* Which members of an event hold something: this depends on the hook. */
#define PASID_HAS_SET	(1U << 0)
#define PASID_HAS_RANGE	(1U << 1)	/* min and max */
#define PASID_HAS_RET	(1U << 2)	/* else ret is 0, or -1: failed, no reason known */
#define PASID_HAS_REFS	(1U << 3)
#define PASID_HAS_QUOTA	(1U << 4)	/* used and quota, of the set */
#define PASID_FREED	(1U << 5)	/* alive, but pending */
#define PASID_HAS_GROUP	(1U << 6)
#define PASID_HAS_DEV	(1U << 7)	/* it is a pasid_dev_event */
#define PASID_HAS_GPASID	(1U << 8)
#define PASID_HAS_TABLE	(1U << 9)	/* table and width */
#define PASID_REVOKED	(1U << 10)	/* unbound because the PASID is freed */
#define PASID_READ	(1U << 11)	/* what a device wanted to do */
#define PASID_WRITE	(1U << 12)
#define PASID_EXEC	(1U << 13)
#define PASID_LAST	(1U << 14)	/* page request of its group */
#define PASID_HAS_OWNER	(1U << 15)	/* tgid and comm are of who owns the PASID */

/* Sizes never change: a new member shares the place of one its type has not. */
struct pasid_event {
	__u64 ts_ns;		/* CLOCK_MONOTONIC; of PASID_ALIVE, when it was allocated */
	__u16 type;		/* enum pasid_type */
	__u16 cpu;
	__u32 flags;		/* PASID_HAS_* */
	__u32 tgid;
	__u32 tid;
	__u32 set;
	__u32 pasid;		/* PASID_INVALID if there is none */
	__s32 ret;		/* 0 or -errno */
	union {
		__u32 min;
		__u32 refs;	/* beside the owner's */
		__u32 used;
		__u32 group;	/* of allocators, 0: none; of page requests */
		__u32 gpasid;	/* what the guest calls it */
	};
	union {
		__u32 max;
		__u32 quota;
		__u32 width;	/* of addresses that the page table translates */
		__u32 code;	/* reason of a fault, answer to page requests */
	};
	__u32 spid;		/* private ID, 0: none known */
	char comm[PASID_COMM_LEN];
};
_Static_assert(sizeof(struct pasid_event) == 64, "pasid_event has holes");
_Static_assert(offsetof(struct pasid_event, comm) == 48, "pasid_event moved");

/* The record of an event of a PASID of a device: PASID_HAS_DEV. */
struct pasid_dev_event {
	struct pasid_event e;
	union {
		__u64 table;	/* guest physical address of the page table's root */
		__u64 addr;	/* that a device asked for */
	};
	char dev[PASID_DEV_LEN];
};
_Static_assert(sizeof(struct pasid_dev_event) == 112, "pasid_dev_event has holes");

#define PASID_FAULT_BEGIN	"DMAR: [DMA "
#define PASID_LINE_LEN		192

/* The record of a fault, as it was printed */
struct pasid_line {
	struct pasid_dev_event d;
	char line[PASID_LINE_LEN];
};
_Static_assert(sizeof(struct pasid_line) == 304, "pasid_line has holes");

/*
 * Runs in the kernel, on the filter in rodata, and in user space for --replay
 * and the unit tests. Never looks at comm, which is filled in afterwards.
 */
static inline __attribute__((always_inline)) bool
pasid_wanted(const volatile struct pasid_filter *f, const struct pasid_event *e)
{
	if (f->tgid && f->tgid != e->tgid)
		return false;
	if (f->failed_only && !e->ret)
		return false;
	return pasid_listed(f, e->pasid);
}

#endif /* PASID_H */
