// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* invlat: how long IOMMU invalidations and virtual commands take, as histograms. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cause.h"
#include "lib/out.h"
#include "lib/trace.h"
#include "invpairs.h"
#include "latlook.h"
#include "latshow.h"
#include "lat.skel.h"

static const char *const names[] = {
	INV_NAMES,
	[LAT_VCMD] = "vcmd",
	[LAT_NR_HOOKS] = NULL,
};

static const struct hook hooks[] = {
	INV_HOOKS,
	{ LAT_VCMD, HOOK_TRACEPOINT, "vcmd", "intel_iommu* 4 4 1 8 4", "on_vcmd_tp", NULL },
};

/* The values of -e */
static const char *const kinds[] = { "request", "submission", "vcmd", NULL };
#define REQUESTS	(1U << 0)
#define SUBMISSIONS	(1U << 1)
#define VCMDS		(1U << 2)

static const struct trace_tool tool = {
	.cli = {
		.name = "invlat",
		.summary = "Show how long IOMMU invalidations and virtual commands take.",
		.events = kinds,
		.interval = true,
		.options = CLI_ALL & ~(1ULL << CLI_LIMIT | 1ULL << CLI_LIFE | 1ULL << CLI_STUCK |
				       1ULL << CLI_BUFFER | 1ULL << CLI_WIDE | 1ULL << CLI_ONCE |
				       1ULL << CLI_OLDER | 1ULL << CLI_SORT),
		.examples =
			"  invlat                          by type, until Ctrl-C\n"
			"  invlat -r 3 -b device 10        the three slowest, every 10 seconds\n"
			"  invlat -e request -b pasid      by PASID, what is asked for\n"
			"  invlat -D 0000:3a:01.0 -x       what fails of a device\n"
			"  invlat --json 10 1              ten seconds for a program to read\n",
	},
	.names = names,
	.hooks = hooks,
	.nr_hooks = sizeof(hooks) / sizeof(hooks[0]),
	.members = lat_members,
	.size = sizeof(struct lat_row),
	.counted = "snapshots",
};

/* All where they are to be had, unless some are asked for by name */
static int choose(struct trace *t)
{
	uint32_t wanted = t->cli.events;
	bool requests = t->chosen[INV_BEGIN] && t->chosen[INV_END];

	if (t->cli.events_given && wanted & REQUESTS && !requests) {
		msg("this kernel does not tell of requests, which need the nested-sva patches; -e submission may be had.");
		return EXIT_KERNEL;
	}
	if (!(wanted & VCMDS))
		t->chosen[LAT_VCMD] = NULL;
	if (t->cli.events_given && wanted & VCMDS && !t->chosen[LAT_VCMD]) {
		msg("this kernel does not tell of virtual commands, which need the nested-sva patches.");
		return EXIT_KERNEL;
	}
	if (!(wanted & (REQUESTS | SUBMISSIONS))) {
		for (int i = 0; i < INV_NR_HOOKS; i++)
			t->chosen[i] = NULL;
		return EXIT_OK;
	}
	if (!(wanted & REQUESTS))
		t->chosen[INV_BEGIN] = t->chosen[INV_END] = NULL;
	if (!(wanted & SUBMISSIONS))
		t->chosen[INV_SUBMIT] = t->chosen[INV_SUBMITTED] = NULL;
	if (!inv_choose(t, true))
		return EXIT_KERNEL;
	if (wanted & REQUESTS && !requests)
		msg("this kernel does not tell of requests: these are submissions to the queues of VT-d, with the unit as device.");
	return EXIT_OK;
}

static bool check_by(const struct cli *cli, __u32 *by)
{
	for (*by = 0; lat_keys[*by]; ++*by) {
		if (!strcmp(cli->by ?: lat_keys[0], lat_keys[*by]))
			return true;
	}
	msg("-b: '%.64s' is not type, device or pasid. See invlat --help.", cli->by);
	return false;
}

static void head(struct trace *t)
{
	trace_head(t, "measuring invalidations");
}

static void show(struct trace *t, struct lat_row *rows, size_t n, const struct lat_row *total)
{
	if (t->cli.prom && !lat_prom(&t->cli, &t->session, rows, n, total)) {
		t->failed = true;
		t->loop.stop = t->loop.stop ?: STOP_OUTPUT;
	}
	lat_show(&t->cli, &t->session, rows, n, total);
	t->shown++;
}

static void snapshot(struct trace *t, struct lat_look *look)
{
	if (t->loop.stop == STOP_LIMIT)
		return;
	t->failed |= !lat_look(look);
	look->total.lost = t->lost;
	for (size_t i = 0; t->record && i < look->n; i++)
		record_event(t->record, lat_members, &look->rows[i]);
	if (trace_made(t, &look->total))
		show(t, look->rows, look->n, &look->total);
}

static int end(struct trace *t)
{
	char text[80];
	json_t *more = inv_end(&t->session.counts, text, sizeof(text));

	return trace_end(t, more, text);
}

/* Without an interval, once, when it ends */
static int watch(struct trace *t, const struct lat_bpf *skel, __u32 by)
{
	struct lat_look look = {
		.hists = bpf_map__fd(skel->maps.hists),
		.in_flight = bpf_map__fd(skel->maps.in_flight),
		.by = by,
		.last_ns = t->session.start_ns,
	};

	head(t);
	trace_start(t);
	while (trace_next(t, NULL)) {
		if (t->cli.interval_ms || t->loop.stop)
			snapshot(t, &look);
	}
	free(look.rows);
	t->failed |= !inv_count_pairs(&t->session.counts, bpf_map__fd(skel->maps.pairs),
				      look.in_flight);
	return end(t);
}

static int replay(struct trace *t)
{
	struct lat_look look = {};
	struct lat_row row;

	head(t);
	while (trace_next(t, &row)) {
		if (!row.last) {
			if (!lat_add(&look, &row))
				break;
			continue;
		}
		show(t, look.rows, look.n, &row);
		look.n = 0;
	}
	free(look.rows);
	return end(t);
}

static int run(struct trace *t, __u32 by)
{
	struct lat_bpf *skel = lat_bpf__open();
	struct inv_filter filter = {};
	int ret;

	if (!skel)
		return cause_tell("open the BPF programs", -errno, false);
	inv_set_filter(&t->cli, &filter);
	skel->rodata->cfg_filter = filter;
	skel->rodata->cfg_follow = t->cli.follow;
	skel->rodata->cfg_cgroup = t->cli.cgroup;
	skel->rodata->cfg_by = by;
	bpf_map__set_max_entries(skel->maps.in_flight, t->cli.in_flight);
	ret = trace_attach(t, skel->skeleton);
	if (!ret && !t->cli.check) {
		t->active = &skel->bss->active;
		ret = watch(t, skel, by);
	}
	lat_bpf__destroy(skel);
	return ret;
}

int main(int argc, char **argv)
{
	static struct trace t;
	__u32 by;
	int ret = trace_parse(&t, &tool, argc, argv);

	if (ret != CLI_GO_ON)
		return ret;
	if (!check_by(&t.cli, &by))
		return EXIT_USAGE;
	if (t.cli.prom && by == LAT_BY_PASID) {
		msg("--prom does not go with -b pasid: PASIDs come and go, and are no labels.");
		return EXIT_USAGE;
	}
	t.loop.tick_ms = t.cli.interval_ms ?: 1000;
	t.events = (1U << LAT_NR_HOOKS) - 1;
	ret = trace_plan(&t);
	if (!ret)
		ret = t.replay ? replay(&t) : choose(&t) ?: trace_open(&t) ?: run(&t, by);
	return trace_close(&t, ret);
}
