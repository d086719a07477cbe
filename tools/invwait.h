/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Invalidations under way: which, who waits where, and how far the queue is. */
#ifndef INVWAIT_H
#define INVWAIT_H

#include <jansson.h>

#include "../bpf/inv.h"

/* Of a unit of VT-d: the next descriptor that it takes, and the next that it is given */
struct inv_queue {
	char unit[PASID_DEV_LEN];
	unsigned long long head, tail;
};

/* All of them, read when one is asked for; zeros make it a new look. */
struct inv_queues {
	bool read;
	size_t n;
	struct inv_queue of[64];
};

/* NULL if it cannot be read, which is told once */
const struct inv_queue *inv_queue_of(struct inv_queues *queues, const char *unit);
/* Reads a file such as that of debugfs; false with errno set. */
bool inv_queues_read(struct inv_queues *queues, const char *file);

struct inv_wait {
	struct inv_stack stack;		/* of who waits; may be empty */
	const struct inv_queue *queue;	/* in which a submission waits, or NULL */
};

struct inv_waiting {
	struct inv_event e;
	__u64 key;			/* of its stack */
	struct inv_wait wait;
	bool due;			/* to be shown */
};

/* In one look, but for what is below another */
struct inv_waits {
	struct inv_waiting *of;		/* what waits longest first: a request, its submission */
	size_t n;
};

/* False after telling that not all could be read */
bool inv_waits_read(struct inv_waits *waits, int in_flight);

/* Lines below a line of text, and more keys of an object */
void inv_wait_text(const struct inv_wait *wait);
void inv_wait_json(const struct inv_wait *wait, json_t *o);

#endif /* INVWAIT_H */
