// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "invpairs.h"
#include "lib/who.h"

bool inv_only_submissions(const struct trace *t)
{
	return t->session.plan[INV_SUBMIT][0] && !t->session.plan[INV_BEGIN][0];
}

bool inv_choose(struct trace *t, bool both)
{
	bool requests = t->chosen[INV_BEGIN] && t->chosen[INV_END];
	bool submissions = t->chosen[INV_SUBMIT] && t->chosen[INV_SUBMITTED] &&
			   (!requests || both);

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

void in_flight_open(struct in_flight *f, int fd)
{
	f->fd = fd;
	f->last = f->started = false;
	f->at = f->n = 0;
}

static void fill(struct in_flight *f)
{
	int ret;

	f->at = 0;
	f->n = sizeof(f->keys) / sizeof(f->keys[0]);
	ret = bpf_map_lookup_batch(f->fd, f->started ? &f->batch : NULL, &f->batch, f->keys,
				   f->events, &f->n, NULL);
	f->started = true;
	f->last = ret;
	if (ret && ret != -ENOENT)
		f->n = 0;
}

struct inv_event *in_flight_next(struct in_flight *f, __u64 *key)
{
	while (f->at == f->n) {
		if (f->last)
			return NULL;
		fill(f);
	}
	*key = f->keys[f->at];
	return &f->events[f->at++];
}

bool inv_count_pairs(struct counts *c, int pairs, int in_flight)
{
	static struct in_flight walk;
	int cpus = libbpf_num_possible_cpus();
	struct inv_pairs cpu[cpus > 0 ? cpus : 1];
	__u32 zero = 0;
	__u64 key;

	if (cpus < 0 || bpf_map_lookup_elem(pairs, &zero, cpu)) {
		msg("the counters cannot be read. Do not trust the last line.");
		return false;
	}
	for (int i = 0; i < cpus; i++) {
		c->unpaired += cpu[i].unpaired;
		c->overflow += cpu[i].overflow;
		c->refused += cpu[i].refused;
	}
	in_flight_open(&walk, in_flight);
	while (in_flight_next(&walk, &key))
		c->unfinished++;
	return true;
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
