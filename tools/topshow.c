// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "invpairs.h"
#include "lib/ksym.h"
#include "lib/out.h"
#include "topshow.h"

#define R(kind, member)	MEMBER(kind, struct top_row, member)

const struct member top_members[] = {
	R(NUMBER, ts_ns),
	R(NUMBER, period_ns),
	R(NUMBER, born_ns),
	R(NUMBER, start_ns),
	R(NUMBER, requests),
	R(NUMBER, failed),
	R(NUMBER, bytes),
	R(NUMBER, timed),
	R(NUMBER, total_ns),
	R(NUMBER, max_ns),
	R(NUMBER, in_flight),
	R(NUMBER, oldest_ns),
	R(NUMBER, lost),
	R(NUMBER, pasid),
	MEMBER_AS("pid", NUMBER, struct top_row, tgid),
	R(NUMBER, set),
	MEMBER_AS("private", NUMBER, struct top_row, spid),
	R(NUMBER, refs),
	R(NUMBER, flags),
	R(BYTES, comm),
	R(BYTES, devs),
	{}
};

/* A row as it is shown: what can be known from it */
struct line {
	double pasid, pid, set, spid, refs, age_ms, requests, failed, bytes, mean_ns, max_ns;
	double inv_s, bytes_s;
	char comm[PASID_COMM_LEN], state[8], dev[24], devs[56];
};

#define L(member)	offsetof(struct line, member)

const struct field top_fields[] = {
	{ "PASID", -7, "pasid", FIELD_HEX, L(pasid) },
	{ "PID", -7, "pid", FIELD_NUMBER, L(pid) },
	{ "COMM", -15, "comm", FIELD_NAME, L(comm) },
	{ "SET", -5, "set", FIELD_NUMBER, L(set), true },
	{ "PRIV", -8, "private", FIELD_HEX, L(spid), true },
	{ "REFS", -4, "refs", FIELD_NUMBER, L(refs), true },
	{ "ST", -4, "state", FIELD_WORDS, L(state) },
	{ "AGE", 5, "age_ms", FIELD_AGE, L(age_ms) },
	{ "INV/s", 5, "inv_s", FIELD_RATE, L(inv_s) },
	{ "B/s", 5, "bytes_s", FIELD_SIZES, L(bytes_s) },
	{ "MEAN", 5, "mean_ns", FIELD_TOOK, L(mean_ns) },
	{ "MAX", 5, "max_ns", FIELD_TOOK, L(max_ns) },
	{ NULL, 0, "requests", FIELD_NUMBER, L(requests) },
	{ NULL, 0, "failed", FIELD_NUMBER, L(failed) },
	{ NULL, 0, "bytes", FIELD_NUMBER, L(bytes) },
	{ "DEV", -12, NULL, FIELD_WORDS, L(dev) },
	{ "DEVS", -12, "devs", FIELD_LIST, L(devs), true },
	{}
};

static double ratio(double a, double b)
{
	return b ? a / b : NAN;
}

/* One, or how many there are */
static void set_device(struct line *l)
{
	int n = 1;

	for (const char *c = l->devs; *c; c++)
		n += *c == ',';
	if (n > 1)
		snprintf(l->dev, sizeof(l->dev), "%d devices", n);
	else
		snprintf(l->dev, sizeof(l->dev), "%.23s", l->devs);
}

/* NAN is a float, which would make one of an integer beside it */
static double known(bool is, double v)
{
	return is ? v : NAN;
}

static struct line line_of(const struct top_row *r)
{
	bool set = r->flags & TOP_HAS_SET, bytes = r->flags & TOP_HAS_BYTES;
	bool first = !r->period_ns;
	struct line l = {
		.pasid = r->pasid,
		.pid = r->tgid,
		.set = known(set, r->set),
		.spid = known(r->spid, r->spid),
		.refs = known(set, r->refs),
		.age_ms = r->ts_ns > r->born_ns ? (r->ts_ns - r->born_ns) / 1000000 : 0,
		.requests = known(!first, r->requests),
		.failed = known(!first, r->failed),
		.bytes = known(!first && bytes, r->bytes),
		.mean_ns = ratio(r->total_ns, r->timed),
		.max_ns = known(r->timed, r->max_ns),
		.inv_s = ratio(r->requests * 1e9, r->period_ns),
		.bytes_s = known(bytes, ratio(r->bytes * 1e9, r->period_ns)),
	};

	memcpy(l.comm, r->comm, sizeof(l.comm));
	memcpy(l.devs, r->devs, sizeof(l.devs));
	strcpy(l.state, r->flags & TOP_PENDING ? "pend" : "live");
	return l;
}

const char *top_check_sort(const struct cli *cli, char *err, size_t len)
{
	if (!cli->sort || fields_find(top_fields, cli->sort))
		return NULL;
	snprintf(err, len, "'%.64s' is not a key with numbers", cli->sort);
	return err;
}

/* By which key; without one, the busiest and then the oldest */
static const struct field *sort_key;

static int by_key(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;
	struct line lx = line_of(x), ly = line_of(y);
	int ret = sort_key ? fields_compare(sort_key, &lx, &ly) :
		  (x->requests < y->requests) - (x->requests > y->requests);

	if (!ret)
		ret = (x->born_ns > y->born_ns) - (x->born_ns < y->born_ns);
	return ret ?: (x->pasid > y->pasid) - (x->pasid < y->pasid);
}

static __s64 since_start_us(const struct session *s, const struct top_row *r)
{
	return (__s64)(r->ts_ns - s->start_ns) / 1000;
}

static json_t *object(const struct cli *cli, const struct session *s, const char *type,
		      const struct top_row *total)
{
	json_t *o = json_pack("{s:s, s:I}", "type", type, "ts_us",
			      (json_int_t)since_start_us(s, total));
	char buf[40];

	if (cli->wall)
		json_object_set_new(o, "time", json_string(
			out_time(total->ts_ns + s->to_wall_ns, true, buf, sizeof(buf))));
	return o;
}

static size_t count_pending(const struct top_row *rows, size_t n)
{
	size_t pending = 0;

	for (size_t i = 0; i < n; i++)
		pending += !!(rows[i].flags & TOP_PENDING);
	return pending;
}

static void total_json(const struct cli *cli, const struct session *s, size_t n,
		       size_t pending, const struct top_row *t)
{
	json_t *o = object(cli, s, "total", t);
	bool first = !t->period_ns;

	json_object_set_new(o, "pasids", json_integer(n));
	json_object_set_new(o, "pending", json_integer(pending));
	json_object_set_new(o, "in_flight", json_integer(t->in_flight));
	json_object_set_new(o, "oldest_ns", t->oldest_ns ?
			    json_integer(t->ts_ns - t->oldest_ns) : json_null());
	json_object_set_new(o, "requests", first ? json_null() : json_integer(t->requests));
	json_object_set_new(o, "failed", first ? json_null() : json_integer(t->failed));
	json_object_set_new(o, "period_us", first ? json_null() :
			    json_integer(t->period_ns / 1000));
	json_object_set_new(o, "lost", json_integer(t->lost));
	out_json(o);
}

/* "17:02:31  3 PASIDs, 1 pending; 12 inv/s, 0 failed, 1 waits 2.0s; 0 lost" */
static void total_text(const struct session *s, size_t n, size_t pending,
		       const struct top_row *t)
{
	char time[24], rate[16], took[16];

	out_time(t->ts_ns + s->to_wall_ns, false, time, sizeof(time));
	out_text("%.8s  %zu PASID%s, %zu pending", time, n, n == 1 ? "" : "s",
		 pending);
	if (t->period_ns)
		out_text("; %s inv/s, %llu failed",
			 field_number(FIELD_RATE, t->requests * 1e9 / t->period_ns, rate,
				      sizeof(rate)), t->failed);
	if (t->in_flight)
		out_text(", %llu waits %s", t->in_flight,
			 out_took(t->ts_ns - t->oldest_ns, took, sizeof(took)));
	out_text("; %llu lost\n", t->lost);
}

static size_t shown_rows(const struct cli *cli, size_t n)
{
	return cli->rows && cli->rows < n ? cli->rows : n;
}

void top_show(const struct cli *cli, const struct session *s, struct top_row *rows, size_t n,
	      const struct top_row *total)
{
	sort_key = cli->sort ? fields_find(top_fields, cli->sort) : NULL;
	qsort(rows, n, sizeof(*rows), by_key);
	if (!cli->json) {
		total_text(s, n, count_pending(rows, n), total);
		fields_head(top_fields, cli->wide);
	}
	for (size_t i = 0; i < shown_rows(cli, n); i++) {
		struct line line = line_of(&rows[i]);

		set_device(&line);
		if (cli->json) {
			json_t *o = object(cli, s, "pasid", total);

			fields_json(o, top_fields, &line);
			out_json(o);
		} else {
			fields_text(top_fields, cli->wide, &line);
		}
	}
	if (cli->json)
		total_json(cli, s, n, count_pending(rows, n), total);
	else
		out_text("\n");
}

/* --- --older ------------------------------------------------------------------------- */

static int compare(__u64 a, __u64 b)
{
	return (a > b) - (a < b);
}

static int compare_stacks(const struct top_alloc *x, const struct top_alloc *y)
{
	if (!x || !y)
		return !!x - !!y;
	return memcmp(x->ip, y->ip, sizeof(x->ip));
}

/* The same process, called from the same place: not only one of the same number */
static int compare_owners(const struct top_row *x, const struct top_row *y)
{
	return compare(x->tgid, y->tgid) ?: compare(x->start_ns, y->start_ns) ?:
	       compare(x->flags & TOP_GONE, y->flags & TOP_GONE) ?:
	       memcmp(x->comm, y->comm, sizeof(x->comm)) ?: compare_stacks(x->alloc, y->alloc);
}

static int by_owner(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;

	return compare_owners(x, y) ?: compare(x->born_ns, y->born_ns);
}

/* The first of rows is the oldest. */
struct group {
	const struct top_row *rows;
	size_t n;
};

static int by_number(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	return compare(y->n, x->n) ?: compare(x->rows->born_ns, y->rows->born_ns);
}

static void group_json(const struct cli *cli, const struct session *s, const struct group *g,
		       const struct top_row *total)
{
	const struct top_row *r = g->rows;
	json_t *o = object(cli, s, "group", total), *pasids = json_array();

	for (size_t i = 0; i < g->n; i++)
		json_array_append_new(pasids, json_integer(g->rows[i].pasid));
	json_object_set_new(o, "pid", json_integer(r->tgid));
	json_object_set_new(o, "comm", out_utf8(r->comm, sizeof(r->comm)));
	json_object_set_new(o, "gone", json_boolean(r->flags & TOP_GONE));
	json_object_set_new(o, "count", json_integer(g->n));
	json_object_set_new(o, "oldest_ms", json_integer((r->ts_ns - r->born_ns) / 1000000));
	json_object_set_new(o, "pasids", pasids);
	json_object_set_new(o, "stack", r->alloc ?
			    ksym_json(r->alloc->ip, TOP_STACK_LEN) : json_null());
	out_json(o);
}

static void group_text(const struct group *g)
{
	const struct top_row *r = g->rows;
	char comm[PASID_COMM_LEN + 1], age[24];

	out_text("%-6zu %6s %-7u %s%s\n", g->n,
		 field_number(FIELD_AGE, (r->ts_ns - r->born_ns) / 1000000, age, sizeof(age)),
		 r->tgid, out_ascii(r->comm, sizeof(r->comm), comm, sizeof(comm)),
		 r->flags & TOP_GONE ? ", which has gone" : "");
	if (r->alloc)
		ksym_text(r->alloc->ip, TOP_STACK_LEN);
	else
		out_text("        older than the trace: no stack\n");
}

/* Moves those that have lived that long to the front. */
static size_t keep_old(const struct cli *cli, struct top_row *rows, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (rows[i].ts_ns >= rows[i].born_ns + cli->older_ms * 1000000)
			rows[kept++] = rows[i];
	}
	return kept;
}

static size_t group(struct group *groups, struct top_row *rows, size_t n)
{
	size_t nr = 0;

	qsort(rows, n, sizeof(*rows), by_owner);
	for (size_t i = 0; i < n; i++) {
		if (!i || compare_owners(&rows[i - 1], &rows[i]))
			groups[nr++] = (struct group){ .rows = &rows[i] };
		groups[nr - 1].n++;
	}
	qsort(groups, nr, sizeof(*groups), by_number);
	return nr;
}

size_t top_show_older(const struct cli *cli, const struct session *s, struct top_row *rows,
		      size_t n, const struct top_row *total)
{
	struct group *groups = calloc(n + 1, sizeof(*groups));
	size_t pending = count_pending(rows, n), old, nr;

	if (!groups)
		return 0;
	if (!cli->json) {
		total_text(s, n, pending, total);
		out_text("COUNT  OLDEST PID     COMM\n");
	}
	old = keep_old(cli, rows, n);
	nr = group(groups, rows, old);
	for (size_t i = 0; i < shown_rows(cli, nr); i++) {
		if (cli->json)
			group_json(cli, s, &groups[i], total);
		else
			group_text(&groups[i]);
	}
	if (cli->json)
		total_json(cli, s, n, pending, total);
	else
		out_text("\n");
	free(groups);
	return old;
}

/* --- --prom ---------------------------------------------------------------------------- */

static double oldest_seconds(const struct top_row *rows, size_t n)
{
	__u64 age, oldest = 0;

	for (size_t i = 0; i < n; i++) {
		age = rows[i].ts_ns > rows[i].born_ns ? rows[i].ts_ns - rows[i].born_ns : 0;
		oldest = age > oldest ? age : oldest;
	}
	return oldest / 1e9;
}

static void gauge(struct prom *p, const char *name, const char *help, double value)
{
	prom_head(p, name, "gauge", help);
	prom_value(p, name, NULL, value);
}

bool top_prom(const struct cli *cli, const struct session *s, const struct top_row *rows,
	      size_t n, const struct top_row *total)
{
	static struct inv_prom inv;	/* what was in each look, summed up */
	size_t pending = count_pending(rows, n);
	struct prom p;

	inv.in_flight = total->in_flight;
	inv.oldest_ns = total->oldest_ns ? total->ts_ns - total->oldest_ns : 0;
	inv.requests += total->requests;
	inv.failed += total->failed;
	inv.lost = total->lost;
	if (prom_open(&p, cli->prom)) {
		gauge(&p, "iommu_pasid_live", "PASIDs that are allocated.", n - pending);
		gauge(&p, "iommu_pasid_pending", "PASIDs that are freed, but referenced yet.",
		      pending);
		gauge(&p, "iommu_pasid_oldest_seconds",
		      "How long the oldest PASID is in use, 0 if there is none.",
		      oldest_seconds(rows, n));
		inv_prom(&p, "pasidtop", s, &inv);
		if (prom_close(&p))
			return true;
	}
	msg("cannot write %s: %s.", cli->prom, strerror(errno));
	return false;
}
