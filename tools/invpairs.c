// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "invpairs.h"
#include "lib/walk.h"
#include "lib/who.h"

bool inv_only_submissions(const struct trace *t)
{
	return t->session.plan[INV_SUBMIT][0] && !t->session.plan[INV_BEGIN][0];
}

/* A kernel of a distribution has the driver of VT-d on whatever machine it runs. */
static bool can_submit(void)
{
	if (!who_has_other_units())
		return true;
	msg("this kernel tells of nothing but submissions to units of VT-d, and no IOMMU of this machine is one, see /sys/class/iommu: of those of AMD and Arm no invalidation is seen.");
	return false;
}

bool inv_choose(struct trace *t, bool both)
{
	bool requests = t->chosen[INV_BEGIN] && t->chosen[INV_END];
	bool submissions = t->chosen[INV_SUBMIT] && t->chosen[INV_SUBMITTED] &&
			   (!requests || both);

	if (!requests && !submissions)
		msg("this kernel does not tell of invalidations: it has no tracepoints cache_inv_begin and cache_inv_end, or others than this tool knows, and no qi_submit_sync(), which only the driver of Intel's IOMMUs has. It needs the nested-sva patches, with guest PASIDs, and CONFIG_IOMMUFD_PASID=y; or CONFIG_INTEL_IOMMU=y; -v tells what was looked for.");
	else if (!requests)
		submissions = can_submit();
	if (!requests)
		t->chosen[INV_BEGIN] = t->chosen[INV_END] = NULL;
	if (!submissions)
		t->chosen[INV_SUBMIT] = t->chosen[INV_SUBMITTED] = NULL;
	if (!requests && submissions && t->cli.device[0] && !who_is_unit(t->cli.device))
		msg("submissions name no device: -D takes a unit of /sys/class/iommu, such as dmar0, on this kernel. Nothing is seen of %s.", t->cli.device);
	return requests || submissions;
}

void inv_set_filter(const struct cli *cli, struct inv_filter *filter)
{
	filter->common = cli->filter;
	filter->tid = cli->tid;
	memcpy(filter->dev, cli->device, sizeof(filter->dev));
}

/* All that has begun and not ended is still in the map. */
bool inv_in_flight(int in_flight, __u64 *number, __u64 *oldest_ns)
{
	const struct inv_event *e;
	const void *value;
	struct walk walk;

	*number = *oldest_ns = 0;
	walk_open(&walk, in_flight, sizeof(__u64), sizeof(*e));
	while (walk_next(&walk, &value)) {
		e = value;
		++*number;
		if (!*oldest_ns || e->ts_ns < *oldest_ns)
			*oldest_ns = e->ts_ns;
	}
	return walk_close(&walk);
}

bool inv_count_pairs(struct counts *c, int pairs, int in_flight)
{
	int cpus = libbpf_num_possible_cpus();
	struct inv_pairs cpu[cpus > 0 ? cpus : 1];
	__u32 zero = 0;
	__u64 oldest;

	if (cpus < 0 || bpf_map_lookup_elem(pairs, &zero, cpu)) {
		msg("the counters cannot be read. Do not trust the last line.");
		return false;
	}
	for (int i = 0; i < cpus; i++) {
		c->unpaired += cpu[i].unpaired;
		c->overflow += cpu[i].overflow;
		c->refused += cpu[i].refused;
	}
	return inv_in_flight(in_flight, &c->unfinished, &oldest);
}

json_t *inv_end(const struct counts *c, char *text, size_t size)
{
	snprintf(text, size, "%llu unpaired, %llu unfinished, ", c->unpaired, c->unfinished);
	return json_pack("{s:I, s:I, s:I, s:I}",
			 "unpaired", (json_int_t)c->unpaired,
			 "overflow", (json_int_t)c->overflow,
			 "refused", (json_int_t)c->refused,
			 "unfinished", (json_int_t)c->unfinished);
}

void inv_prom(struct prom *p, const char *tool, const struct session *s,
	      const struct inv_prom *inv)
{
	const struct {
		const char *name, *type, *help;
		double value;
	} rows[] = {
		{ "iommu_invalidations_in_flight", "gauge",
		  "Invalidations under way.", inv->in_flight },
		{ "iommu_invalidation_oldest_seconds", "gauge",
		  "How long the oldest invalidation under way takes so far, 0 if there is none.",
		  inv->oldest_ns / 1e9 },
		{ "iommu_invalidations_total", "counter",
		  "Invalidations that have ended.", inv->requests },
		{ "iommu_invalidation_failures_total", "counter",
		  "Invalidations that have failed.", inv->failed },
		{ "iommu_trace_lost_total", "counter",
		  "Events that could not be counted.", inv->lost },
	};
	char labels[256], kernel[140];

	snprintf(labels, sizeof(labels), "tool=\"%s\"", tool);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		prom_head(p, rows[i].name, rows[i].type, rows[i].help);
		prom_value(p, rows[i].name, labels, rows[i].value);
	}
	snprintf(labels, sizeof(labels), "tool=\"%s\",version=\"%s\",kernel=\"%s\"", tool,
		 TOOLS_VERSION, prom_escape(s->kernel, kernel, sizeof(kernel)));
	prom_head(p, "iommu_trace_info", "gauge", "Which tool wrote this, on which kernel.");
	prom_value(p, "iommu_trace_info", labels, 1);
}
