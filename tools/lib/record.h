/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* --record and --replay: a trace as lines of text, for tests without a kernel. */
#ifndef RECORD_H
#define RECORD_H

#include <stdbool.h>
#include <stdio.h>

#include "engine.h"
#include "../../bpf/pasid.h"

/* All that the output needs beside the events. */
struct session {
	__u64 start_ns;			/* CLOCK_MONOTONIC */
	/*
	 * Added to it, gives CLOCK_REALTIME. Not the same for ever: the clock is
	 * set, and CLOCK_MONOTONIC stands still while the machine is suspended.
	 */
	__u64 to_wall_ns;
	__u64 end_ns;			/* CLOCK_MONOTONIC */
	char kernel[65];
	char plan[EMIT_SLOTS][64];	/* by event of the tool, "" if it is off */
	struct counts counts;
	__u64 lost_ns, lost_now;	/* the last time that events were lost, and how many */
};

/* The clocks and the kernel's version, just after attaching. */
void session_start(struct session *s);
/* Asks again for to_wall_ns; true if it has changed. */
bool session_clock(struct session *s);
/* The calls in this order; s->counts and end_ns are needed by the last one. */
void record_head(FILE *f, const struct session *s, const char *const *names);
void record_event(FILE *f, const struct pasid_dev_event *d);
void record_clock(FILE *f, const struct session *s);
void record_lost(FILE *f, const struct session *s);
void record_end(FILE *f, const struct session *s);

/* Fills s up to the first event; false after saying what is wrong. */
bool replay_head(FILE *f, struct session *s, const char *const *names);
/*
 * REPLAY_EVENT: the rest of its line behind "event ", REPLAY_LOST: it is in s, 0: the
 * end, s is complete now, -1: bad input, which was told.
 */
enum replay { REPLAY_EVENT = 1, REPLAY_LOST };
int replay_line(FILE *f, struct session *s, char *line, size_t size);
/* Tells that the last line was bad. -1 */
int replay_bad_event(void);
/* The same for the events of pasidsnoop. */
int replay_event(FILE *f, struct session *s, struct pasid_dev_event *d);
/* A name, whatever is in it, as the last word of an event's line */
void record_bytes(FILE *f, const char *bytes, size_t len);
bool replay_bytes(const char *text, char *bytes, size_t len);

#endif /* RECORD_H */
