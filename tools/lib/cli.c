// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/ioctl.h>

#include <bpf/libbpf.h>

#include "cli.h"
#include "out.h"

const char *msg_name = "tool";

int msg_columns;

/* As wide as the terminal; what goes to a file is for programs, and not broken. */
static size_t columns(void)
{
	struct winsize size;

	if (msg_columns)
		return msg_columns;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size))
		return SIZE_MAX;
	return size.ws_col > 20 ? size.ws_col : 80;
}

/* Breaks the text at blanks. */
void msg(const char *fmt, ...)
{
	size_t width = columns();
	char text[1024], *line = text;
	size_t indent = fprintf(stderr, "%s: ", msg_name);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	while (strlen(line) + indent >= width) {
		char *end = line + width - 1 - indent;

		while (end > line && *end != ' ')
			end--;
		if (end == line)
			break;
		fprintf(stderr, "%.*s\n", (int)(end - line), line);
		line = end + 1;
		indent = 0;
	}
	fprintf(stderr, "%s\n", line);
}

enum row_type {
	ROW_SELF,			/* --help, --version */
	ROW_BOOL,
	ROW_COUNT,			/* how often it is given */
	ROW_U32,
	ROW_U64,
	ROW_POWER,			/* of two, as the kernel asks of a ring buffer */
	ROW_TIME,			/* milliseconds */
	ROW_STRING,
	ROW_DEVICE,
	ROW_PASIDS,
	ROW_EVENTS,
	ROW_USER,
};

#define IN(member)	offsetof(struct cli, member)
#define MAX_PID		4194304
#define MAX_SIZE	(1 << 20)

/*
 * The letters of all tools. A tool may leave rows out, but a letter never means
 * something else. Kept free for what comes: I iommu, c cgroup.
 */
static const struct {
	char letter;
	bool hidden;
	const char *name, *arg, *help;	/* "[=ARG]": it may be left out */
	enum row_type type;
	size_t offset;			/* in struct cli */
	uint64_t min, max;		/* of numbers */
} rows[CLI_NR] = {
	[CLI_PID] = { 'p', 0, "pid", "PID", "only this process (thread group)",
		      ROW_U32, IN(filter.tgid), 1, MAX_PID },
	[CLI_TID] = { 't', 0, "tid", "TID", "only this thread", ROW_U32, IN(tid), 1, MAX_PID },
	[CLI_PASID] = { 'P', 0, "pasid", "LIST", "only these PASIDs, e.g. 33,0x40-0x4f",
			ROW_PASIDS, IN(filter) },
	[CLI_DEVICE] = { 'D', 0, "device", "NAME", "only this device, e.g. 0000:3a:01.0",
			 ROW_DEVICE, IN(device) },
	[CLI_EVENT] = { 'e', 0, "event", "LIST", "only these events",
			ROW_EVENTS, IN(events) },
	[CLI_FAILED] = { 'x', 0, "failed", NULL, "only what failed",
			 ROW_COUNT, IN(filter.failed_only) },
	[CLI_DURATION] = { 'd', 0, "duration", "TIME",
			   "end after TIME, e.g. 10, 0.5 (s), 500ms, 2m",
			   ROW_TIME, IN(duration_ms) },
	[CLI_LIMIT] = { 'n', 0, "limit", "N", "end after N events",
			ROW_U64, IN(limit), 1, UINT64_MAX },
	[CLI_TIME] = { 'T', 0, "time", NULL, "time of day instead of seconds",
		       ROW_BOOL, IN(wall) },
	[CLI_WIDE] = { 'w', 0, "wide", NULL, "more columns", ROW_BOOL, IN(wide) },
	[CLI_JSON] = { 'j', 0, "json", NULL, "one JSON object per line", ROW_BOOL, IN(json) },
	[CLI_OUTPUT] = { 'o', 0, "output", "FILE", "write there, and leave stdout to CMD",
			 ROW_STRING, IN(output) },
	[CLI_LIFE] = { 0, 0, "life", NULL, "one line per PASID, when it is free again",
		       ROW_BOOL, IN(life) },
	[CLI_STUCK] = { 0, 0, "stuck", "[=TIME]",
			"only what waits for TIME (default 1 s) or longer",
			ROW_TIME, IN(stuck_ms) },
	[CLI_FOLLOW] = { 0, 0, "follow", NULL, "only CMD and what it starts",
			 ROW_BOOL, IN(follow) },
	[CLI_USER] = { 'u', 0, "user", "USER", "run CMD as this user", ROW_USER, IN(user) },
	[CLI_STRICT] = { 0, 0, "strict", NULL, "exit 1 if any event was lost or missed",
			 ROW_BOOL, IN(strict) },
	[CLI_BUFFER] = { 0, 0, "buffer-kb", "N", "ring buffer, a power of two (default 1024)",
			 ROW_POWER, IN(buffer_kb), 4, MAX_SIZE },
	[CLI_IN_FLIGHT] = { 0, 0, "in-flight", "N",
			    "requests under way at a time (default 8192)",
			    ROW_U32, IN(in_flight), 1, MAX_SIZE },
	[CLI_VERBOSE] = { 'v', 0, "verbose", NULL, "print the plan; -vv: libbpf's log too",
			  ROW_COUNT, IN(verbose) },
	[CLI_VERSION] = { 0, 0, "version", NULL, "print the version" },
	[CLI_HELP] = { 'h', 0, "help", NULL, "print this text" },
	[CLI_READY] = { 0, 1, "ready-file", "FILE", "", ROW_STRING, IN(ready) },
	[CLI_RECORD] = { 0, 1, "record", "FILE", "", ROW_STRING, IN(record) },
	[CLI_REPLAY] = { 0, 1, "replay", "FILE", "", ROW_STRING, IN(replay) },
	[CLI_HOOKS] = { 0, 1, "no-tracepoints", NULL, "", ROW_BOOL, IN(no_tracepoints) },
};

#define MAX_DURATION_MS	(366ULL * 86400 * 1000)

static bool has(const struct cli_tool *tool, int id)
{
	return tool->options & (1ULL << id);
}

static bool is_optional(int id)
{
	return rows[id].arg && rows[id].arg[0] == '[';
}

void cli_help(const struct cli_tool *tool, FILE *f)
{
	fprintf(f, "Usage: %s [OPTION]... [-- CMD [ARG]...]\n%s\n\nOptions:\n",
		tool->name, tool->summary);
	for (int i = 0; i < CLI_NR; i++) {
		char name[32];

		if (!has(tool, i) || rows[i].hidden)
			continue;
		snprintf(name, sizeof(name), "--%s%s%s", rows[i].name,
			 rows[i].arg && !is_optional(i) ? " " : "", rows[i].arg ?: "");
		if (rows[i].letter)
			fprintf(f, "  -%c, %-18s %s\n", rows[i].letter, name, rows[i].help);
		else
			fprintf(f, "      %-18s %s\n", name, rows[i].help);
	}
	fprintf(f, "  -- CMD [ARG]...        run CMD, end when it ends\n");
	for (int i = 0; tool->events && tool->events[i]; i++)
		fprintf(f, "%s %s%s", i ? "" : "\nEvents:", tool->events[i],
			tool->rare >> i & 1 ? "*" : "");
	if (tool->events)
		fprintf(f, "%s\n", tool->rare ? " (*only with -e)" : "");
	fprintf(f, "\nExamples:\n%s", tool->examples);
}

bool parse_u64(const char *s, uint64_t lo, uint64_t hi, uint64_t *val)
{
	bool hex = s[0] == '0' && s[1] == 'x';
	const char *digits = hex ? s + 2 : s;
	char *end;
	uint64_t v;

	/* strtoull() alone would take blanks, signs and an empty string */
	if (!*digits || digits[strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789")])
		return false;
	errno = 0;
	v = strtoull(digits, &end, hex ? 16 : 10);
	if (errno || *end || v < lo || v > hi)
		return false;
	*val = v;
	return true;
}

/* A part of a second has up to six digits: more would be lost. */
static bool parse_decimal(const char *s, size_t len, uint64_t *micros)
{
	uint64_t whole = 0, part = 0, unit = 1000000;
	size_t i = 0;

	for (; i < len && isdigit((unsigned char)s[i]); i++) {
		whole = whole * 10 + (s[i] - '0');
		if (whole > UINT32_MAX)
			return false;
	}
	if (!i)
		return false;
	if (i < len && s[i] == '.') {
		for (i++; i < len && isdigit((unsigned char)s[i]) && unit > 1; i++)
			part += (s[i] - '0') * (unit /= 10);
		if (unit == 1000000)
			return false;
	}
	*micros = whole * 1000000 + part;
	return i == len;
}

bool parse_duration(const char *s, uint64_t *ms)
{
	static const struct {
		const char *unit;
		uint32_t ms;
	} units[] = { { "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 } };
	size_t len = strspn(s, "0123456789.");
	uint64_t micros;

	if (!parse_decimal(s, len, &micros))
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(s + len, units[i].unit))
			continue;
		*ms = micros * units[i].ms / 1000000;
		return *ms && *ms <= MAX_DURATION_MS;
	}
	return false;
}

bool parse_device(const char *s, char *name, size_t size)
{
	unsigned int domain, bus, dev, fn, n = 0;

	if (!*s || strlen(s) >= size)
		return false;
	if (sscanf(s, "%2x:%2x.%1u%n", &bus, &dev, &fn, &n) == 3 && !s[n])
		snprintf(name, size, "0000:%02x:%02x.%u", bus, dev, fn);
	else if (sscanf(s, "%8x:%2x:%2x.%1u%n", &domain, &bus, &dev, &fn, &n) == 4 && !s[n])
		snprintf(name, size, "%04x:%02x:%02x.%u", domain, bus, dev, fn);
	else
		strcpy(name, s);
	return true;
}

/* Cuts the next comma-separated item off s; *s is NULL after the last. */
static bool next_item(const char **s, char *item, size_t len)
{
	size_t n;

	if (!*s)
		return false;
	n = strcspn(*s, ",");
	snprintf(item, len, "%.*s", (int)n, *s);
	*s = (*s)[n] ? *s + n + 1 : NULL;
	return true;
}

const char *parse_pasids(const char *s, struct pasid_filter *f, char *err, size_t len)
{
	char item[64];

	while (next_item(&s, item, sizeof(item))) {
		char *dash = strchr(item, '-');
		uint64_t lo, hi;
		bool ok;

		if (dash)
			*dash = '\0';
		ok = parse_u64(item, 0, PASID_MAX, &lo);
		hi = lo;
		if (ok && dash)
			ok = parse_u64(dash + 1, lo, PASID_MAX, &hi);
		if (dash)
			*dash = '-';
		if (!ok) {
			snprintf(err, len, "'%s' is not a PASID or a range of them (0..%u)",
				 item, PASID_MAX);
			return err;
		}
		if (f->nr_ranges == PASID_MAX_RANGES) {
			snprintf(err, len, "more than %u PASIDs; give ranges, e.g. 1-99",
				 PASID_MAX_RANGES);
			return err;
		}
		f->range[f->nr_ranges++] = (struct pasid_range){ lo, hi };
	}
	return NULL;
}

const char *parse_events(const char *s, const char *const *names, uint32_t *bits,
			 char *err, size_t len)
{
	char item[64];

	while (next_item(&s, item, sizeof(item))) {
		size_t n = strlen(item);
		uint32_t found = 0;

		for (int i = 0; n && names[i]; i++) {
			if (!strncmp(names[i], item, n) && (!names[i][n] || names[i][n] == '_'))
				found |= 1U << i;
		}
		if (!found) {
			snprintf(err, len, "'%s' is not an event of this tool", item);
			return err;
		}
		*bits |= found;
	}
	return NULL;
}

static const char *take_number(int id, void *to, const char *arg, char *err, size_t len)
{
	uint64_t v;

	if (!parse_u64(arg, rows[id].type == ROW_POWER ? 1 : rows[id].min, rows[id].max, &v)) {
		snprintf(err, len, "'%s' is not a number in %llu..%llu", arg,
			 (unsigned long long)rows[id].min, (unsigned long long)rows[id].max);
		return err;
	}
	if (rows[id].type == ROW_POWER && (v < rows[id].min || v & (v - 1))) {
		snprintf(err, len, "'%s' is not a power of two from %llu on", arg,
			 (unsigned long long)rows[id].min);
		return err;
	}
	if (rows[id].type == ROW_U64)
		*(uint64_t *)to = v;
	else
		*(uint32_t *)to = v;
	return NULL;
}

/* NULL, or what is wrong with the argument of option id. */
static const char *take(const struct cli_tool *tool, struct cli *c, int id,
			const char *arg, char *err, size_t len)
{
	void *to = (char *)c + rows[id].offset;

	if (!arg && is_optional(id))
		arg = "1";
	switch (rows[id].type) {
	case ROW_BOOL: *(bool *)to = true; break;
	case ROW_COUNT: ++*(uint32_t *)to; break;
	case ROW_STRING: *(const char **)to = arg; break;
	case ROW_PASIDS: return parse_pasids(arg, to, err, len);
	case ROW_EVENTS:
		c->events_given = true;
		return parse_events(arg, tool->events, to, err, len);
	case ROW_USER:
		c->cmd.user = to;
		return user_find(arg, to, err, len);
	case ROW_DEVICE:
		if (parse_device(arg, to, sizeof(c->device)))
			break;
		snprintf(err, len, "'%.64s' is not the name of a device", arg);
		return err;
	case ROW_TIME:
		if (parse_duration(arg, to))
			break;
		snprintf(err, len, "'%.64s' is not a time, such as 10, 0.5, 500ms, 10s, 2m or 24h, up to a year", arg);
		return err;
	case ROW_U32:
	case ROW_U64:
	case ROW_POWER: return take_number(id, to, arg, err, len);
	case ROW_SELF: break;
	}
	return NULL;
}

static int bad_usage(const char *fmt, const char *a, const char *b)
{
	char text[256];

	snprintf(text, sizeof(text), fmt, a, b);
	msg("%s. See %s --help.", text, msg_name);
	return EXIT_USAGE;
}

/* getopt_long() returns BASE + id, so that letters need no second table. */
#define BASE	256

static int letter_to_id(const struct cli_tool *tool, int letter)
{
	for (int i = 0; i < CLI_NR; i++) {
		if (has(tool, i) && rows[i].letter && rows[i].letter == letter)
			return i;
	}
	return -1;
}

static int printed(void)
{
	int err = out_flush();

	if (!err || err == EPIPE)
		return EXIT_OK;
	msg("cannot write the output: %s.", strerror(err));
	return EXIT_RUNTIME;
}

static int parse_options(const struct cli_tool *tool, struct cli *cli, int argc, char **argv)
{
	struct option longs[CLI_NR + 1] = {};
	char letters[2 * CLI_NR + 3] = "+:";
	char err[160], name[32];
	int opt, n = 0, l = 2;

	for (int i = 0; i < CLI_NR; i++) {
		if (!has(tool, i))
			continue;
		longs[n++] = (struct option){ rows[i].name, is_optional(i) ? optional_argument :
					      !!rows[i].arg, NULL, BASE + i };
		if (rows[i].letter) {
			letters[l++] = rows[i].letter;
			if (rows[i].arg)
				letters[l++] = ':';
		}
	}
	optind = 0;	/* start anew: the unit tests parse many times */
	while ((opt = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		int id = opt >= BASE ? opt - BASE : letter_to_id(tool, opt);
		const char *what;

		if (opt == '?' || opt == ':') {
			if (optopt > 0 && optopt < BASE)
				snprintf(name, sizeof(name), "-%c", optopt);
			else
				snprintf(name, sizeof(name), "%s", argv[optind - 1]);
			return bad_usage(opt == ':' ? "%s needs an argument" :
					 "unknown option %s", name, NULL);
		}
		if (id == CLI_HELP) {
			cli_help(tool, out_file());
			return printed();
		}
		if (id == CLI_VERSION) {
			out_text("%s %s (libbpf %s)\n", tool->name, TOOLS_VERSION,
				 libbpf_version_string());
			return printed();
		}
		what = take(tool, cli, id, optarg, err, sizeof(err));
		if (what) {
			if (opt < BASE)
				snprintf(name, sizeof(name), "-%c", opt);
			else
				snprintf(name, sizeof(name), "--%s", rows[id].name);
			return bad_usage("%s: %s", name, what);
		}
	}
	return CLI_GO_ON;
}

int cli_parse(const struct cli_tool *tool, struct cli *cli, int argc, char **argv)
{
	int ret;

	msg_name = tool->name;
	*cli = (struct cli){ .buffer_kb = 1024, .in_flight = 8192 };
	ret = parse_options(tool, cli, argc, argv);
	if (ret != CLI_GO_ON)
		return ret;
	if (!cli->events_given) {
		for (int i = 0; tool->events && tool->events[i]; i++)
			cli->events |= 1U << i;
		cli->events &= cli->life ? tool->life : ~tool->rare;
	}
	if (cli->life && (cli->events_given || cli->filter.failed_only))
		return bad_usage("--life does not go with -e and -x", NULL, NULL);
	if (optind < argc && strcmp(argv[optind - 1], "--"))
		return bad_usage("unexpected argument '%s'; a command goes after --",
				 argv[optind], NULL);
	if (!strcmp(argv[optind - 1], "--")) {
		if (optind == argc)
			return bad_usage("no command after --", NULL, NULL);
		cli->cmd.argv = argv + optind;
	}
	if (cli->stuck_ms && cli->filter.failed_only)
		return bad_usage("--stuck does not go with -x: what waits has not failed", NULL,
				 NULL);
	if ((cli->cmd.user || cli->follow) && !cli->cmd.argv)
		return bad_usage("%s goes with -- CMD", cli->follow ? "--follow" : "-u", NULL);
	if (cli->replay && (cli->cmd.argv || cli->record || cli->ready))
		return bad_usage("--replay does not go with -- CMD, --record, --ready-file",
				 NULL, NULL);
	return CLI_GO_ON;
}
