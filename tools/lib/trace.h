/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A trace from the plan to the last line, step by step, for the main() of a tool:
 *
 *	trace_parse()	options
 *	trace_plan()	what this kernel, or a recording, has; the tool may choose among it
 *	trace_open()	all that needs no BPF; the tool opens its programs
 *	trace_attach()
 *	trace_head()	and what there is already
 *	trace_start()	the clock, the command
 *	trace_next()	.. until it is over
 *	trace_end()
 *	trace_close()
 *
 * Nothing here calls a tool. With --replay, events come from a file instead, and nothing
 * is opened or attached.
 */
#ifndef TRACE_H
#define TRACE_H

#include <jansson.h>

#include "cli.h"
#include "engine.h"
#include "loop.h"
#include "probe.h"
#include "record.h"

/* All that is known of one tool: words and tables */
struct trace_tool {
	struct cli_tool cli;
	const char *absent;		/* what to say if no hook is there */
	const char *const *names;	/* by event of the hooks, NULL at the end */
	const struct hook *hooks;
	int nr_hooks;
	const struct member *members;	/* of an event; some may be sent shorter */
	size_t size;
	const char *counted;		/* what -n and the last line count; NULL: events */
};

struct trace {
	const struct trace_tool *tool;
	struct cli cli;
	uint32_t events;		/* that are asked for, bit per event */
	uint32_t missing;		/* those of them that have no hook here */
	struct session session;
	const struct hook *chosen[EMIT_SLOTS];
	struct bpf_object_skeleton *skel;
	__u32 *active;			/* NULL, or set while all programs are attached */
	struct ring_buffer *rb;
	struct loop loop;
	FILE *record, *replay;
	void *event;			/* where the next one goes */
	__u64 received, shown, lost;
	enum { TRACE_RUNS, TRACE_ENDS, TRACE_DRAINS, TRACE_DONE } state;
	int settling;
	bool failed;			/* which was told */
};

/* CLI_GO_ON, or the exit code to end with */
int trace_parse(struct trace *t, const struct trace_tool *tool, int argc, char **argv);
/* All below that return an int: EXIT_OK, or the exit code after telling why not. */
int trace_plan(struct trace *t);
/* Events that are asked for must be there; the absence of others is told. */
int trace_need(struct trace *t);
int trace_open(struct trace *t);
int trace_attach(struct trace *t, struct bpf_object_skeleton *skel);
/* The first lines, of which what is the one that tells what is traced */
void trace_head(struct trace *t, const char *what);
/* The command and the clock; what fails is told by trace_end(). */
void trace_start(struct trace *t);

enum trace_step {
	TRACE_OVER,
	TRACE_EVENT,
	TRACE_TICK,		/* each t->loop.tick_ms, and when it ends */
};
enum trace_step trace_next(struct trace *t, void *event);
/* Is it over? For loops beside trace_next() */
bool trace_ending(struct trace *t);
/* For an event that the tool has found itself: false if no more are to be shown. */
bool trace_made(struct trace *t, const void *event);
/* The last lines; more has more keys for them, text more words. It drops more. */
int trace_end(struct trace *t, json_t *more, const char *text);
/* With --check the last lines. The exit code of the tool, if ret was that of the trace */
int trace_close(struct trace *t, int ret);

#endif /* TRACE_H */
