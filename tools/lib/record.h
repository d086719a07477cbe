/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* --record and --replay: a trace as JSON lines, from which the same output comes. */
#ifndef RECORD_H
#define RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "engine.h"

/* All that the output needs beside the events. */
struct session {
	__u64 start_ns;			/* CLOCK_MONOTONIC */
	/*
	 * CLOCK_REALTIME is CLOCK_MONOTONIC plus this. It changes: the former is set,
	 * and the latter stands still while the machine is suspended.
	 */
	__u64 to_wall_ns;
	__u64 end_ns;			/* CLOCK_MONOTONIC */
	char kernel[65];
	char plan[EMIT_SLOTS][64];	/* by event of the tool, "" if it is off */
	struct counts counts;
	__u64 lost_ns, lost_now;	/* the last time that events were lost, and how many */
};

/*
 * One member of the struct that a tool has for its events: a recording has each that
 * is not 0, by its name. So what is added later is missing in older ones, and 0.
 */
struct member {
	const char *name;		/* NULL at the end of the table */
	enum member_kind {
		MEMBER_NUMBER,
		MEMBER_SIGNED,
		MEMBER_HEX,		/* of 64 bits, which JSON numbers may not hold */
		MEMBER_BYTES,		/* a name, whatever is in it */
		MEMBER_LIST,		/* of numbers with 64 bits */
	} kind;
	unsigned short offset, size;
	const char *const *words;	/* of a number: recorded as the word at that place */
};
#define MEMBER_AS(label, kind, type, member) \
	{ label, MEMBER_##kind, offsetof(type, member), sizeof(((type *)0)->member) }
#define MEMBER(kind, type, member)	MEMBER_AS(#member, kind, type, member)

/* The clocks and the kernel's version, just after attaching. */
void session_start(struct session *s);
/* Asks again for to_wall_ns; true if it has changed. */
bool session_clock(struct session *s);
/* The calls in this order; s->counts and end_ns are needed by the last one. */
void record_head(FILE *f, const char *tool, const struct session *s,
		 const char *const *names);
void record_event(FILE *f, const struct member *members, const void *event);
void record_clock(FILE *f, const struct session *s);
void record_lost(FILE *f, const struct session *s);
void record_end(FILE *f, const struct session *s);
/* "event NAME" for each, and "end NAME", for the test of the manuals */
void record_members(const struct member *members);
/*
 * Once it is that large: what is full becomes PATH.1, and another begins; each can be
 * replayed by itself. NULL with errno set.
 */
FILE *record_rotate(FILE *f, const char *path, const char *tool, const struct session *s,
		    const char *const *names);

/* Fills s up to the first event; false after saying what is wrong. */
bool replay_head(FILE *f, const char *tool, struct session *s, const char *const *names);
enum replay {
	REPLAY_BAD = -1,		/* which was told */
	REPLAY_END,			/* s is complete now */
	REPLAY_EVENT,			/* it is in event */
	REPLAY_LOST,			/* it is in s */
};
enum replay replay_next(FILE *f, struct session *s, const struct member *members,
			void *event, size_t size);

#endif /* RECORD_H */
