/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The last value of each key; keys and values are bytes, padding of keys counts. */
#ifndef KNOWN_H
#define KNOWN_H

#include <stdbool.h>
#include <stddef.h>

struct known {
	size_t key_size, value_size;
	void *tree;
};

/* The value of that key, zeros if it is new; NULL if there is no memory for it. */
void *known_of(struct known *known, const void *key);
bool known_has(const struct known *known, const void *key);
void known_forget(struct known *known, const void *key);

#endif /* KNOWN_H */
