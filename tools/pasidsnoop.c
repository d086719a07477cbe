// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* pasidsnoop: what is happening to PASIDs right now, one line per event. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "lib/cli.h"
#include "lib/engine.h"
#include "lib/loop.h"
#include "lib/out.h"
#include "lib/probe.h"
#include "lib/record.h"
#include "pasid.skel.h"

static const char *const event_names[] = {
	[PASID_ALLOC] = "alloc",
	[PASID_FREE] = "free",
	NULL,
};

static const struct cli_tool tool = {
	.name = "pasidsnoop",
	.summary = "Show each PASID that is allocated or freed, one line per event.",
	.events = event_names,
	.options = CLI_ALL,
	.examples =
		"  pasidsnoop                      everything, until Ctrl-C\n"
		"  pasidsnoop -x                   allocations and frees that fail\n"
		"  pasidsnoop -p 4711 -e alloc     what process 4711 allocates\n"
		"  pasidsnoop -P 33,0x40-0x4f      the life of some PASIDs\n"
		"  pasidsnoop --json -d 10         ten seconds for a program to read\n"
		"  pasidsnoop -- ./vmm --guest 1   as long as that command runs\n",
};

static const struct hook hooks[] = {
	{ PASID_ALLOC, HOOK_TRACEPOINT, "ioasid_alloc", 5, "on_ioasid_alloc_tp", NULL },
	{ PASID_ALLOC, HOOK_FEXIT, "iommu_alloc_global_pasid", 1, "on_pasid_alloc_fexit",
	  "SET and the errno in RET" },
	{ PASID_FREE, HOOK_TRACEPOINT, "ioasid_free", 3, "on_ioasid_free_tp", NULL },
	{ PASID_FREE, HOOK_FENTRY, "iommu_free_global_pasid", 1, "on_pasid_free_fentry",
	  "SET and RET" },
};

struct snoop {
	struct cli cli;
	struct session session;
	const struct hook *chosen[PASID_NR_TYPES];
	struct loop loop;
	FILE *record;
	__u64 received, shown;
	bool draining;
};

static void print_head(const struct snoop *s)
{
	char list[64] = "", iso[40];
	json_t *plan = json_object();

	for (int i = 0; i < PASID_NR_TYPES; i++) {
		const char *hook = s->session.plan[i];

		if (hook[0]) {
			if (list[0])
				strcat(list, ", ");
			strcat(list, event_names[i]);
		}
		json_object_set_new(plan, event_names[i],
				    hook[0] ? json_string(hook) : json_null());
	}
	msg("tracing PASID events (%s)... Ctrl-C to end", list);
	for (int i = 0; i < PASID_NR_TYPES; i++) {
		if (s->chosen[i] && s->chosen[i]->lacks)
			msg("%s comes without %s: not told by this kernel.", event_names[i],
			    s->chosen[i]->lacks);
	}
	if (s->cli.json) {
		out_json(json_pack("{s:s, s:s, s:i, s:s, s:s, s:o}", "type", "start",
				   "tool", tool.name, "version", 1,
				   "kernel", s->session.kernel,
				   "time", out_time(s->session.start_ns + s->session.to_wall_ns,
						    true, iso, sizeof(iso)),
				   "plan", plan));
		return;
	}
	json_decref(plan);
	out_text("%-*s %-10s %-7s %-16s %-8s %-6s %s\n", s->cli.wall ? 15 : 12,
		 s->cli.wall ? "TIME" : "TIME(s)", "EVENT", "PID", "COMM", "PASID", "SET",
		 s->cli.wide ? "RET        TID     CPU RANGE" : "RET");
}

static __s64 since_start_us(const struct snoop *s, const struct pasid_event *e)
{
	return (__s64)(e->ts_ns - s->session.start_ns) / 1000;
}

/* "0", "ENOSPC", "fail" when no reason is known, "-" when nothing is. */
static const char *ret_text(const struct pasid_event *e, char *buf, size_t size)
{
	if (e->flags & PASID_HAS_RET)
		return out_errname(e->ret, buf, size);
	if (e->type == PASID_ALLOC)
		return e->ret ? "fail" : "0";
	return "-";
}

static void print_text(const struct snoop *s, const struct pasid_event *e)
{
	char ts[24], comm[PASID_COMM_LEN + 1], pasid[12] = "-", set[12] = "-", ret[24];
	char range[24] = "-";

	if (s->cli.wall)
		out_time(e->ts_ns + s->session.to_wall_ns, false, ts, sizeof(ts));
	else
		out_seconds(since_start_us(s, e), ts, sizeof(ts));
	if (e->pasid != PASID_INVALID)
		snprintf(pasid, sizeof(pasid), "%#x", e->pasid);
	if (e->flags & PASID_HAS_SET)
		snprintf(set, sizeof(set), "%u", e->set);
	if (e->flags & PASID_HAS_RANGE)
		snprintf(range, sizeof(range), "%#x-%#x", e->min, e->max);
	out_text("%-12s %-10s %-7u %-16s %-8s %-6s %-*s", ts, event_names[e->type], e->tgid,
		 out_ascii(e->comm, PASID_COMM_LEN, comm, sizeof(comm)), pasid, set,
		 s->cli.wide ? 10 : 0, ret_text(e, ret, sizeof(ret)));
	if (s->cli.wide)
		out_text(" %-7u %-3u %s", e->tid, e->cpu, range);
	out_text("\n");
}

static json_t *known(bool is, json_int_t value)
{
	return is ? json_integer(value) : json_null();
}

static void print_json(const struct snoop *s, const struct pasid_event *e)
{
	/* on the way of a free without RET nothing is known; an allocation tells */
	bool ret_known = e->flags & PASID_HAS_RET || (e->type == PASID_ALLOC && !e->ret);
	bool range = e->flags & PASID_HAS_RANGE;
	char buf[40];
	json_t *o;

	o = json_pack("{s:s, s:I, s:I, s:I, s:i, s:o, s:o, s:o, s:o}",
		      "type", event_names[e->type], "ts_us", (json_int_t)since_start_us(s, e),
		      "pid", (json_int_t)e->tgid, "tid", (json_int_t)e->tid, "cpu", e->cpu,
		      "comm", out_utf8(e->comm, PASID_COMM_LEN),
		      "pasid", known(e->pasid != PASID_INVALID, e->pasid),
		      "set", known(e->flags & PASID_HAS_SET, e->set),
		      "ret", known(ret_known, e->ret));
	if (s->cli.wall)
		json_object_set_new(o, "time", json_string(
			out_time(e->ts_ns + s->session.to_wall_ns, true, buf, sizeof(buf))));
	if (e->type == PASID_ALLOC) {
		json_object_set_new(o, "min", known(range, e->min));
		json_object_set_new(o, "max", known(range, e->max));
	}
	if (e->ret < 0)
		json_object_set_new(o, "err",
				    json_string(ret_known ?
						out_errname(e->ret, buf, sizeof(buf)) :
						"unknown"));
	out_json(o);
}

static void show(struct snoop *s, const struct pasid_event *e)
{
	if (out_error() || (s->cli.limit && s->shown == s->cli.limit))
		return;
	s->shown++;
	if (s->cli.json)
		print_json(s, e);
	else
		print_text(s, e);
	if (s->record)
		record_event(s->record, e);
	if (s->shown == s->cli.limit && !s->loop.stop)
		s->loop.stop = STOP_LIMIT;
	if (out_error() && !s->loop.stop)
		s->loop.stop = STOP_OUTPUT;
}

/* Without the early return a flood of events would keep the loop from ending. */
static int on_event(void *ctx, void *data, size_t size)
{
	struct snoop *s = ctx;

	s->received++;
	if (size >= sizeof(struct pasid_event))
		show(s, data);
	return !s->draining && loop_stopping(&s->loop) ? -ECANCELED : 0;
}

static json_t *command_status(const struct snoop *s)
{
	int status = s->loop.child_status;

	if (!s->loop.child_done)
		return json_null();
	return WIFEXITED(status) ? json_pack("{s:i}", "exit", WEXITSTATUS(status)) :
				   json_pack("{s:i}", "signal", WTERMSIG(status));
}

/* The last lines, and the exit code they stand for. */
static int print_end(struct snoop *s, const char *reason)
{
	const struct counts *c = &s->session.counts;
	__u64 us = (s->session.end_ns - s->session.start_ns) / 1000;
	json_t *command = s->cli.cmd ? command_status(s) : NULL;
	int error;

	if (s->cli.json)
		out_json(json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:o*}",
				   "type", "end", "events", (json_int_t)s->shown,
				   "lost", (json_int_t)c->all.lost,
				   "missed", (json_int_t)c->missed,
				   "filtered", (json_int_t)c->all.filtered,
				   "seen", (json_int_t)c->all.seen,
				   "duration_us", (json_int_t)us, "reason", reason,
				   "command", command));
	else
		json_decref(command);
	error = out_error();
	msg("%llu events, %llu lost, %llu missed, %.1f s", s->shown, c->all.lost, c->missed,
	    us / 1e6);
	if (c->all.lost)
		msg("events were lost: they came faster than they were read. Try a larger --buffer-kb than %u, or a filter.", s->cli.buffer_kb);
	if (error && error != EPIPE) {
		msg("cannot write the output: %s.", strerror(error));
		return EXIT_RUNTIME;
	}
	return s->cli.strict && (c->all.lost || c->missed) ? EXIT_RUNTIME : EXIT_OK;
}

static int replay(struct snoop *s)
{
	FILE *f = fopen(s->cli.replay, "r");
	struct pasid_event e;
	int ret;

	if (!f) {
		msg("cannot read %s: %s.", s->cli.replay, strerror(errno));
		return EXIT_RUNTIME;
	}
	if (!replay_head(f, &s->session, event_names))
		return EXIT_RUNTIME;
	print_head(s);
	while ((ret = replay_event(f, &s->session, &e)) > 0) {
		if (s->cli.events & (1U << e.type) && pasid_wanted(&s->cli.filter, &e))
			show(s, &e);
	}
	fclose(f);
	return ret < 0 ? EXIT_RUNTIME : print_end(s, "replay");
}

/* Chooses the hooks. EXIT_OK, or what is missing was told. */
static int make_plan(struct snoop *s)
{
	struct btf *btf = probe_btf(s->cli.btf);
	uint32_t asked = s->cli.events;
	int found;

	if (!btf)
		return EXIT_KERNEL;
	found = probe_plan(btf, hooks, sizeof(hooks) / sizeof(hooks[0]), event_names,
			   &s->cli.events, s->chosen, s->cli.no_tracepoints,
			   s->cli.verbose > 0);
	btf__free(btf);
	for (int i = 0; i < PASID_NR_TYPES; i++) {
		if (s->chosen[i])
			probe_hook_name(s->chosen[i], s->session.plan[i],
					sizeof(s->session.plan[i]));
	}
	if (found && (!s->cli.events_given || s->cli.events == asked))
		return EXIT_OK;
	msg("this kernel cannot show what is asked for: it has neither the ioasid tracepoints nor the functions used without them. It needs CONFIG_IOASID=y or, on a stock kernel, an IOMMU driver; -v tells what was looked for.");
	return EXIT_KERNEL;
}

static int trace_events(struct snoop *s, struct bpf_object_skeleton *skel, int events_fd)
{
	struct ring_buffer *rb = ring_buffer__new(events_fd, on_event, s, NULL);
	int ret = rb ? engine_attach(skel) : EXIT_RUNTIME;
	bool ok;

	if (!rb)
		msg("cannot read the ring buffer: %s.", strerror(errno));
	if (ret)
		return ret;
	session_start(&s->session);
	print_head(s);
	if (s->record)
		record_head(s->record, &s->session, event_names);
	ok = loop_start(&s->loop, s->cli.ready, s->cli.duration_s) &&
	     loop_run(&s->loop, rb);
	s->session.end_ns = now_ns(CLOCK_MONOTONIC);
	s->draining = true;
	ok &= engine_drain(skel, rb, &s->received, &s->session.counts);
	loop_end(&s->loop);
	ring_buffer__free(rb);
	if (s->record)
		record_end(s->record, &s->session);
	ret = print_end(s, stop_names[s->loop.stop]);
	return ok ? ret : EXIT_RUNTIME;
}

static int trace(struct snoop *s)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = s->cli.btf);
	struct pasid_bpf *skel;
	int ret;

	engine_log(s->cli.verbose > 1);
	ret = probe_caps();
	if (!ret)
		ret = make_plan(s);
	if (ret)
		return ret;
	if (s->cli.record && !(s->record = fopen(s->cli.record, "w"))) {
		msg("cannot write %s: %s.", s->cli.record, strerror(errno));
		return EXIT_RUNTIME;
	}
	if (!loop_init(&s->loop, s->cli.cmd))
		return EXIT_RUNTIME;
	skel = pasid_bpf__open_opts(&opts);
	if (!skel) {
		msg("cannot open the BPF programs: %s.", strerror(errno));
		return EXIT_RUNTIME;
	}
	skel->rodata->cfg_filter = s->cli.filter;
	ret = engine_load(skel->skeleton, s->chosen, PASID_NR_TYPES, &s->cli);
	if (!ret)
		ret = trace_events(s, skel->skeleton, bpf_map__fd(skel->maps.events));
	pasid_bpf__destroy(skel);
	if (s->record && fclose(s->record)) {
		msg("cannot write %s: %s.", s->cli.record, strerror(errno));
		ret = EXIT_RUNTIME;
	}
	return ret;
}

int main(int argc, char **argv)
{
	static struct snoop s;
	int ret = cli_parse(&tool, &s.cli, argc, argv);

	if (ret != CLI_GO_ON)
		return ret;
	out_init();
	return s.cli.replay ? replay(&s) : trace(&s);
}
