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

static const struct trace_tool tool = {
	.cli = {
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
			"  invsnoop --stuck -d 5           what waits now, and where; status 5 if any\n"
		"  invsnoop -- ./vmm --guest 1     as long as that command runs\n",
	},
	.absent = "this kernel does not tell of invalidations: it has no tracepoints cache_inv_begin and cache_inv_end, or others than this tool knows, and no qi_submit_sync(), which only the driver of Intel's IOMMUs has. It needs the nested-sva patches, with guest PASIDs, and CONFIG_IOMMUFD_PASID=y; or CONFIG_INTEL_IOMMU=y; -v tells what was looked for.",
	.names = names,
	.hooks = hooks,
	.nr_hooks = sizeof(hooks) / sizeof(hooks[0]),
	.members = inv_members,
	.size = sizeof(struct inv_event),
};

/* How often to look: requests do not wake the tool, see emit_hot(). */
#define DRAIN_MS	10

/* How long a request may take before it is shown without its end */
#define STALLED_NS	1000000000ULL

static struct inv_filter filter;

static void set_filter(const struct cli *cli)
{
	filter.common = cli->filter;
	filter.tid = cli->tid;
	memcpy(filter.dev, cli->device, sizeof(filter.dev));
}

/*
 * Requests if the kernel tells of them, else submissions; half of a pair is none. What is
 * stuck may be a submission that nobody asked for by a request, so then both.
 */
static int choose(struct trace *t)
{
	bool requests = t->chosen[INV_BEGIN] && t->chosen[INV_END];
	bool submissions = t->chosen[INV_SUBMIT] && t->chosen[INV_SUBMITTED] &&
			   (!requests || t->cli.stuck_ms);

	if (!requests)
		t->chosen[INV_BEGIN] = t->chosen[INV_END] = NULL;
	if (!submissions)
		t->chosen[INV_SUBMIT] = t->chosen[INV_SUBMITTED] = NULL;
	if (!requests && submissions && t->cli.device[0] && !who_is_unit(t->cli.device))
		msg("submissions name no device: -D takes a unit of /sys/class/iommu, such as dmar0, on this kernel. Nothing is seen of %s.", t->cli.device);
	if (!requests && !submissions)
		msg("%s", tool.absent);
	return requests || submissions ? EXIT_OK : EXIT_KERNEL;
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
static bool for_each_in_flight(int fd, void (*fn)(__u64 key, struct inv_event *e, void *ctx),
			       void *ctx)
{
	static struct inv_event events[512];
	static __u64 keys[512];
	int ret = 0;
	__u32 batch, *from = NULL;

	while (!ret) {
		__u32 n = sizeof(keys) / sizeof(keys[0]);

		ret = bpf_map_lookup_batch(fd, from, &batch, keys, events, &n, NULL);
		if (ret && ret != -ENOENT)
			return false;
		for (__u32 i = 0; i < n; i++)
			fn(keys[i], &events[i], ctx);
		from = &batch;
	}
	return true;
}

struct look {
	struct trace *t;
	int stacks;			/* of --stuck */
	__u64 last, now;
};

static bool is_stuck(const struct cli *cli, const struct inv_event *e)
{
	return e->end_ns - e->ts_ns >= cli->stuck_ms * 1000000;
}

/* What is under way is no event yet: it will be one. But with --stuck it is. */
static void look_at(__u64 key, struct inv_event *e, void *ctx)
{
	const struct look *look = ctx;
	struct trace *t = look->t;
	struct inv_stack stack = {};

	e->flags |= INV_STALLED;
	e->end_ns = look->now > e->ts_ns ? look->now : e->ts_ns;
	if (t->cli.stuck_ms ? !is_stuck(&t->cli, e) :
	    !is_due(e->ts_ns, look->last, look->now, t->loop.stop))
		return;
	if (!trace_made(t, e))
		return;
	if (t->cli.stuck_ms)
		bpf_map_lookup_elem(look->stacks, &key, &stack);
	inv_show(&t->cli, &t->session, e, &stack);
	t->shown += !!t->cli.stuck_ms;
}

static void look(struct trace *t, const struct inv_bpf *skel)
{
	static struct look look;

	look.t = t;
	look.stacks = bpf_map__fd(skel->maps.stacks);
	look.now = now_ns(CLOCK_MONOTONIC);
	for_each_in_flight(bpf_map__fd(skel->maps.in_flight), look_at, &look);
	look.last = look.now;
}

static void count(__u64 key, struct inv_event *e, void *ctx)
{
	(void)key;
	(void)e;
	++*(__u64 *)ctx;
}

static bool count_pairs(struct counts *c, const struct inv_bpf *skel)
{
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
	return for_each_in_flight(bpf_map__fd(skel->maps.in_flight), count, &c->unfinished);
}

static void head(struct trace *t)
{
	trace_head(t, t->cli.stuck_ms ? "looking each second for invalidations that wait" :
		   t->session.plan[INV_SUBMIT][0] ?
		   "tracing submissions to the queues of VT-d, as this kernel does not tell of requests" :
		   "tracing invalidation requests");
	if (!t->cli.json)
		inv_head(&t->cli);
}

static int end(struct trace *t)
{
	const struct counts *c = &t->session.counts;
	char text[80];
	int ret;

	snprintf(text, sizeof(text), "%llu unpaired, %llu unfinished, ", c->unpaired,
		 c->unfinished);
	ret = trace_end(t, json_pack("{s:I, s:I, s:I, s:I}",
				      "unpaired", (json_int_t)c->unpaired,
				      "overflow", (json_int_t)c->overflow,
				      "refused", (json_int_t)c->refused,
				      "unfinished", (json_int_t)c->unfinished), text);
	return ret ?: t->cli.stuck_ms && t->shown ? EXIT_FOUND : EXIT_OK;
}

static bool recorded_is_wanted(const struct cli *cli, const struct inv_event *e)
{
	bool stalled = e->flags & INV_STALLED;

	if (cli->stuck_ms && !(stalled && is_stuck(cli, e)))
		return false;
	return inv_wanted(&filter, e) && (stalled || inv_result_wanted(&filter, e));
}

static int replay(struct trace *t)
{
	struct inv_event e;

	head(t);
	while (trace_next(t, &e)) {
		if (!recorded_is_wanted(&t->cli, &e))
			continue;
		inv_show(&t->cli, &t->session, &e, NULL);
		t->shown += t->cli.stuck_ms || !(e.flags & INV_STALLED);
	}
	return end(t);
}

static int show_all(struct trace *t, const struct inv_bpf *skel)
{
	struct inv_event e;
	enum trace_step step;

	head(t);
	trace_start(t);
	while ((step = trace_next(t, &e))) {
		if (step == TRACE_TICK) {
			look(t, skel);
			continue;
		}
		inv_show(&t->cli, &t->session, &e, NULL);
		t->shown++;
	}
	if (!count_pairs(&t->session.counts, skel)) {
		msg("the counters cannot be read. Do not trust the last line.");
		t->failed = true;
	}
	return end(t);
}

static int run(struct trace *t)
{
	struct inv_bpf *skel = inv_bpf__open();
	int ret;

	if (!skel)
		return cause_tell("open the BPF programs", -errno, false);
	set_filter(&t->cli);
	skel->rodata->cfg_filter = filter;
	skel->rodata->cfg_follow = t->cli.follow;
	skel->rodata->cfg_stuck = t->cli.stuck_ms;
	bpf_map__set_max_entries(skel->maps.in_flight, t->cli.in_flight);
	if (t->cli.stuck_ms)
		bpf_map__set_max_entries(skel->maps.stacks, t->cli.in_flight);
	ret = trace_attach(t, skel->skeleton);
	if (!ret) {
		t->active = &skel->bss->active;
		ret = show_all(t, skel);
	}
	inv_bpf__destroy(skel);
	return ret;
}

int main(int argc, char **argv)
{
	static struct trace t = { .loop.drain_ms = DRAIN_MS };
	int ret = trace_parse(&t, &tool, argc, argv);

	if (ret != CLI_GO_ON)
		return ret;
	set_filter(&t.cli);
	t.events = (1U << INV_NR_HOOKS) - 1;
	if (t.cli.replay)
		ret = trace_replay(&t) ?: replay(&t);
	else
		ret = trace_plan(&t) ?: choose(&t) ?: trace_open(&t) ?: run(&t);
	return trace_close(&t, ret);
}
