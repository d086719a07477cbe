// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* invsnoop: which IOMMU invalidations are asked for, what came of each, how fast. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>

#include "lib/cause.h"
#include "lib/out.h"
#include "lib/trace.h"
#include "invpairs.h"
#include "invshow.h"
#include "invtree.h"
#include "invwait.h"
#include "inv.skel.h"

static const char *const names[] = {
	INV_NAMES,
	[INV_NR_HOOKS] = NULL,
};

static const struct hook hooks[] = { INV_HOOKS };

static const struct trace_tool tool = {
	.cli = {
		.name = "invsnoop",
		.summary = "Show each invalidation of IOMMU caches that is asked for, one per line.",
		.options = CLI_ALL & ~(CLI_LOOKS | 1ULL << CLI_EVENT | 1ULL << CLI_LIFE),
		.examples =
			"  invsnoop                        everything, until Ctrl-C\n"
			"  invsnoop -x                     requests that fail\n"
			"  invsnoop -p 4711 -D 0000:3a:01.0 -w\n"
			"                                  what process 4711 asks of a device,\n"
			"                                  and what is submitted for each\n"
			"  invsnoop -P 33,0x40-0x4f        for some PASIDs\n"
			"  invsnoop --json -d 10           ten seconds for a program to read\n"
			"  invsnoop --stuck -d 5           what waits now, and where; status 5 if any\n"
			"  invsnoop -- ./vmm --guest 1     as long as that command runs\n",
	},
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

/*
 * A submission that nobody asked for by a request may be stuck, too; with -w, what is
 * submitted is shown below each.
 */
static int choose(struct trace *t)
{
	return inv_choose(t, t->cli.stuck_ms || t->cli.wide) ? EXIT_OK : EXIT_KERNEL;
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

static bool is_stuck(const struct cli *cli, const struct inv_event *e)
{
	return e->end_ns - e->ts_ns >= cli->stuck_ms * 1000000;
}

/* --- lines ------------------------------------------------------------------------- */

static struct inv_tree tree;

static void show(struct trace *t, const struct inv_event *e, const struct inv_wait *wait)
{
	inv_show(&t->cli, &t->session, e, wait);
	t->shown += t->cli.stuck_ms || !(e->flags & INV_STALLED);
}

/* Of a request that was lost, or that -x does not show */
static void show_orphans(struct trace *t, const struct inv_event *newer)
{
	struct inv_event e;

	while (inv_tree_take_orphan(&tree, newer, &e))
		show(t, &e, NULL);
}

static void show_tree(struct trace *t, const struct inv_event *e)
{
	struct inv_event below;

	show_orphans(t, e);
	if (e->flags & INV_BELOW && inv_tree_hold(&tree, e))
		return;
	show(t, e, NULL);
	while (!(e->flags & INV_STALLED) && inv_tree_take(&tree, e, &below))
		show(t, &below, NULL);
}

/* False if it has ended meanwhile; the stack, which goes with it, may be another's then. */
static bool look_closer(struct inv_waiting *w, struct inv_queues *queues,
			const struct inv_bpf *skel)
{
	struct inv_event now;

	bpf_map_lookup_elem(bpf_map__fd(skel->maps.stacks), &w->key, &w->wait.stack);
	if (bpf_map_lookup_elem(bpf_map__fd(skel->maps.in_flight), &w->key, &now) ||
	    now.ts_ns != w->e.ts_ns)
		return false;
	if (w->e.flags & INV_SUBMISSION)
		w->wait.queue = inv_queue_of(queues, w->e.dev);
	return true;
}

/*
 * A request under way is no event yet: it will be one. But with --stuck it is. All is
 * looked at before any is shown, as that takes its time, in which much can end.
 */
static void look(struct trace *t, const struct inv_bpf *skel)
{
	static struct inv_waits waits;
	static __u64 last;
	__u64 now = now_ns(CLOCK_MONOTONIC);
	struct inv_queues queues = {};

	t->failed |= !inv_waits_read(&waits, bpf_map__fd(skel->maps.in_flight));
	for (size_t i = 0; i < waits.n; i++) {
		struct inv_waiting *w = &waits.of[i];

		w->e.flags |= INV_STALLED;
		w->e.end_ns = now > w->e.ts_ns ? now : w->e.ts_ns;
		w->due = t->cli.stuck_ms ?
			 is_stuck(&t->cli, &w->e) && look_closer(w, &queues, skel) :
			 is_due(w->e.ts_ns, last, now, t->loop.stop);
	}
	for (size_t i = 0; i < waits.n; i++) {
		if (!waits.of[i].due)
			continue;
		if (!trace_made(t, &waits.of[i].e))
			break;
		show(t, &waits.of[i].e, &waits.of[i].wait);
	}
	last = now;
}

static void head(struct trace *t)
{
	trace_head(t, t->cli.stuck_ms ? "looking each second for invalidations that wait" :
		   inv_only_submissions(t) ?
		   "tracing submissions to the queues of VT-d, as this kernel does not tell of requests" :
		   "tracing invalidation requests");
	if (!t->cli.json)
		inv_head(&t->cli);
}

static int end(struct trace *t)
{
	char text[80];
	json_t *more;
	int ret;

	show_orphans(t, NULL);
	more = inv_end(&t->session.counts, text, sizeof(text));
	ret = trace_end(t, more, text);

	return ret ?: t->cli.stuck_ms && t->shown ? EXIT_FOUND : EXIT_OK;
}

static bool recorded_is_wanted(const struct cli *cli, const struct inv_event *e)
{
	bool stalled = e->flags & INV_STALLED;

	if (cli->stuck_ms && !(stalled && is_stuck(cli, e)))
		return false;
	if (e->flags & INV_BELOW)
		return cli->wide && inv_result_wanted(&filter, e);
	return inv_wanted(&filter, e) && (stalled || inv_result_wanted(&filter, e));
}

/* But for -x, filters are for the request: what is below one that is not wanted goes, too. */
static void forget_below(const struct inv_event *request)
{
	struct inv_event below;

	while (!inv_wanted(&filter, request) && inv_tree_take(&tree, request, &below))
		;
}

static int replay(struct trace *t)
{
	struct inv_event e;

	head(t);
	while (trace_next(t, &e)) {
		if (recorded_is_wanted(&t->cli, &e))
			show_tree(t, &e);
		else
			forget_below(&e);
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
		show_tree(t, &e);
	}
	t->failed |= !inv_count_pairs(&t->session.counts, bpf_map__fd(skel->maps.pairs),
				      bpf_map__fd(skel->maps.in_flight));
	return end(t);
}

static int run(struct trace *t)
{
	struct inv_bpf *skel = inv_bpf__open();
	int ret;

	if (!skel)
		return cause_tell("open the BPF programs", -errno, false);
	inv_set_filter(&t->cli, &filter);
	skel->rodata->cfg_filter = filter;
	skel->rodata->cfg_follow = t->cli.follow;
	skel->rodata->cfg_cgroup = t->cli.cgroup;
	skel->rodata->cfg_stuck = t->cli.stuck_ms;
	skel->rodata->cfg_below = !t->cli.stuck_ms && t->chosen[INV_BEGIN] &&
				  t->chosen[INV_SUBMIT];
	bpf_map__set_max_entries(skel->maps.in_flight, t->cli.in_flight);
	if (t->cli.stuck_ms)
		bpf_map__set_max_entries(skel->maps.stacks, t->cli.in_flight);
	ret = trace_attach(t, skel->skeleton);
	if (!ret && !t->cli.check) {
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
	inv_set_filter(&t.cli, &filter);
	t.events = (1U << INV_NR_HOOKS) - 1;
	ret = trace_plan(&t);
	if (!ret)
		ret = t.replay ? replay(&t) : choose(&t) ?: trace_open(&t) ?: run(&t);
	return trace_close(&t, ret);
}
