// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* invsnoop: which IOMMU invalidations are asked for, what came of each, how fast. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>

#include "lib/cause.h"
#include "lib/out.h"
#include "lib/trace.h"
#include "lib/who.h"
#include "invshow.h"
#include "inv.skel.h"

static const struct cli_tool tool = {
	.name = "invsnoop",
	.summary = "Show each invalidation of IOMMU caches that is asked for, one per line.",
	.options = CLI_ALL & ~(1ULL << CLI_EVENT | 1ULL << CLI_LIFE),
	.examples =
		"  invsnoop                        everything, until Ctrl-C\n"
		"  invsnoop -x                     requests that fail\n"
		"  invsnoop -p 4711 -D 0000:3a:01.0 -w\n"
		"                                  what process 4711 asks of a device\n"
		"  invsnoop -P 33,0x40-0x4f        for some PASIDs\n"
		"  invsnoop --json -d 10           ten seconds for a program to read\n"
		"  invsnoop -- ./vmm --guest 1     as long as that command runs\n",
};

static const char *const names[] = {
	[INV_BEGIN] = "begin",
	[INV_END] = "end",
	[INV_SUBMIT] = "submit",
	[INV_SUBMITTED] = "submitted",
	[INV_NR_HOOKS] = NULL,
};

static const struct hook hooks[] = {
	{ INV_BEGIN, HOOK_TRACEPOINT, "cache_inv_begin", "device* 8 iommu_cache_invalidate_info* 4", "on_cache_inv_begin_tp", NULL },
	{ INV_END, HOOK_TRACEPOINT, "cache_inv_end", "device* 8 4 4", "on_cache_inv_end_tp", NULL },
	{ INV_SUBMIT, HOOK_FENTRY, "qi_submit_sync", "4(intel_iommu* qi_desc* 4 8)",
	  "on_qi_submit_fentry", NULL },
	{ INV_SUBMITTED, HOOK_FEXIT, "qi_submit_sync", "4(intel_iommu* qi_desc* 4 8)",
	  "on_qi_submit_fexit", NULL },
};

/* How often to look: requests do not wake the tool, see emit_hot(). */
#define DRAIN_MS	10

/* How long a request may take before it is shown without its end */
#define STALLED_NS	1000000000ULL

static struct inv_filter filter;
static struct inv_bpf *skel;

/* Requests if the kernel tells of them, else submissions; half of a pair is none. */
static bool choose(struct trace *t)
{
	bool requests = t->chosen[INV_BEGIN] && t->chosen[INV_END];
	bool submissions = !requests && t->chosen[INV_SUBMIT] && t->chosen[INV_SUBMITTED];

	if (!requests)
		t->chosen[INV_BEGIN] = t->chosen[INV_END] = NULL;
	if (submissions && t->cli.device[0] && !who_is_unit(t->cli.device))
		msg("submissions name no device: -D takes a unit of /sys/class/iommu, such as dmar0, on this kernel. Nothing is seen of %s.", t->cli.device);
	if (!submissions)
		t->chosen[INV_SUBMIT] = t->chosen[INV_SUBMITTED] = NULL;
	return requests || submissions;
}

static void head(const struct trace *t)
{
	if (t->session.plan[INV_SUBMIT][0])
		msg("tracing submissions to the queues of VT-d, as this kernel does not tell of requests... Ctrl-C to end");
	else
		msg("tracing invalidation requests... Ctrl-C to end");
	if (!t->cli.json)
		inv_head(&t->cli);
}

/* What is under way is no event yet: it will be one. */
static bool show(struct trace *t, void *event)
{
	const struct inv_event *e = event;

	inv_show(&t->cli, &t->session, e);
	return !(e->flags & INV_STALLED);
}

static bool before(struct trace *t)
{
	t->loop.drain_ms = DRAIN_MS;
	skel->bss->active = 1;
	return true;
}

/*
 * Is it time to tell of it? After 1 s, 2 s, 4 s and so on, each once: when the
 * logarithm of the age has changed since the last look; and at the end.
 */
static bool is_due(__u64 begin, __u64 last, __u64 now, bool end)
{
	__u64 age = now > begin ? (now - begin) / STALLED_NS : 0;
	__u64 before = last > begin ? (last - begin) / STALLED_NS : 0;

	return age && (end || !before || __builtin_clzll(age) != __builtin_clzll(before));
}

/*
 * What was begun and has not ended is still in the map. Read by buckets: whatever
 * comes and goes meanwhile, the others are met once.
 */
static bool for_each_in_flight(void (*fn)(struct inv_event *e, void *ctx), void *ctx)
{
	static struct inv_event events[512];
	static __u64 keys[512];
	int fd = bpf_map__fd(skel->maps.in_flight), ret = 0;
	__u32 batch, *from = NULL;

	while (!ret) {
		__u32 n = sizeof(keys) / sizeof(keys[0]);

		ret = bpf_map_lookup_batch(fd, from, &batch, keys, events, &n, NULL);
		if (ret && ret != -ENOENT)
			return false;
		for (__u32 i = 0; i < n; i++)
			fn(&events[i], ctx);
		from = &batch;
	}
	return true;
}

struct look {
	struct trace *t;
	__u64 last, now;
};

static void look_at(struct inv_event *e, void *ctx)
{
	const struct look *look = ctx;

	if (!is_due(e->ts_ns, look->last, look->now, look->t->loop.stop))
		return;
	e->flags |= INV_STALLED;
	e->end_ns = look->now;
	trace_show(look->t, e, sizeof(*e));
}

static void tick(struct trace *t)
{
	static struct look look;

	look.t = t;
	look.now = now_ns(CLOCK_MONOTONIC);
	for_each_in_flight(look_at, &look);
	look.last = look.now;
}

static void stop(struct trace *t)
{
	(void)t;
	skel->bss->active = 0;
}

static void count(struct inv_event *e, void *ctx)
{
	(void)e;
	++*(__u64 *)ctx;
}

static bool counts(struct trace *t)
{
	struct counts *c = &t->session.counts;
	int cpus = libbpf_num_possible_cpus();
	__u32 zero = 0;

	struct inv_pairs cpu[cpus > 0 ? cpus : 1];

	if (cpus < 0 || bpf_map_lookup_elem(bpf_map__fd(skel->maps.pairs), &zero, cpu))
		return false;
	for (int i = 0; i < cpus; i++) {
		c->unpaired += cpu[i].unpaired;
		c->overflow += cpu[i].overflow;
		c->refused += cpu[i].refused;
	}
	return for_each_in_flight(count, &c->unfinished);
}

static void end(const struct trace *t, json_t *o, char *text, size_t size)
{
	const struct counts *c = &t->session.counts;

	json_object_set_new(o, "unpaired", json_integer(c->unpaired));
	json_object_set_new(o, "overflow", json_integer(c->overflow));
	json_object_set_new(o, "refused", json_integer(c->refused));
	json_object_set_new(o, "unfinished", json_integer(c->unfinished));
	snprintf(text, size, "%llu unpaired, %llu unfinished, ", c->unpaired, c->unfinished);
}

static void set_filter(const struct cli *cli)
{
	filter.common = cli->filter;
	filter.tid = cli->tid;
	memcpy(filter.dev, cli->device, sizeof(filter.dev));
}

static int open_programs(struct trace *t)
{
	int ret;

	skel = inv_bpf__open();
	if (!skel)
		return cause_tell("open the BPF programs", -errno, false);
	set_filter(&t->cli);
	skel->rodata->cfg_filter = filter;
	skel->rodata->cfg_follow = t->cli.follow;
	bpf_map__set_max_entries(skel->maps.in_flight, t->cli.in_flight);
	ret = trace_skeleton(t, skel->skeleton);
	inv_bpf__destroy(skel);
	return ret;
}

static void record(FILE *f, const void *event)
{
	inv_record(f, event);
}

static int replay(struct trace *t, FILE *f, void *event)
{
	return inv_replay(f, &t->session, event);
}

static bool wanted(const struct trace *t, const void *event)
{
	const struct inv_event *e = event;

	(void)t;
	return inv_wanted(&filter, e) &&
	       (e->flags & INV_STALLED || inv_result_wanted(&filter, e));
}

static const struct trace_ops ops = {
	.tool = &tool,
	.names = names,
	.hooks = hooks,
	.nr_hooks = sizeof(hooks) / sizeof(hooks[0]),
	.choose = choose,
	.absent = "this kernel does not tell of invalidations: it has no tracepoints cache_inv_begin and cache_inv_end, or others than this tool knows, and no qi_submit_sync(), which only the driver of Intel's IOMMUs has. It needs the nested-sva patches, with guest PASIDs, and CONFIG_IOMMUFD_PASID=y; or CONFIG_INTEL_IOMMU=y; -v tells what was looked for.",
	.size = sizeof(struct inv_event),
	.open = open_programs,
	.head = head,
	.show = show,
	.before = before,
	.tick = tick,
	.stop = stop,
	.counts = counts,
	.end = end,
	.record = record,
	.replay = replay,
	.wanted = wanted,
};

int main(int argc, char **argv)
{
	static struct trace t;
	int ret;

	out_init();
	ret = cli_parse(&tool, &t.cli, argc, argv);
	if (ret != CLI_GO_ON)
		return ret;
	set_filter(&t.cli);
	t.events = (1U << INV_NR_HOOKS) - 1;
	return trace_main(&t, &ops);
}
