// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/ioctl.h>

#include <bpf/libbpf.h>

#include "options.h"
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

void cli_help(const struct cli_tool *tool, FILE *f)
{
	fprintf(f, "Usage: %s [OPTION]...%s [-- CMD [ARG]...]\n%s\n\nOptions:\n",
		tool->name, tool->interval ? " [INTERVAL [COUNT]]" : "", tool->summary);
	for (int i = 0; i < CLI_NR; i++) {
		char name[32];

		if (!option_of(tool, i) || rows[i].hidden)
			continue;
		snprintf(name, sizeof(name), "--%s%s%s", rows[i].name,
			 rows[i].arg && !option_is_optional(i) ? " " : "", rows[i].arg ?: "");
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

	if (!arg && option_is_optional(id))
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
		if (option_of(tool, i) && rows[i].letter && rows[i].letter == letter)
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
		if (!option_of(tool, i))
			continue;
		longs[n++] = (struct option){ rows[i].name, option_is_optional(i) ? optional_argument :
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

/* Of a tool that looks again and again: INTERVAL [COUNT]. Where the command begins */
static int parse_interval(struct cli *cli, int argc, char **argv, int at)
{
	if (at < argc && strcmp(argv[at], "--")) {
		if (!parse_duration(argv[at], &cli->interval_ms) ||
		    cli->interval_ms > INT32_MAX)
			return -1;
		at++;
	}
	if (cli->interval_ms && at < argc && strcmp(argv[at], "--")) {
		if (!parse_u64(argv[at], 1, UINT64_MAX, &cli->limit))
			return -1;
		at++;
	}
	return at;
}

/* The words behind the options, from optind on */
static int parse_words(const struct cli_tool *tool, struct cli *cli, int argc, char **argv)
{
	bool dashes = !strcmp(argv[optind - 1], "--");
	int at = optind, next = tool->interval && !dashes ?
				parse_interval(cli, argc, argv, at) : at;

	if (next < 0)
		return bad_usage("'%s' is not an interval in seconds, or not a count",
				 argv[cli->interval_ms ? at + 1 : at], NULL);
	if (!dashes && next < argc && next > at && !strcmp(argv[next], "--")) {
		dashes = true;
		next++;
	}
	if (next < argc && !dashes)
		return bad_usage("unexpected argument '%s'; a command goes after --",
				 argv[next], NULL);
	if (dashes && next == argc)
		return bad_usage("no command after --", NULL, NULL);
	if (dashes)
		cli->cmd.argv = argv + next;
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
	ret = parse_words(tool, cli, argc, argv);
	if (ret != CLI_GO_ON)
		return ret;
	if (cli->stuck_ms && cli->filter.failed_only)
		return bad_usage("--stuck does not go with -x: what waits has not failed", NULL,
				 NULL);
	if ((cli->cmd.user || cli->follow) && !cli->cmd.argv)
		return bad_usage("%s goes with -- CMD", cli->follow ? "--follow" : "-u", NULL);
	if (cli->record_mb && !cli->record)
		return bad_usage("--record-mb goes with --record", NULL, NULL);
	if (cli->check && (cli->cmd.argv || cli->replay || cli->record))
		return bad_usage("--check does not go with -- CMD, --record, --replay", NULL,
				 NULL);
	if (cli->replay && (cli->cmd.argv || cli->record || cli->ready))
		return bad_usage("--replay does not go with -- CMD, --record, --ready-file",
				 NULL, NULL);
	return CLI_GO_ON;
}
