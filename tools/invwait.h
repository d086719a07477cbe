/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* More of an invalidation that is stuck: who waits where, and how far the queue is. */
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

/* Lines below a line of text, and more keys of an object */
void inv_wait_text(const struct inv_wait *wait);
void inv_wait_json(const struct inv_wait *wait, json_t *o);

#endif /* INVWAIT_H */
