// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* pasidsnoop: what is happening to PASIDs right now, one line per event. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "lib/cli.h"
#include "lib/engine.h"
#include "lib/life.h"
#include "lib/loop.h"
#include "lib/out.h"
#include "lib/probe.h"
#include "lib/record.h"
#include "pasid.skel.h"
#include "pasidshow.h"

static const struct cli_tool tool = {
	.name = "pasidsnoop",
	.summary = "Show what happens to PASIDs and their sets, one line per event.",
	.events = pasid_names,
	.rare = 1U << PASID_GET | 1U << PASID_PUT,
	.life = 1U << PASID_ALLOC | 1U << PASID_FREE | 1U << PASID_SPID |
		1U << PASID_GET | 1U << PASID_ALIVE,
	.options = CLI_ALL,
	.examples =
		"  pasidsnoop                      everything, until Ctrl-C\n"
		"  pasidsnoop -x                   allocations and frees that fail\n"
		"  pasidsnoop -p 4711 -e alloc     what process 4711 allocates\n"
		"  pasidsnoop -P 33,0x40-0x4f      the life of some PASIDs\n"
		"  pasidsnoop --life               how long each was in use, and whose\n"
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
	{ PASID_PENDING, HOOK_TRACEPOINT, "ioasid_free_pending", 3, "on_ioasid_pending_tp", NULL },
	{ PASID_SPID, HOOK_TRACEPOINT, "ioasid_spid", 4, "on_ioasid_spid_tp", NULL },
	{ PASID_SET_NEW, HOOK_TRACEPOINT, "ioasid_set_create", 1, "on_ioasid_set_create_tp", NULL },
	{ PASID_SET_QUOTA, HOOK_TRACEPOINT, "ioasid_set_quota", 1, "on_ioasid_set_quota_tp", NULL },
	{ PASID_SET_END, HOOK_TRACEPOINT, "ioasid_set_destroy", 1, "on_ioasid_set_destroy_tp", NULL },
	{ PASID_GET, HOOK_TRACEPOINT, "ioasid_get", 4, "on_ioasid_get_tp", NULL },
	{ PASID_PUT, HOOK_TRACEPOINT, "ioasid_put", 3, "on_ioasid_put_tp", NULL },
	{ PASID_REGISTER, HOOK_TRACEPOINT, "ioasid_register_allocator", 3,
	  "on_ioasid_register_tp", NULL },
	{ PASID_UNREGISTER, HOOK_TRACEPOINT, "ioasid_unregister_allocator", 3,
	  "on_ioasid_unregister_tp", NULL },
	{ PASID_ALIVE, HOOK_ITER, "ioasid", 2, "on_ioasid_iter", NULL },
};

struct snoop {
	struct cli cli;
	struct session session;
	const struct hook *chosen[PASID_NR_TYPES];
	struct loop loop;
	struct pasid_filter filter;	/* of the programs */
	FILE *record;
	__u64 received, shown;
	bool draining;
};

static void print_head(const struct snoop *s)
{
	char list[128] = "", iso[40];
	json_t *plan = json_object();

	for (int i = 0; i < PASID_NR_TYPES; i++) {
		const char *hook = s->session.plan[i];

		if (hook[0]) {
			if (list[0])
				strcat(list, ", ");
			strcat(list, pasid_names[i]);
		}
		json_object_set_new(plan, pasid_names[i],
				    hook[0] ? json_string(hook) : json_null());
	}
	msg("tracing PASID events (%s)... Ctrl-C to end", list);
	for (int i = 0; i < PASID_NR_TYPES; i++) {
		if (s->chosen[i] && s->chosen[i]->lacks)
			msg("%s comes without %s: not told by this kernel.", pasid_names[i],
			    s->chosen[i]->lacks);
	}
	if (!s->cli.json) {
		json_decref(plan);
		pasid_head(&s->cli);
		return;
	}
	out_json(json_pack("{s:s, s:s, s:i, s:s, s:s, s:o}", "type", "start",
			   "tool", tool.name, "version", 1, "kernel", s->session.kernel,
			   "time", out_time(s->session.start_ns + s->session.to_wall_ns,
					    true, iso, sizeof(iso)),
			   "plan", plan));
}

/* A copy of the event, as the ring buffer cannot be written to. */
static void show(struct snoop *s, struct pasid_event e)
{
	struct life life;
	enum life_step step;

	if (out_error() || (s->cli.limit && s->shown == s->cli.limit))
		return;
	if (s->record)
		record_event(s->record, &e);
	step = life_event(&e, &life);
	if (s->cli.life ? step != LIFE_ENDED : step == LIFE_KNOWN)
		return;
	if (s->cli.life && s->cli.filter.tgid && s->cli.filter.tgid != life.owner)
		return;
	s->shown++;
	if (s->cli.life)
		pasid_life(&s->cli, &s->session, &e, &life);
	else
		pasid_event(&s->cli, &s->session, &e);
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
		show(s, *(struct pasid_event *)data);
	return !s->draining && loop_stopping(&s->loop) ? -ECANCELED : 0;
}

static int on_alive(void *ctx, void *data, size_t size)
{
	struct snoop *s = ctx;

	(void)size;
	show(s, *(struct pasid_event *)data);
	return loop_stopping(&s->loop) ? -ECANCELED : 0;
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
	if (!replay_head(f, &s->session, pasid_names))
		return EXIT_RUNTIME;
	print_head(s);
	while ((ret = replay_event(f, &s->session, &e)) > 0) {
		if (s->cli.events & (1U << e.type) && pasid_wanted(&s->filter, &e))
			show(s, e);
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
	found = probe_plan(btf, hooks, sizeof(hooks) / sizeof(hooks[0]), pasid_names,
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
	if (found)
		msg("this kernel has not all of the events that are asked for; -v tells what was looked for. Some need newer patches than it has.");
	else
		msg("this kernel cannot show what is asked for: it has neither the ioasid tracepoints nor the functions used without them. It needs CONFIG_IOASID=y or, on a stock kernel, an IOMMU driver; -v tells what was looked for.");
	return EXIT_KERNEL;
}

static int trace_events(struct snoop *s, struct pasid_bpf *bpf)
{
	struct ring_buffer *rb = ring_buffer__new(bpf_map__fd(bpf->maps.events), on_event, s,
						  NULL);
	struct bpf_object_skeleton *skel = bpf->skeleton;
	int ret = rb ? engine_attach(skel) : EXIT_RUNTIME;
	struct bpf_link *iter = bpf->links.on_ioasid_iter;	/* NULL: not in the plan */
	bool ok;

	if (!rb)
		msg("cannot read the ring buffer: %s.", strerror(errno));
	if (ret)
		return ret;
	session_start(&s->session);
	print_head(s);
	if (s->record)
		record_head(s->record, &s->session, pasid_names);
	ok = (!iter || engine_iterate(iter, sizeof(struct pasid_event), on_alive, s)) &&
	     loop_start(&s->loop, s->cli.ready, s->cli.duration_s) &&
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
	skel->rodata->cfg_filter = s->filter;
	ret = engine_load(skel->skeleton, s->chosen, PASID_NR_TYPES, &s->cli);
	if (!ret)
		ret = trace_events(s, skel);
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
	s.filter = s.cli.filter;
	if (s.cli.life)
		s.filter.tgid = 0;	/* somebody else may free what a process owns */
	return s.cli.replay ? replay(&s) : trace(&s);
}
