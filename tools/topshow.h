/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The tables of pasidtop: what one look has found, as columns, JSON and a recording. */
#ifndef TOPSHOW_H
#define TOPSHOW_H

#include "lib/cli.h"
#include "lib/fields.h"
#include "lib/record.h"
#include "../bpf/top.h"

#define TOP_PENDING	(1U << 0)	/* freed, but referenced yet */
#define TOP_HAS_SET	(1U << 1)	/* and spid, refs */
#define TOP_HAS_BYTES	(1U << 2)	/* requests tell of ranges */
#define TOP_GONE	(1U << 3)	/* the owner has ended */
#define TOP_TOTAL	(1U << 4)	/* not a PASID, but the end of a look: all together */

/* A PASID as one look has found it; and what has been since the look before */
struct top_row {
	__u64 ts_ns;			/* of the look, CLOCK_MONOTONIC */
	__u64 period_ns;		/* since the one before; 0: there was none */
	__u64 born_ns;
	__u64 start_ns;			/* of the owner's process, after boot; 0: not known */
	__u64 requests, failed, bytes, timed, total_ns, max_ns;
	__u64 in_flight, oldest_ns;	/* of the total: under way now, and the oldest begin */
	__u64 lost;			/* and events for which there was no room, so far */
	__u32 pasid, tgid, set, spid, refs, flags;
	char comm[PASID_COMM_LEN];
	char devs[56];			/* names, with commas between them */
	const struct top_alloc *alloc;	/* NULL: it was not seen */
};

extern const struct member top_members[];	/* of struct top_row */
extern const struct field top_fields[];		/* of a line of it */

/* NULL, or what is wrong with -s */
const char *top_check_sort(const struct cli *cli, char *err, size_t len);
/* One look: rows of PASIDs, and the total. It sorts the rows. */
void top_show(const struct cli *cli, const struct session *s, struct top_row *rows, size_t n,
	      const struct top_row *total);
/* --older: who has what lives longer. How many there are */
size_t top_show_older(const struct cli *cli, const struct session *s, struct top_row *rows,
		    size_t n, const struct top_row *total);

/* For --prom, on and on; false after telling why not. */
bool top_prom(const struct cli *cli, const struct session *s, const struct top_row *rows,
	      size_t n, const struct top_row *total);

#endif /* TOPSHOW_H */
