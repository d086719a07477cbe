// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>
#include <sys/utsname.h>

#include "cli.h"
#include "loop.h"
#include "out.h"
#include "record.h"

#define VERSION	3

void session_start(struct session *s)
{
	struct utsname uts;

	uname(&uts);
	snprintf(s->kernel, sizeof(s->kernel), "%s", uts.release);
	s->start_ns = now_ns(CLOCK_MONOTONIC);
	s->to_wall_ns = now_ns(CLOCK_REALTIME) - s->start_ns;
}

/* A smaller step is the time between the two questions. */
#define CLOCK_STEP_NS	1000000

bool session_clock(struct session *s)
{
	__u64 monotonic = now_ns(CLOCK_MONOTONIC);
	__s64 to_wall = now_ns(CLOCK_REALTIME) - monotonic;

	if (llabs(to_wall - (__s64)s->to_wall_ns) < CLOCK_STEP_NS)
		return false;
	s->to_wall_ns = to_wall;
	return true;
}

/* --- writing: an error is found by ferror() ---------------------------------------- */

static void write_line(FILE *f, json_t *o)
{
	json_dumpf(o, f, JSON_COMPACT);
	fputc('\n', f);
	json_decref(o);
}

void record_lost(FILE *f, const struct session *s)
{
	write_line(f, json_pack("{s:s, s:I, s:I}", "type", "lost", "ts_ns",
				(json_int_t)s->lost_ns, "count", (json_int_t)s->lost_now));
}

void record_clock(FILE *f, const struct session *s)
{
	write_line(f, json_pack("{s:s, s:I}", "type", "clock",
				"to_wall_ns", (json_int_t)s->to_wall_ns));
}

void record_head(FILE *f, const char *tool, const struct session *s,
		 const char *const *names)
{
	json_t *plan = json_object();

	for (int i = 0; names[i]; i++) {
		if (s->plan[i][0])
			json_object_set_new(plan, names[i], json_string(s->plan[i]));
	}
	write_line(f, json_pack("{s:s, s:i, s:s, s:s, s:I, s:I, s:o}", "type", "recording",
				"version", VERSION, "tool", tool, "kernel", s->kernel,
				"start_ns", (json_int_t)s->start_ns,
				"to_wall_ns", (json_int_t)s->to_wall_ns, "plan", plan));
}

/* Each byte is the character of that number, as not all names are UTF-8. */
static json_t *bytes_to_json(const char *bytes, size_t len)
{
	char text[2 * len], *t = text;

	for (size_t i = 0; i < len && bytes[i]; i++) {
		unsigned char c = bytes[i];

		if (c >= 0x80)
			*t++ = 0xc0 | c >> 6;
		*t++ = c < 0x80 ? c : 0x80 | (c & 0x3f);
	}
	return json_stringn(text, t - text);
}

static __u64 load(const void *from, size_t size)
{
	__u64 v = 0;

	memcpy(&v, from, size);		/* all that has BTF here is little endian */
	return v;
}

/* Without zeros at the end */
static json_t *list_to_json(const void *from, size_t size)
{
	const __u64 *v = from;
	size_t n = size / sizeof(*v);
	json_t *list = json_array();

	while (n && !v[n - 1])
		n--;
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_integer(v[i]));
	return list;
}

static bool list_from_json(void *to, size_t size, const json_t *list)
{
	__u64 *v = to;
	size_t n = json_array_size(list);

	for (size_t i = 0; i < n && n <= size / sizeof(*v); i++)
		v[i] = json_integer_value(json_array_get(list, i));
	return json_is_array(list) && n <= size / sizeof(*v);
}

static json_t *member_to_json(const struct member *m, const void *from)
{
	char hex[24];

	if (m->words)
		return json_string(m->words[load(from, m->size)]);
	switch (m->kind) {
	case MEMBER_BYTES:
		return bytes_to_json(from, m->size);
	case MEMBER_LIST:
		return list_to_json(from, m->size);
	case MEMBER_HEX:
		snprintf(hex, sizeof(hex), "%#llx", load(from, m->size));
		return json_string(hex);
	case MEMBER_SIGNED:
		return json_integer((__s32)load(from, m->size));
	default:
		return json_integer(load(from, m->size));
	}
}

static bool is_zero(const char *bytes, size_t len)
{
	while (len && !bytes[len - 1])
		len--;
	return !len;
}

void record_event(FILE *f, const struct member *members, const void *event)
{
	json_t *o = json_pack("{s:s}", "type", "event");

	for (const struct member *m = members; m->name; m++) {
		if (m->words || !is_zero(event + m->offset, m->size))
			json_object_set_new(o, m->name, member_to_json(m, event + m->offset));
	}
	write_line(f, o);
}

/* The members of struct counts in a recording, from which the last lines come */
#define END_MEMBERS(op)				\
	op("end_ns", s->end_ns)			\
	op("seen", s->counts.all.seen)		\
	op("sent", s->counts.all.sent)		\
	op("filtered", s->counts.all.filtered)	\
	op("lost", s->counts.all.lost)		\
	op("missed", s->counts.missed)		\
	op("unpaired", s->counts.unpaired)	\
	op("overflow", s->counts.overflow)	\
	op("unfinished", s->counts.unfinished)	\
	op("refused", s->counts.refused)	\
	op("unfollowed", s->counts.unfollowed)

void record_end(FILE *f, const struct session *s)
{
	json_t *o = json_pack("{s:s}", "type", "end");

#define SET(name, value)	json_object_set_new(o, name, json_integer(value));
	END_MEMBERS(SET)
	write_line(f, o);
}

void record_members(const struct member *members)
{
	for (const struct member *m = members; m->name; m++)
		out_text("event %s\n", m->name);
#define TELL(name, value)	out_text("end %s\n", name);
	END_MEMBERS(TELL)
}

FILE *record_rotate(FILE *f, const char *path, const char *tool, const struct session *s,
		    const char *const *names)
{
	char old[4096];
	size_t n = snprintf(old, sizeof(old), "%s.1", path);

	record_end(f, s);
	if (fclose(f))
		return NULL;
	errno = ENAMETOOLONG;
	if (n >= sizeof(old) || rename(path, old) || !(f = fopen(path, "we")))
		return NULL;
	record_head(f, tool, s, names);
	return f;
}

/* --- reading ----------------------------------------------------------------------- */

static enum replay bad(const char *what)
{
	msg("cannot replay: %s. Is the file whole, and made by --record?", what);
	return REPLAY_BAD;
}

static json_t *read_line(FILE *f)
{
	return json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL);
}

static __u64 number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static const char *string(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key)) ?: "";
}

static bool read_plan(const json_t *plan, struct session *s, const char *const *names)
{
	const char *event;
	json_t *hook;

	json_object_foreach((json_t *)plan, event, hook) {
		int i = 0;

		while (names[i] && strcmp(event, names[i]))
			i++;
		if (!names[i])
			return false;
		snprintf(s->plan[i], sizeof(s->plan[i]), "%s", json_string_value(hook) ?: "");
	}
	return true;
}

static enum replay read_head(const json_t *o, const char *tool, struct session *s,
			     const char *const *names)
{
	if (strcmp(string(o, "type"), "recording") || number(o, "version") != VERSION)
		return bad("not a recording");
	if (strcmp(string(o, "tool"), tool))
		return bad("it is of another tool");
	if (!read_plan(json_object_get(o, "plan"), s, names))
		return bad("it holds events that this tool does not know");
	snprintf(s->kernel, sizeof(s->kernel), "%s", string(o, "kernel"));
	s->start_ns = number(o, "start_ns");
	s->to_wall_ns = number(o, "to_wall_ns");
	return REPLAY_EVENT;
}

bool replay_head(FILE *f, const char *tool, struct session *s, const char *const *names)
{
	json_t *o = read_line(f);
	enum replay ret = read_head(o, tool, s, names);

	json_decref(o);
	return ret != REPLAY_BAD;
}

static bool bytes_from_json(char *bytes, size_t size, const json_t *value)
{
	const unsigned char *t = (const void *)json_string_value(value);
	size_t n = 0;

	for (; t && *t && n < size; t++, n++) {
		if (*t < 0x80)
			bytes[n] = *t;
		else if (*t < 0xc4)
			bytes[n] = *t << 6 | (t[1] & 0x3f), t++;
		else
			return false;
	}
	return t && !*t;
}

static bool word_from_json(const struct member *m, void *to, const json_t *value)
{
	const char *word = json_string_value(value) ?: "";
	__u64 i = 0;

	while (m->words[i] && strcmp(m->words[i], word))
		i++;
	memcpy(to, &i, m->size);
	return m->words[i];
}

static bool member_from_json(const struct member *m, void *to, const json_t *value)
{
	uint64_t v = json_integer_value(value);
	int64_t s = v;

	if (m->words)
		return word_from_json(m, to, value);
	if (m->kind == MEMBER_BYTES)
		return bytes_from_json(to, m->size, value);
	if (m->kind == MEMBER_LIST)
		return list_from_json(to, m->size, value);
	if (m->kind == MEMBER_HEX) {
		if (!json_is_string(value) || !parse_u64(json_string_value(value), 0,
							 UINT64_MAX, &v))
			return false;
	} else if (!json_is_integer(value) ||
		   (m->kind == MEMBER_SIGNED ? s != (int32_t)s :
		    m->size < 8 && v >> 8 * m->size)) {
		return false;
	}
	memcpy(to, &v, m->size);
	return true;
}

static bool read_event(const json_t *o, const struct member *members, void *event)
{
	for (const struct member *m = members; m->name; m++) {
		const json_t *value = json_object_get(o, m->name);

		if (value && !member_from_json(m, event + m->offset, value))
			return false;
	}
	return true;
}

static void read_end(const json_t *o, struct session *s)
{
#define GET(name, value)	value = number(o, name);
	END_MEMBERS(GET)
}

static enum replay read_any(const json_t *o, struct session *s, const struct member *members,
			    void *event)
{
	const char *type = string(o, "type");

	if (!strcmp(type, "event"))
		return read_event(o, members, event) ? REPLAY_EVENT : bad("bad event line");
	if (!strcmp(type, "lost")) {
		s->lost_ns = number(o, "ts_ns");
		s->lost_now = number(o, "count");
		return REPLAY_LOST;
	}
	if (strcmp(type, "end"))
		return bad("bad event line");
	read_end(o, s);
	return REPLAY_END;
}

enum replay replay_next(FILE *f, struct session *s, const struct member *members,
			void *event, size_t size)
{
	enum replay ret;
	json_t *o;

	memset(event, 0, size);
	while ((o = read_line(f)) && !strcmp(string(o, "type"), "clock")) {
		s->to_wall_ns = number(o, "to_wall_ns");
		json_decref(o);
	}
	ret = o ? read_any(o, s, members, event) : bad("no end line");
	json_decref(o);
	return ret;
}
