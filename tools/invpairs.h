/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The tools that see invalidations share this: bpf/inv.bpf.h from user space. */
#ifndef INVPAIRS_H
#define INVPAIRS_H

#include "lib/prom.h"
#include "lib/trace.h"
#include "../bpf/inv.h"

/* Rows of a tool's hooks, and of its names for them */
#define INV_HOOKS									\
	{ INV_BEGIN, HOOK_TRACEPOINT, "cache_inv_begin",				\
	  "device* 8 iommu_cache_invalidate_info* 4", "on_cache_inv_begin_tp", NULL },	\
	{ INV_END, HOOK_TRACEPOINT, "cache_inv_end", "device* 8 4 4",			\
	  "on_cache_inv_end_tp", NULL },						\
	{ INV_SUBMIT, HOOK_FENTRY, "qi_submit_sync", "4(intel_iommu* qi_desc* 4 8)",	\
	  "on_qi_submit_fentry", NULL },						\
	{ INV_SUBMITTED, HOOK_FEXIT, "qi_submit_sync", "4(intel_iommu* qi_desc* 4 8)",	\
	  "on_qi_submit_fexit", NULL }
#define INV_NAMES			\
	[INV_BEGIN] = "begin",		\
	[INV_END] = "end",		\
	[INV_SUBMIT] = "submit",	\
	[INV_SUBMITTED] = "submitted"

/*
 * Requests if the kernel tells of them, else submissions, or both; half of a pair is
 * none. False after telling why there is neither.
 */
bool inv_choose(struct trace *t, bool both);
/* Submissions, because there are no requests? */
bool inv_only_submissions(const struct trace *t);
void inv_set_filter(const struct cli *cli, struct inv_filter *filter);

/* How many are under way, and since when the oldest of them, 0 if there is none */
bool inv_in_flight(int in_flight, __u64 *number, __u64 *oldest_ns);

/* Adds how begins and ends found each other; false after telling that it cannot. */
bool inv_count_pairs(struct counts *c, int pairs, int in_flight);
/* More keys for the last line, and more words */
json_t *inv_end(const struct counts *c, char *text, size_t size);

/* The part of --prom that tools share, with the name of the tool as a label */
struct inv_prom {
	__u64 in_flight, oldest_ns, requests, failed, lost;
};
void inv_prom(struct prom *p, const char *tool, const struct session *s,
	      const struct inv_prom *inv);

#endif /* INVPAIRS_H */
