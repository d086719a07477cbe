// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>

#include "life.h"

/* Untouched pages of it cost nothing, and PASIDs are handed out from below. */
static struct life lives[PASID_MAX + 1];

/*
 * The iterator is read when the hooks are in place already. What is allocated in
 * between is told of twice, by events that happened before it was read.
 */
#define START_NS	1000000000ULL

static void begin(struct life *l, const struct pasid_event *e)
{
	*l = (struct life){
		.born_ns = e->ts_ns, .owner = e->tgid, .set = e->set, .live = true,
		.early = e->type == PASID_ALIVE, .spid = e->spid,
		.refs = e->type == PASID_ALIVE ? e->refs : 0,
	};
	memcpy(l->comm, e->comm, sizeof(l->comm));
}

static enum life_step end(struct life *l, const struct pasid_event *e, struct life *life)
{
	if (l->live && e->ts_ns < l->born_ns)	/* of the one before */
		return LIFE_GOES_ON;
	if (!l->live)
		*l = (struct life){
			.owner = PASID_INVALID, .set = e->set, .spid = l->spid,
			.refs = l->refs,
		};
	*life = *l;
	*l = (struct life){};
	return LIFE_ENDED;
}

enum life_step life_event(struct pasid_event *e, struct life *life)
{
	struct life *l = e->pasid <= PASID_MAX ? &lives[e->pasid] : NULL;

	if (!l || e->ret)
		return LIFE_GOES_ON;
	switch (e->type) {
	case PASID_ALLOC:
		if (l->live && l->early && e->ts_ns < l->born_ns + START_NS)
			return LIFE_KNOWN;
		begin(l, e);
		break;
	case PASID_ALIVE:
		begin(l, e);
		break;
	case PASID_SPID:
		l->spid = e->spid;
		break;
	case PASID_GET:
		l->refs++;
		break;
	}
	e->spid = l->spid;
	return e->type == PASID_FREE ? end(l, e, life) : LIFE_GOES_ON;
}
