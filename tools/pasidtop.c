// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* pasidtop: which PASIDs are in use, whose they are, and how busy. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <sys/ioctl.h>

#include "lib/cause.h"
#include "lib/out.h"
#include "lib/room.h"
#include "lib/trace.h"
#include "invpairs.h"
#include "toplook.h"
#include "topshow.h"
#include "top.skel.h"

static const char *const names[] = {
	INV_NAMES,
	[TOP_ALIVE] = "alive",
	[TOP_ALLOC] = "alloc",
	[TOP_FREE] = "free",
	[TOP_ATTACH] = "attach",
	[TOP_DETACH] = "detach",
	[TOP_NR_HOOKS] = NULL,
};

static const struct hook hooks[] = {
	INV_HOOKS,
	{ TOP_ALIVE, HOOK_ITER, "ioasid", "bpf_iter_meta* ioasid_info*", "on_top_iter", NULL },
	{ TOP_ALLOC, HOOK_TRACEPOINT, "ioasid_alloc", "ioasid_set* 4 4 4 4", "on_top_alloc_tp", NULL },
	{ TOP_ALLOC, HOOK_FEXIT, "iommu_alloc_global_pasid", "4(device*)", "on_top_alloc_fexit", NULL },
	{ TOP_ALLOC, HOOK_FEXIT, "ioasid_alloc", "4(ioasid_set* 4 4 *)", "on_top_old_alloc_fexit", NULL },
	{ TOP_FREE, HOOK_TRACEPOINT, "ioasid_free", "ioasid_set* 4 4", "on_top_free_tp", NULL },
	{ TOP_FREE, HOOK_FENTRY, "iommu_free_global_pasid", "4", "on_top_free_fentry", NULL },
	{ TOP_FREE, HOOK_FENTRY, "ioasid_free", "4", "on_top_old_free_fentry", NULL },
	{ TOP_ATTACH, HOOK_TRACEPOINT, "attach_device_pasid", "device* 4 * 4", "on_top_attach_tp", NULL },
	{ TOP_DETACH, HOOK_TRACEPOINT, "detach_device_pasid", "device* 4 * 4", "on_top_detach_tp", NULL },
};

static const struct trace_tool tool = {
	.cli = {
		.name = "pasidtop",
		.summary = "Show the PASIDs in use, whose they are and how busy, again and again.",
		.interval = true,
		.options = CLI_ALL & ~(CLI_EVENTS | 1ULL << CLI_BY),
		.examples =
			"  pasidtop                        every second, until Ctrl-C\n"
			"  pasidtop 5 12 >file             twelve times, every 5 seconds\n"
			"  pasidtop --once -w              a list\n"
			"  pasidtop -r 10 -s max_ns        those that wait longest\n"
			"  pasidtop --older 1h --once      who has old ones; status 5 if any\n"
			"  pasidtop --json 10 1            ten seconds for a program to read\n",
	},
	.absent = "this kernel does not tell of PASIDs: it has neither the iterator ioasid nor functions that allocate them. It needs the nested-sva patches and CONFIG_IOASID=y, or a stock kernel with an IOMMU driver and function tracing; -v tells what was looked for.",
	.names = names,
	.hooks = hooks,
	.nr_hooks = sizeof(hooks) / sizeof(hooks[0]),
	.members = top_members,
	.size = sizeof(struct top_row),
	.counted = "snapshots",
};
_Static_assert(TOP_NR_HOOKS <= EMIT_SLOTS, "more events than counters");

/* A list needs the iterator alone; who allocates is looked at for the stacks only. */
static int choose(struct trace *t)
{
	bool alive = t->chosen[TOP_ALIVE] && !t->cli.no_tracepoints;

	if (!alive)
		t->chosen[TOP_ALIVE] = NULL;
	if (!alive && !(t->chosen[TOP_ALLOC] && t->chosen[TOP_FREE])) {
		msg("%s", tool.absent);
		return EXIT_KERNEL;
	}
	if (!alive && t->cli.once) {
		msg("this kernel has no list of the PASIDs in use: --once needs the nested-sva patches. Without it, those are shown that are allocated from now on.");
		return EXIT_KERNEL;
	}
	if (!alive)
		msg("this kernel has no list of the PASIDs in use: those are shown that are allocated from now on.");
	if (!t->cli.once)
		inv_choose(t, false);
	if (alive && !t->cli.older_ms)
		t->chosen[TOP_ALLOC] = t->chosen[TOP_FREE] = NULL;
	for (int i = 0; t->cli.once && i < TOP_NR_HOOKS; i++) {
		if (i != TOP_ALIVE)
			t->chosen[i] = NULL;
	}
	return EXIT_OK;
}

static bool is_wanted(const struct cli *cli, const struct top_row *r)
{
	return (!cli->filter.tgid || cli->filter.tgid == r->tgid) &&
	       pasid_listed(&cli->filter, r->pasid);
}

static size_t keep_wanted(const struct cli *cli, struct top_row *rows, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (is_wanted(cli, &rows[i]))
			rows[kept++] = rows[i];
	}
	return kept;
}

/* A terminal has one screen at a time, which is not scrolled away. */
static void clear_screen(struct cli *cli)
{
	struct winsize size;

	if (cli->json || cli->output || !isatty(out_fd()))
		return;
	out_text("\033[H\033[2J");
	if (!cli->rows && !ioctl(out_fd(), TIOCGWINSZ, &size) && size.ws_row > 4)
		cli->rows = size.ws_row - 4;
}

static void show(struct trace *t, struct top_row *rows, size_t n, const struct top_row *total,
		 bool *found)
{
	struct cli cli = t->cli;

	n = keep_wanted(&cli, rows, n);
	if (cli.prom && !top_prom(&cli, &t->session, rows, n, total)) {
		t->failed = true;
		t->loop.stop = t->loop.stop ?: STOP_OUTPUT;
	}
	clear_screen(&cli);
	if (cli.older_ms)
		*found |= top_show_older(&cli, &t->session, rows, n, total);
	else
		top_show(&cli, &t->session, rows, n, total);
	t->shown++;
}

static void head(struct trace *t)
{
	trace_head(t, t->cli.once ? NULL : "looking at PASIDs and what is invalidated of them");
	if (t->session.plan[INV_BEGIN][0] || t->cli.once)
		return;
	if (inv_only_submissions(t))
		msg("this kernel does not tell of requests: INV/s, MEAN and MAX are of submissions to the queues of VT-d, without B/s, and DEV is the unit.");
	else
		msg("this kernel does not tell of invalidations.");
}

static void snapshot(struct trace *t, struct top_look *look, bool *found)
{
	if (t->loop.stop == STOP_LIMIT)
		return;
	if (!top_look(look)) {
		t->failed = true;
		return;
	}
	look->total.lost = t->lost;
	for (size_t i = 0; t->record && i < look->n; i++)
		record_event(t->record, top_members, &look->rows[i]);
	if (trace_made(t, &look->total))
		show(t, look->rows, look->n, &look->total, found);
	top_look_end(look);
}

static int end(struct trace *t, bool found)
{
	char text[80];
	json_t *more = inv_end(&t->session.counts, text, sizeof(text));
	int ret = trace_end(t, more, text);

	return ret ?: found ? EXIT_FOUND : EXIT_OK;
}

/* Something is shown at once where somebody waits for it: on a terminal. */
static int watch(struct trace *t, struct top_bpf *skel)
{
	bool invs = t->session.plan[INV_BEGIN][0] || t->session.plan[INV_SUBMIT][0];
	struct top_look look = {
		.period = &skel->bss->period,
		.busy = bpf_map__fd(skel->maps.busy),
		.attached = bpf_map__fd(skel->maps.attached),
		.allocs = bpf_map__fd(skel->maps.allocs),
		.in_flight = bpf_map__fd(skel->maps.in_flight),
		.alive = skel->links.on_top_iter,
		.invs = invs,
		.bytes = t->session.plan[INV_BEGIN][0],
		.owners = t->cli.older_ms,
	};
	bool found = false;

	head(t);
	trace_start(t);
	if (t->cli.once || (!t->cli.json && isatty(out_fd())))
		snapshot(t, &look, &found);
	else
		look.last_ns = t->session.start_ns;
	while (trace_next(t, NULL))
		snapshot(t, &look, &found);
	t->failed |= !inv_count_pairs(&t->session.counts, bpf_map__fd(skel->maps.pairs),
				      look.in_flight);
	return end(t, found);
}

static int replay(struct trace *t)
{
	struct top_row row, *rows = NULL;
	size_t n = 0;
	bool found = false;

	head(t);
	while (trace_next(t, &row)) {
		if (row.flags & TOP_TOTAL) {
			show(t, rows, n, &row, &found);
			n = 0;
			continue;
		}
		if (!room_for_one(rows, n)) {
			msg("no memory for %zu PASIDs.", n + 1);
			t->failed = true;
			break;
		}
		rows[n++] = row;
	}
	free(rows);
	return end(t, found);
}

static int run(struct trace *t)
{
	struct top_bpf *skel = top_bpf__open();
	struct inv_filter filter = {};
	int ret;

	if (!skel)
		return cause_tell("open the BPF programs", -errno, false);
	/* -p is the owner, not who invalidates */
	filter.common = t->cli.filter;
	filter.common.tgid = 0;
	skel->rodata->cfg_filter = filter;
	skel->rodata->cfg_stacks = t->cli.older_ms;
	bpf_map__set_max_entries(skel->maps.in_flight, t->cli.in_flight);
	skel->bss->period = 1;
	ret = trace_attach(t, skel->skeleton);
	if (!ret && !t->cli.check) {
		t->active = &skel->bss->active;
		ret = watch(t, skel);
	}
	top_bpf__destroy(skel);
	return ret;
}

int main(int argc, char **argv)
{
	static struct trace t;
	char err[120];
	int ret = trace_parse(&t, &tool, argc, argv);

	if (ret != CLI_GO_ON)
		return ret;
	if (top_check_sort(&t.cli, err, sizeof(err))) {
		msg("-s: %s. See pasidtop --help.", err);
		return EXIT_USAGE;
	}
	if (t.cli.once)
		t.cli.limit = 1;
	t.loop.tick_ms = t.cli.interval_ms ?: 1000;
	t.events = (1U << TOP_NR_HOOKS) - 1;
	ret = trace_plan(&t);
	if (!ret)
		ret = t.replay ? replay(&t) : choose(&t) ?: trace_open(&t) ?: run(&t);
	return trace_close(&t, ret);
}
