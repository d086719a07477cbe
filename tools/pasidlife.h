/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* All that is known about each PASID from the events that were seen of it. */
#ifndef PASIDLIFE_H
#define PASIDLIFE_H

#include <stdbool.h>

#include "../bpf/pasid.h"

struct life {
	__u64 born_ns;			/* 0: before the trace, unknown when */
	__u32 owner;			/* tgid; PASID_INVALID: unknown */
	__u32 set;
	__u32 spid;			/* 0: none known */
	__u32 refs;			/* taken so far, as far as seen */
	bool live;
	bool early;			/* known from PASID_ALIVE */
	struct life *next;		/* the early one, while one before it is told of */
	char comm[PASID_COMM_LEN];	/* of the owner */
};

enum life_step {
	LIFE_GOES_ON,
	LIFE_ENDED,			/* *life is how it was */
	LIFE_KNOWN,			/* an allocation that PASID_ALIVE had told of */
};

/* To be called for each event in order; e->spid is filled in if it is known. */
enum life_step life_event(struct pasid_event *e, struct life *life);

/* Of an event that is not of its owner: adds who that is, if it is known */
void life_owner(struct pasid_event *e);

#endif /* PASIDLIFE_H */
