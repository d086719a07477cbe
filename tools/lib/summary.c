// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>

#include <sys/wait.h>

#include "out.h"
#include "summary.h"

static json_t *command_status(const struct loop *loop)
{
	int status = loop->child_status;

	if (!loop->child_done)
		return json_null();
	return WIFEXITED(status) ? json_pack("{s:i}", "exit", WEXITSTATUS(status)) :
				   json_pack("{s:i}", "signal", WTERMSIG(status));
}

static void print_end_object(const struct trace *t, json_t *more, const char *reason)
{
	const struct counts *c = &t->session.counts;
	__u64 us = (t->session.end_ns - t->session.start_ns) / 1000;
	json_t *o = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "type", "end",
			      t->tool->counted ?: "events", (json_int_t)t->shown,
			      "lost", (json_int_t)c->all.lost,
			      "missed", (json_int_t)c->missed,
			      "filtered", (json_int_t)c->all.filtered,
			      "seen", (json_int_t)c->all.seen);

	json_object_update(o, more);
	if (t->cli.follow)
		json_object_set_new(o, "unfollowed", json_integer(c->unfollowed));
	json_object_set_new(o, "duration_us", json_integer(us));
	json_object_set_new(o, "reason", json_string(reason));
	if (t->cli.cmd.argv)
		json_object_set_new(o, "command", command_status(&t->loop));
	out_json(o);
}

/* With --strict this is a failure. */
static bool incomplete(const struct counts *c)
{
	return c->all.lost || c->missed || c->overflow || c->refused ||
	       c->unfollowed || c->unfinished;
}

int summary_print(const struct trace *t, json_t *more, const char *text)
{
	const struct counts *c = &t->session.counts;
	int error;

	if (t->cli.json)
		print_end_object(t, more, t->replay ? "replay" : stop_names[t->loop.stop]);
	error = out_flush();
	msg("%llu %s, %llu lost, %llu missed, %s%.1f s", t->shown,
	    t->tool->counted ?: "events", c->all.lost, c->missed, text,
	    (t->session.end_ns - t->session.start_ns) / 1e9);
	if (c->all.lost && t->tool->counted)
		msg("events were lost: there was no room, or no memory, to count so many apart. Try a filter.");
	else if (c->all.lost)
		msg("events were lost: they came faster than they were read. Try a larger --buffer-kb than %u, or a filter.", t->cli.buffer_kb);
	if (c->overflow)
		msg("%llu requests were not followed: too many were under way. Try a larger --in-flight than %u, or a filter.", c->overflow, t->cli.in_flight);
	if (c->refused)
		msg("%llu requests were not followed: the kernel did not store their begin, though there was room.", c->refused);
	if (c->unfollowed)
		msg("%llu processes were not followed: there was no room for so many, or no memory.", c->unfollowed);
	if (error && error != EPIPE) {
		msg("cannot write %s: %s.", t->cli.output ?: "the output",
		    strerror(error));
		return EXIT_RUNTIME;
	}
	return t->cli.strict && incomplete(c) ? EXIT_RUNTIME : EXIT_OK;
}
