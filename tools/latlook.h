/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One look of invlat: what the kernel has counted since the one before. */
#ifndef LATLOOK_H
#define LATLOOK_H

#include "latshow.h"

struct lat_look {
	int hists, in_flight;		/* the maps of bpf/lat.bpf.c */
	__u32 by;			/* enum lat_by */
	__u64 last_ns;			/* when it was looked last */
	/* what was found; to be freed in the end */
	struct lat_row *rows, total;
	size_t n;
};

/* False after telling that something cannot be read */
bool lat_look(struct lat_look *look);
/* Adds a copy to the rows; false if there is no memory. */
bool lat_add(struct lat_look *look, const struct lat_row *row);

#endif /* LATLOOK_H */
