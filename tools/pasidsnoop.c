// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* pasidsnoop: what is happening to PASIDs right now, one line per event. */
#include <errno.h>
#include <string.h>

#include "lib/cause.h"
#include "lib/out.h"
#include "lib/trace.h"
#include "pasidfault.h"
#include "pasidlife.h"
#include "pasidshow.h"
#include "pasid.skel.h"

static const struct hook hooks[] = {
	{ PASID_ALLOC, HOOK_TRACEPOINT, "ioasid_alloc", "ioasid_set* 4 4 4 4", "on_ioasid_alloc_tp", NULL },
	{ PASID_ALLOC, HOOK_FEXIT, "iommu_alloc_global_pasid", "4(device*)", "on_pasid_alloc_fexit",
	  "SET and the errno in RET" },
	/* of 6.1, which has another ioasid_alloc() than the series */
	{ PASID_ALLOC, HOOK_FEXIT, "ioasid_alloc", "4(ioasid_set* 4 4 *)",
	  "on_old_ioasid_alloc_fexit", "SET and the errno in RET" },
	{ PASID_FREE, HOOK_TRACEPOINT, "ioasid_free", "ioasid_set* 4 4", "on_ioasid_free_tp", NULL },
	{ PASID_FREE, HOOK_FENTRY, "iommu_free_global_pasid", "4", "on_pasid_free_fentry",
	  "SET and RET" },
	{ PASID_FREE, HOOK_FENTRY, "ioasid_free", "4", "on_old_ioasid_free_fentry",
	  "SET and RET" },
	{ PASID_PENDING, HOOK_TRACEPOINT, "ioasid_free_pending", "ioasid_set* 4 4", "on_ioasid_pending_tp", NULL },
	{ PASID_SPID, HOOK_TRACEPOINT, "ioasid_spid", "ioasid_set* 4 4 4", "on_ioasid_spid_tp", NULL },
	{ PASID_SET_NEW, HOOK_TRACEPOINT, "ioasid_set_create", "ioasid_set*", "on_ioasid_set_create_tp", NULL },
	{ PASID_SET_QUOTA, HOOK_TRACEPOINT, "ioasid_set_quota", "ioasid_set*", "on_ioasid_set_quota_tp", NULL },
	{ PASID_SET_END, HOOK_TRACEPOINT, "ioasid_set_destroy", "ioasid_set*", "on_ioasid_set_destroy_tp", NULL },
	{ PASID_GET, HOOK_TRACEPOINT, "ioasid_get", "ioasid_set* 4 4 4", "on_ioasid_get_tp", NULL },
	{ PASID_PUT, HOOK_TRACEPOINT, "ioasid_put", "ioasid_set* 4 4", "on_ioasid_put_tp", NULL },
	{ PASID_REGISTER, HOOK_TRACEPOINT, "ioasid_register_allocator",
	  "* 4 4", "on_ioasid_register_tp", NULL },
	{ PASID_UNREGISTER, HOOK_TRACEPOINT, "ioasid_unregister_allocator",
	  "* 4 4", "on_ioasid_unregister_tp", NULL },
	{ PASID_ATTACH, HOOK_TRACEPOINT, "attach_device_pasid", "device* 4 * 4", "on_attach_device_pasid_tp",
	  NULL },
	{ PASID_DETACH, HOOK_TRACEPOINT, "detach_device_pasid", "device* 4 * 4", "on_detach_device_pasid_tp",
	  NULL },
	{ PASID_BIND, HOOK_TRACEPOINT, "gpasid_bind", "device* iommu_gpasid_bind_data* 4", "on_gpasid_bind_tp", NULL },
	{ PASID_UNBIND, HOOK_TRACEPOINT, "gpasid_unbind", "device* 4 4 1 4", "on_gpasid_unbind_tp", NULL },
	{ PASID_FAULT, HOOK_TRACEPOINT, "console", "* 8", "on_console_tp", NULL },
	{ PASID_PAGE_REQ, HOOK_TRACEPOINT, "prq_report", "intel_iommu* device* 8 8 8 8 8", "on_prq_report_tp",
	  NULL },
	{ PASID_PAGE_RESP, HOOK_FENTRY, "intel_iommu_page_response",
	  "device* iopf_fault* iommu_page_response*", "on_page_response_fentry", NULL },
	{ PASID_PAGE_RESP, HOOK_FENTRY, "intel_svm_page_response",
	  "4(device* iommu_fault_event* iommu_page_response*)", "on_svm_page_response_fentry", NULL },
	{ PASID_ALIVE, HOOK_ITER, "ioasid", "bpf_iter_meta* ioasid_info*", "on_ioasid_iter", NULL },
};

static const struct trace_tool tool = {
	.cli = {
		.name = "pasidsnoop",
		.summary = "Show what happens to PASIDs and their sets, one line per event.",
		.events = pasid_names,
		.rare = 1U << PASID_GET | 1U << PASID_PUT | FAULT_EVENTS,
		.life = 1U << PASID_ALLOC | 1U << PASID_FREE | 1U << PASID_SPID |
			1U << PASID_GET | 1U << PASID_ALIVE,
		.options = CLI_ALL & ~(CLI_LOOKS | 1ULL << CLI_TID | 1ULL << CLI_DEVICE |
				       1ULL << CLI_IN_FLIGHT | 1ULL << CLI_STUCK),
		.examples =
			"  pasidsnoop                      everything, until Ctrl-C\n"
			"  pasidsnoop -x                   allocations and frees that fail\n"
			"  pasidsnoop -p 4711 -e alloc     what process 4711 allocates\n"
			"  pasidsnoop -P 33,0x40-0x4f      the life of some PASIDs\n"
			"  pasidsnoop --life               how long each was in use, and whose\n"
			"  pasidsnoop -e fault,page        which PASIDs fault, and whose they are\n"
			"  pasidsnoop --json -d 10         ten seconds for a program to read\n"
			"  pasidsnoop -- ./vmm --guest 1   as long as that command runs\n",
	},
	.absent = "this kernel cannot show what is asked for: it has neither the tracepoints of nested-sva nor functions that can be used without them. It needs the nested-sva patches and CONFIG_IOASID=y, or a stock kernel with an IOMMU driver and function tracing; -v tells what was looked for.",
	.names = pasid_names,
	.hooks = hooks,
	.nr_hooks = sizeof(hooks) / sizeof(hooks[0]),
	.members = pasid_members,
	.size = sizeof(struct pasid_line),
};
_Static_assert(PASID_NR_TYPES <= EMIT_SLOTS, "more events than counters");

static struct pasid_filter filter;	/* of the programs */

static bool with_faults(const struct cli *cli)
{
	return cli->events & FAULT_EVENTS;
}

static void set_filter(const struct cli *cli)
{
	filter = cli->filter;
	if (cli->life || with_faults(cli))
		filter.tgid = 0;	/* somebody else may free what a process owns */
	if (with_faults(cli))
		filter.failed_only = 0;
}

/* Of a fault the PASID, and whose it is, are known only here. */
static bool wanted_with_faults(const struct cli *cli, struct pasid_line *l)
{
	if (l->d.e.type == PASID_FAULT)
		fault_parse(l);
	if (is_fault(&l->d.e))
		life_owner(&l->d.e);
	return cli->events & 1U << l->d.e.type && pasid_wanted(&cli->filter, &l->d.e);
}

static void show(struct trace *t, struct pasid_line *l)
{
	struct pasid_event *e = &l->d.e;
	struct life life;
	enum life_step step = life_event(e, &life);

	if (with_faults(&t->cli) && !wanted_with_faults(&t->cli, l))
		return;
	if (t->cli.life ? step != LIFE_ENDED : step == LIFE_KNOWN)
		return;
	if (t->cli.life && t->cli.filter.tgid && t->cli.filter.tgid != life.owner)
		return;
	if (t->cli.life)
		pasid_life(&t->cli, &t->session, e, &life);
	else
		pasid_event(&t->cli, &t->session, l);
	t->shown++;
}

static bool show_alive(struct trace *t, struct bpf_link *iter)
{
	struct pasid_line l = {};
	struct records records;
	const void *record;

	records_open(&records, iter, sizeof(l.d.e));
	while (!trace_ending(t) && (record = records_next(&records))) {
		memcpy(&l.d.e, record, sizeof(l.d.e));
		if (trace_made(t, &l))
			show(t, &l);
	}
	return records_close(&records);
}

/* What is traced only to know the owners of PASIDs */
static uint32_t only_for_owners(const struct trace *t)
{
	return t->events & ~t->cli.events;
}

static void head(struct trace *t)
{
	char what[300] = "tracing PASID events (";

	for (int i = 0, n = 0; i < PASID_NR_TYPES; i++) {
		if (t->session.plan[i][0] && !(only_for_owners(t) & 1U << i))
			snprintf(what + strlen(what), sizeof(what) - strlen(what), "%s%s",
				 n++ ? ", " : "", pasid_names[i]);
	}
	strcat(what, ")");
	trace_head(t, what);
	if (!t->cli.json)
		pasid_head(&t->cli);
}

static bool recorded_is_wanted(const struct trace *t, const struct pasid_event *e)
{
	return t->events & (1U << e->type) && (is_fault(e) || pasid_wanted(&filter, e));
}

/* alive: the iterator, if there is one, of what the events will not tell */
static int show_all(struct trace *t, struct bpf_link *alive)
{
	struct pasid_line l;
	enum trace_step step;

	head(t);
	t->failed = alive && !show_alive(t, alive);
	trace_start(t);
	while ((step = trace_next(t, &l))) {
		if (step == TRACE_EVENT && (!t->replay || recorded_is_wanted(t, &l.d.e)))
			show(t, &l);
	}
	return trace_end(t, NULL, "");
}

static int run(struct trace *t)
{
	struct pasid_bpf *skel = pasid_bpf__open();
	int ret;

	if (!skel)
		return cause_tell("open the BPF programs", -errno, false);
	set_filter(&t->cli);
	skel->rodata->cfg_filter = filter;
	skel->rodata->cfg_follow = t->cli.follow;
	skel->rodata->cfg_cgroup = t->cli.cgroup;
	ret = trace_attach(t, skel->skeleton);
	if (!ret && !t->cli.check)
		ret = show_all(t, skel->links.on_ioasid_iter);
	pasid_bpf__destroy(skel);
	return ret;
}

/* A kernel that does not tell whose a PASID is still tells what it does. */
static void forgo_owners(struct trace *t)
{
	for (int i = 0; i < PASID_NR_TYPES; i++) {
		if (!t->chosen[i])
			t->events &= ~(only_for_owners(t) & 1U << i);
	}
}

int main(int argc, char **argv)
{
	static struct trace t;
	int ret = trace_parse(&t, &tool, argc, argv);

	if (ret != CLI_GO_ON)
		return ret;
	if (with_faults(&t.cli) && (t.cli.cgroup || t.cli.follow)) {
		msg("-c and --follow do not go with -e fault and page: they are of no process.");
		return trace_close(&t, EXIT_USAGE);
	}
	set_filter(&t.cli);
	t.events = t.cli.events | (with_faults(&t.cli) ? OWNER_EVENTS : 0);
	ret = trace_plan(&t);
	if (!t.replay)
		forgo_owners(&t);
	if (!ret)
		ret = t.replay ? show_all(&t, NULL) : trace_need(&t) ?: trace_open(&t) ?: run(&t);
	return trace_close(&t, ret);
}
