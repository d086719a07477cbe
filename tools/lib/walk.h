/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The entries of a hash map of the kernel, read by buckets: whatever comes and goes
 * meanwhile, the others are met once. By keys, an entry that goes would send the reader
 * back to the first.
 */
#ifndef WALK_H
#define WALK_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

struct walk {
	int fd;
	size_t key_size, value_size;
	char *keys, *values;
	__u32 batch, at, n;
	bool started, last, failed;
};

/* A value per CPU is an array of values, each of a multiple of 8 bytes. */
void walk_open(struct walk *w, int fd, size_t key_size, size_t value_size);
/* The next entry, until the call after; NULL: no more */
const void *walk_next(struct walk *w, const void **value);
/* False after telling that not all could be read */
bool walk_close(struct walk *w);

#endif /* WALK_H */
