// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* pasidsnoop: what is happening to PASIDs right now, one line per event. */
#include <errno.h>
#include <string.h>

#include "lib/cause.h"
#include "lib/life.h"
#include "lib/out.h"
#include "lib/trace.h"
#include "pasidshow.h"
#include "pasid.skel.h"

static const struct cli_tool tool = {
	.name = "pasidsnoop",
	.summary = "Show what happens to PASIDs and their sets, one line per event.",
	.events = pasid_names,
	.rare = 1U << PASID_GET | 1U << PASID_PUT,
	.life = 1U << PASID_ALLOC | 1U << PASID_FREE | 1U << PASID_SPID |
		1U << PASID_GET | 1U << PASID_ALIVE,
	.options = CLI_ALL & ~(1ULL << CLI_TID | 1ULL << CLI_DEVICE | 1ULL << CLI_IN_FLIGHT),
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
	{ PASID_ALLOC, HOOK_TRACEPOINT, "ioasid_alloc", "ioasid_set* 4 4 4 4", "on_ioasid_alloc_tp", NULL },
	{ PASID_ALLOC, HOOK_FEXIT, "iommu_alloc_global_pasid", "4(device*)", "on_pasid_alloc_fexit",
	  "SET and the errno in RET" },
	{ PASID_FREE, HOOK_TRACEPOINT, "ioasid_free", "ioasid_set* 4 4", "on_ioasid_free_tp", NULL },
	{ PASID_FREE, HOOK_FENTRY, "iommu_free_global_pasid", "4", "on_pasid_free_fentry",
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
	{ PASID_ALIVE, HOOK_ITER, "ioasid", "bpf_iter_meta* ioasid_info*", "on_ioasid_iter", NULL },
};

static struct pasid_filter filter;	/* of the programs */
static struct pasid_bpf *skel;

static void head(const struct trace *t)
{
	char list[256] = "";

	for (int i = 0; i < PASID_NR_TYPES; i++) {
		if (t->session.plan[i][0])
			snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
				 list[0] ? ", " : "", pasid_names[i]);
	}
	msg("tracing PASID events (%s)... Ctrl-C to end", list);
	if (!t->cli.json)
		pasid_head(&t->cli);
}

static bool show(struct trace *t, void *event)
{
	struct pasid_dev_event *d = event;
	struct life life;
	enum life_step step = life_event(&d->e, &life);

	if (t->cli.life ? step != LIFE_ENDED : step == LIFE_KNOWN)
		return false;
	if (t->cli.life && t->cli.filter.tgid && t->cli.filter.tgid != life.owner)
		return false;
	if (t->cli.life)
		pasid_life(&t->cli, &t->session, &d->e, &life);
	else
		pasid_event(&t->cli, &t->session, d);
	return true;
}

static int on_alive(void *ctx, void *data, size_t size)
{
	struct trace *t = ctx;

	trace_show(t, data, size);
	return loop_stopping(&t->loop) ? -ECANCELED : 0;
}

static bool before(struct trace *t)
{
	struct bpf_link *iter = skel->links.on_ioasid_iter;	/* NULL: not in the plan */

	return !iter || engine_iterate(iter, sizeof(struct pasid_event), on_alive, t);
}

static void set_filter(const struct cli *cli)
{
	filter = cli->filter;
	if (cli->life)
		filter.tgid = 0;	/* somebody else may free what a process owns */
}

static int open_programs(struct trace *t)
{
	int ret;

	skel = pasid_bpf__open();
	if (!skel)
		return cause_tell("open the BPF programs", -errno, false);
	set_filter(&t->cli);
	skel->rodata->cfg_filter = filter;
	skel->rodata->cfg_follow = t->cli.follow;
	ret = trace_skeleton(t, skel->skeleton);
	pasid_bpf__destroy(skel);
	return ret;
}

static void record(FILE *f, const void *event)
{
	record_event(f, event);
}

static int replay(struct trace *t, FILE *f, void *event)
{
	return replay_event(f, &t->session, event);
}

static bool wanted(const struct trace *t, const void *event)
{
	const struct pasid_dev_event *d = event;

	return t->events & (1U << d->e.type) && pasid_wanted(&filter, &d->e);
}

static const struct trace_ops ops = {
	.tool = &tool,
	.names = pasid_names,
	.hooks = hooks,
	.nr_hooks = sizeof(hooks) / sizeof(hooks[0]),
	.absent = "this kernel cannot show what is asked for: it has neither the tracepoints of nested-sva nor functions that can be used without them. It needs the nested-sva patches and CONFIG_IOASID=y, or a stock kernel from 6.6 on with an IOMMU driver; -v tells what was looked for.",
	.size = sizeof(struct pasid_dev_event),
	.open = open_programs,
	.head = head,
	.show = show,
	.before = before,
	.record = record,
	.replay = replay,
	.wanted = wanted,
};
_Static_assert(PASID_NR_TYPES <= EMIT_SLOTS, "more events than counters");

int main(int argc, char **argv)
{
	static struct trace t;
	int ret;

	out_init();
	ret = cli_parse(&tool, &t.cli, argc, argv);
	if (ret != CLI_GO_ON)
		return ret;
	set_filter(&t.cli);
	t.events = t.cli.events;
	return trace_main(&t, &ops);
}
