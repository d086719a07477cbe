// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "cli.h"
#include "walk.h"

#define AT_A_TIME	512	/* more than a bucket ever has */

void walk_open(struct walk *w, int fd, size_t key_size, size_t value_size)
{
	*w = (struct walk){ .fd = fd, .key_size = key_size, .value_size = value_size };
	w->keys = calloc(AT_A_TIME, key_size);
	w->values = calloc(AT_A_TIME, value_size);
}

static void fill(struct walk *w)
{
	int ret = -ENOMEM;

	w->at = 0;
	w->n = AT_A_TIME;
	if (w->keys && w->values)
		ret = bpf_map_lookup_batch(w->fd, w->started ? &w->batch : NULL, &w->batch,
					   w->keys, w->values, &w->n, NULL);
	w->started = true;
	w->last = ret;
	w->failed = ret && ret != -ENOENT;
	if (w->failed)
		w->n = 0;
}

const void *walk_next(struct walk *w, const void **value)
{
	while (w->at == w->n) {
		if (w->last)
			return NULL;
		fill(w);
	}
	*value = w->values + w->at * w->value_size;
	return w->keys + w->at++ * w->key_size;
}

bool walk_close(struct walk *w)
{
	free(w->keys);
	free(w->values);
	if (w->failed)
		msg("what the kernel has counted cannot be read.");
	return !w->failed;
}
