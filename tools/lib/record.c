// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
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

void record_head(FILE *f, const struct session *s, const char *const *names)
{
	fprintf(f, MAGIC "start %llu %llu %s\n", s->start_ns, s->to_wall_ns, s->kernel);
	for (int i = 0; names[i]; i++)
		fprintf(f, "plan %s %s\n", names[i], s->plan[i][0] ? s->plan[i] : "off");
}

void record_event(FILE *f, const struct pasid_event *e)
{
	fprintf(f, "event %llu %u %u %#x %u %u %u %u %d %u %u %u ", e->ts_ns, e->type, e->cpu,
		e->flags, e->tgid, e->tid, e->set, e->pasid, e->ret, e->min, e->max,
		e->spid);
	for (int i = 0; i < PASID_COMM_LEN; i++)
		fprintf(f, "%02x", (unsigned char)e->comm[i]);
	fputc('\n', f);
}

void record_end(FILE *f, const struct session *s)
{
	const struct emit_counters *c = &s->counts.all;

	fprintf(f, "end %llu %llu %llu %llu %llu %llu\n", s->end_ns, c->seen, c->sent,
		c->filtered, c->lost, s->counts.missed);
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
	for (int i = 0; names[i]; i++) {
		if (!fgets(line, sizeof(line), f) ||
		    sscanf(line, "plan %31s %63s", name, plan) != 2 || strcmp(name, names[i]))
			return bad("no plan line"), false;
		if (strcmp(plan, "off"))
			strcpy(s->plan[i], plan);
	}
	return true;
}

int replay_event(FILE *f, struct session *s, struct pasid_event *e)
{
	struct emit_counters *c = &s->counts.all;
	char line[256], comm[2 * PASID_COMM_LEN + 1];
	unsigned int type, cpu, byte;

	if (!fgets(line, sizeof(line), f))
		return bad("no end line");
	if (sscanf(line, "end %llu %llu %llu %llu %llu %llu", &s->end_ns, &c->seen, &c->sent,
		   &c->filtered, &c->lost, &s->counts.missed) == 6)
		return 0;
	*e = (struct pasid_event){};
	if (sscanf(line, "event %llu %u %u %x %u %u %u %u %d %u %u %u %32s", &e->ts_ns, &type,
		   &cpu, &e->flags, &e->tgid, &e->tid, &e->set, &e->pasid, &e->ret, &e->min,
		   &e->max, &e->spid, comm) != 13 ||
	    type >= PASID_NR_TYPES || strlen(comm) != 2 * PASID_COMM_LEN)
		return bad("bad event line");
	e->type = type;
	e->cpu = cpu;
	for (int i = 0; i < PASID_COMM_LEN; i++) {
		if (sscanf(comm + 2 * i, "%2x", &byte) != 1)
			return bad("bad event line");
		e->comm[i] = byte;
	}
	return 1;
}
