/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The BPF half of a trace: load what the plan has, read it, account for it all. */
#ifndef ENGINE_H
#define ENGINE_H

#include <bpf/libbpf.h>

#include "cli.h"
#include "probe.h"
#include "../../bpf/emit.h"

struct counts {
	struct emit_counters all;
	__u64 missed;		/* runs that the kernel skipped, by recursion */
	/* of tools that put an event together from two */
	__u64 unpaired;		/* ends without a begin */
	__u64 overflow;		/* begins for which there was no room */
	__u64 refused;		/* begins that could not be stored otherwise */
	__u64 unfinished;	/* begins without an end */
	__u64 unfollowed;	/* of --follow: processes for which there was no room */
};

/* Turns libbpf's own log on, or off, as our messages say it better. */
void engine_log(bool on);
/* EXIT_OK, or the exit code after telling why not. Loads only chosen programs. */
int engine_load(struct bpf_object_skeleton *skel, const struct hook *const *chosen,
		int nr_chosen, const struct cli *cli);
/* The same for small programs, all of which are needed, and attached. */
int engine_load_all(struct bpf_object_skeleton *skel);
/* Of --follow: the first process. False after telling why not. */
bool engine_follow(struct bpf_object_skeleton *skel, __u32 tgid);
int engine_attach(struct bpf_object_skeleton *skel);
/*
 * Calls fn for each record of size bytes that the attached iterator program has,
 * as of now, until fn returns an error. False after telling why not.
 */
bool engine_iterate(struct bpf_link *iter, size_t size, ring_buffer_sample_fn fn, void *ctx);
/*
 * Detaches, reads what is left in rb, and fills counts. False after telling
 * that *received and the counters of the programs do not agree.
 */
bool engine_drain(struct bpf_object_skeleton *skel, struct ring_buffer *rb,
		  const __u64 *received, struct counts *counts);
/* How many events did not fit the buffer so far */
__u64 engine_lost(struct bpf_object_skeleton *skel);
/* NULL if every event is accounted for, else the equation that does not hold. */
const char *counts_check(const struct counts *c, __u64 received, char *buf, size_t len);

#endif /* ENGINE_H */
