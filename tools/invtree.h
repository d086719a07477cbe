/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* invsnoop -w: submissions end before the request that they are to be shown below. */
#ifndef INVTREE_H
#define INVTREE_H

#include <stdbool.h>
#include <stddef.h>

#include "../bpf/inv.h"

struct inv_tree {
	struct inv_event *held;		/* by the time of their ends */
	size_t n;
};

/* Until its request comes; false: no memory */
bool inv_tree_hold(struct inv_tree *tree, const struct inv_event *e);
/* The next one that was made for that request; false: no more */
bool inv_tree_take(struct inv_tree *tree, const struct inv_event *request,
		   struct inv_event *e);
/*
 * The next one whose request will not come, as its thread has gone on to e. NULL: nothing
 * comes any more.
 */
bool inv_tree_take_orphan(struct inv_tree *tree, const struct inv_event *newer,
			  struct inv_event *e);

#endif /* INVTREE_H */
