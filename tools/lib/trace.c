// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cause.h"
#include "check.h"
#include "out.h"
#include "summary.h"
#include "trace.h"
#include "who.h"

int trace_parse(struct trace *t, const struct trace_tool *tool, int argc, char **argv)
{
	int ret;

	out_init();
	t->tool = tool;
	ret = cli_parse(&tool->cli, &t->cli, argc, argv);
	if (ret == CLI_GO_ON && t->cli.members) {
		record_members(tool->members);
		return out_flush() ? EXIT_RUNTIME : EXIT_OK;
	}
	if (ret == CLI_GO_ON && t->cli.output && !out_open(t->cli.output)) {
		msg("cannot write %s: %s.", t->cli.output, strerror(errno));
		return EXIT_RUNTIME;
	}
	return ret;
}

/* --- from the plan to the first lines ---------------------------------------------- */

static int open_recording(struct trace *t)
{
	t->replay = fopen(t->cli.replay, "r");
	if (!t->replay) {
		msg("cannot read %s: %s.", t->cli.replay, strerror(errno));
		return EXIT_RUNTIME;
	}
	return replay_head(t->replay, t->tool->cli.name, &t->session, t->tool->names) ?
	       EXIT_OK : EXIT_RUNTIME;
}

int trace_plan(struct trace *t)
{
	uint32_t events = t->events;
	struct btf *btf;
	int ret;

	if (t->cli.replay)
		return open_recording(t);
	ret = probe_caps();
	engine_log(t->cli.verbose > 1);
	if (ret)
		return ret;
	btf = probe_btf();
	if (!btf)
		return EXIT_KERNEL;
	probe_plan(btf, t->tool->hooks, t->tool->nr_hooks, t->tool->names, &events,
		   t->chosen, t->cli.no_tracepoints, t->cli.verbose > 0);
	btf__free(btf);
	t->missing = t->events & ~events;
	return EXIT_OK;
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

int trace_need(struct trace *t)
{
	const char *const *names = t->tool->names;
	uint32_t found = 0;

	for (int i = 0; names[i]; i++)
		found |= t->chosen[i] ? 1U << i : 0;
	if (found && (found == t->events || !t->cli.events_given)) {
		tell_absent(names, t->events & ~found);
		return EXIT_OK;
	}
	if (found)
		msg("this kernel has not all of the events that are asked for; -v tells what was looked for. Some need newer patches than it has.");
	else
		msg("%s", t->tool->absent);
	return EXIT_KERNEL;
}

int trace_open(struct trace *t)
{
	if (t->cli.record && !(t->record = fopen(t->cli.record, "we"))) {
		msg("cannot write %s: %s.", t->cli.record, strerror(errno));
		return EXIT_RUNTIME;
	}
	if (!who_resolve(&t->cli) || !loop_init(&t->loop, &t->cli.cmd))
		return EXIT_RUNTIME;
	return EXIT_OK;
}

static int on_event(void *ctx, void *data, size_t size);

int trace_attach(struct trace *t, struct bpf_object_skeleton *skel)
{
	int ret = engine_load(skel, t->chosen, EMIT_SLOTS, &t->cli), events;

	if (ret)
		return ret;
	t->skel = skel;
	events = bpf_object__find_map_fd_by_name(*skel->obj, "events");
	if (events >= 0 && !(t->rb = ring_buffer__new(events, on_event, t, NULL)))
		return cause_tell("read the ring buffer", -errno, false);
	ret = engine_attach(skel);
	for (int i = 0; t->tool->names[i]; i++) {
		if (t->chosen[i])
			probe_hook_name(t->chosen[i], t->session.plan[i],
					sizeof(t->session.plan[i]));
	}
	session_start(&t->session);
	return ret;
}

static json_t *plan_object(const struct trace *t)
{
	const char *const *names = t->tool->names;
	json_t *plan = json_object();

	for (int i = 0; names[i]; i++)
		json_object_set_new(plan, names[i], t->session.plan[i][0] ?
				    json_string(t->session.plan[i]) : json_null());
	return plan;
}

void trace_head(struct trace *t, const char *what)
{
	const char *const *names = t->tool->names;
	const struct session *s = &t->session;
	char iso[40];

	for (int i = 0; names[i]; i++) {
		if (t->chosen[i] && t->chosen[i]->lacks)
			msg("%s comes without %s: not told by this kernel.", names[i],
			    t->chosen[i]->lacks);
	}
	if (t->cli.json && t->cli.cmd.argv && !t->cli.output && !isatty(STDOUT_FILENO))
		msg("what the command prints comes between the lines of data; -o FILE keeps them apart.");
	if (what)
		msg("%s... Ctrl-C to end", what);
	if (t->cli.json)
		out_json(json_pack("{s:s, s:s, s:i, s:s, s:s, s:o}", "type", "start",
				   "tool", t->tool->cli.name, "version", 1,
				   "kernel", s->kernel, "time",
				   out_time(s->start_ns + s->to_wall_ns, true, iso,
					    sizeof(iso)), "plan", plan_object(t)));
	if (t->record)
		record_head(t->record, t->tool->cli.name, s, names);
}

static bool follow(struct trace *t)
{
	int64_t pid = who_global(t->loop.child, true);

	return pid > 0 && engine_follow(t->skel, pid);
}

/* A command does not run if its trace cannot be written. */
void trace_start(struct trace *t)
{
	if (t->replay)
		return;
	out_flush();
	if (t->active)
		*t->active = 1;
	if (t->cli.follow && !follow(t)) {
		t->failed = true;
		t->state = TRACE_ENDS;
		return;
	}
	probe_drop_caps();
	if (loop_stopping(&t->loop) ||
	    loop_start(&t->loop, t->cli.ready, t->cli.duration_ms))
		return;
	t->failed = true;
	t->state = TRACE_ENDS;
}

/* --- one event after the other ------------------------------------------------------ */

/* Then nothing more is shown, though it is read and counted. */
static bool is_full(const struct trace *t)
{
	return out_error() || (t->cli.limit && t->shown >= t->cli.limit);
}

/* An error stops the trace, and is told when the file is closed. */
static void record(struct trace *t, const void *event)
{
	char buf[128];

	record_event(t->record, t->tool->members, event);
	if (t->cli.record_mb && ftello(t->record) >= (off_t)t->cli.record_mb << 20) {
		t->session.end_ns = now_ns(CLOCK_MONOTONIC);
		engine_counts(t->skel, NULL, &t->session.counts, buf, sizeof(buf));
		t->record = record_rotate(t->record, t->cli.record, t->tool->cli.name,
					  &t->session, t->tool->names);
		t->failed |= !t->record;
		if (!t->record)
			msg("cannot write %s: %s.", t->cli.record, strerror(errno));
	}
	if ((!t->record || ferror(t->record)) && !t->loop.stop)
		t->loop.stop = STOP_OUTPUT;
}

bool trace_made(struct trace *t, const void *event)
{
	if (is_full(t))
		return false;
	if (t->record)
		record(t, event);
	return true;
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

static void look_at_clock(struct trace *t)
{
	if (session_clock(&t->session) && t->record)
		record_clock(t->record, &t->session);
}

/*
 * It is told when it happens, as it may be what is looked for that is missing. Tools that
 * count have it in each of their totals.
 */
static void look_for_losses(struct trace *t)
{
	__u64 before = t->lost;

	t->lost = engine_lost(t->skel);
	if (t->lost <= before || t->tool->counted)
		return;
	t->session.lost_ns = now_ns(CLOCK_MONOTONIC);
	t->session.lost_now = t->lost - before;
	print_lost(t);
	if (t->record)
		record_lost(t->record, &t->session);
}

/* The buffer is read-only. The rest of a shorter event is 0. */
static int on_event(void *ctx, void *data, size_t size)
{
	struct trace *t = ctx;

	memset(t->event, 0, t->tool->size);
	memcpy(t->event, data, size < t->tool->size ? size : t->tool->size);
	t->received++;
	return -ECANCELED;	/* one at a time */
}

static bool take(struct trace *t, void *event)
{
	__u64 before = t->received;

	t->event = event;
	if (t->rb)
		ring_buffer__consume(t->rb);
	return t->received != before;
}

bool trace_ending(struct trace *t)
{
	if (t->cli.limit && t->shown >= t->cli.limit && !t->loop.stop)
		t->loop.stop = STOP_LIMIT;
	return loop_stopping(&t->loop);
}

static enum trace_step tick(struct trace *t)
{
	look_for_losses(t);
	look_at_clock(t);
	return TRACE_TICK;
}

static void detach(struct trace *t)
{
	t->session.end_ns = now_ns(CLOCK_MONOTONIC);
	if (t->active)
		*t->active = 0;
	bpf_object__detach_skeleton(t->skel);
	t->state = TRACE_DRAINS;
}

/* A program may still be running on another CPU for a moment. */
static void settle(struct trace *t)
{
	char buf[128];
	const char *wrong = engine_counts(t->skel, t->rb ? &t->received : NULL,
					  &t->session.counts, buf, sizeof(buf));

	if (wrong && t->settling++ < 20) {
		usleep(10000);
		return;
	}
	if (wrong) {
		msg("events are unaccounted for: %s. Do not trust this output.", wrong);
		t->failed = true;
	}
	t->state = TRACE_DONE;
}

static enum trace_step next_recorded(struct trace *t, void *event)
{
	enum replay ret;

	while ((ret = replay_next(t->replay, &t->session, t->tool->members, event,
				  t->tool->size)) > REPLAY_END) {
		if (ret == REPLAY_LOST)
			print_lost(t);
		else if (!is_full(t))
			return TRACE_EVENT;
	}
	t->failed |= ret == REPLAY_BAD;
	return TRACE_OVER;
}

static enum trace_step next_live(struct trace *t, void *event)
{
	while (t->state != TRACE_DONE) {
		if (t->state == TRACE_RUNS && trace_ending(t)) {
			t->state = TRACE_ENDS;
			return tick(t);
		}
		if (t->state == TRACE_ENDS)
			detach(t);
		else if (t->state == TRACE_RUNS && loop_tick(&t->loop))
			return tick(t);
		if (take(t, event)) {
			look_at_clock(t);
			if (trace_made(t, event))
				return TRACE_EVENT;
		} else if (t->state == TRACE_DRAINS) {
			settle(t);
		} else if (!loop_wait(&t->loop, t->rb)) {
			t->failed = true;
			t->state = TRACE_ENDS;
		}
	}
	return TRACE_OVER;
}

enum trace_step trace_next(struct trace *t, void *event)
{
	return t->replay ? next_recorded(t, event) : next_live(t, event);
}

/* --- the last lines ----------------------------------------------------------------- */

int trace_end(struct trace *t, json_t *more, const char *text)
{
	int ret = EXIT_RUNTIME;

	if (!t->replay) {
		loop_end(&t->loop);
		ring_buffer__free(t->rb);
		if (t->record)
			record_end(t->record, &t->session);
	}
	if (!t->replay || !t->failed)
		ret = summary_print(t, more, text);
	json_decref(more);
	return t->failed ? EXIT_RUNTIME : ret;
}

/* An error of before is as bad as one now, but only now there is an errno. */
static bool close_file(FILE *f)
{
	bool failed = ferror(f);

	errno = EIO;
	return !fclose(f) && !failed;
}

int trace_close(struct trace *t, int ret)
{
	if (t->cli.check)
		ret = check_tell(t, ret);
	if (t->replay)
		fclose(t->replay);
	if (t->record && !close_file(t->record)) {
		msg("cannot write %s: %s.", t->cli.record, strerror(errno));
		ret = EXIT_RUNTIME;
	}
	return ret ? ret : loop_status(&t->loop);
}
