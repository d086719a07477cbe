// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "known.h"

struct node {
	const void *key;
	size_t size;		/* of the key, which is behind the value */
	char value[] __attribute__((aligned(8)));
};

static int by_key(const void *a, const void *b)
{
	const struct node *x = a, *y = b;

	return memcmp(x->key, y->key, x->size);
}

static struct node *find(const struct known *known, const void *key)
{
	struct node wanted = { .key = key, .size = known->key_size };
	struct node **found = tfind(&wanted, &known->tree, by_key);

	return found ? *found : NULL;
}

void *known_of(struct known *known, const void *key)
{
	struct node *e = find(known, key);

	if (e)
		return e->value;
	e = calloc(1, sizeof(*e) + known->value_size + known->key_size);
	if (!e)
		return NULL;
	e->key = memcpy(e->value + known->value_size, key, known->key_size);
	e->size = known->key_size;
	if (tsearch(e, &known->tree, by_key))
		return e->value;
	free(e);
	return NULL;
}

bool known_has(const struct known *known, const void *key)
{
	return find(known, key);
}

void known_forget(struct known *known, const void *key)
{
	struct node *e = find(known, key);

	if (e)
		tdelete(e, &known->tree, by_key);
	free(e);
}
