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
	__u64 to_wall_ns;		/* added to it, gives CLOCK_REALTIME */
	__u64 end_ns;			/* CLOCK_MONOTONIC */
	char kernel[65];
	char plan[PASID_NR_TYPES][64];	/* "" if the event is off */
	struct counts counts;
};

/* The clocks and the kernel's version, just after attaching. */
void session_start(struct session *s);
/* The calls in this order; s->counts and end_ns are needed by the last one. */
void record_head(FILE *f, const struct session *s, const char *const *names);
void record_event(FILE *f, const struct pasid_event *e);
void record_end(FILE *f, const struct session *s);

/* Fills s up to the first event; false after saying what is wrong. */
bool replay_head(FILE *f, struct session *s, const char *const *names);
/* 1: an event, 0: the end, s is complete now, -1: bad input, which was told. */
int replay_event(FILE *f, struct session *s, struct pasid_event *e);

#endif /* RECORD_H */
