// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/wait.h>

#include "cause.h"
#include "out.h"
#include "trace.h"
#include "who.h"

static void print_head(const struct trace *t)
{
	const char *const *names = t->ops->names;
	const struct session *s = &t->session;
	json_t *plan = json_object();
	char iso[40];

	for (int i = 0; names[i]; i++)
		json_object_set_new(plan, names[i], s->plan[i][0] ?
				    json_string(s->plan[i]) : json_null());
	for (int i = 0; names[i]; i++) {
		if (t->chosen[i] && t->chosen[i]->lacks)
			msg("%s comes without %s: not told by this kernel.", names[i],
			    t->chosen[i]->lacks);
	}
	if (t->cli.json && t->cli.cmd.argv && !t->cli.output && !isatty(STDOUT_FILENO))
		msg("what the command prints comes between the lines of data; -o FILE keeps them apart.");
	t->ops->head(t);
	if (!t->cli.json) {
		json_decref(plan);
		return;
	}
	out_json(json_pack("{s:s, s:s, s:i, s:s, s:s, s:o}", "type", "start",
			   "tool", t->ops->tool->name, "version", 1, "kernel", s->kernel,
			   "time", out_time(s->start_ns + s->to_wall_ns, true, iso,
					    sizeof(iso)),
			   "plan", plan));
}

/* What a shorter event does not have is 0. */
void trace_show(struct trace *t, const void *event, size_t size)
{
	if (out_error() || (t->cli.limit && t->shown == t->cli.limit))
		return;
	memset(t->copy, 0, t->ops->size);
	memcpy(t->copy, event, size < t->ops->size ? size : t->ops->size);
	if (t->record) {
		t->ops->record(t->record, t->copy);
		if (ferror(t->record) && !t->loop.stop)
			t->loop.stop = STOP_OUTPUT;
	}
	if (!t->ops->show(t, t->copy))
		return;
	t->shown++;
	if (t->shown == t->cli.limit && !t->loop.stop)
		t->loop.stop = STOP_LIMIT;
}

static void print_lost(const struct trace *t)
{
	const struct session *s = &t->session;
	__s64 us = (__s64)(s->lost_ns - s->start_ns) / 1000;
	char buf[40];
	json_t *o;

	if (!t->cli.json) {
		out_text("%-11s lost       %llu events\n", t->cli.wall ?
			 out_time(s->lost_ns + s->to_wall_ns, false, buf, sizeof(buf)) :
			 out_seconds(us, buf, sizeof(buf)), s->lost_now);
		return;
	}
	o = json_pack("{s:s, s:I, s:I}", "type", "lost", "ts_us", (json_int_t)us,
		      "count", (json_int_t)s->lost_now);
	if (t->cli.wall)
		json_object_set_new(o, "time", json_string(
			out_time(s->lost_ns + s->to_wall_ns, true, buf, sizeof(buf))));
	out_json(o);
}

/* Without the early return a flood of events would keep the loop from ending. */
static int on_event(void *ctx, void *data, size_t size)
{
	struct trace *t = ctx;

	t->received++;
	if (session_clock(&t->session) && t->record)
		record_clock(t->record, &t->session);
	trace_show(t, data, size);
	return !t->draining && loop_stopping(&t->loop) ? -ECANCELED : 0;
}

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
			      "events", (json_int_t)t->shown,
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

/* What --strict does not stand */
static bool incomplete(const struct counts *c)
{
	return c->all.lost || c->missed || c->overflow || c->refused ||
	       c->unfollowed || c->unfinished;
}

/* The last lines, and the exit code they stand for. */
static int print_end(struct trace *t, const char *reason)
{
	const struct counts *c = &t->session.counts;
	json_t *more = json_object();
	char text[80] = "";
	int error;

	if (t->ops->end)
		t->ops->end(t, more, text, sizeof(text));
	if (t->cli.json)
		print_end_object(t, more, reason);
	json_decref(more);
	error = out_flush();
	msg("%llu events, %llu lost, %llu missed, %s%.1f s", t->shown, c->all.lost, c->missed,
	    text, (t->session.end_ns - t->session.start_ns) / 1e9);
	if (c->all.lost)
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

static int replay(struct trace *t)
{
	FILE *f = fopen(t->cli.replay, "r");
	char event[t->ops->size] __attribute__((aligned(8)));
	int ret;

	if (!f) {
		msg("cannot read %s: %s.", t->cli.replay, strerror(errno));
		return EXIT_RUNTIME;
	}
	if (!replay_head(f, &t->session, t->ops->names))
		return EXIT_RUNTIME;
	print_head(t);
	while ((ret = t->ops->replay(t, f, event)) > 0) {
		if (ret == REPLAY_LOST)
			print_lost(t);
		else if (t->ops->wanted(t, event))
			trace_show(t, event, sizeof(event));
	}
	fclose(f);
	return ret < 0 ? EXIT_RUNTIME : print_end(t, "replay");
}

static void tell_absent(const char *const *names, uint32_t events)
{
	char list[256] = "";

	for (int i = 0; names[i]; i++) {
		if (events & (1U << i))
			snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
				 list[0] ? ", " : "", names[i]);
	}
	if (list[0])
		msg("this kernel does not tell of: %s.", list);
}

/* Chooses the hooks. EXIT_OK, or what is missing was told. */
static int make_plan(struct trace *t)
{
	const struct trace_ops *ops = t->ops;
	struct btf *btf = probe_btf();
	uint32_t asked = t->events;
	int found;

	if (!btf)
		return EXIT_KERNEL;
	found = probe_plan(btf, ops->hooks, ops->nr_hooks, ops->names, &t->events, t->chosen,
			   t->cli.no_tracepoints, t->cli.verbose > 0);
	btf__free(btf);
	if (ops->choose && !ops->choose(t)) {
		msg("%s", ops->absent);
		return EXIT_KERNEL;
	}
	for (int i = 0; ops->names[i]; i++) {
		if (t->chosen[i])
			probe_hook_name(t->chosen[i], t->session.plan[i],
					sizeof(t->session.plan[i]));
	}
	if (ops->choose)
		return EXIT_OK;
	if (found && (t->events == asked || !t->cli.events_given)) {
		tell_absent(ops->names, asked & ~t->events);
		return EXIT_OK;
	}
	if (found)
		msg("this kernel has not all of the events that are asked for; -v tells what was looked for. Some need newer patches than it has.");
	else
		msg("%s", ops->absent);
	return EXIT_KERNEL;
}

/* Told when it happens, as it may be what is looked for that is missing. */
static void look_for_losses(struct trace *t)
{
	__u64 lost = engine_lost(t->skel);

	if (lost <= t->lost)
		return;
	t->session.lost_ns = now_ns(CLOCK_MONOTONIC);
	t->session.lost_now = lost - t->lost;
	t->lost = lost;
	print_lost(t);
	if (t->record)
		record_lost(t->record, &t->session);
}

static void tick(void *ctx)
{
	struct trace *t = ctx;

	look_for_losses(t);
	if (t->ops->tick)
		t->ops->tick(t);
}

/* A command does not run if its trace cannot be written. */
static bool run(struct trace *t, struct ring_buffer *rb)
{
	out_flush();
	if (loop_stopping(&t->loop))
		return true;
	return loop_start(&t->loop, t->cli.ready, t->cli.duration_ms) &&
	       loop_run(&t->loop, rb, tick, t);
}

static bool follow(struct trace *t, struct bpf_object_skeleton *skel)
{
	int64_t pid = who_global(t->loop.child, true);

	return pid > 0 && engine_follow(skel, pid);
}

static int trace_events(struct trace *t, struct bpf_object_skeleton *skel)
{
	struct ring_buffer *rb = ring_buffer__new(bpf_object__find_map_fd_by_name(*skel->obj,
										  "events"),
						  on_event, t, NULL);
	int err = errno, ret = rb ? engine_attach(skel) : EXIT_RUNTIME;
	bool ok;

	t->skel = skel;
	if (!rb)
		return cause_tell("read the ring buffer", -err, false);
	if (ret)
		return ret;
	session_start(&t->session);
	print_head(t);
	if (t->record)
		record_head(t->record, &t->session, t->ops->names);
	ok = (!t->cli.follow || follow(t, skel)) &&
	     (!t->ops->before || t->ops->before(t)) && run(t, rb);
	t->session.end_ns = now_ns(CLOCK_MONOTONIC);
	tick(t);
	t->draining = true;
	if (t->ops->stop)
		t->ops->stop(t);
	ok &= engine_drain(skel, rb, &t->received, &t->session.counts);
	if (t->ops->counts && !t->ops->counts(t)) {
		msg("the counters cannot be read. Do not trust the last line.");
		ok = false;
	}
	loop_end(&t->loop);
	ring_buffer__free(rb);
	if (t->record)
		record_end(t->record, &t->session);
	ret = print_end(t, stop_names[t->loop.stop]);
	return ok ? ret : EXIT_RUNTIME;
}

int trace_skeleton(struct trace *t, struct bpf_object_skeleton *skel)
{
	int ret = engine_load(skel, t->chosen, EMIT_SLOTS, &t->cli);

	return ret ? ret : trace_events(t, skel);
}

/* An error of before is as bad as one now, but only now there is an errno. */
static bool close_file(FILE *f)
{
	bool failed = ferror(f);

	errno = EIO;
	return !fclose(f) && !failed;
}

static int trace(struct trace *t)
{
	int ret;

	engine_log(t->cli.verbose > 1);
	ret = probe_caps();
	if (!ret)
		ret = make_plan(t);
	if (ret)
		return ret;
	if (t->cli.record && !(t->record = fopen(t->cli.record, "w"))) {
		msg("cannot write %s: %s.", t->cli.record, strerror(errno));
		return EXIT_RUNTIME;
	}
	if (!who_resolve(&t->cli) || !loop_init(&t->loop, &t->cli.cmd))
		return EXIT_RUNTIME;
	ret = t->ops->open(t);
	if (t->record && !close_file(t->record)) {
		msg("cannot write %s: %s.", t->cli.record, strerror(errno));
		ret = EXIT_RUNTIME;
	}
	return ret ? ret : loop_status(&t->loop);
}

int trace_main(struct trace *t, const struct trace_ops *ops)
{
	char copy[ops->size] __attribute__((aligned(8)));

	t->ops = ops;
	t->copy = copy;
	if (t->cli.output && !out_open(t->cli.output)) {
		msg("cannot write %s: %s.", t->cli.output, strerror(errno));
		return EXIT_RUNTIME;
	}
	return t->cli.replay ? replay(t) : trace(t);
}
