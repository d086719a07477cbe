/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A tool that prints a line for each event, from the plan to the last line. */
#ifndef TRACE_H
#define TRACE_H

#include <jansson.h>

#include "cli.h"
#include "engine.h"
#include "loop.h"
#include "probe.h"
#include "record.h"

struct trace;

/* What one tool has of its own. */
struct trace_ops {
	const struct cli_tool *tool;
	const char *absent;		/* what to say if no hook is there */
	const char *const *names;	/* by event of the hooks, NULL at the end */
	const struct hook *hooks;
	int nr_hooks;
	/*
	 * Of the hooks that are there, clears those that are not used; false if there
	 * are not enough. NULL: any that is asked for is.
	 */
	bool (*choose)(struct trace *t);
	size_t size;			/* of an event; some may be sent shorter */
	/* Opens its skeleton, calls trace_skeleton(), closes it. */
	int (*open)(struct trace *t);
	void (*head)(const struct trace *t);
	/* Prints an event, or returns false. It may change its copy. */
	bool (*show)(struct trace *t, void *event);
	/* All below may be NULL. What is there already, once the head is out: */
	bool (*before)(struct trace *t);
	/* Once a second, and when it is over: */
	void (*tick)(struct trace *t);
	/* Between the end of the trace and the reading of the counters: */
	void (*stop)(struct trace *t);
	/* Once they are read: fills in more of t->session.counts, or returns false. */
	bool (*counts)(struct trace *t);
	/* More keys for the last line, and more text for the summary: */
	void (*end)(const struct trace *t, json_t *o, char *text, size_t size);
	void (*record)(FILE *f, const void *event);
	int (*replay)(struct trace *t, FILE *f, void *event);	/* as replay_event() */
	bool (*wanted)(const struct trace *t, const void *event);
};

struct trace {
	const struct trace_ops *ops;
	struct cli cli;
	uint32_t events;		/* that are asked for, bit per event */
	struct session session;
	const struct hook *chosen[EMIT_SLOTS];
	struct bpf_object_skeleton *skel;
	struct loop loop;
	FILE *record;
	void *copy;			/* of an event, as the ring buffer is read-only */
	__u64 received, shown, lost;
	bool draining;
};

/* After cli_parse() into t->cli. The exit code. */
int trace_main(struct trace *t, const struct trace_ops *ops);
/* Loads, attaches and runs until something ends it. The exit code. */
int trace_skeleton(struct trace *t, struct bpf_object_skeleton *skel);
/* Shows an event that does not come through the ring buffer. */
void trace_show(struct trace *t, const void *event, size_t size);

#endif /* TRACE_H */
