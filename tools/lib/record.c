// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sys/utsname.h>

#include "cli.h"
#include "loop.h"
#include "record.h"

#define MAGIC	"pasid-record 2\n"

void session_start(struct session *s)
{
	struct utsname uts;

	uname(&uts);
	snprintf(s->kernel, sizeof(s->kernel), "%s", uts.release);
	s->start_ns = now_ns(CLOCK_MONOTONIC);
	s->to_wall_ns = now_ns(CLOCK_REALTIME) - s->start_ns;
}

/* What is less is the time between the two questions. */
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

void record_lost(FILE *f, const struct session *s)
{
	fprintf(f, "lost %llu %llu\n", s->lost_ns, s->lost_now);
}

void record_clock(FILE *f, const struct session *s)
{
	fprintf(f, "clock %llu\n", s->to_wall_ns);
}

void record_head(FILE *f, const struct session *s, const char *const *names)
{
	fprintf(f, MAGIC "start %llu %llu %s\n", s->start_ns, s->to_wall_ns, s->kernel);
	for (int i = 0; names[i]; i++) {
		if (s->plan[i][0])
			fprintf(f, "plan %s %s\n", names[i], s->plan[i]);
	}
}

void record_bytes(FILE *f, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		fprintf(f, "%02x", (unsigned char)bytes[i]);
}

void record_event(FILE *f, const struct pasid_dev_event *d)
{
	const struct pasid_event *e = &d->e;

	fprintf(f, "event %llu %u %u %#x %u %u %u %u %d %u %u %u ", e->ts_ns, e->type, e->cpu,
		e->flags, e->tgid, e->tid, e->set, e->pasid, e->ret, e->min, e->max,
		e->spid);
	record_bytes(f, e->comm, PASID_COMM_LEN);
	if (e->flags & PASID_HAS_DEV) {
		fprintf(f, " %#llx ", d->table);
		record_bytes(f, d->dev, PASID_DEV_LEN);
	}
	fputc('\n', f);
}

void record_end(FILE *f, const struct session *s)
{
	const struct emit_counters *c = &s->counts.all;

	fprintf(f, "end %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu\n", s->end_ns,
		c->seen, c->sent, c->filtered, c->lost, s->counts.missed, s->counts.unpaired,
		s->counts.overflow, s->counts.unfinished, s->counts.refused);
}

static int bad(const char *what)
{
	msg("cannot replay: %s. Is the file whole, and made by --record?", what);
	return -1;
}

bool replay_head(FILE *f, struct session *s, const char *const *names)
{
	char line[256], name[32], plan[64];

	if (!fgets(line, sizeof(line), f) || strcmp(line, MAGIC))
		return bad("not a recording"), false;
	if (!fgets(line, sizeof(line), f) ||
	    sscanf(line, "start %llu %llu %64s", &s->start_ns, &s->to_wall_ns, s->kernel) != 3)
		return bad("no start line"), false;
	/* a recording names the events that it holds, and none that came later */
	for (long at = ftell(f); fgets(line, sizeof(line), f); at = ftell(f)) {
		int i = 0;

		if (sscanf(line, "plan %31s %63s", name, plan) != 2)
			return !fseek(f, at, SEEK_SET);
		while (names[i] && strcmp(name, names[i]))
			i++;
		if (!names[i])
			return bad("it is of another tool"), false;
		if (strcmp(plan, "off"))
			strcpy(s->plan[i], plan);
	}
	return bad("nothing but a plan"), false;
}

int replay_bad_event(void)
{
	return bad("bad event line");
}

int replay_line(FILE *f, struct session *s, char *line, size_t size)
{
	struct counts *c = &s->counts;

	do {
		if (!fgets(line, size, f))
			return bad("no end line");
	} while (sscanf(line, "clock %llu", &s->to_wall_ns) == 1);
	if (!strncmp(line, "event ", 6)) {
		memmove(line, line + 6, strlen(line + 6) + 1);
		return REPLAY_EVENT;
	}
	if (sscanf(line, "lost %llu %llu", &s->lost_ns, &s->lost_now) == 2)
		return REPLAY_LOST;
	/* the last four are not in older recordings */
	if (sscanf(line, "end %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu", &s->end_ns,
		   &c->all.seen, &c->all.sent, &c->all.filtered, &c->all.lost, &c->missed,
		   &c->unpaired, &c->overflow, &c->unfinished, &c->refused) >= 6)
		return 0;
	return replay_bad_event();
}

bool replay_bytes(const char *text, char *bytes, size_t len)
{
	unsigned int byte;

	if (strspn(text, "0123456789abcdef") != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		sscanf(text + 2 * i, "%2x", &byte);
		bytes[i] = byte;
	}
	return true;
}

int replay_event(FILE *f, struct session *s, struct pasid_dev_event *d)
{
	char line[512], comm[2 * PASID_COMM_LEN + 1], dev[2 * PASID_DEV_LEN + 1];
	struct pasid_event *e = &d->e;
	unsigned int type, cpu;
	int n, ret = replay_line(f, s, line, sizeof(line));

	if (ret != REPLAY_EVENT)
		return ret;
	*d = (struct pasid_dev_event){};
	n = sscanf(line, "%llu %u %u %x %u %u %u %u %d %u %u %u %32s %llx %80s", &e->ts_ns,
		   &type, &cpu, &e->flags, &e->tgid, &e->tid, &e->set, &e->pasid, &e->ret,
		   &e->min, &e->max, &e->spid, comm, &d->table, dev);
	if (n != (e->flags & PASID_HAS_DEV ? 15 : 13) || type >= PASID_NR_TYPES ||
	    !replay_bytes(comm, e->comm, PASID_COMM_LEN) ||
	    (n == 15 && !replay_bytes(dev, d->dev, PASID_DEV_LEN)))
		return replay_bad_event();
	e->type = type;
	e->cpu = cpu;
	return 1;
}
