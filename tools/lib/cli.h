/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Options that mean the same in every tool, messages, exit codes. */
#ifndef CLI_H
#define CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "../../bpf/filter.h"
#include "loop.h"
#include "user.h"

#define TOOLS_VERSION	"0.1"

enum exit_code {
	EXIT_OK = 0,
	EXIT_RUNTIME = 1,
	EXIT_USAGE = 2,
	EXIT_PRIVILEGE = 3,
	EXIT_KERNEL = 4,	/* the kernel lacks something needed */
	EXIT_FOUND = 5,		/* what was looked for is there: --stuck */
	EXIT_INTERRUPT = 130,	/* second Ctrl-C */
};

enum cli_id {
	CLI_PID, CLI_TID, CLI_PASID, CLI_DEVICE, CLI_EVENT, CLI_FAILED,
	CLI_CGROUP, CLI_DURATION, CLI_LIMIT,
	CLI_TIME, CLI_WIDE, CLI_JSON, CLI_OUTPUT, CLI_LIFE, CLI_STUCK,
	CLI_ONCE, CLI_OLDER, CLI_BY, CLI_SORT, CLI_ROWS, CLI_PROM, CLI_FOLLOW, CLI_USER,
	CLI_STRICT, CLI_BUFFER, CLI_IN_FLIGHT,
	CLI_RECORD, CLI_RECORD_MB, CLI_REPLAY,
	CLI_CHECK, CLI_VERBOSE, CLI_VERSION, CLI_HELP,
	CLI_READY, CLI_HOOKS, CLI_MEMBERS,	/* hidden, for tests */
	CLI_NR,
};
#define CLI_ALL		((1ULL << CLI_NR) - 1)
/* Of tools that print a line for each event, and of those that look now and then */
#define CLI_EVENTS	(1ULL << CLI_TID | 1ULL << CLI_DEVICE | 1ULL << CLI_EVENT |	\
			 1ULL << CLI_FAILED | 1ULL << CLI_LIMIT | 1ULL << CLI_LIFE |	\
			 1ULL << CLI_STUCK | 1ULL << CLI_FOLLOW | 1ULL << CLI_BUFFER |	\
			 1ULL << CLI_CGROUP)
#define CLI_LOOKS	(1ULL << CLI_ONCE | 1ULL << CLI_OLDER | 1ULL << CLI_SORT |	\
			 1ULL << CLI_ROWS | 1ULL << CLI_BY | 1ULL << CLI_PROM)

/* The options that one tool takes from the common table, and the texts of its --help. */
struct cli_tool {
	const char *name;
	const char *summary;
	const char *examples;
	const char *const *events;	/* for -e, NULL at the end; or NULL */
	bool interval;			/* takes INTERVAL and COUNT */
	uint32_t rare;			/* those that are off without -e, as bits */
	uint32_t life;			/* those that --life needs */
	uint64_t options;		/* bit per enum cli_id */
};

/* The parsed command line. Strings point into argv. */
struct cli {
	struct pasid_filter filter;
	uint32_t tid;			/* 0: any */
	char device[PASID_DEV_LEN];	/* "": any */
	uint32_t events;		/* bit per tool event */
	bool events_given;
	uint64_t duration_ms;		/* 0: no limit */
	uint64_t stuck_ms;		/* 0: show all */
	uint64_t interval_ms;		/* 0: not given */
	uint64_t older_ms;		/* 0: not given */
	uint32_t rows;			/* 0: no limit */
	const char *sort, *by;		/* NULL: as the tool likes */
	bool once, check;
	uint64_t limit;			/* 0: no limit */
	bool wall, wide, json, life, follow, strict;
	uint32_t buffer_kb, in_flight;
	uint32_t record_mb;		/* 0: as large as it gets */
	uint32_t verbose;
	const char *cgroup, *output, *prom, *ready, *record, *replay;
	bool no_tracepoints, members;
	struct command cmd;
	struct user user;		/* of the command, if it has one */
};

#define CLI_GO_ON	(-1)

/* CLI_GO_ON, or the exit code to end with. Sets the name used by msg(). */
int cli_parse(const struct cli_tool *tool, struct cli *cli, int argc, char **argv);
void cli_help(const struct cli_tool *tool, FILE *f);

/* "tool: text\n" on stderr. Give it what failed, the likely reason, what to do. */
void msg(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
extern const char *msg_name;
extern int msg_columns;			/* 0: as wide as the terminal that stderr is */

/* The whole string must be one decimal or 0x number in lo..hi. */
bool parse_u64(const char *s, uint64_t lo, uint64_t hi, uint64_t *val);
/* "10", "0.5", "500ms", "10s", "2m", "24h": from a millisecond to a year */
bool parse_duration(const char *s, uint64_t *ms);
/* A name, or a PCI address as lspci has it, in the form that the kernel has */
bool parse_device(const char *s, char *name, size_t size);
/* "33,0x40-0x4f" adds to the ranges of f. NULL, or what is wrong in err. */
const char *parse_pasids(const char *s, struct pasid_filter *f, char *err, size_t len);
/* "alloc,free" sets bits by position in names; "set" those of all "set_...". */
const char *parse_events(const char *s, const char *const *names, uint32_t *bits,
			 char *err, size_t len);

#endif /* CLI_H */
