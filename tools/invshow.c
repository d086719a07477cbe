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

/* Of each type of descriptor: its name, the letter of its cache, where what is */
static const struct {
	const char *name;
	char letter;
	bool did;			/* bits 31:16 are the domain */
	unsigned char sid;		/* where the requester is, 0: nowhere */
	const char *const granularity[4];	/* by bits 5:4 */
} descs[INV_NR_DESCS] = {
	[INV_DESC_CONTEXT] = { "context", 'c', true, 32, { NULL, "global", "domain", "device" } },
	[INV_DESC_IOTLB] = { "iotlb", 'i', true, 0, { NULL, "global", "domain", "addr" } },
	[INV_DESC_DEV_TLB] = { "dev_iotlb", 'd', false, 32, {} },
	[INV_DESC_IEC] = { "interrupt", 'e', false, 0, { "global", "index", "global", "index" } },
	[INV_DESC_WAIT] = { "wait", 'w', false, 0, {} },
	[INV_DESC_PIOTLB] = { "piotlb", 'i', true, 0, { NULL, NULL, "pasid", "addr" } },
	[INV_DESC_PASID_CACHE] = { "pasid", 'p', true, 0, { "domain", "pasid", NULL, "global" } },
	[INV_DESC_PASID_DEV_TLB] = { "pasid_dev_iotlb", 'd', false, 16, {} },
	[INV_DESC_PAGE_RESPONSE] = { "page_response", 'r', false, 16, {} },
};

#define PAGE_SIZE	4096ULL

/* Of a TLB of a device: the lowest 0 from bit 12 on tells the size, if S is set. */
static void decode_dev_range(struct inv_desc_text *d, __u64 qw1, __u64 s)
{
	__u64 addr = qw1 & ~(PAGE_SIZE - 1), ones = ~(qw1 >> 12);
	int bits = qw1 & s ? __builtin_ctzll(ones) + 1 : 0;

	/* all ones: all there is */
	d->granularity = bits < 52 ? "addr" : "all";
	if (bits >= 52)
		return;
	d->size = PAGE_SIZE << bits;
	d->addr = addr & ~(d->size - 1);
}

bool inv_decode(const struct inv_event *e, struct inv_desc_text *d)
{
	unsigned int type = inv_desc(e->qw0), granularity = e->qw0 >> 4 & 3;

	*d = (struct inv_desc_text){ .did = -1, .sid = -1 };
	if (!(e->flags & INV_SUBMISSION) || type >= INV_NR_DESCS || !descs[type].name)
		return false;
	d->name = descs[type].name;
	d->letter = descs[type].letter;
	d->granularity = descs[type].granularity[granularity];
	if (descs[type].sid && (type != INV_DESC_CONTEXT || granularity == 3))
		d->sid = e->qw0 >> descs[type].sid & 0xffff;
	if (descs[type].did && !(d->granularity && !strcmp(d->granularity, "global")))
		d->did = e->qw0 >> 16 & 0xffff;
	if (type == INV_DESC_DEV_TLB)
		decode_dev_range(d, e->qw1, 1);
	else if (type == INV_DESC_PASID_DEV_TLB)
		decode_dev_range(d, e->qw1, 1 << 11);
	else if (d->granularity && !strcmp(d->granularity, "addr")) {
		d->size = (e->qw1 & 0x3f) < 52 ? PAGE_SIZE << (e->qw1 & 0x3f) : 0;
		d->addr = e->qw1 & ~(PAGE_SIZE - 1);
	}
	return true;
}

static bool is_submission(const struct inv_event *e)
{
	return e->flags & INV_SUBMISSION;
}

/* Is it known what was asked for? */
static bool has_request(const struct inv_event *e)
{
	return e->flags & INV_HAS_BEGIN && !(e->flags & (INV_UNREADABLE | INV_SUBMISSION));
}

static bool has_range(const struct inv_event *e)
{
	return has_request(e) && e->granularity == INV_ADDR;
}

const char *inv_caches(const struct inv_event *e, char *buf, size_t size)
{
	struct inv_desc_text d;
	size_t n = 0;

	if (is_submission(e)) {
		snprintf(buf, size, "%c", inv_decode(e, &d) ? d.letter : '?');
		return buf;
	}
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

const char *inv_type(bool submission, __u32 type, char *buf, size_t size)
{
	struct inv_event e = { .flags = INV_SUBMISSION, .qw0 = type };
	unsigned int granularity = type >> 8 & 0xff;
	struct inv_desc_text d;
	size_t n = 0;

	if (submission && inv_decode(&e, &d)) {
		snprintf(buf, size, "%s%s%s", d.name, d.granularity ? " " : "",
			 d.granularity ?: "");
		return buf;
	}
	if (!submission && type >> 16) {
		snprintf(buf, size, "begin not seen");
		return buf;
	}
	if (submission || granularity >= INV_NR_GRANULARITIES) {
		snprintf(buf, size, "?%#x", type);
		return buf;
	}
	for (size_t i = 0; i < NR_CACHES; i++) {
		if (type & caches[i].bit)
			n += snprintf(buf + n, size - n, "%s%s", n ? "+" : "", caches[i].name);
	}
	snprintf(buf + n, size - n, "%s%s", n ? " " : "", granularities[granularity]);
	return buf;
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

static const char *sid_text(int sid, char *buf, size_t size)
{
	snprintf(buf, size, "%02x:%02x.%u", sid >> 8 & 0xff, sid >> 3 & 0x1f, sid & 7);
	return buf;
}

static const char *submission_text(const struct inv_event *e, char *buf, size_t size)
{
	char len[24], sid[12];
	struct inv_desc_text d;
	size_t n = 0;

	if (!inv_decode(e, &d)) {
		snprintf(buf, size, "?%#x", inv_desc(e->qw0));
		return buf;
	}
	if (d.sid >= 0)
		n += snprintf(buf + n, size - n, "%s ", sid_text(d.sid, sid, sizeof(sid)));
	if (d.did >= 0)
		n += snprintf(buf + n, size - n, "did %d ", d.did);
	if (d.size)
		n += snprintf(buf + n, size - n, "0x%llx+%s ", d.addr,
			      size_text(d.size, len, sizeof(len)));
	else if (d.granularity && strcmp(d.granularity, "domain") &&
		 strcmp(d.granularity, "device"))
		n += snprintf(buf + n, size - n, "%s ", d.granularity);
	if (e->entries > 1)
		n += snprintf(buf + n, size - n, "+%u ", e->entries - 1);
	if (!n)
		return d.name;
	buf[n - 1] = '\0';
	return buf;
}

const char *inv_what(const struct inv_event *e, char *buf, size_t size)
{
	char len[24] = "";
	__u64 bytes;

	if (is_submission(e))
		return submission_text(e, buf, size);
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
	char comm[PASID_COMM_LEN + 1], entries[12] = "-", id[24] = "-";

	if (e->flags & (INV_HAS_BEGIN | INV_SUBMISSION))
		snprintf(entries, sizeof(entries), "%u", e->entries);
	if (!is_submission(e))
		snprintf(id, sizeof(id), "%llu", e->id);
	out_text(" %-7u %-3u %-15s %-7s %-6s ", e->tid, e->cpu,
		 out_ascii(e->comm, PASID_COMM_LEN, comm, sizeof(comm)), entries, id);
	if (has_range(e))
		out_text("%llux%#llx%s", e->granules, e->granule,
			 e->flags & INV_LEAF ? " leaf" : "");
	else
		out_text("-");
}

static const char *dev_text(const struct inv_event *e, char *buf, size_t size)
{
	char dev[PASID_DEV_LEN + 1];

	snprintf(buf, size, "%s%s", e->flags & INV_BELOW ? "\\_ " : "",
		 out_ascii(e->dev, PASID_DEV_LEN, dev, sizeof(dev)));
	return buf;
}

static void print_text(const struct cli *cli, const struct session *s,
		       const struct inv_event *e, const struct inv_wait *wait)
{
	char ts[24], dev[PASID_DEV_LEN + 4], pasid[24], idp[8], took[24] = "-", ret[24];
	char what[80];

	if (e->flags & INV_HAS_BEGIN)
		out_took(e->end_ns - e->ts_ns, took, sizeof(took));
	out_text("%-*s %-7u %-12s %-7s %-3s %5s %-10s %-*s", cli->wall ? 15 : 10,
		 cli->wall ? out_time(e->ts_ns + s->to_wall_ns, false, ts, sizeof(ts)) :
			     out_seconds(since_start_us(s, e), ts, sizeof(ts)),
		 e->tgid, dev_text(e, dev, sizeof(dev)),
		 pasid_text(e, pasid, sizeof(pasid)), inv_caches(e, idp, sizeof(idp)), took,
		 e->flags & INV_STALLED ? "waits" : out_errname(e->ret, ret, sizeof(ret)),
		 cli->wide ? 18 : 0,
		 inv_what(e, what, sizeof(what)));
	if (cli->wide)
		print_wide(e);
	out_text("\n");
	if (wait)
		inv_wait_text(wait);
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

static void add_submission(json_t *o, const struct inv_event *e)
{
	struct inv_desc_text d;
	bool ok = inv_decode(e, &d);
	char sid[12];

	json_object_set_new(o, "descriptor", ok ? json_string(d.name) : json_null());
	json_object_set_new(o, "granularity",
			    d.granularity ? json_string(d.granularity) : json_null());
	json_object_set_new(o, "did", known(d.did >= 0, d.did));
	json_object_set_new(o, "source", d.sid < 0 ? json_null() :
			    json_string(sid_text(d.sid, sid, sizeof(sid))));
	json_object_set_new(o, "addr", hex(d.size, d.addr));
	json_object_set_new(o, "size", number(d.size, d.size));
	json_object_set_new(o, "descriptors", json_integer(e->entries));
	json_object_set_new(o, "request", known(e->flags & INV_BELOW, e->id));
}

static const char *type_text(const struct inv_event *e)
{
	if (e->flags & INV_STALLED)
		return "stalled";
	return is_submission(e) ? "submission" : "inv";
}

static void print_json(const struct cli *cli, const struct session *s,
		       const struct inv_event *e, const struct inv_wait *wait)
{
	bool begin = e->flags & INV_HAS_BEGIN, stalled = e->flags & INV_STALLED;
	bool pasid = e->flags & INV_HAS_PASID && e->pasid <= PASID_MAX;
	json_t *o = json_pack("{s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "type", type_text(e),
			      "ts_us", (json_int_t)since_start_us(s, e),
			      "pid", (json_int_t)e->tgid, "tid", (json_int_t)e->tid,
			      "cpu", (json_int_t)e->cpu,
			      "comm", out_utf8(e->comm, PASID_COMM_LEN),
			      is_submission(e) ? "unit" : "dev",
			      out_utf8(e->dev, PASID_DEV_LEN), "pasid", known(pasid, e->pasid));
	char buf[40];

	if (is_submission(e)) {
		add_submission(o, e);
	} else {
		add_request(o, e);
		json_object_set_new(o, "entries", known(begin, e->entries));
		json_object_set_new(o, "id", json_integer(e->id));
	}
	json_object_set_new(o, "ns", known(begin, e->end_ns - e->ts_ns));
	json_object_set_new(o, "ret", known(!stalled, e->ret));
	if (e->ret < 0)
		json_object_set_new(o, "err", json_string(out_errname(e->ret, buf,
								      sizeof(buf))));
	if (cli->wall)
		json_object_set_new(o, "time", json_string(
			out_time(e->ts_ns + s->to_wall_ns, true, buf, sizeof(buf))));
	if (wait)
		inv_wait_json(wait, o);
	out_json(o);
}

void inv_show(const struct cli *cli, const struct session *s, const struct inv_event *e,
	      const struct inv_wait *wait)
{
	if (cli->json)
		print_json(cli, s, e, wait);
	else
		print_text(cli, s, e, wait);
}

#define E(kind, member)		MEMBER(kind, struct inv_event, member)
#define E_AS(label, kind, member)	MEMBER_AS(label, kind, struct inv_event, member)

const struct member inv_members[] = {
	E(NUMBER, ts_ns),
	E(NUMBER, end_ns),
	E(NUMBER, id),
	E(HEX, pasid),
	E(HEX, addr),
	E(HEX, granule),		/* or the first descriptor */
	E(HEX, granules),
	E(NUMBER, flags),
	E_AS("pid", NUMBER, tgid),
	E(NUMBER, tid),
	E(SIGNED, ret),
	E(NUMBER, entries),
	E(NUMBER, cpu),
	E(NUMBER, caches),
	E(NUMBER, granularity),
	E(BYTES, comm),
	E(BYTES, dev),
	{}
};
