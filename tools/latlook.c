// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdlib.h>
#include <time.h>

#include <bpf/bpf.h>

#include "invpairs.h"
#include "latlook.h"
#include "lib/known.h"
#include "lib/room.h"

/* By struct lat_key */
static struct known known = {
	.key_size = sizeof(struct lat_key), .value_size = sizeof(struct lat_hist),
};

/* A histogram is counters and nothing else, so that it adds up as an array of them. */
#define NR_COUNTERS	(sizeof(struct lat_hist) / sizeof(__u64))

static bool since_last(int hists, const struct lat_key *key, struct lat_hist *diff)
{
	int cpus = libbpf_num_possible_cpus();
	struct lat_hist cpu[cpus > 0 ? cpus : 1], all = {};
	struct lat_hist *before = known_of(&known, key);

	if (!before || cpus < 0 || bpf_map_lookup_elem(hists, key, cpu))
		return false;
	for (size_t i = 0; i < NR_COUNTERS; i++) {
		for (int c = 0; c < cpus; c++)
			((__u64 *)&all)[i] += ((__u64 *)&cpu[c])[i];
		((__u64 *)diff)[i] = ((__u64 *)&all)[i] - ((__u64 *)before)[i];
	}
	*before = all;
	return diff->requests;
}

bool lat_add(struct lat_look *look, const struct lat_row *row)
{
	if (!room_for_one(look->rows, look->n))
		return false;
	look->rows[look->n++] = *row;
	return true;
}

/* Nothing is deleted meanwhile, so that each key is met once. */
bool lat_look(struct lat_look *look)
{
	__u64 now = now_ns(CLOCK_MONOTONIC);
	struct lat_row row = { .ts_ns = now, .period_ns = now - look->last_ns, .by = look->by };
	struct lat_key *last = NULL;

	look->n = 0;
	look->total = row;
	look->total.last = 1;
	look->last_ns = now;
	while (!bpf_map_get_next_key(look->hists, last, &row.key)) {
		static struct lat_key key;

		key = row.key;
		last = &key;
		if (since_last(look->hists, &key, &row.hist) && !lat_add(look, &row))
			break;
	}
	return inv_in_flight(look->in_flight, &look->total.in_flight,
			     &look->total.oldest_ns);
}
