// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "lib/out.h"
#include "pasidfault.h"
#include "pasidshow.h"

const char *const pasid_names[] = {
	[PASID_ALLOC] = "alloc",
	[PASID_FREE] = "free",
	[PASID_PENDING] = "pending",
	[PASID_SPID] = "spid",
	[PASID_SET_NEW] = "set_new",
	[PASID_SET_QUOTA] = "set_quota",
	[PASID_SET_END] = "set_end",
	[PASID_GET] = "get",
	[PASID_PUT] = "put",
	[PASID_ALIVE] = "alive",
	[PASID_REGISTER] = "register",
	[PASID_UNREGISTER] = "unregister",
	[PASID_ATTACH] = "attach",
	[PASID_DETACH] = "detach",
	[PASID_BIND] = "bind",
	[PASID_UNBIND] = "unbind",
	[PASID_FAULT] = "fault",
	[PASID_PAGE_REQ] = "page_req",
	[PASID_PAGE_RESP] = "page_resp",
	[PASID_NR_TYPES] = NULL,
};

#define E(label, kind, member)	MEMBER_AS(label, kind, struct pasid_dev_event, e.member)

const struct member pasid_members[] = {
	{ "event", MEMBER_NUMBER, offsetof(struct pasid_event, type), sizeof(__u16), pasid_names },
	E("ts_ns", NUMBER, ts_ns),
	E("cpu", NUMBER, cpu),
	E("flags", NUMBER, flags),
	E("pid", NUMBER, tgid),
	E("tid", NUMBER, tid),
	E("set", NUMBER, set),
	E("pasid", NUMBER, pasid),
	E("ret", SIGNED, ret),
	E("min", NUMBER, min),		/* and what shares the places of these two */
	E("max", NUMBER, max),
	E("private", NUMBER, spid),
	E("comm", BYTES, comm),
	MEMBER(HEX, struct pasid_dev_event, table),	/* or the address */
	MEMBER(BYTES, struct pasid_dev_event, dev),
	MEMBER(BYTES, struct pasid_line, line),
	{}
};

#define TIME_WIDTH(cli)	((cli)->wall ? 15 : 11)

void pasid_head(const struct cli *cli)
{
	out_text("%-*s ", TIME_WIDTH(cli), cli->wall ? "TIME" : "TIME(s)");
	if (cli->life)
		out_text("%-7s %-15s %-7s %-6s %s%-6s AGE(s)\n", "PID", "COMM", "PASID", "SET",
			 cli->wide ? "PRIV     " : "", "REFS");
	else
		out_text("%-10s %-7s %-15s %-7s %-13s %s\n", "EVENT", "PID", "COMM", "PASID",
			 "SET/DEV", cli->wide ? "RET        TID     CPU PRIV     INFO" : "RET");
}

static __s64 since_start_us(const struct session *s, __u64 ns)
{
	return (__s64)(ns - s->start_ns) / 1000;
}

static const char *time_text(const struct cli *cli, const struct session *s, __u64 ns,
			     char *buf, size_t size)
{
	return cli->wall ? out_time(ns + s->to_wall_ns, false, buf, size) :
			   out_seconds(since_start_us(s, ns), buf, size);
}

/* "-" for what is not known */
static const char *value(bool known, const char *fmt, __u32 v, char *buf, size_t size)
{
	snprintf(buf, size, known ? fmt : "-", v);
	return buf;
}

/* By the Response Code of VT-d */
static const char *answer_text(__u32 code)
{
	return !code ? "success" : code == 1 ? "invalid" : code == 15 ? "failure" : "reserved";
}

/* "0", "ENOSPC", "fail" when no reason is known, "-" when nothing is. */
static const char *ret_text(const struct pasid_event *e, char *buf, size_t size)
{
	if (e->type == PASID_PAGE_RESP)
		return answer_text(e->code);
	if (e->flags & PASID_HAS_RET)
		return out_errname(e->ret, buf, size);
	if (e->type == PASID_ALLOC)
		return e->ret ? "fail" : "0";
	return "-";
}

static const char *binding_text(const struct pasid_dev_event *d, char *buf, size_t size)
{
	const struct pasid_event *e = &d->e;
	size_t n = 0;

	buf[0] = '\0';
	if (e->flags & PASID_HAS_GPASID)
		n += snprintf(buf, size, "gpasid %#x", e->gpasid);
	if (e->flags & PASID_HAS_TABLE)
		n += snprintf(buf + n, size - n, "%stable %#llx, %u bits", n ? ", " : "",
			      d->table, e->width);
	if (e->flags & PASID_REVOKED)
		n += snprintf(buf + n, size - n, "%srevoked", n ? ", " : "");
	return n ? buf : "-";
}

/* "read", "read/write", .. */
static const char *access_text(__u32 flags, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s", flags & PASID_READ ? "/read" : "",
		 flags & PASID_WRITE ? "/write" : "", flags & PASID_EXEC ? "/execute" : "");
	return buf[0] ? buf + 1 : "nothing";
}

/* The reason goes below where lines are not to be wide. */
static const char *fault_text(const struct pasid_line *l, bool wide, char *buf, size_t size)
{
	const struct pasid_event *e = &l->d.e;
	char of[24], words[PASID_LINE_LEN + 1];
	const char *access = access_text(e->flags, of, sizeof(of));

	out_ascii(l->line, sizeof(l->line), words, sizeof(words));
	if (e->type == PASID_PAGE_RESP)
		snprintf(buf, size, "group %u", e->group);
	else if (e->type == PASID_PAGE_REQ)
		snprintf(buf, size, "%s 0x%llx, group %u%s", access, l->d.addr, e->group,
			 e->flags & PASID_LAST ? ", last" : "");
	else if (e->flags & PASID_HAS_DEV)
		snprintf(buf, size, "%s 0x%llx, reason 0x%02x%s%s", access, l->d.addr,
			 e->code, wide ? ": " : "\n  ", words);
	else
		snprintf(buf, size, "%s", words);
	return buf;
}

static const char *info_text(const struct pasid_line *l, bool wide, char *buf, size_t size)
{
	const struct pasid_dev_event *d = &l->d;
	const struct pasid_event *e = &d->e;

	if (is_fault(e))
		return fault_text(l, wide, buf, size);
	if (e->flags & PASID_HAS_DEV)
		return binding_text(d, buf, size);
	if (e->flags & PASID_HAS_RANGE)
		snprintf(buf, size, "%#x-%#x", e->min, e->max);
	else if (e->flags & PASID_HAS_QUOTA)
		snprintf(buf, size, "%u of %u", e->used, e->quota);
	else if (e->flags & PASID_HAS_REFS)
		snprintf(buf, size, "%u ref%s%s", e->refs, e->refs == 1 ? "" : "s",
			 e->flags & PASID_FREED ? ", pending" : "");
	else if (e->flags & PASID_HAS_GROUP && e->group)
		snprintf(buf, size, "group %u", e->group);
	else
		return "-";
	return buf;
}

static void print_text(const struct cli *cli, const struct session *s,
		       const struct pasid_line *l)
{
	const struct pasid_dev_event *d = &l->d;
	char ts[24], comm[PASID_COMM_LEN + 1], pid[12], pasid[12], set[12], ret[24];
	char tid[12], cpu[12], spid[12], dev[PASID_DEV_LEN + 1], info[300];
	const char *of;
	const struct pasid_event *e = &d->e;
	bool fault = is_fault(e), owned = !fault || e->flags & PASID_HAS_OWNER;
	bool happens = e->type != PASID_ALIVE && !fault;

	/* what has a device has no set */
	of = d->dev[0] ? out_ascii(d->dev, PASID_DEV_LEN, dev, sizeof(dev)) :
			 value(e->flags & PASID_HAS_SET, "%u", e->set, set, sizeof(set));
	out_text("%-*s %-10s %-7s %-15s %-7s %-13s %-*s", TIME_WIDTH(cli),
		 time_text(cli, s, e->ts_ns, ts, sizeof(ts)), pasid_names[e->type],
		 value(owned, "%u", e->tgid, pid, sizeof(pid)),
		 owned ? out_ascii(e->comm, PASID_COMM_LEN, comm, sizeof(comm)) : "-",
		 value(e->pasid != PASID_INVALID, "%#x", e->pasid, pasid, sizeof(pasid)), of,
		 cli->wide ? 10 : 0, ret_text(e, ret, sizeof(ret)));
	if (cli->wide)
		out_text(" %-7s %-3s %-8s %s",
			 value(happens, "%u", e->tid, tid, sizeof(tid)),
			 value(happens, "%u", e->cpu, cpu, sizeof(cpu)),
			 value(e->spid, "%#x", e->spid, spid, sizeof(spid)),
			 info_text(l, true, info, sizeof(info)));
	else if (fault && e->type != PASID_PAGE_RESP)
		out_text("\n  %s", info_text(l, false, info, sizeof(info)));
	out_text("\n");
}

static json_t *known(bool is, json_int_t v)
{
	return is ? json_integer(v) : json_null();
}

/* The keys that not all types have. */
static void add_details(json_t *o, const struct pasid_event *e)
{
	bool range = e->flags & PASID_HAS_RANGE;

	if (e->type == PASID_ALLOC) {
		json_object_set_new(o, "min", known(range, e->min));
		json_object_set_new(o, "max", known(range, e->max));
	}
	if (e->flags & PASID_HAS_REFS)
		json_object_set_new(o, "refs", json_integer(e->refs));
	if (e->flags & PASID_HAS_QUOTA) {
		json_object_set_new(o, "used", json_integer(e->used));
		json_object_set_new(o, "quota", json_integer(e->quota));
	} else if (e->flags & PASID_HAS_GROUP) {
		json_object_set_new(o, "group", known(e->group, e->group));
	} else {
		json_object_set_new(o, "private", known(e->spid, e->spid));
	}
	if (e->type == PASID_ALIVE)
		json_object_set_new(o, "state", json_string(
			e->flags & PASID_FREED ? "pending" : "allocated"));
}

static json_t *hex(__u64 v)
{
	char buf[24];

	snprintf(buf, sizeof(buf), "0x%llx", v);
	return json_string(buf);
}

/* The keys of events of a PASID of a device. */
static void add_binding(json_t *o, const struct pasid_dev_event *d)
{
	bool bind = d->e.type == PASID_BIND;

	json_object_set_new(o, "dev", out_utf8(d->dev, PASID_DEV_LEN));
	if (!bind && d->e.type != PASID_UNBIND)
		return;
	json_object_set_new(o, "gpasid", known(d->e.flags & PASID_HAS_GPASID, d->e.gpasid));
	if (bind) {
		json_object_set_new(o, "table", hex(d->table));
		json_object_set_new(o, "width", json_integer(d->e.width));
	} else {
		json_object_set_new(o, "revoked", json_boolean(d->e.flags & PASID_REVOKED));
	}
}

static void add_time(json_t *o, const struct cli *cli, const struct session *s, __u64 ns)
{
	char buf[40];

	if (cli->wall)
		json_object_set_new(o, "time", json_string(
			out_time(ns + s->to_wall_ns, true, buf, sizeof(buf))));
}

/* The keys of what is of a device, and of a process only by its PASID. */
static void print_fault(const struct cli *cli, const struct session *s,
			const struct pasid_line *l)
{
	const struct pasid_event *e = &l->d.e;
	bool owned = e->flags & PASID_HAS_OWNER, parsed = e->flags & PASID_HAS_DEV;
	char access[24];
	json_t *o;

	o = json_pack("{s:s, s:I, s:o, s:o, s:o, s:o, s:o}", "type", pasid_names[e->type],
		      "ts_us", (json_int_t)since_start_us(s, e->ts_ns),
		      "pid", known(owned, e->tgid),
		      "comm", owned ? out_utf8(e->comm, PASID_COMM_LEN) : json_null(),
		      "pasid", known(e->pasid != PASID_INVALID, e->pasid),
		      "private", known(e->spid, e->spid),
		      "dev", parsed ? out_utf8(l->d.dev, PASID_DEV_LEN) : json_null());
	if (e->type != PASID_PAGE_RESP) {
		json_object_set_new(o, "access", parsed ? json_string(
			access_text(e->flags, access, sizeof(access))) : json_null());
		json_object_set_new(o, "addr", parsed ? hex(l->d.addr) : json_null());
	}
	if (e->type == PASID_FAULT) {
		json_object_set_new(o, "code", known(parsed, e->code));
		json_object_set_new(o, "words", out_utf8(l->line, sizeof(l->line)));
	} else {
		json_object_set_new(o, "group", json_integer(e->group));
	}
	if (e->type == PASID_PAGE_REQ)
		json_object_set_new(o, "last", json_boolean(e->flags & PASID_LAST));
	else if (e->type == PASID_PAGE_RESP)
		json_object_set_new(o, "answer", json_string(answer_text(e->code)));
	add_time(o, cli, s, e->ts_ns);
	out_json(o);
}

static void print_json(const struct cli *cli, const struct session *s,
		       const struct pasid_dev_event *d)
{
	const struct pasid_event *e = &d->e;
	/* on the way of a free without RET nothing is known; an allocation tells */
	bool ret_known = e->flags & PASID_HAS_RET || (e->type == PASID_ALLOC && !e->ret);
	char buf[40];
	json_t *o;

	o = json_pack("{s:s, s:I, s:I}", "type", pasid_names[e->type],
		      "ts_us", (json_int_t)since_start_us(s, e->ts_ns),
		      "pid", (json_int_t)e->tgid);
	if (e->type != PASID_ALIVE) {
		json_object_set_new(o, "tid", json_integer(e->tid));
		json_object_set_new(o, "cpu", json_integer(e->cpu));
	}
	json_object_set_new(o, "comm", out_utf8(e->comm, PASID_COMM_LEN));
	if (!(e->flags & (PASID_HAS_QUOTA | PASID_HAS_GROUP)))
		json_object_set_new(o, "pasid", known(e->pasid != PASID_INVALID, e->pasid));
	if (!(e->flags & (PASID_HAS_GROUP | PASID_HAS_DEV)))
		json_object_set_new(o, "set", known(e->flags & PASID_HAS_SET, e->set));
	if (ret_known || e->type <= PASID_FREE)
		json_object_set_new(o, "ret", known(ret_known, e->ret));
	add_time(o, cli, s, e->ts_ns);
	if (e->flags & PASID_HAS_DEV)
		add_binding(o, d);
	else
		add_details(o, e);
	if (e->ret < 0)
		json_object_set_new(o, "err",
				    json_string(ret_known ?
						out_errname(e->ret, buf, sizeof(buf)) :
						"unknown"));
	out_json(o);
}

void pasid_event(const struct cli *cli, const struct session *s, const struct pasid_line *l)
{
	if (!cli->json)
		print_text(cli, s, l);
	else if (is_fault(&l->d.e))
		print_fault(cli, s, l);
	else
		print_json(cli, s, &l->d);
}

void pasid_life(const struct cli *cli, const struct session *s, const struct pasid_event *e,
		const struct life *life)
{
	char ts[24], comm[PASID_COMM_LEN + 1], pid[12], set[12], spid[12], refs[12], age[24];
	bool owned = life->owner != PASID_INVALID, has_set = e->flags & PASID_HAS_SET;
	bool get_seen = s->plan[PASID_GET][0];
	__s64 us = (e->ts_ns - (life->born_ns ? life->born_ns : s->start_ns)) / 1000;
	json_t *o;

	if (cli->json) {
		o = json_pack("{s:s, s:I, s:o, s:o, s:I, s:o, s:o, s:o, s:o}", "type", "life",
			      "ts_us", (json_int_t)since_start_us(s, e->ts_ns),
			      "pid", known(owned, life->owner),
			      "comm", owned ? out_utf8(life->comm, PASID_COMM_LEN) : json_null(),
			      "pasid", (json_int_t)e->pasid, "set", known(has_set, e->set),
			      "private", known(life->spid, life->spid),
			      "refs", known(get_seen, life->refs),
			      "age_us", known(life->born_ns, us));
		add_time(o, cli, s, e->ts_ns);
		out_json(o);
		return;
	}
	out_text("%-*s %-7s %-15s %#-7x %-6s ", TIME_WIDTH(cli),
		 time_text(cli, s, e->ts_ns, ts, sizeof(ts)),
		 value(owned, "%u", life->owner, pid, sizeof(pid)),
		 owned ? out_ascii(life->comm, PASID_COMM_LEN, comm, sizeof(comm)) : "-",
		 e->pasid, value(has_set, "%u", e->set, set, sizeof(set)));
	if (cli->wide)
		out_text("%-8s ", value(life->spid, "%#x", life->spid, spid, sizeof(spid)));
	out_text("%-6s %s%s\n", value(get_seen, "%u", life->refs, refs, sizeof(refs)),
		 life->born_ns ? "" : ">", out_seconds(us, age, sizeof(age)));
}
