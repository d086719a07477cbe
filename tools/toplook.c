// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "invpairs.h"
#include "lib/known.h"
#include "lib/room.h"
#include "lib/walk.h"
#include "toplook.h"
#include "../bpf/pasid.h"

/* --- the PASIDs in use --------------------------------------------------------------- */

static struct top_row *add_row(struct top_look *look)
{
	if (!room_for_one(look->rows, look->n)) {
		msg("no memory for %zu PASIDs.", look->n + 1);
		return NULL;
	}
	look->rows[look->n] = (struct top_row){};
	return &look->rows[look->n++];
}

static bool list_alive(struct top_look *look)
{
	const struct pasid_event *e;
	struct records records;
	struct top_row *r;

	records_open(&records, look->alive, sizeof(*e));
	while ((e = records_next(&records)) && (r = add_row(look))) {
		r->born_ns = e->ts_ns;
		r->pasid = e->pasid;
		r->tgid = e->tgid;
		r->set = e->set;
		r->spid = e->spid;
		r->refs = e->refs;
		r->flags = TOP_HAS_SET | (e->flags & PASID_FREED ? TOP_PENDING : 0);
		memcpy(r->comm, e->comm, sizeof(r->comm));
	}
	return records_close(&records) && !e;
}

static int by_pasid(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;

	return (x->pasid > y->pasid) - (x->pasid < y->pasid);
}

static struct top_row *row_of(struct top_look *look, __u32 pasid)
{
	struct top_row key = { .pasid = pasid };

	return look->n ? bsearch(&key, look->rows, look->n, sizeof(key), by_pasid) : NULL;
}

/* Where the kernel has no list, those that it has allocated while it was watched */
static bool list_allocated(struct top_look *look)
{
	const struct top_alloc *a;
	const void *key, *value;
	struct top_row *r = NULL;
	struct walk walk;

	walk_open(&walk, look->allocs, sizeof(__u32), sizeof(*a));
	while ((key = walk_next(&walk, &value)) && (r = add_row(look))) {
		a = value;
		r->born_ns = a->born_ns;
		r->pasid = *(const __u32 *)key;
		r->tgid = a->tgid;
		memcpy(r->comm, a->comm, sizeof(r->comm));
	}
	if (look->n)
		qsort(look->rows, look->n, sizeof(*look->rows), by_pasid);
	return walk_close(&walk) && !key;
}

/* When a process began, after boot; 0: there is none */
static __u64 start_of(__u32 pid)
{
	char path[32], line[1024], *after = NULL;
	unsigned long long ticks = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	f = fopen(path, "re");
	/* its name may have blanks and brackets, so from the last bracket on */
	if (f && fgets(line, sizeof(line), f))
		after = strrchr(line, ')');
	if (!after || sscanf(after, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &ticks) != 1)
		ticks = 0;
	if (f)
		fclose(f);
	return ticks * (1000000000 / sysconf(_SC_CLK_TCK));
}

/*
 * A process of that number that began after the PASID was allocated is another. By the
 * clock of births, which stands still while the machine is suspended, and whole ticks.
 */
static void find_owner(struct top_row *r, __u64 start, __u64 to_boot_ns)
{
	bool gone = r->tgid && (!start || start > r->born_ns + to_boot_ns);

	if (gone)
		r->flags |= TOP_GONE;
	r->start_ns = gone ? 0 : start;
	if (r->alloc && r->alloc->tgid == r->tgid)
		r->start_ns = r->alloc->start_ns;
}

static const struct top_alloc *alloc_of(struct top_look *look, __u32 pasid)
{
	struct top_alloc *a = malloc(sizeof(*a));

	if (a && !bpf_map_lookup_elem(look->allocs, &pasid, a))
		return a;
	free(a);
	return NULL;
}

static void find_owners(struct top_look *look)
{
	__u64 to_boot_ns = now_ns(CLOCK_BOOTTIME) - now_ns(CLOCK_MONOTONIC);

	__u64 start = 0;

	if (!look->owners)
		return;
	for (size_t i = 0; i < look->n; i++) {
		struct top_row *r = &look->rows[i];

		/* those of one owner often follow each other */
		if (!i || r->tgid != r[-1].tgid)
			start = start_of(r->tgid);
		r->alloc = alloc_of(look, r->pasid);
		find_owner(r, start, to_boot_ns);
	}
}

/* --- where they are, and how busy ------------------------------------------------------ */

/* The state of a PASID on a device when it was last looked at, by struct top_key */
static struct known known = {
	.key_size = sizeof(struct top_key), .value_size = sizeof(struct top_busy),
};

/* By bpf_map_lookup_elem(), or by what takes the entry away as well */
static bool sum(const struct top_look *look, const struct top_key *key, __u32 period,
		int (*look_up)(int fd, const void *key, void *value), struct top_busy *all)
{
	int cpus = libbpf_num_possible_cpus(), slot = period & 1;
	struct top_busy cpu[cpus > 0 ? cpus : 1];

	*all = (struct top_busy){};
	if (cpus < 0 || look_up(look->busy, key, cpu))
		return false;
	for (int i = 0; i < cpus; i++) {
		all->requests += cpu[i].requests;
		all->failed += cpu[i].failed;
		all->bytes += cpu[i].bytes;
		all->timed += cpu[i].timed;
		all->total_ns += cpu[i].total_ns;
		if (cpu[i].period[slot] == period && cpu[i].max_ns[slot] > all->max_ns[0])
			all->max_ns[0] = cpu[i].max_ns[slot];
	}
	return true;
}

/* Adds what is more than it was. */
static void add(struct top_row *r, const struct top_busy *now, const struct top_busy *before)
{
	r->requests += now->requests - before->requests;
	r->failed += now->failed - before->failed;
	r->bytes += now->bytes - before->bytes;
	r->timed += now->timed - before->timed;
	r->total_ns += now->total_ns - before->total_ns;
	if (now->max_ns[0] > r->max_ns)
		r->max_ns = now->max_ns[0];
}

static void add_device(struct top_row *r, const char *dev)
{
	size_t n = strlen(r->devs);

	if (n + strlen(dev) + 2 < sizeof(r->devs))
		sprintf(r->devs + n, "%s%.*s", n ? "," : "", PASID_DEV_LEN, dev);
	else if (n + 3 < sizeof(r->devs) && (n < 2 || strcmp(r->devs + n - 2, "..")))
		strcat(r->devs, "..");
}

/* It is, as far as is known: seen to be, or used, and not seen to be detached. */
static bool is_attached(const struct top_look *look, const struct top_key *key)
{
	__u32 is = 1;

	bpf_map_lookup_elem(look->attached, key, &is);
	return is;
}

/* Nobody else deletes any. They are taken first, as some are deleted then. */
static struct top_key *keys_of(int fd, size_t *n)
{
	struct top_key *keys = NULL, *last = NULL;

	for (*n = 0; ; ++*n) {
		if (!room_for_one(keys, *n)) {
			msg("no memory for %zu PASIDs.", *n + 1);
			break;
		}
		last = *n ? &keys[*n - 1] : NULL;
		if (bpf_map_get_next_key(fd, last, &keys[*n]))
			break;
	}
	return keys;
}

/*
 * One that is not in the list is free, and its last invalidation may be about to be
 * counted. Where the kernel has no list it may be older than the trace, and in use.
 */
static bool is_over(const struct top_key *key, const struct top_busy *now,
		    const struct top_busy *before)
{
	return key->pasid != PASID_INVALID && now->requests &&
	       now->requests == before->requests;
}

static void look_at_busy(struct top_look *look, const struct top_key *keys, size_t n,
			 __u32 period)
{
	struct top_busy now;

	for (size_t i = 0; i < n; i++) {
		struct top_row *r = row_of(look, keys[i].pasid);
		struct top_busy *before = known_of(&known, &keys[i]);
		bool over;

		if (!before || !sum(look, &keys[i], period, bpf_map_lookup_elem, &now))
			continue;
		over = !r && is_over(&keys[i], &now, before);
		/* with what has come since */
		if (over && !sum(look, &keys[i], period, bpf_map_lookup_and_delete_elem, &now))
			continue;
		add(&look->total, &now, before);
		if (r)
			add(r, &now, before);
		*before = now;
		if (r && is_attached(look, &keys[i]))
			add_device(r, keys[i].dev);
		if (over)
			known_forget(&known, &keys[i]);
	}
}

/* Those that were met in busy are named already. */
static void look_at_attached(struct top_look *look, const struct top_key *keys, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct top_row *r = row_of(look, keys[i].pasid);

		if (known_has(&known, &keys[i]))
			continue;
		if (!r)
			bpf_map_delete_elem(look->attached, &keys[i]);
		else if (is_attached(look, &keys[i]))
			add_device(r, keys[i].dev);
	}
}

/* The time, and how long it is since the last look */
static void stamp(struct top_look *look, __u64 now)
{
	look->total = (struct top_row){
		.flags = TOP_TOTAL,
		.ts_ns = now,
		.period_ns = look->invs && look->last_ns ? now - look->last_ns : 0,
	};
	for (size_t i = 0; i < look->n; i++) {
		look->rows[i].ts_ns = now;
		look->rows[i].period_ns = look->total.period_ns;
		look->rows[i].flags |= look->bytes ? TOP_HAS_BYTES : 0;
	}
	look->last_ns = now;
}

/*
 * The keys are taken before the list. What has come since waits for the next look: its
 * PASID may not be in the list, and would be taken for one that is free.
 */
bool top_look(struct top_look *look)
{
	__u32 period = (*look->period)++;
	size_t nr_busy, nr_attached;
	struct top_key *busy = keys_of(look->busy, &nr_busy);
	struct top_key *attached = keys_of(look->attached, &nr_attached);
	bool ok = look->alive ? list_alive(look) : list_allocated(look);

	if (ok) {
		stamp(look, now_ns(CLOCK_MONOTONIC));
		find_owners(look);
		look_at_busy(look, busy, nr_busy, period);
		look_at_attached(look, attached, nr_attached);
		ok = inv_in_flight(look->in_flight, &look->total.in_flight,
				   &look->total.oldest_ns);
	} else {
		top_look_end(look);
	}
	free(busy);
	free(attached);
	return ok;
}

void top_look_end(struct top_look *look)
{
	for (size_t i = 0; i < look->n; i++)
		free((void *)look->rows[i].alloc);
	free(look->rows);
	look->rows = NULL;
	look->n = 0;
}
