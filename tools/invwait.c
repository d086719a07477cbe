// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "invwait.h"
#include "lib/cli.h"
#include "lib/ksym.h"
#include "lib/out.h"
#include "lib/room.h"
#include "lib/walk.h"

#define FILE_OF_QUEUES	"/sys/kernel/debug/iommu/intel/invalidation_queue"
#define NR_QUEUES	(sizeof(((struct inv_queues *)0)->of) / sizeof(struct inv_queue))

static bool add(struct inv_waits *waits, const void *key, const void *event)
{
	if (!room_for_one(waits->of, waits->n))
		return false;
	waits->of[waits->n] = (struct inv_waiting){};
	memcpy(&waits->of[waits->n].key, key, sizeof(__u64));
	memcpy(&waits->of[waits->n].e, event, sizeof(struct inv_event));
	waits->n++;
	return true;
}

static int by_begin(const void *a, const void *b)
{
	const struct inv_waiting *x = a, *y = b;

	return (x->e.ts_ns > y->e.ts_ns) - (x->e.ts_ns < y->e.ts_ns);
}

bool inv_waits_read(struct inv_waits *waits, int in_flight)
{
	const void *key, *value;
	bool fits = true;
	struct walk walk;

	waits->n = 0;
	walk_open(&walk, in_flight, sizeof(__u64), sizeof(struct inv_event));
	while (fits && (key = walk_next(&walk, &value))) {
		if (!(((const struct inv_event *)value)->flags & INV_BELOW))
			fits = add(waits, key, value);
	}
	if (!fits)
		msg("not all that waits is shown: no memory");
	if (waits->n)
		qsort(waits->of, waits->n, sizeof(*waits->of), by_begin);
	return walk_close(&walk) && fits;
}

/* Most of its lines are descriptors, which nobody needs here. */
bool inv_queues_read(struct inv_queues *queues, const char *file)
{
	FILE *f = fopen(file, "re");
	struct inv_queue q = {};
	char line[160];
	bool failed;

	queues->n = 0;
	if (!f)
		return false;
	while (queues->n < NR_QUEUES && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Invalidation queue on IOMMU: %15s", q.unit) == 1)
			continue;
		if (sscanf(line, " Base: %*s Head: %llu Tail: %llu", &q.head, &q.tail) == 2)
			queues->of[queues->n++] = q;
	}
	failed = ferror(f);
	fclose(f);
	return !failed;
}

static void read_once(struct inv_queues *queues)
{
	static bool told;

	if (queues->read)
		return;
	queues->read = true;
	if (inv_queues_read(queues, FILE_OF_QUEUES) || told)
		return;
	told = true;
	msg("head and tail of the queues are not shown: cannot read " FILE_OF_QUEUES ": %s. It is there with CONFIG_INTEL_IOMMU_DEBUGFS=y, where debugfs is mounted, for root.",
	    strerror(errno));
}

const struct inv_queue *inv_queue_of(struct inv_queues *queues, const char *unit)
{
	read_once(queues);
	for (size_t i = 0; i < queues->n; i++) {
		if (!strcmp(queues->of[i].unit, unit))
			return &queues->of[i];
	}
	return NULL;
}

void inv_wait_text(const struct inv_wait *wait)
{
	const struct inv_queue *q = wait->queue;

	if (q)
		out_text("        queue of %s: head %llu, tail %llu\n", q->unit, q->head,
			 q->tail);
	ksym_text(wait->stack.ip, INV_STACK_LEN);
}

void inv_wait_json(const struct inv_wait *wait, json_t *o)
{
	const struct inv_queue *q = wait->queue;

	if (q)
		json_object_set_new(o, "queue", json_pack("{s:I, s:I}", "head",
							  (json_int_t)q->head, "tail",
							  (json_int_t)q->tail));
	if (wait->stack.ip[0])
		json_object_set_new(o, "stack", ksym_json(wait->stack.ip, INV_STACK_LEN));
}
