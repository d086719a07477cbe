/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The lines of invsnoop: a request as columns, as JSON and in a recording. */
#ifndef INVSHOW_H
#define INVSHOW_H

#include "lib/cli.h"
#include "lib/record.h"
#include "invwait.h"
#include "../bpf/inv.h"

void inv_head(const struct cli *cli);
/* With more of what is stuck, or NULL */
void inv_show(const struct cli *cli, const struct session *s, const struct inv_event *e,
	      const struct inv_wait *wait);

extern const struct member inv_members[];	/* of struct inv_event */

/* "0x7f0012345000+16K" for a range, else "domain", "pasid", "-" or "?7" */
const char *inv_what(const struct inv_event *e, char *buf, size_t size);
/* The first descriptor of a submission, in words */
struct inv_desc_text {
	const char *name, *granularity;	/* NULL: not known */
	char letter;			/* of the cache that it is about */
	int did, sid;			/* domain and requester, -1: none */
	__u64 addr, size;		/* size 0: no range */
};
/* False if it is no submission, or of an unknown type. */
bool inv_decode(const struct inv_event *e, struct inv_desc_text *d);
/*
 * Tells what a request flushes, by its caches and its granularity in bits 8 to 15, or by
 * what a submission does it, by type and granularity of its descriptor, as lat_type() has
 * them
 */
const char *inv_type(bool submission, __u32 type, char *buf, size_t size);
/* "id-": which caches */
const char *inv_caches(const struct inv_event *e, char *buf, size_t size);
/* Of the range in bytes; false if it does not fit 64 bits */
bool inv_size(const struct inv_event *e, __u64 *bytes);

#endif /* INVSHOW_H */
