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
/* The records of an attached iterator program, as of now, one of size bytes at a time */
struct records {
	int fd, err;
	size_t size, at, len;
	char buf[4096] __attribute__((aligned(8)));
};
void records_open(struct records *r, struct bpf_link *iter, size_t size);
const void *records_next(struct records *r);	/* NULL: no more */
bool records_close(struct records *r);		/* false after telling an error */
/*
 * Once the programs are detached and all that was sent is read: fills counts. NULL, or
 * what does not agree in buf, as long as a program is running on another CPU. received:
 * how many events came through the ring buffer, if they go there.
 */
const char *engine_counts(struct bpf_object_skeleton *skel, const __u64 *received,
			  struct counts *counts, char *buf, size_t len);
/* How many events did not fit the buffer so far */
__u64 engine_lost(struct bpf_object_skeleton *skel);
/* NULL if every event is accounted for, else the equation that does not hold. */
const char *counts_check(const struct counts *c, __u64 received, char *buf, size_t len);

#endif /* ENGINE_H */
