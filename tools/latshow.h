/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The histograms of invlat: as text, JSON and a recording. */
#ifndef LATSHOW_H
#define LATSHOW_H

#include "lib/cli.h"
#include "lib/record.h"
#include "../bpf/lat.h"

/* One histogram as one look has found it: what has been since the look before */
struct lat_row {
	__u64 ts_ns;			/* of the look, CLOCK_MONOTONIC */
	__u64 period_ns;		/* since the one before */
	__u64 in_flight, oldest_ns;	/* of the total: under way now, and the oldest begin */
	__u64 lost;			/* and what could not be counted, so far */
	__u32 by;			/* enum lat_by */
	__u32 last;			/* it is no histogram, but the end of a look */
	struct lat_key key;
	struct lat_hist hist;
};

extern const struct member lat_members[];	/* of struct lat_row */
extern const char *const lat_keys[];		/* of -b, by enum lat_by, NULL at the end */

/* One look. It sorts the rows: what takes the most time in all is the first. */
void lat_show(const struct cli *cli, const struct session *s, struct lat_row *rows, size_t n,
	      const struct lat_row *total);
/* The subject of it: "iotlb addr", "0000:3a:01.0", "0x21" */
const char *lat_name(const struct lat_row *row, char *buf, size_t size);

/* For --prom, on and on; false after telling why not. */
bool lat_prom(const struct cli *cli, const struct session *s, const struct lat_row *rows,
	      size_t n, const struct lat_row *total);

#endif /* LATSHOW_H */
