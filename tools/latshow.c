// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "invpairs.h"
#include "invshow.h"
#include "latshow.h"
#include "lib/hist.h"
#include "lib/out.h"
#include "lib/room.h"

const char *const lat_keys[] = {
	[LAT_BY_TYPE] = "type",
	[LAT_BY_DEVICE] = "device",
	[LAT_BY_PASID] = "pasid",
	NULL
};

#define R(kind, member)		MEMBER(kind, struct lat_row, member)
#define R_AS(label, kind, member)	MEMBER_AS(label, kind, struct lat_row, member)

const struct member lat_members[] = {
	R(NUMBER, ts_ns),
	R(NUMBER, period_ns),
	R(NUMBER, in_flight),
	R(NUMBER, oldest_ns),
	R(NUMBER, lost),
	{ "by", MEMBER_NUMBER, offsetof(struct lat_row, by), sizeof(__u32), lat_keys },
	R(NUMBER, last),
	R_AS("submission", NUMBER, key.submission),
	R_AS("vcmd", NUMBER, key.vcmd),
	R_AS("descriptor", NUMBER, key.type),
	R_AS("pasid", NUMBER, key.pasid),
	R_AS("dev", BYTES, key.dev),
	R_AS("requests", NUMBER, hist.requests),
	R_AS("failed", NUMBER, hist.failed),
	R_AS("timed", NUMBER, hist.timed),
	R_AS("total_ns", NUMBER, hist.total_ns),
	R_AS("slots", LIST, hist.slots),
	{}
};

static const char *kind_of(const struct lat_key *key)
{
	return key->vcmd ? "vcmd" : key->submission ? "submission" : "request";
}

static void vcmd_type(__u32 type, char *buf, size_t size)
{
	static const char *const commands[] = { NULL, "alloc", "free" };	/* Table 54 */
	const char *late = type & LAT_LATE ? " late" : "";
	__u32 cmd = type & ~LAT_LATE;

	if (cmd && cmd < sizeof(commands) / sizeof(commands[0]))
		snprintf(buf, size, "%s%s", commands[cmd], late);
	else
		snprintf(buf, size, "?%#x%s", cmd, late);
}

const char *lat_name(const struct lat_row *row, char *buf, size_t size)
{
	const struct lat_key *key = &row->key;

	if (row->by == LAT_BY_DEVICE)
		return out_ascii(key->dev, PASID_DEV_LEN, buf, size);
	if (row->by == LAT_BY_PASID)
		snprintf(buf, size, key->pasid == PASID_INVALID ? "no PASID" : "%#x",
			 key->pasid);
	else if (key->vcmd)
		vcmd_type(key->type, buf, size);
	else
		inv_type(key->submission, key->type, buf, size);
	return buf;
}

static int by_time(const void *a, const void *b)
{
	const struct lat_row *x = a, *y = b;
	__u64 m = x->hist.total_ns, n = y->hist.total_ns;

	return (m < n) - (m > n) ?: memcmp(&x->key, &y->key, sizeof(x->key));
}

static json_t *object(const struct cli *cli, const struct session *s, const char *type,
		      const struct lat_row *r)
{
	json_t *o = json_pack("{s:s, s:I}", "type", type, "ts_us",
			      (json_int_t)(r->ts_ns - s->start_ns) / 1000);
	char buf[40];

	if (cli->wall)
		json_object_set_new(o, "time", json_string(
			out_time(r->ts_ns + s->to_wall_ns, true, buf, sizeof(buf))));
	return o;
}

static void print_json(const struct cli *cli, const struct session *s,
		       const struct lat_row *r)
{
	json_t *o = object(cli, s, "histogram", r);
	const struct lat_hist *h = &r->hist;
	char name[80];

	json_object_set_new(o, "of", json_string(kind_of(&r->key)));
	json_object_set_new(o, "by", json_string(lat_keys[r->by]));
	if (r->by == LAT_BY_PASID)
		json_object_set_new(o, "key", r->key.pasid == PASID_INVALID ? json_null() :
				    json_integer(r->key.pasid));
	else
		json_object_set_new(o, "key", json_string(lat_name(r, name, sizeof(name))));
	json_object_set_new(o, "requests", json_integer(h->requests));
	json_object_set_new(o, "failed", json_integer(h->failed));
	json_object_set_new(o, "timed", json_integer(h->timed));
	json_object_set_new(o, "total_ns", json_integer(h->total_ns));
	json_object_set_new(o, "buckets", hist_json(h->slots, LAT_SLOTS));
	out_json(o);
}

static void print_text(const struct lat_row *r)
{
	const struct lat_hist *h = &r->hist;
	char name[80], took[16];

	out_text("%ss, %s: %llu, %llu failed", kind_of(&r->key),
		 lat_name(r, name, sizeof(name)), h->requests, h->failed);
	if (h->timed)
		out_text(", mean %s", out_took(h->total_ns / h->timed, took, sizeof(took)));
	out_text("\n");
	hist_text(h->slots, LAT_SLOTS, "nsecs");
	out_text("\n");
}

static void total_json(const struct cli *cli, const struct session *s,
		       const struct lat_row *t, size_t n)
{
	json_t *o = object(cli, s, "total", t);

	json_object_set_new(o, "histograms", json_integer(n));
	json_object_set_new(o, "in_flight", json_integer(t->in_flight));
	json_object_set_new(o, "oldest_ns", t->oldest_ns ?
			    json_integer(t->ts_ns - t->oldest_ns) : json_null());
	json_object_set_new(o, "period_us", json_integer(t->period_ns / 1000));
	json_object_set_new(o, "lost", json_integer(t->lost));
	out_json(o);
}

static void total_text(const struct session *s, const struct lat_row *t)
{
	char time[24], took[16];

	out_time(t->ts_ns + s->to_wall_ns, false, time, sizeof(time));
	out_text("%.8s  %.1f s", time, t->period_ns / 1e9);
	if (t->in_flight)
		out_text(", %llu waits %s", t->in_flight,
			 out_took(t->ts_ns - t->oldest_ns, took, sizeof(took)));
	out_text("; %llu lost\n\n", t->lost);
}

void lat_show(const struct cli *cli, const struct session *s, struct lat_row *rows, size_t n,
	      const struct lat_row *total)
{
	qsort(rows, n, sizeof(*rows), by_time);
	if (!cli->json)
		total_text(s, total);
	for (size_t i = 0; i < n && (!cli->rows || i < cli->rows); i++) {
		if (cli->json)
			print_json(cli, s, &rows[i]);
		else
			print_text(&rows[i]);
	}
	if (cli->json)
		total_json(cli, s, total, n);
}

/* --- --prom ---------------------------------------------------------------------------- */

/* The sums of all looks. None goes, so that no counter does. */
static struct lat_row *sums;
static size_t nr_sums;

static struct lat_row *sum_of(const struct lat_row *row)
{
	for (size_t i = 0; i < nr_sums; i++) {
		if (!memcmp(&sums[i].key, &row->key, sizeof(row->key)))
			return &sums[i];
	}
	if (!room_for_one(sums, nr_sums))
		return NULL;
	sums[nr_sums] = (struct lat_row){ .by = row->by, .key = row->key };
	return &sums[nr_sums++];
}

static void add(struct lat_row *sum, const struct lat_hist *more)
{
	for (size_t i = 0; i < sizeof(*more) / sizeof(__u64); i++)
		((__u64 *)&sum->hist)[i] += ((const __u64 *)more)[i];
}

/* From a microsecond to a minute, by fours; bounds are the same for all and for ever. */
#define FIRST_SLOT	9
#define LAST_SLOT	35

static void prom_histogram(struct prom *p, const char *name, const struct lat_row *row)
{
	char labels[256], le[300], raw[80], text[170], series[64];
	__u64 count = 0;

	snprintf(labels, sizeof(labels), "of=\"%s\",%s=\"%s\"",
		 kind_of(&row->key), lat_keys[row->by],
		 prom_escape(lat_name(row, raw, sizeof(raw)), text, sizeof(text)));
	snprintf(series, sizeof(series), "%s_bucket", name);
	for (int i = 0; i < LAT_SLOTS; i++) {
		count += row->hist.slots[i];
		if (i < FIRST_SLOT || i > LAST_SLOT || (i - FIRST_SLOT) % 2)
			continue;
		snprintf(le, sizeof(le), "%s,le=\"%.9g\"", labels, hist_high(i) / 1e9);
		prom_value(p, series, le, count);
	}
	snprintf(le, sizeof(le), "%s,le=\"+Inf\"", labels);
	prom_value(p, series, le, count);
	snprintf(series, sizeof(series), "%s_sum", name);
	prom_value(p, series, labels, row->hist.total_ns / 1e9);
	snprintf(series, sizeof(series), "%s_count", name);
	prom_value(p, series, labels, count);
}

static void prom_histograms(struct prom *p, const char *name, const char *help, bool vcmds)
{
	prom_head(p, name, "histogram", help);
	for (size_t i = 0; i < nr_sums; i++) {
		if (!!sums[i].key.vcmd == vcmds)
			prom_histogram(p, name, &sums[i]);
	}
}

static void sum_up(const struct lat_row *rows, size_t n, struct inv_prom *inv)
{
	for (size_t i = 0; i < n; i++) {
		struct lat_row *sum;

		if (rows[i].by == LAT_BY_PASID)	/* of a recording */
			continue;
		if (!rows[i].key.vcmd) {
			inv->requests += rows[i].hist.requests;
			inv->failed += rows[i].hist.failed;
		}
		sum = sum_of(&rows[i]);
		if (sum)
			add(sum, &rows[i].hist);
	}
}

bool lat_prom(const struct cli *cli, const struct session *s, const struct lat_row *rows,
	      size_t n, const struct lat_row *total)
{
	static struct inv_prom inv;
	struct prom p;

	sum_up(rows, n, &inv);
	inv.in_flight = total->in_flight;
	inv.oldest_ns = total->oldest_ns ? total->ts_ns - total->oldest_ns : 0;
	inv.lost = total->lost;
	if (prom_open(&p, cli->prom)) {
		prom_histograms(&p, "iommu_invalidation_seconds",
				"How long invalidations took.", false);
		prom_histograms(&p, "iommu_vcmd_seconds",
				"How long virtual commands took.", true);
		inv_prom(&p, "invlat", s, &inv);
		if (prom_close(&p))
			return true;
	}
	msg("cannot write %s: %s.", cli->prom, strerror(errno));
	return false;
}
