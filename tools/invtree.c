// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "invtree.h"
#include "lib/room.h"

bool inv_tree_hold(struct inv_tree *tree, const struct inv_event *e)
{
	if (!room_for_one(tree->held, tree->n))
		return false;
	tree->held[tree->n++] = *e;
	return true;
}

static void take(struct inv_tree *tree, size_t i, struct inv_event *e)
{
	struct inv_event *held = &tree->held[i];

	*e = *held;
	memmove(held, held + 1, (--tree->n - i) * sizeof(*held));
}

bool inv_tree_take(struct inv_tree *tree, const struct inv_event *request,
		   struct inv_event *e)
{
	for (size_t i = 0; i < tree->n; i++) {
		if (tree->held[i].id == request->id) {
			take(tree, i, e);
			return true;
		}
	}
	return false;
}

bool inv_tree_take_orphan(struct inv_tree *tree, const struct inv_event *newer,
			  struct inv_event *e)
{
	for (size_t i = 0; i < tree->n; i++) {
		const struct inv_event *held = &tree->held[i];

		if (!newer || (held->tid == newer->tid && held->id < newer->id)) {
			take(tree, i, e);
			return true;
		}
	}
	return false;
}
