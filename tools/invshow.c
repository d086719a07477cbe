// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "lib/out.h"
#include "invshow.h"

static const char *const granularities[] = {
	[INV_DOMAIN] = "domain",
	[INV_PASID] = "pasid",
	[INV_ADDR] = "addr",
};

static const struct {
	unsigned int bit;
	char letter;
	const char *name;
} caches[] = {
	{ INV_IOTLB, 'i', "iotlb" },
	{ INV_DEV_IOTLB, 'd', "dev_iotlb" },
	{ INV_PASID_CACHE, 'p', "pasid" },
};

#define NR_CACHES	(sizeof(caches) / sizeof(caches[0]))

/* Is it known what was asked for? */
static bool has_request(const struct inv_event *e)
{
	return e->flags & INV_HAS_BEGIN && !(e->flags & INV_UNREADABLE);
}

static bool has_range(const struct inv_event *e)
{
	return has_request(e) && e->granularity == INV_ADDR;
}

const char *inv_caches(const struct inv_event *e, char *buf, size_t size)
{
	size_t n = 0;

	if (!has_request(e))
		return "-";
	for (size_t i = 0; i < NR_CACHES && n + 1 < size; i++)
		buf[n++] = e->caches & caches[i].bit ? caches[i].letter : '-';
	buf[n] = '\0';
	return buf;
}

bool inv_size(const struct inv_event *e, __u64 *bytes)
{
	return !__builtin_mul_overflow(e->granule, e->granules, bytes);
}

/* "16K", "2M", or all digits of what is no multiple */
static const char *size_text(__u64 bytes, char *buf, size_t size)
{
	static const char units[] = "\0KMGTPE";
	int i = 0;

	for (; bytes && !(bytes % 1024) && units[i + 1]; i++)
		bytes /= 1024;
	snprintf(buf, size, "%llu%.1s", bytes, units + i);
	return buf;
}

const char *inv_what(const struct inv_event *e, char *buf, size_t size)
{
	char len[24] = "";
	__u64 bytes;

	if (!has_request(e))
		return "-";
	if (e->granularity < INV_ADDR)
		return granularities[e->granularity];
	if (e->granularity >= INV_NR_GRANULARITIES)
		snprintf(buf, size, "?%u", e->granularity);
	else
		snprintf(buf, size, "%#llx+%s", e->addr, inv_size(e, &bytes) ?
			 size_text(bytes, len, sizeof(len)) : "huge");
	return buf;
}

void inv_head(const struct cli *cli)
{
	out_text("%-*s %-7s %-12s %-7s %-3s %5s %-10s ", cli->wall ? 15 : 10,
		 cli->wall ? "TIME" : "TIME(s)", "PID", "DEV", "PASID", "IDP", "TOOK", "RET");
	out_text(cli->wide ? "%-18s TID     CPU COMM            ENTRIES ID     GRANULES\n" :
		 "%s\n", "WHAT");
}

const char *inv_took(__u64 ns, char *buf, size_t size)
{
	static const char *const units[] = { "ns", "us", "ms", "s" };
	double t = ns;
	int i = 0;

	/* what would be rounded to 1000 is 1 of the next unit */
	for (; t >= 999.5 && i < 3; i++)
		t /= 1000;
	snprintf(buf, size, i && t < 9.95 ? "%.1f%s" : "%.0f%s", t, units[i]);
	return buf;
}

static __s64 since_start_us(const struct session *s, const struct inv_event *e)
{
	return (__s64)(e->ts_ns - s->start_ns) / 1000;
}

static const char *pasid_text(const struct inv_event *e, char *buf, size_t size)
{
	snprintf(buf, size, e->flags & INV_HAS_PASID ? "%#llx" : "-", e->pasid);
	return buf;
}

static void print_wide(const struct inv_event *e)
{
	char comm[PASID_COMM_LEN + 1], entries[12] = "-";

	if (e->flags & INV_HAS_BEGIN)
		snprintf(entries, sizeof(entries), "%u", e->entries);
	out_text(" %-7u %-3u %-15s %-7s %-6llu ", e->tid, e->cpu,
		 out_ascii(e->comm, PASID_COMM_LEN, comm, sizeof(comm)), entries, e->id);
	if (has_range(e))
		out_text("%llux%#llx%s", e->granules, e->granule,
			 e->flags & INV_LEAF ? " leaf" : "");
	else
		out_text("-");
}

static void print_text(const struct cli *cli, const struct session *s,
		       const struct inv_event *e)
{
	char ts[24], dev[PASID_DEV_LEN + 1], pasid[24], idp[8], took[24] = "-", ret[24];
	char what[48];

	if (e->flags & INV_HAS_BEGIN)
		inv_took(e->end_ns - e->ts_ns, took, sizeof(took));
	out_text("%-*s %-7u %-12s %-7s %-3s %5s %-10s %-*s", cli->wall ? 15 : 10,
		 cli->wall ? out_time(e->ts_ns + s->to_wall_ns, false, ts, sizeof(ts)) :
			     out_seconds(since_start_us(s, e), ts, sizeof(ts)),
		 e->tgid, out_ascii(e->dev, PASID_DEV_LEN, dev, sizeof(dev)),
		 pasid_text(e, pasid, sizeof(pasid)), inv_caches(e, idp, sizeof(idp)), took,
		 e->flags & INV_STALLED ? "waits" : out_errname(e->ret, ret, sizeof(ret)),
		 cli->wide ? 18 : 0,
		 inv_what(e, what, sizeof(what)));
	if (cli->wide)
		print_wide(e);
	out_text("\n");
}

/* A 64-bit number that a double might not hold */
static json_t *hex(bool known, __u64 v)
{
	char buf[24];

	snprintf(buf, sizeof(buf), "0x%llx", v);
	return known ? json_string(buf) : json_null();
}

static json_t *known(bool is, json_int_t v)
{
	return is ? json_integer(v) : json_null();
}

/* Not what a double would change: that is told by -w */
static json_t *number(bool is, __u64 v)
{
	return known(is && v < 1ULL << 53, v);
}

static void add_request(json_t *o, const struct inv_event *e)
{
	bool request = has_request(e), range = has_range(e);
	json_t *list = request ? json_array() : json_null();
	const char *granularity = NULL;
	__u64 bytes = 0;
	bool fits = inv_size(e, &bytes);

	for (size_t i = 0; i < NR_CACHES && request; i++) {
		if (e->caches & caches[i].bit)
			json_array_append_new(list, json_string(caches[i].name));
	}
	if (request && e->granularity < INV_NR_GRANULARITIES)
		granularity = granularities[e->granularity];
	json_object_set_new(o, "caches", list);
	json_object_set_new(o, "granularity",
			    granularity ? json_string(granularity) : json_null());
	json_object_set_new(o, "addr", hex(range, e->addr));
	json_object_set_new(o, "granule", number(range, e->granule));
	json_object_set_new(o, "granules", number(range, e->granules));
	json_object_set_new(o, "size", number(range && fits, bytes));
	json_object_set_new(o, "leaf", range ? json_boolean(e->flags & INV_LEAF) : json_null());
}

static void print_json(const struct cli *cli, const struct session *s,
		       const struct inv_event *e)
{
	bool begin = e->flags & INV_HAS_BEGIN;
	bool pasid = e->flags & INV_HAS_PASID && e->pasid <= PASID_MAX;
	json_t *o = json_pack("{s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "type",
			      e->flags & INV_STALLED ? "stalled" : "inv",
			      "ts_us", (json_int_t)since_start_us(s, e),
			      "pid", (json_int_t)e->tgid, "tid", (json_int_t)e->tid,
			      "cpu", (json_int_t)e->cpu,
			      "comm", out_utf8(e->comm, PASID_COMM_LEN),
			      "dev", out_utf8(e->dev, PASID_DEV_LEN),
			      "pasid", known(pasid, e->pasid));
	char buf[40];

	add_request(o, e);
	json_object_set_new(o, "entries", known(begin, e->entries));
	json_object_set_new(o, "id", json_integer(e->id));
	json_object_set_new(o, "ns", known(begin, e->end_ns - e->ts_ns));
	json_object_set_new(o, "ret", known(!(e->flags & INV_STALLED), e->ret));
	if (e->ret < 0)
		json_object_set_new(o, "err", json_string(out_errname(e->ret, buf,
								      sizeof(buf))));
	if (cli->wall)
		json_object_set_new(o, "time", json_string(
			out_time(e->ts_ns + s->to_wall_ns, true, buf, sizeof(buf))));
	out_json(o);
}

void inv_show(const struct cli *cli, const struct session *s, const struct inv_event *e)
{
	if (cli->json)
		print_json(cli, s, e);
	else
		print_text(cli, s, e);
}

void inv_record(FILE *f, const struct inv_event *e)
{
	fprintf(f, "event %llu %llu %llu %#llx %#llx %#llx %llu %#x %u %u %d %u %u %#x %u ",
		e->ts_ns, e->end_ns, e->id, e->pasid, e->addr, e->granule, e->granules,
		e->flags, e->tgid, e->tid, e->ret, e->entries, e->cpu, e->caches,
		e->granularity);
	record_bytes(f, e->comm, PASID_COMM_LEN);
	fputc(' ', f);
	record_bytes(f, e->dev, PASID_DEV_LEN);
	fputc('\n', f);
}

int inv_replay(FILE *f, struct session *s, struct inv_event *e)
{
	char line[512], comm[2 * PASID_COMM_LEN + 1], dev[2 * PASID_DEV_LEN + 1];
	unsigned int cpu, which, granularity;
	int ret = replay_line(f, s, line, sizeof(line));

	if (ret != REPLAY_EVENT)
		return ret;
	*e = (struct inv_event){};
	if (sscanf(line, "%llu %llu %llu %llx %llx %llx %llu %x %u %u %d %u %u %x %u %32s %80s",
		   &e->ts_ns, &e->end_ns, &e->id, &e->pasid, &e->addr, &e->granule,
		   &e->granules, &e->flags, &e->tgid, &e->tid, &e->ret, &e->entries, &cpu,
		   &which, &granularity, comm, dev) != 17 ||
	    !replay_bytes(comm, e->comm, PASID_COMM_LEN) ||
	    !replay_bytes(dev, e->dev, PASID_DEV_LEN))
		return replay_bad_event();
	e->cpu = cpu;
	e->caches = which;
	e->granularity = granularity;
	return 1;
}
