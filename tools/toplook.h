/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One look of pasidtop: what the kernel keeps, put together by PASID. */
#ifndef TOPLOOK_H
#define TOPLOOK_H

#include <bpf/libbpf.h>

#include "topshow.h"

struct top_look {
	/* where it is: the maps of bpf/top.bpf.c */
	volatile __u32 *period;
	int busy, attached, allocs, in_flight;
	struct bpf_link *alive;		/* NULL: the kernel has no list */
	bool invs, bytes;		/* whether invalidations are told of, and ranges */
	bool owners;			/* they are to be told apart, and their stacks found */
	__u64 last_ns;			/* when it was looked last, 0: never */
	/* what was found, by ascending PASID */
	struct top_row *rows, total;
	size_t n;
};

/* False after telling why not. To be ended if true. */
bool top_look(struct top_look *look);
void top_look_end(struct top_look *look);

#endif /* TOPLOOK_H */
