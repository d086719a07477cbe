// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "pasidlife.h"

/* Untouched pages of it cost nothing, and PASIDs are handed out from below. */
static struct life lives[PASID_MAX + 1];

/*
 * The iterator is read when the hooks are in place already. A PASID that is allocated
 * in between is told of twice, by events that happened before it was read; and before
 * that the same PASID may have had other lives, of which only the events tell.
 */
#define START_NS	1000000000ULL

static void begin(struct life *l, const struct pasid_event *e)
{
	*l = (struct life){
		.born_ns = e->ts_ns, .owner = e->tgid, .set = e->set, .live = true,
		.early = e->type == PASID_ALIVE, .spid = e->spid,
		.refs = e->type == PASID_ALIVE ? e->refs : 0, .next = l->next,
	};
	memcpy(l->comm, e->comm, sizeof(l->comm));
}

/* Is it of a life before the one that PASID_ALIVE told of? */
static bool is_before(const struct life *l, const struct pasid_event *e)
{
	return l->live && l->early && e->ts_ns < l->born_ns;
}

/* An earlier life has ended, or its end is lost: now it is the early one's turn. */
static void resume(struct life *l)
{
	struct life *next = l->next;

	if (!next)
		return;
	*l = *next;
	free(next);
}

static enum life_step alloc(struct life *l, const struct pasid_event *e)
{
	struct life *next;

	if (l->next && e->ts_ns >= l->next->born_ns)
		resume(l);
	if (is_before(l, e) && (next = malloc(sizeof(*next)))) {
		*next = *l;
		l->next = next;
	} else if (l->live && l->early && e->ts_ns < l->born_ns + START_NS) {
		return LIFE_KNOWN;
	}
	begin(l, e);
	return LIFE_GOES_ON;
}

static enum life_step end(struct life *l, const struct pasid_event *e, struct life *life)
{
	struct life unknown = {
		.owner = PASID_INVALID, .set = e->set, .spid = l->spid, .refs = l->refs,
	};

	if (is_before(l, e)) {
		unknown.spid = unknown.refs = 0;
		*life = unknown;
		return LIFE_ENDED;
	}
	*life = l->live ? *l : unknown;
	if (l->next)
		resume(l);
	else
		*l = (struct life){};
	return LIFE_ENDED;
}

enum life_step life_event(struct pasid_event *e, struct life *life)
{
	struct life *l = e->pasid <= PASID_MAX ? &lives[e->pasid] : NULL;
	enum life_step step = LIFE_GOES_ON;

	if (!l || e->ret)
		return LIFE_GOES_ON;
	if (e->type == PASID_ALLOC)
		step = alloc(l, e);
	else if (e->type == PASID_ALIVE)
		begin(l, e);
	else if (e->type == PASID_SPID && !is_before(l, e))
		l->spid = e->spid;
	else if (e->type == PASID_GET && !is_before(l, e))
		l->refs++;
	if (!is_before(l, e))
		e->spid = l->spid;
	return e->type == PASID_FREE ? end(l, e, life) : step;
}

void life_owner(struct pasid_event *e)
{
	const struct life *l = e->pasid <= PASID_MAX ? &lives[e->pasid] : NULL;

	if (!l || !l->live || is_before(l, e))
		return;
	e->flags |= PASID_HAS_OWNER;
	e->tgid = l->owner;
	e->spid = l->spid;
	memcpy(e->comm, l->comm, sizeof(e->comm));
}
