// SPDX-License-Identifier: GPL-2.0-only
/* Unit tests of tools/lib, views of the tools and the filters in bpf/; prints KTAP. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../../tools/lib/cause.h"
#include "../../tools/lib/cli.h"
#include "../../tools/lib/engine.h"
#include "../../tools/lib/fields.h"
#include "../../tools/lib/hist.h"
#include "../../tools/lib/known.h"
#include "../../tools/lib/ksym.h"
#include "../../tools/lib/out.h"
#include "../../tools/lib/probe.h"
#include "../../tools/lib/record.h"
#include "../../tools/lib/who.h"
#include "../../tools/invshow.h"
#include "../../tools/invwait.h"
#include "../../tools/pasidlife.h"
#include "../../tools/pasidshow.h"
#include "../../bpf/lat.h"
#include "inv.skel.h"

static bool failed;

#define CHECK(cond) do {						\
	if (!(cond)) {							\
		printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond);	\
		failed = true;						\
	}								\
} while (0)

#define CHECK_STR(got, want) do {					\
	const char *_got = (got), *_want = (want);			\
	if (!_got || strcmp(_got, _want)) {				\
		printf("# %s:%d: got '%s', want '%s'\n", __FILE__,	\
		       __LINE__, _got ? _got : "(null)", _want);	\
		failed = true;						\
	}								\
} while (0)

static const char *const names[] = { "alloc", "free", NULL };
static struct cli_tool tool = {
	.name = "unit", .summary = "Summary.", .examples = "", .events = names,
	.options = CLI_ALL,
};

/* The text that f writes to stderr, or to stdout if that is given. */
static char *capture(FILE *stream, void (*f)(void *), void *arg)
{
	static char text[8192];
	FILE *tmp = tmpfile();
	int saved;
	size_t n;

	fflush(stream);
	saved = dup(fileno(stream));
	dup2(fileno(tmp), fileno(stream));
	f(arg);
	fflush(stream);
	dup2(saved, fileno(stream));
	close(saved);
	rewind(tmp);
	n = fread(text, 1, sizeof(text) - 1, tmp);
	text[n] = '\0';
	fclose(tmp);
	return text;
}

static size_t longest_line(const char *text)
{
	size_t longest = 0;

	for (size_t n; *text; text += n + !!text[n]) {
		n = strcspn(text, "\n");
		longest = n > longest ? n : longest;
	}
	return longest;
}

static void numbers_are_parsed_strictly(void)
{
	static const char *const bad[] = {
		"", " 7", "7 ", "+7", "-7", "7k", "0x", "x7", "0x1g", "7.0", "--7", "7\n",
		"18446744073709551616", "0x10000000000000000", "101", "0x65",
	};
	uint64_t v = 0;

	CHECK(parse_u64("5", 5, 100, &v) && v == 5);
	CHECK(parse_u64("100", 5, 100, &v) && v == 100);
	CHECK(parse_u64("0x1F", 5, 100, &v) && v == 31);
	CHECK(parse_u64("010", 5, 100, &v) && v == 10);	/* not octal */
	CHECK(parse_u64("18446744073709551615", 0, UINT64_MAX, &v) && v == UINT64_MAX);
	CHECK(!parse_u64("4", 5, 100, &v) && !parse_u64("-1", 0, UINT64_MAX, &v));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse_u64(bad[i], 0, 100, &v)) {
			printf("# took '%s'\n", bad[i]);
			failed = true;
		}
	}
}

static void durations_are_parsed_strictly(void)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} good[] = {
		{ "10", 10000 }, { "0.5", 500 }, { "10s", 10000 }, { "500ms", 500 },
		{ "1.5m", 90000 }, { "24h", 86400000 }, { "2592000", 2592000000 },
		{ "0.001", 1 }, { "31622400", 31622400000 },
	};
	static const char *const bad[] = {
		"", "0", "0.0001", "-1", "1.", ".5", "1.5.5", "10x", "10 s", "s", "1e3",
		"0.1234567", "31622401", "99999999999999999999", "9000h",
	};
	struct loop loop = { .next_tick_ns = UINT64_MAX };
	uint64_t ms;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ms = 0;
		if (!parse_duration(good[i].text, &ms) || ms != good[i].ms) {
			printf("# '%s': %llu\n", good[i].text, (unsigned long long)ms);
			failed = true;
		}
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse_duration(bad[i], &ms)) {
			printf("# took '%s'\n", bad[i]);
			failed = true;
		}
	}
	/* 30 days are more milliseconds than an int holds */
	loop.deadline_ns = now_ns(CLOCK_MONOTONIC) + 2592000 * 1000000000ULL;
	loop.next_tick_ns = now_ns(CLOCK_MONOTONIC) + 1000000000;
	CHECK(loop_timeout_ms(&loop) > 0 && loop_timeout_ms(&loop) <= 1001);
	loop.deadline_ns = 1;
	CHECK(loop_timeout_ms(&loop) == 0);
}

static void devices_are_named_as_in_the_kernel(void)
{
	static const char *const t[][2] = {
		{ "3a:01.0", "0000:3a:01.0" }, { "3A:1f.7", "0000:3a:1f.7" },
		{ "0000:3a:01.0", "0000:3a:01.0" }, { "10001:3a:01.0", "10001:3a:01.0" },
		{ "iommufd_mock0", "iommufd_mock0" }, { "3a:01.0x", "3a:01.0x" },
		{ "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001",
		  "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001" },
	};
	char name[PASID_DEV_LEN];

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		CHECK(parse_device(t[i][0], name, sizeof(name)));
		CHECK_STR(name, t[i][1]);
	}
	CHECK(!parse_device("", name, sizeof(name)));
}

static void pasid_lists_are_parsed_strictly(void)
{
	static const char *const bad[] = {
		"", ",", "1,", ",1", "1,,2", "1-", "-1", "2-1", "1-2-3", "0x100000",
		"1048576", "0-0x100000", "12z", "1 ,2",
		"11111111111111111111111111111111111111111111111111111111111111111",
	};
	struct pasid_filter f = {};
	char err[160], many[64] = "1";

	CHECK(!parse_pasids("33,0x40-0x4f", &f, err, sizeof(err)));
	CHECK(!parse_pasids("0-1048575", &f, err, sizeof(err)));
	CHECK(f.nr_ranges == 3 && f.range[0].lo == 33 && f.range[0].hi == 33);
	CHECK(f.range[1].lo == 0x40 && f.range[1].hi == 0x4f);
	CHECK(f.range[2].lo == 0 && f.range[2].hi == PASID_MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		f.nr_ranges = 0;
		if (!parse_pasids(bad[i], &f, err, sizeof(err))) {
			printf("# took '%s'\n", bad[i]);
			failed = true;
		}
	}
	for (int i = 1; i < PASID_MAX_RANGES; i++)
		strcat(many, ",1");
	f.nr_ranges = 0;
	CHECK(!parse_pasids(many, &f, err, sizeof(err)));
	CHECK(parse_pasids("1", &f, err, sizeof(err)));
}

static void event_lists_are_parsed_strictly(void)
{
	static const char *const set_names[] = { "a", "set_a", "set_b", "settle", NULL };
	uint32_t bits = 0;
	char err[160];

	CHECK(!parse_events("free", names, &bits, err, sizeof(err)) && bits == 2);
	CHECK(!parse_events("alloc,free", names, &bits, err, sizeof(err)) && bits == 3);
	CHECK_STR(parse_events("allo", names, &bits, err, sizeof(err)),
		  "'allo' is not an event of this tool");
	bits = 0;
	CHECK(!parse_events("set", set_names, &bits, err, sizeof(err)) && bits == 6);
	bits = 0;
	CHECK(!parse_events("set_b", set_names, &bits, err, sizeof(err)) && bits == 4);
	CHECK(parse_events("se", set_names, &bits, err, sizeof(err)));
	CHECK(parse_events("set_", set_names, &bits, err, sizeof(err)));
	CHECK(parse_events("", names, &bits, err, sizeof(err)));
	CHECK(parse_events("alloc,", names, &bits, err, sizeof(err)));
}

struct args {
	int argc, ret;
	char *argv[40];
	struct cli cli;
};

static void do_parse(void *arg)
{
	struct args *a = arg;

	a->ret = cli_parse(&tool, &a->cli, a->argc, a->argv);
}

static struct args parsed;

/* The text that the command line, split at blanks, prints to stderr. */
static char *parse(const char *line)
{
	static char copy[256];
	char *save;

	snprintf(copy, sizeof(copy), "unit %s", line);
	parsed = (struct args){};
	for (char *s = strtok_r(copy, " ", &save); s; s = strtok_r(NULL, " ", &save))
		parsed.argv[parsed.argc++] = s;
	return capture(stderr, do_parse, &parsed);
}

static void options_set_what_they_say(void)
{
	struct cli *c = &parsed.cli;

	parse("");
	CHECK(parsed.ret == CLI_GO_ON && c->events == 3 && !c->events_given && !c->cmd.argv);
	CHECK(c->buffer_kb == 1024 && !c->json && !c->verbose && !c->limit);
	parse("-p 7 -P 1,2 -e free -x -d 3 -n 4 -T -w -j -vv");
	CHECK(parsed.ret == CLI_GO_ON);
	CHECK(c->filter.tgid == 7 && c->filter.nr_ranges == 2 && c->filter.failed_only);
	CHECK(c->events == 2 && c->events_given && c->duration_ms == 3000 && c->limit == 4);
	CHECK(c->wall && c->wide && c->json && c->verbose == 2);
	parse("--pid=7 --pasid 1,2 --event free --failed --duration 3 --limit 4 --time "
	      "--wide --json --verbose --strict --buffer-kb 4 --ready-file r");
	CHECK(parsed.ret == CLI_GO_ON);
	CHECK(c->filter.tgid == 7 && c->filter.nr_ranges == 2 && c->filter.failed_only);
	CHECK(c->events == 2 && c->events_given && c->duration_ms == 3000 && c->limit == 4);
	CHECK(c->wall && c->wide && c->json && c->verbose == 1);
	CHECK(c->strict && c->buffer_kb == 4);
	CHECK_STR(c->ready, "r");
	parse("-t 9 -D 0000:3a:01.0 --in-flight 77");
	CHECK(parsed.ret == CLI_GO_ON && c->tid == 9 && c->in_flight == 77);
	CHECK_STR(c->device, "0000:3a:01.0");
	parse("-D 3a:01.0 -d 0.5");
	CHECK(parsed.ret == CLI_GO_ON && c->duration_ms == 500);
	CHECK_STR(c->device, "0000:3a:01.0");
	parse("--stuck --strict");
	CHECK(parsed.ret == CLI_GO_ON && c->stuck_ms == 1000 && c->strict);
	parse("--stuck=250ms");
	CHECK(parsed.ret == CLI_GO_ON && c->stuck_ms == 250);
	parse("--tid 9 --device 123456789012345678901234567890123456789");
	CHECK(parsed.ret == CLI_GO_ON && c->tid == 9 && c->in_flight == 8192);
	tool.rare = 2;
	tool.life = 3;
	parse("");
	CHECK(c->events == 1 && !c->life);	/* without what is off by itself */
	parse("-e free");
	CHECK(c->events == 2);
	parse("--life");
	CHECK(parsed.ret == CLI_GO_ON && c->events == 3 && c->life);
	tool.rare = tool.life = 0;
	parse("-x -- cmd -x arg");
	CHECK(parsed.ret == CLI_GO_ON && c->filter.failed_only && c->cmd.argv);
	CHECK_STR(c->cmd.argv[0], "cmd");
	CHECK_STR(c->cmd.argv[1], "-x");
	CHECK_STR(c->cmd.argv[2], "arg");
}

static void intervals_are_parsed(void)
{
	struct cli *c = &parsed.cli;

	tool.interval = true;
	parse("");
	CHECK(parsed.ret == CLI_GO_ON && !c->interval_ms && !c->limit);
	parse("0.5");
	CHECK(parsed.ret == CLI_GO_ON && c->interval_ms == 500 && !c->limit && !c->cmd.argv);
	parse("-j 10s 3");
	CHECK(parsed.ret == CLI_GO_ON && c->interval_ms == 10000 && c->limit == 3 && c->json);
	parse("2 3 -- cmd 4");
	CHECK(parsed.ret == CLI_GO_ON && c->interval_ms == 2000 && c->limit == 3);
	CHECK_STR(c->cmd.argv[0], "cmd");
	CHECK_STR(c->cmd.argv[1], "4");
	parse("2 -- cmd");
	CHECK(parsed.ret == CLI_GO_ON && c->interval_ms == 2000 && !c->limit && c->cmd.argv);
	parse("-- 2 3");
	CHECK(parsed.ret == CLI_GO_ON && !c->interval_ms && c->cmd.argv);
	CHECK_STR(parse("x"), "unit: 'x' is not an interval in seconds, or not a count. See unit --help.\n");
	CHECK(parsed.ret == EXIT_USAGE);
	CHECK(strstr(parse("1 0"), "'0' is not"));
	CHECK(strstr(parse("30d"), "'30d' is not") && strstr(parse("1 2 3"), "argument '3'"));
	CHECK(strstr(parse("1 2 --"), "no command") && parsed.ret == EXIT_USAGE);
	tool.interval = false;
}

static void users_are_found(void)
{
	struct user user = { 1, 1 };
	char err[160];

	CHECK(!user_find("root", &user, err, sizeof(err)) && !user.uid && !user.gid);
	CHECK(user.nr_groups >= 1 && !user.groups[0]);
	CHECK(!user_find("0", &user, err, sizeof(err)) && !user.uid);
	CHECK(user_find("4294967294", &user, err, sizeof(err)));
	CHECK(user_find("", &user, err, sizeof(err)));
	parse("-o f -u root -- cmd");
	CHECK(parsed.ret == CLI_GO_ON && parsed.cli.cmd.user == &parsed.cli.user);
	CHECK_STR(parsed.cli.output, "f");
}

static void bad_usage_is_told_and_exits_2(void)
{
	static const struct {
		const char *line, *want;
	} bad[] = {
		{ "-P 12z", "unit: -P: '12z' is not a PASID or a range of them (0..1048575)." },
		{ "--pasid 12z", "unit: --pasid: '12z' is not a PASID" },
		{ "-p 0", "unit: -p: '0' is not a number in 1..4194304. See unit --help." },
		{ "-p 4194305", "unit: -p: '4194305' is not a number" },
		{ "-t 0", "unit: -t: '0' is not a number" },
		{ "--in-flight 0", "unit: --in-flight: '0' is not a number" },
		{ "-D 1234567890123456789012345678901234567890",
		  "unit: -D: '1234567890123456789012345678901234567890' is not" },
		{ "--device=", "unit: --device: '' is not the name of a device." },
		{ "-d -1", "unit: -d: '-1' is not a time, such as 10, 0.5, 500ms, 10s, 2m or 24h" },
		{ "-n x", "unit: -n: 'x' is not a number" },
		{ "-e fre", "unit: -e: 'fre' is not an event of this tool. See unit --help." },
		{ "--buffer-kb 2", "unit: --buffer-kb: '2' is not a power of two" },
		{ "--buffer-kb 12", "unit: --buffer-kb: '12' is not a power of two" },
		{ "-p", "unit: -p needs an argument. See unit --help." },
		{ "--btf f", "unit: unknown option --btf. See unit --help." },
		{ "-Z", "unit: unknown option -Z. See unit --help." },
		{ "--nope", "unit: unknown option --nope. See unit --help." },
		{ "--json=x", "unit: unknown option --json=x. See unit --help." },
		{ "word", "unit: unexpected argument 'word'; a command goes after --." },
		{ "-x word -j", "unit: unexpected argument 'word'; a command" },
		{ "--", "unit: no command after --. See unit --help." },
		{ "--life -e free", "unit: --life does not go with -e and -x. See unit" },
		{ "--life -x", "unit: --life does not go with -e and -x. See unit --help." },
		{ "-u root", "unit: -u goes with -- CMD. See unit --help." },
		{ "--follow", "unit: --follow goes with -- CMD. See unit --help." },
		{ "-u no:body -- cmd", "unit: -u: 'no:body' is not a user in /etc/passwd." },
		{ "--stuck=x", "unit: --stuck: 'x' is not a time" },
		{ "--stuck -x", "unit: --stuck does not go with -x" },
		{ "--record-mb 1", "unit: --record-mb goes with --record. See unit --help." },
		{ "--replay f -- cmd", "unit: --replay does not go with" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *text = parse(bad[i].line);

		CHECK(parsed.ret == EXIT_USAGE);
		text[strcspn(text, "\n")] = '\0';
		text[strlen(text) < strlen(bad[i].want) ? strlen(text) :
		     strlen(bad[i].want)] = '\0';
		CHECK_STR(text, bad[i].want);
	}
}

static void help_fits_and_has_no_letter_twice(void)
{
	bool seen[128] = {};
	char *text;

	parsed = (struct args){ .argc = 2, .argv = { "unit", "--help" } };
	text = capture(stdout, do_parse, &parsed);
	CHECK(parsed.ret == EXIT_OK && longest_line(text) < 80);
	CHECK(strstr(text, "Usage: unit ") && strstr(text, "Events: alloc free\n"));
	CHECK(!strstr(text, "ready-file") && !strstr(text, "no-tracepoints"));
	for (text = strstr(text, "\n  -"); text; text = strstr(text + 1, "\n  -")) {
		int letter = text[4];

		CHECK(letter == '-' || !seen[letter]);
		/* kept for iommu, rows, sort, no clear */
		CHECK(letter != 'I');
		seen[letter] = true;
	}
	CHECK(seen['p'] && seen['P'] && seen['h']);
}

static void say(void *arg)
{
	msg("%s", (char *)arg);
}

static void messages_fit_the_terminal(void)
{
	char text[301] = "";
	size_t n;

	msg_name = "unit";
	msg_columns = 80;
	CHECK_STR(capture(stderr, say, "short"), "unit: short\n");
	for (int i = 0; i < 100; i++)
		strcat(text, "ab ");
	n = longest_line(capture(stderr, say, text));
	CHECK(n > 75 && n < 80);
	memset(text, 'x', 300);
	CHECK(longest_line(capture(stderr, say, text)) == 306);	/* nowhere to break */
	msg_columns = 0;
	for (int i = 0; i < 100; i++)
		memcpy(text + 3 * i, "ab ", 3);
	CHECK(longest_line(capture(stderr, say, text)) == 306);	/* a file */
}

static char proc[] = "/tmp/unit-proc-XXXXXX";

/* A process as /proc has it; of a namespace of its own if it is called so there. */
static void add_process(int pid, int tgid, const char *inside)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%d", proc, pid);
	mkdir(path, 0755);
	strcat(path, "/status");
	f = fopen(path, "w");
	CHECK(f);
	if (!f)
		return;
	fprintf(f, "Name:\tx\nTgid:\t%d\nNSpid:\t%d%s\n", tgid, pid, inside);
	fclose(f);
}

static uint32_t resolved;

static void resolve_process(void *arg)
{
	resolved = who_process(proc, *(uint32_t *)arg);
}

static void resolve_thread(void *arg)
{
	resolved = who_thread(proc, *(uint32_t *)arg);
}

/* Its message about that number, in one line; the answer is in resolved */
static const char *resolve(void (*how)(void *), uint32_t number)
{
	char *text = capture(stderr, how, &number);

	for (char *s = text; *s; s++)
		*s = *s == '\n' ? ' ' : *s;
	return text;
}

static void processes_are_found(void)
{
	msg_name = "unit";
	CHECK(mkdtemp(proc));
	add_process(4711, 4711, "\t7");
	add_process(4712, 4711, "\t8");
	add_process(4713, 4713, "\t9");
	add_process(4714, 4714, "\t9");
	add_process(4715, 4715, "");
	CHECK_STR(resolve(resolve_process, 4711), "");
	CHECK(resolved == 4711);
	CHECK_STR(resolve(resolve_process, 4715), "");
	CHECK_STR(resolve(resolve_process, 4712),
		  "unit: 4712 is a thread of process 4711: that process is meant. ");
	CHECK(resolved == 4711);
	CHECK(strstr(resolve(resolve_process, 7), "but 4711 is called so in its PID"));
	CHECK(resolved == 4711);
	CHECK(strstr(resolve(resolve_process, 9), "but 2 are called so in PID namespaces"));
	CHECK(resolved == 9);
	CHECK(strstr(resolve(resolve_process, 10), "there is no process 10: nothing is seen"));
	CHECK(resolved == 10);
	CHECK_STR(resolve(resolve_thread, 4712), "");
	CHECK(resolved == 4712);
	CHECK(strstr(resolve(resolve_thread, 8), "no thread 8 here, but 4712 is called so"));
	CHECK(resolved == 4712);
	for (int pid = 4711; pid <= 4715; pid++) {
		char path[64];

		snprintf(path, sizeof(path), "%s/%d/status", proc, pid);
		unlink(path);
		*strrchr(path, '/') = '\0';
		rmdir(path);
	}
	CHECK(!rmdir(proc));
}

/*
 * In a PID namespace that is new, process 1 must be what its parent, which is in
 * the initial one, calls it. Needs root; a kernel that does not let root is told.
 */
static void numbers_of_a_namespace_are_translated(void)
{
	int status, child, answer[2];
	int64_t pid = 0;

	child = getuid() || pipe(answer) ? -1 : fork();
	if (!child) {
		int first = unshare(CLONE_NEWPID) ? -1 : fork();

		if (first < 0)
			_exit(77);
		if (!first) {
			/* its own /proc: the other one has no /proc/self for it */
			if (unshare(CLONE_NEWNS) ||
			    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
			    mount("proc", "/proc", "proc", 0, NULL))
				_exit(77);
			engine_log(false);
			pid = who_global(1, true);
			_exit(write(answer[1], &pid, sizeof(pid)) != sizeof(pid));
		}
		pid = first;
		if (write(answer[1], &pid, sizeof(pid)) != sizeof(pid))
			_exit(1);
		waitpid(first, &status, 0);
		_exit(WEXITSTATUS(status));
	}
	if (child < 0 || waitpid(child, &status, 0) != child || WEXITSTATUS(status) == 77) {
		printf("# not done: no root, or no PID namespaces\n");
		return;
	}
	CHECK(read(answer[0], &pid, sizeof(pid)) == sizeof(pid));
	resolved = pid;
	CHECK(resolved && read(answer[0], &pid, sizeof(pid)) == sizeof(pid));
	if (pid < 0)
		printf("# not done: the kernel does not load the program\n");
	else
		CHECK(pid == resolved);
}

static void filter_wants_what_was_asked_for(void)
{
	struct pasid_event ok = { .tgid = 7, .pasid = 33 };
	struct pasid_event bad = { .tgid = 8, .pasid = PASID_INVALID, .ret = -28 };
	struct pasid_filter f = {};

	CHECK(pasid_wanted(&f, &ok) && pasid_wanted(&f, &bad));
	f.tgid = 7;
	CHECK(pasid_wanted(&f, &ok) && !pasid_wanted(&f, &bad));
	f = (struct pasid_filter){ .failed_only = 1 };
	CHECK(!pasid_wanted(&f, &ok) && pasid_wanted(&f, &bad));
	f = (struct pasid_filter){ .nr_ranges = 2, .range = { { 1, 2 }, { 33, 40 } } };
	CHECK(pasid_wanted(&f, &ok) && !pasid_wanted(&f, &bad));
	ok.pasid = 40;
	CHECK(pasid_wanted(&f, &ok));
	ok.pasid = 41;
	CHECK(!pasid_wanted(&f, &ok));
	ok.pasid = 32;
	CHECK(!pasid_wanted(&f, &ok));
	ok.pasid = 2;
	CHECK(pasid_wanted(&f, &ok));
	f.tgid = 8;	/* all conditions must hold */
	CHECK(!pasid_wanted(&f, &ok));
	f = (struct pasid_filter){ .nr_ranges = PASID_MAX_RANGES };
	f.range[PASID_MAX_RANGES - 1] = (struct pasid_range){ 2, 2 };
	CHECK(pasid_wanted(&f, &ok));
}

static void requests_are_filtered(void)
{
	struct inv_event e = { .tgid = 7, .tid = 8, .pasid = 33, .dev = "0000:3a:01.0" };
	struct inv_filter f = {};

	CHECK(inv_wanted(&f, &e) && inv_result_wanted(&f, &e));
	f.common.tgid = 7;
	f.tid = 8;
	CHECK(inv_wanted(&f, &e));
	f.tid = 7;
	CHECK(!inv_wanted(&f, &e));
	f = (struct inv_filter){ .common = { .tgid = 8 } };
	CHECK(!inv_wanted(&f, &e));
	f = (struct inv_filter){ .common = { .failed_only = 1 } };
	CHECK(inv_wanted(&f, &e) && !inv_result_wanted(&f, &e));
	e.ret = -2;
	CHECK(inv_result_wanted(&f, &e));
	f = (struct inv_filter){ .dev = "0000:3a:01.0" };
	CHECK(inv_wanted(&f, &e));
	f.dev[11] = '1';
	CHECK(!inv_wanted(&f, &e));
	f.dev[11] = '\0';	/* a name that only begins so */
	CHECK(!inv_wanted(&f, &e));
	f = (struct inv_filter){ .common = { .nr_ranges = 1, .range = { { 0, 33 } } } };
	CHECK(inv_wanted(&f, &e));
	e.pasid = 34;
	CHECK(!inv_wanted(&f, &e));
	e.pasid = 0;		/* of no PASID, so not of PASID 0 either */
	CHECK(!inv_wanted(&f, &e));
	e.pasid = 1ULL << 32;	/* its end has 32 bits of it, and must agree */
	CHECK(!inv_wanted(&f, &e));
}

static void requests_are_described(void)
{
	struct inv_event e = { .flags = INV_HAS_BEGIN, .caches = 5, .granularity = INV_ADDR,
			       .addr = 0x1000, .granule = 4096, .granules = 3 };
	char buf[48];
	__u64 n;

	CHECK_STR(inv_caches(&e, buf, sizeof(buf)), "i-p");
	CHECK_STR(inv_what(&e, buf, sizeof(buf)), "0x1000+12K");
	e.granule = 1;
	CHECK_STR(inv_what(&e, buf, sizeof(buf)), "0x1000+3");
	e.granules = 0;
	CHECK_STR(inv_what(&e, buf, sizeof(buf)), "0x1000+0");
	e.granule = 1ULL << 63;
	e.granules = 1;
	CHECK(inv_size(&e, &n) && n == 1ULL << 63);
	CHECK_STR(inv_what(&e, buf, sizeof(buf)), "0x1000+8E");
	e.granules = 2;
	CHECK(!inv_size(&e, &n));
	CHECK_STR(inv_what(&e, buf, sizeof(buf)), "0x1000+huge");
	e.granularity = INV_PASID;
	CHECK_STR(inv_what(&e, buf, sizeof(buf)), "pasid");
	e.granularity = 255;
	CHECK_STR(inv_what(&e, buf, sizeof(buf)), "?255");
	e.flags |= INV_UNREADABLE;
	CHECK_STR(inv_what(&e, buf, sizeof(buf)), "-");
	e.flags = 0;
	CHECK_STR(inv_caches(&e, buf, sizeof(buf)), "-");
}

/* Descriptors as the driver makes them: VT-d specification, 6.5.2 */
static void submissions_are_described(void)
{
	static const struct {
		__u64 qw0, qw1;
		unsigned int entries;
		const char *caches, *what;
	} t[] = {
		{ 0x11, 0, 1, "c", "global" },
		{ 5 << 16 | 0x21, 0, 1, "c", "did 5" },
		{ 0x3a08ULL << 32 | 5 << 16 | 0x31, 0, 1, "c", "3a:01.0 did 5" },
		{ 0xd2, 0, 1, "i", "global" },
		{ 5 << 16 | 0xe2, 0, 1, "i", "did 5" },
		{ 5 << 16 | 0xf2, 0x12345000 | 9, 1, "i", "did 5 0x12345000+2M" },
		{ 5 << 16 | 0xf2, 0x12345000, 3, "i", "did 5 0x12345000+4K +2" },
		{ 0x3a08ULL << 32 | 3, 0x7000, 1, "d", "3a:01.0 0x7000+4K" },
		{ 0x3a08ULL << 32 | 3, 0x7000 | 1, 1, "d", "3a:01.0 0x0+64K" },
		{ 0x3a08ULL << 32 | 3, 0x7ffffffffffff001, 1, "d", "3a:01.0 all" },
		{ 0x21ULL << 32 | 0x3a08 << 16 | 8, 0x7000 | 1 << 11, 1, "d", "3a:01.0 0x0+64K" },
		{ 4, 0, 1, "e", "global" },
		{ 7ULL << 32 | 0x14, 0, 1, "e", "index" },
		{ 5, 0, 1, "w", "wait" },
		{ 0x21ULL << 32 | 5 << 16 | 0x26, 0, 1, "i", "did 5 pasid" },
		{ 0x21ULL << 32 | 5 << 16 | 0x36, 0x7000, 1, "i", "did 5 0x7000+4K" },
		{ 5 << 16 | 7, 0, 1, "p", "did 5" },
		{ 0x21ULL << 32 | 5 << 16 | 0x17, 0, 1, "p", "did 5 pasid" },
		{ 0x37, 0, 1, "p", "global" },
		{ 0x0e, 0, 1, "?", "?0xe" },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct inv_event e = { .flags = INV_HAS_BEGIN | INV_SUBMISSION,
				       .qw0 = t[i].qw0, .qw1 = t[i].qw1,
				       .entries = t[i].entries };
		char buf[80];

		CHECK_STR(inv_caches(&e, buf, sizeof(buf)), t[i].caches);
		CHECK_STR(inv_what(&e, buf, sizeof(buf)), t[i].what);
	}
	CHECK(inv_desc_has_pasid(0x26) && inv_desc_has_pasid(0x17) && inv_desc_has_pasid(8));
	CHECK(!inv_desc_has_pasid(7) && !inv_desc_has_pasid(0xe2) && !inv_desc_has_pasid(3));
}

static void times_fit_their_column(void)
{
	static const struct {
		__u64 ns;
		const char *text;
	} t[] = {
		{ 0, "0ns" }, { 1, "1ns" }, { 999, "999ns" }, { 1000, "1.0us" },
		{ 9949, "9.9us" }, { 9951, "10us" }, { 765400, "765us" },
		{ 999499, "999us" }, { 999500, "1.0ms" }, { 1545400, "1.5ms" },
		{ 1000000000, "1.0s" }, { 60000500000, "60s" }, { 86400000000000, "86400s" },
	};
	char buf[24];

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		CHECK_STR(out_took(t[i].ns, buf, sizeof(buf)), t[i].text);
		CHECK(strlen(t[i].text) <= 5 + (t[i].ns > 99999000000000ULL / 10));
	}
}

static void text_is_safe_for_a_terminal(void)
{
	char buf[17];

	CHECK_STR(out_ascii("qemu-system-x86\0", 16, buf, sizeof(buf)), "qemu-system-x86");
	CHECK_STR(out_ascii("0123456789abcdefXX", 16, buf, sizeof(buf)), "0123456789abcdef");
	CHECK_STR(out_ascii("a\033[2J\n\x7f\xc3\xa9z", 16, buf, sizeof(buf)), "a?[2J????z");
	CHECK_STR(out_ascii("", 16, buf, sizeof(buf)), "");
}

static void json_is_always_utf8(void)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{ "plain", "plain" }, { "", "" }, { "a\"b\\c\n", "a\"b\\c\n" },
		{ "\xc3\xa9", "\xc3\xa9" },				/* e acute */
		{ "\xf0\x9f\x90\xa7", "\xf0\x9f\x90\xa7" },		/* 4 bytes */
		{ "a\xc3", "a\xef\xbf\xbd" },				/* cut off */
		{ "\xc3z", "\xef\xbf\xbdz" },
		{ "\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd" },		/* overlong */
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, /* surrogate */
		{ "\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	};
	char bytes[16];
	json_t *s;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		s = out_utf8(t[i].in, strlen(t[i].in));
		CHECK_STR(json_string_value(s), t[i].out);
		json_decref(s);
	}
	/* any 16 bytes must give a string, and no byte past them may be read */
	srand(1);
	for (int i = 0; i < 100000; i++) {
		for (int j = 0; j < 16; j++)
			bytes[j] = 1 + rand() % 255;
		s = out_utf8(bytes, 16);
		if (!s) {
			CHECK(!"a string that is not UTF-8");
			return;
		}
		json_decref(s);
	}
	s = out_utf8("abcdef", 3);
	CHECK_STR(json_string_value(s), "abc");
	json_decref(s);
}

/* Each write to such a socket is a message: how many there are can be counted. */
static void lines_are_written_together(void)
{
	int pair[2], saved = dup(1), messages = 0;
	static char buffer[4096];
	char buf[4096];

	fflush(stdout);
	CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair));
	dup2(pair[1], 1);
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	out_text("\n");	/* the first one finds the stream as it was */
	CHECK(!out_flush() && recv(pair[0], buf, sizeof(buf), 0) == 1);
	for (int i = 0; i < 100; i++)
		out_text("line %d\n", i);
	out_json(json_pack("{s:i}", "a", 1));
	CHECK(!out_flush());
	dup2(saved, 1);
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (recv(pair[0], buf, sizeof(buf), 0) > 0)
		messages++;
	CHECK(messages == 1);
	close(saved);
	close(pair[0]);
	close(pair[1]);
}

static void values_are_formatted(void)
{
	char buf[40];

	CHECK_STR(out_errname(0, buf, sizeof(buf)), "0");
	CHECK_STR(out_errname(-28, buf, sizeof(buf)), "ENOSPC");
	CHECK_STR(out_errname(-95, buf, sizeof(buf)), "EOPNOTSUPP");
	CHECK_STR(out_errname(-524, buf, sizeof(buf)), "-524");
	CHECK_STR(out_seconds(0, buf, sizeof(buf)), "0.000000");
	CHECK_STR(out_seconds(12345678, buf, sizeof(buf)), "12.345678");
	CHECK_STR(out_seconds(-1, buf, sizeof(buf)), "-0.000001");
	setenv("TZ", "XXX-1", 1);	/* one hour east */
	tzset();
	CHECK_STR(out_time(1763794262000001999, false, buf, sizeof(buf)), "07:51:02.000001");
	setenv("TZ", "XXX-2", 1);	/* nobody looks again, for each line */
	CHECK_STR(out_time(1763794262000001999, false, buf, sizeof(buf)), "07:51:02.000001");
	CHECK_STR(out_time(1763794262000001999, true, buf, sizeof(buf)),
		  "2025-11-22T06:51:02.000001Z");
}

static void a_clock_that_is_set_is_noticed(void)
{
	struct session s;
	__u64 right;

	session_start(&s);
	right = s.to_wall_ns;
	CHECK(!session_clock(&s) && s.to_wall_ns == right);
	s.to_wall_ns -= 3600 * 1000000000ULL;
	CHECK(session_clock(&s));
	CHECK(llabs((__s64)(s.to_wall_ns - right)) < 1000000000);
	CHECK(!session_clock(&s));
	s.to_wall_ns += 5000000;
	CHECK(session_clock(&s));
}

static void capabilities_are_named(void)
{
	const uint64_t admin = 1ULL << 21, perfmon = 1ULL << 38, bpf = 1ULL << 39;

	CHECK(caps_of(admin) == 3 && caps_of(bpf | perfmon) == 3);
	CHECK(caps_of(bpf) == 1 << PROBE_BPF && caps_of(perfmon) == 1 << PROBE_PERFMON);
	CHECK(!caps_of(~(admin | bpf | perfmon)));
}

/* The type that "x*", "*" or "4" stands for, behind a typedef or const */
static int add_type(struct btf *btf, const char *text)
{
	char name[32];
	int len = strcspn(text, "*");

	snprintf(name, sizeof(name), "%.*s", len, text);
	if (!text[len])
		return btf__add_typedef(btf, "t", btf__add_int(btf, name, atoi(name), 0));
	return btf__add_ptr(btf, len ? btf__add_const(btf, btf__add_struct(btf, name, 8)) : 0);
}

/* BTF as the kernel has it for a hook on something of these types, as hook->types */
static void add_hook(struct btf *btf, const char *name, const char *types, bool tp)
{
	char full[64], copy[128], *save, *args = copy;
	int proto, ids[8], n = 0, ret = 0;

	snprintf(copy, sizeof(copy), "%s", types);
	if (strchr(copy, '(')) {
		ret = add_type(btf, strtok_r(copy, "(", &save));
		args = strtok_r(NULL, ")", &save);
	}
	/* all types come first: arguments are added to the last one that there is */
	if (tp)
		ids[n++] = btf__add_ptr(btf, 0);
	for (char *s = strtok_r(args, " ", &save); s; s = strtok_r(NULL, " ", &save))
		ids[n++] = add_type(btf, s);
	proto = btf__add_func_proto(btf, ret);
	for (int i = 0; i < n; i++)
		btf__add_func_param(btf, "arg", ids[i]);
	snprintf(full, sizeof(full), "btf_trace_%s", name);
	if (tp)
		btf__add_typedef(btf, full, btf__add_ptr(btf, proto));
	else
		btf__add_func(btf, name, BTF_FUNC_GLOBAL, proto);
}

static void plan_takes_the_best_hook_there_is(void)
{
	static const struct hook hooks[] = {
		{ 0, HOOK_TRACEPOINT, "tp_a", "set* 4 4 4 8", "a1", NULL },
		{ 0, HOOK_FEXIT, "fn_a", "4(device*)", "a2", "SET" },
		{ 1, HOOK_TRACEPOINT, "tp_f", "* 4 1", "f1", NULL },
		{ 1, HOOK_FENTRY, "fn_f", "4", "f2", "SET" },
	};
	static const struct hook iter = { 0, HOOK_ITER, "it", "meta* info*", "i", NULL };
	const struct hook *chosen[2];
	struct btf *btf = btf__new_empty();
	uint32_t events = 3;
	char buf[40];

	CHECK(probe_plan(btf, hooks, 4, names, &events, chosen, false, false) == 0);
	CHECK(!events && !chosen[0] && !chosen[1]);

	add_hook(btf, "fn_a", "4(device*)", false);
	add_hook(btf, "fn_f", "4", false);
	add_hook(btf, "tp_f", "* 4 1 4", true);		/* not what we know */
	events = 3;
	CHECK(probe_plan(btf, hooks, 4, names, &events, chosen, false, false) == 2);
	CHECK(events == 3 && chosen[0] == &hooks[1] && chosen[1] == &hooks[3]);
	CHECK_STR(probe_hook(btf, &hooks[2]), "has other arguments");
	CHECK_STR(probe_hook(btf, &hooks[0]), "absent");

	add_hook(btf, "tp_a", "set* 4 4 4 8", true);
	CHECK(probe_plan(btf, hooks, 4, names, &events, chosen, false, false) == 2);
	CHECK(chosen[0] == &hooks[0] && chosen[1] == &hooks[3]);
	CHECK_STR(probe_hook_name(chosen[0], buf, sizeof(buf)), "tp_btf:tp_a");
	CHECK_STR(probe_hook_name(chosen[1], buf, sizeof(buf)), "fentry:fn_f");
	CHECK(probe_plan(btf, hooks, 4, names, &events, chosen, true, false) == 2);
	CHECK(chosen[0] == &hooks[1]);
	CHECK_STR(probe_hook(btf, &iter), "absent");
	add_hook(btf, "bpf_iter_it", "meta* info*", false);
	CHECK(!probe_hook(btf, &iter));
	CHECK_STR(probe_hook_name(&iter, buf, sizeof(buf)), "iter:it");
	events = 2;	/* off: not asked for */
	CHECK(probe_plan(btf, hooks, 4, names, &events, chosen, false, false) == 1);
	CHECK(events == 2 && !chosen[0] && chosen[1] == &hooks[3]);
	btf__free(btf);
}

/* The same name, and the same number of arguments, but something else */
static void hooks_are_told_apart_by_type(void)
{
	static const struct {
		const char *want, *have;
		bool same;
	} t[] = {
		{ "set* 4 4", "set* 4 4", true }, { "set* 4 4", "set* 4 8", false },
		{ "set* 4 4", "sets* 4 4", false }, { "set* 4 4", "* 4 4", false },
		{ "* 4 4", "set* 4 4", true }, { "* 4", "4 4", false },
		{ "4(set* 4)", "4(set* 4)", true }, { "4(set* 4)", "set* 4", false },
		{ "4(set* 4)", "8(set* 4)", false }, { "set* 4", "4(set* 4)", false },
		{ "4", "4 4", false }, { "4 4", "4", false },
		/* of 6.1, and what the tracepoint of that name has */
		{ "ioasid_set* 4 4 4 4", "4(ioasid_set* 4 4 *)", false },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct hook hook = { 0, HOOK_FENTRY, "fn", t[i].want, "p", NULL };
		struct btf *btf = btf__new_empty();
		char buf[64];

		add_hook(btf, "fn", t[i].have, false);
		CHECK_STR(probe_types(btf, &hook, buf, sizeof(buf)), t[i].have);
		if (!probe_hook(btf, &hook) != t[i].same) {
			printf("# '%s' and '%s'\n", t[i].want, t[i].have);
			failed = true;
		}
		btf__free(btf);
	}
}

struct refusal {
	int err;
	struct cause_facts facts;
	enum cause cause;
	int exit_code;
	const char *says;
};

static void refuse(void *arg)
{
	const struct refusal *r = arg;

	parsed.ret = cause_tell_of("do it", r->err, &r->facts);
}

/* Each cause once at least, with its exit code and a part of its text */
static void causes_are_told(void)
{
	static const struct refusal t[] = {
		{ -EPERM, { .user_ns = true, .lockdown = "none" }, CAUSE_USER_NS, 3,
		  "do it: Operation not permitted. This is a user namespace" },
		{ -EPERM, { .lockdown = "integrity", .functions = true },
		  CAUSE_FUNCTIONS, 3, "A security module forbids programs on functions" },
		{ -EPERM, { .lockdown = "integrity" }, CAUSE_FORBIDDEN, 3,
		  "A security module forbids it" },
		{ -EPERM, { .lockdown = "none", .functions = true, .seccomp = true },
		  CAUSE_SECCOMP, 3, "A seccomp filter" },
		{ -EACCES, {}, CAUSE_FORBIDDEN, 3, "Permission denied" },
		{ -EINVAL, { .lockdown = "confidentiality" }, CAUSE_LOCKDOWN, 3,
		  "locked down (confidentiality)" },
		{ -EINVAL, { .lockdown = "integrity" }, CAUSE_REFUSED, 4,
		  "Invalid argument. The kernel does not take" },
		{ -ENOMEM, {}, CAUSE_MEMORY, 1, "--buffer-kb" },
		{ -EMFILE, {}, CAUSE_FILES, 1, "Too many open files. The limit" },
		{ -ENFILE, {}, CAUSE_FILES, 1, "ulimit -n" },
		{ -ESRCH, {}, CAUSE_NO_TARGET, 4, "does not have" },
		{ -ENOENT, {}, CAUSE_NO_TARGET, 4, "No such file" },
		{ -524, {}, CAUSE_NO_TRAMPOLINE, 4, "Operation not supported. The kernel" },
		{ -EOPNOTSUPP, {}, CAUSE_NO_TRAMPOLINE, 4, "bpf_jit_enable=1" },
		{ -ENOSYS, {}, CAUSE_NO_BPF, 4, "CONFIG_BPF_SYSCALL=y" },
		{ -EBUSY, {}, CAUSE_BUSY, 1, "Something else holds" },
		{ -EIO, {}, CAUSE_UNKNOWN, 1, "Input/output error. -vv" },
		{ -LIBBPF_ERRNO__FORMAT, {}, CAUSE_TYPES, 4, "do it: BPF object format" },
		{ -EINVAL, { .few_files = true }, CAUSE_FILES, 1, "ulimit -n" },
	};
	bool seen[CAUSE_NR] = {};
	char word[32];

	msg_name = "unit";
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char *text = capture(stderr, refuse, (void *)&t[i]);

		for (char *s = text; *s; s++)
			*s = *s == '\n' ? ' ' : *s;
		seen[t[i].cause] = true;
		if (cause_of(t[i].err, &t[i].facts) == t[i].cause &&
		    parsed.ret == t[i].exit_code && strstr(text, t[i].says))
			continue;
		printf("# %zu: %d '%s', not '%s'\n", i, parsed.ret, text, t[i].says);
		failed = true;
	}
	for (int i = 0; i < CAUSE_NR; i++)
		CHECK(seen[i]);
	cause_lockdown("none [integrity] confidentiality\n", word, sizeof(word));
	CHECK_STR(word, "integrity");
	cause_lockdown("", word, sizeof(word));
	CHECK_STR(word, "");
}

static int calls(const struct bpf_program *prog, int helper)
{
	const struct bpf_insn *insns = bpf_program__insns(prog);
	int n = 0;

	for (size_t i = 0; i < bpf_program__insn_cnt(prog); i++)
		n += insns[i].code == (BPF_JMP | BPF_CALL) && !insns[i].src_reg &&
		     insns[i].imm == helper;
	return n;
}

static void slots_are_powers_of_two(void)
{
	struct inv_event addr = { .flags = INV_HAS_BEGIN, .caches = INV_IOTLB | INV_DEV_IOTLB,
				  .granularity = INV_ADDR };
	struct inv_event piotlb = { .flags = INV_SUBMISSION, .qw0 = 0x2100050026, .caches = 9 };
	char buf[80];

	CHECK(lat_slot(0) == 0 && lat_slot(1) == 0 && lat_slot(2) == 1 && lat_slot(3) == 1);
	for (int i = 1; i < LAT_SLOTS; i++) {
		CHECK(lat_slot(hist_low(i)) == (__u32)i && lat_slot(hist_high(i)) == (__u32)i);
		CHECK(hist_low(i) == hist_high(i - 1) + 1);
	}
	CHECK(hist_low(0) == 0 && hist_high(0) == 1);
	CHECK(lat_slot(hist_high(LAT_SLOTS - 1) + 1) == LAT_SLOTS - 1);
	CHECK(lat_slot(UINT64_MAX) == LAT_SLOTS - 1);
	CHECK_STR(inv_type(false, lat_type(&addr), buf, sizeof(buf)), "iotlb+dev_iotlb addr");
	CHECK_STR(inv_type(true, lat_type(&piotlb), buf, sizeof(buf)), "piotlb pasid");
	addr.flags = 0;
	CHECK_STR(inv_type(false, lat_type(&addr), buf, sizeof(buf)), "begin not seen");
	CHECK_STR(inv_type(true, 0xe, buf, sizeof(buf)), "?0xe");
}

static void print_hist(void *arg)
{
	hist_text(arg, 40, "nsecs");
	out_flush();
}

static void histograms_have_their_shape(void)
{
	__u64 slots[40] = { [3] = 1, [4] = 4, [6] = 2 }, none[40] = {};

	CHECK_STR(capture(stdout, print_hist, slots),
		  "     nsecs               : count    distribution\n"
		  "         8 -> 15         : 1        |**********                              |\n"
		  "        16 -> 31         : 4        |****************************************|\n"
		  "        32 -> 63         : 0        |                                        |\n"
		  "        64 -> 127        : 2        |********************                    |\n");
	CHECK_STR(capture(stdout, print_hist, none), "");
	slots[32] = 1;
	CHECK(strstr(capture(stdout, print_hist, slots),
		     "                   8 -> 15                   : 1        |*****               |\n"));
	slots[4] = UINT64_MAX;	/* no star for what is less than one */
	CHECK(strstr(capture(stdout, print_hist, slots), "8 -> 15                   : 1        |      "));
}

static void numbers_fit_their_columns(void)
{
	static const struct {
		enum field_form form;
		double v;
		const char *want;
	} t[] = {
		{ FIELD_NUMBER, 0, "0" }, { FIELD_NUMBER, 1048575, "1048575" },
		{ FIELD_HEX, 33, "0x21" },
		{ FIELD_AGE, 0, "0ms" }, { FIELD_AGE, 999, "999ms" }, { FIELD_AGE, 1000, "1s" },
		{ FIELD_AGE, 119999, "119s" }, { FIELD_AGE, 120000, "2m" },
		{ FIELD_AGE, 7199999, "119m" }, { FIELD_AGE, 7200000, "2h" },
		{ FIELD_AGE, 172800000, "2d" }, { FIELD_AGE, 8.64e10, "1000d" },
		{ FIELD_RATE, 0, "0" }, { FIELD_RATE, 0.25, "0.2" }, { FIELD_RATE, 1, "1" },
		{ FIELD_RATE, 9.96, "10" }, { FIELD_RATE, 999.4, "999" },
		{ FIELD_RATE, 999.6, "1.0k" }, { FIELD_RATE, 1203, "1.2k" },
		{ FIELD_RATE, 12345, "12k" }, { FIELD_RATE, 1e9, "1.0G" },
		{ FIELD_SIZES, 1023, "1023" }, { FIELD_SIZES, 1024, "1.0K" },
		{ FIELD_SIZES, 1048576, "1.0M" }, { FIELD_TOOK, 1800, "1.8us" },
	};
	char buf[64];

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		CHECK_STR(field_number(t[i].form, t[i].v, buf, sizeof(buf)), t[i].want);
		CHECK(strlen(buf) <= (t[i].form == FIELD_NUMBER ? 7 : 5));
	}
	CHECK_STR(field_number(FIELD_RATE, 0.0 / 0.0, buf, sizeof(buf)), "-");
}

static void rows_come_from_a_table(void)
{
	static const struct row {
		double n, unknown;
		char name[16], list[16];
	} a = { 2, 0.0 / 0.0, "a\xff", "x,yy" }, b = { 10, 5, "", "" };
	static const struct field fields[] = {
		{ "N", 3, "n", FIELD_NUMBER, offsetof(struct row, n) },
		{ NULL, 0, "u", FIELD_TOOK, offsetof(struct row, unknown) },
		{ "NAME", -5, "name", FIELD_NAME, offsetof(struct row, name) },
		{ "L", -4, "l", FIELD_LIST, offsetof(struct row, list), true },
		{}
	};
	json_t *o = json_object();
	char *text;

	fields_json(o, fields, &a);
	text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
	CHECK_STR(text, "{\"l\":[\"x\",\"yy\"],\"n\":2,\"name\":\"a\xef\xbf\xbd\",\"u\":null}");
	free(text);
	fields_json(o, fields, &b);
	text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
	CHECK_STR(text, "{\"l\":[],\"n\":10,\"name\":null,\"u\":5}");
	free(text);
	json_decref(o);
	CHECK(fields_find(fields, "n") == &fields[0] && fields_find(fields, "u") == &fields[1]);
	CHECK(!fields_find(fields, "name") && !fields_find(fields, "N"));
	/* the largest first, what is not known last */
	CHECK(fields_compare(&fields[0], &a, &b) == 1 && fields_compare(&fields[0], &b, &a) == -1);
	CHECK(fields_compare(&fields[1], &a, &b) == 1 && !fields_compare(&fields[1], &a, &a));
}

static void addresses_are_named(void)
{
	static const char text[] =
		"ffffffff81000000 T _stext\nffffffff81002000 t qi_submit_sync\n"
		"ffffffff81001000 W bpf_dispatcher\nffffffff81002800 D some_data\n"
		"ffffffffc0000000 t of_module\t[pasidmod]\nffffffffc0001000 t last\t[bpf]\n"
		"0000000000000000 T hidden\n";
	const __u64 stack[] = { 0xffffffff81001004, 0xffffffff81002010, 0xffffffffc0000001, 0 };
	char file[] = "/tmp/unit-ksym-XXXXXX", name[64];
	int fd = mkstemp(file);
	json_t *list;

	CHECK(write(fd, text, sizeof(text) - 1) == sizeof(text) - 1);
	close(fd);
	ksym_load(file);
	unlink(file);
	CHECK_STR(ksym_name(0xffffffff81002000, name, sizeof(name)), "qi_submit_sync+0");
	CHECK_STR(ksym_name(0xffffffff810029ff, name, sizeof(name)), "qi_submit_sync+0x9ff");
	CHECK_STR(ksym_name(0xffffffffc0000010, name, sizeof(name)), "of_module+0x10");
	CHECK_STR(ksym_name(0xffffffffc0001000, name, sizeof(name)), "last+0");
	CHECK_STR(ksym_name(0x1000, name, sizeof(name)), "0x1000");
	/* what is of the tracing itself is left out, and what is behind the end */
	list = ksym_json(stack, 4);
	CHECK(json_array_size(list) == 2);
	CHECK_STR(json_string_value(json_array_get(list, 0)), "qi_submit_sync+0x10");
	json_decref(list);
	list = ksym_json(stack, 2);
	CHECK(json_array_size(list) == 1);
	json_decref(list);
	ksym_load("/nonexistent");
	CHECK_STR(ksym_name(0xffffffff81002000, name, sizeof(name)), "0xffffffff81002000");
}

/* As kernels print them, with scalable mode and without */
static void queues_are_found(void)
{
	static const char text[] =
		"Invalidation queue on IOMMU: dmar0\n"
		" Base: 0x100a9b000\tHead: 21\tTail: 23\n"
		"Index\t\tqw0\t\t\tqw1\t\t\tqw2\t\t\tqw3\t\t\tstatus\n"
		"    0\t0000000000000034\t0000000000000000\t0000000000000000\t0000000000000000\t0000000000000002\n"
		"\n"
		"Invalidation queue on IOMMU: dmar11\n"
		" Base: 0x1010000\tHead: 0\tTail: 255\n"
		"Index\t\tqw0\t\t\tqw1\t\t\tstatus\n"
		"    0\t0000000000000034\t0000000000000000\t0000000000000002\n";
	char file[] = "/tmp/unit-queue-XXXXXX";
	struct inv_queues queues = { .read = true };
	const struct inv_queue *q;
	int fd = mkstemp(file);

	CHECK(write(fd, text, sizeof(text) - 1) == sizeof(text) - 1);
	close(fd);
	CHECK(inv_queues_read(&queues, file) && queues.n == 2);
	unlink(file);
	q = inv_queue_of(&queues, "dmar0");
	CHECK(q && q->head == 21 && q->tail == 23);
	q = inv_queue_of(&queues, "dmar11");
	CHECK(q && q->head == 0 && q->tail == 255);
	CHECK(!inv_queue_of(&queues, "dmar1"));
	CHECK(!inv_queues_read(&queues, "/nonexistent") && errno == ENOENT);
	CHECK(!inv_queue_of(&queues, "dmar0"));
}

/* A request is on a hot path: it is loaded, and only the device's name is copied. */
static void requests_are_loaded_not_copied(void)
{
	struct inv_bpf *skel = inv_bpf__open();
	const struct bpf_program *begin = skel ? skel->progs.on_cache_inv_begin_tp : NULL;

	CHECK(begin && bpf_program__insn_cnt(begin) > 10);
	CHECK(begin && calls(begin, BPF_FUNC_probe_read_kernel) == 0);
	CHECK(begin && calls(begin, BPF_FUNC_probe_read_kernel_str) == 1);
	/* the second one is of --stuck */
	CHECK(begin && calls(begin, BPF_FUNC_map_update_elem) == 2);
	inv_bpf__destroy(skel);
}

static enum life_step step(int type, __u64 ns, __u32 pasid, struct life *life)
{
	struct pasid_event e = { .type = type, .ts_ns = ns, .pasid = pasid, .tgid = 7,
				 .set = 3, .comm = "owner" };

	if (type == PASID_SPID)
		e.spid = 9;
	if (type == PASID_ALIVE)
		e.refs = 2;
	return life_event(&e, life);
}

static void a_life_is_put_together(void)
{
	struct pasid_event e = { .type = PASID_FREE, .pasid = 1, .ret = -2 };
	struct pasid_event put = { .type = PASID_PUT, .pasid = 1 };
	struct life l = {};

	CHECK(step(PASID_ALLOC, 10, 1, &l) == LIFE_GOES_ON);
	CHECK(step(PASID_SPID, 11, 1, &l) == LIFE_GOES_ON);
	CHECK(step(PASID_GET, 12, 1, &l) == LIFE_GOES_ON);
	CHECK(life_event(&e, &l) == LIFE_GOES_ON);	/* was refused */
	CHECK(life_event(&put, &l) == LIFE_GOES_ON && put.spid == 9);
	CHECK(step(PASID_FREE, 20, 1, &l) == LIFE_ENDED);
	CHECK(l.born_ns == 10 && l.owner == 7 && l.set == 3 && l.spid == 9 && l.refs == 1);
	CHECK_STR(l.comm, "owner");
	/* nothing of it is left for the next one, or for others */
	CHECK(step(PASID_FREE, 30, 1, &l) == LIFE_ENDED);
	CHECK(!l.born_ns && l.owner == PASID_INVALID && !l.spid && !l.refs);
	CHECK(step(PASID_ALLOC, 10, PASID_INVALID, &l) == LIFE_GOES_ON);
	CHECK(step(PASID_ALLOC, 10, PASID_MAX, &l) == LIFE_GOES_ON);
	CHECK(step(PASID_FREE, 11, PASID_MAX, &l) == LIFE_ENDED && l.born_ns == 10);
}

static void what_was_alive_is_told_once(void)
{
	struct life l = {};

	CHECK(step(PASID_ALIVE, 1000, 2, &l) == LIFE_GOES_ON);
	/* the one before, whose begin was not seen */
	CHECK(step(PASID_FREE, 900, 2, &l) == LIFE_ENDED);
	CHECK(!l.born_ns && l.owner == PASID_INVALID && !l.refs);
	CHECK(step(PASID_ALLOC, 1001, 2, &l) == LIFE_KNOWN);
	CHECK(step(PASID_FREE, 2000, 2, &l) == LIFE_ENDED);
	CHECK(l.born_ns == 1000 && l.refs == 2);
	CHECK(step(PASID_ALLOC, 2001, 2, &l) == LIFE_GOES_ON);
	/* its free was lost: this is another one */
	CHECK(step(PASID_ALIVE, 1000, 3, &l) == LIFE_GOES_ON);
	CHECK(step(PASID_ALLOC, 1001000001000, 3, &l) == LIFE_GOES_ON);
}

/*
 * While a trace starts: alive since 1.0 ms, and only then the events come of what
 * was before. In any life they say of it, it must be told of once.
 */
static void lives_before_what_was_alive_are_told(void)
{
	const __u64 us = 1000, ms = 1000 * us;
	struct life l = {};

	CHECK(step(PASID_ALIVE, ms, 4, &l) == LIFE_GOES_ON);
	CHECK(step(PASID_ALLOC, 500 * us, 4, &l) == LIFE_GOES_ON);
	CHECK(step(PASID_SPID, 510 * us, 4, &l) == LIFE_GOES_ON);
	CHECK(step(PASID_FREE, 600 * us, 4, &l) == LIFE_ENDED);
	CHECK(l.born_ns == 500 * us && l.spid == 9 && !l.refs && l.owner == 7);
	/* and another one */
	CHECK(step(PASID_ALLOC, 700 * us, 4, &l) == LIFE_GOES_ON);
	CHECK(step(PASID_FREE, 800 * us, 4, &l) == LIFE_ENDED);
	CHECK(l.born_ns == 700 * us && !l.spid);
	CHECK(step(PASID_ALLOC, ms + 100, 4, &l) == LIFE_KNOWN);
	CHECK(step(PASID_FREE, 2 * ms, 4, &l) == LIFE_ENDED);
	CHECK(l.born_ns == ms && l.refs == 2);
	/* nothing of them is left */
	CHECK(step(PASID_ALLOC, 3 * ms, 4, &l) == LIFE_GOES_ON);
	CHECK(step(PASID_FREE, 4 * ms, 4, &l) == LIFE_ENDED && l.born_ns == 3 * ms);
	/* the free of the one before is lost */
	CHECK(step(PASID_ALIVE, ms, 5, &l) == LIFE_GOES_ON);
	CHECK(step(PASID_ALLOC, 500 * us, 5, &l) == LIFE_GOES_ON);
	CHECK(step(PASID_ALLOC, ms + 100, 5, &l) == LIFE_KNOWN);
	CHECK(step(PASID_FREE, 2 * ms, 5, &l) == LIFE_ENDED && l.born_ns == ms);
	/* what is referenced before it was alive is another's */
	CHECK(step(PASID_ALIVE, ms, 6, &l) == LIFE_GOES_ON);
	CHECK(step(PASID_GET, 500 * us, 6, &l) == LIFE_GOES_ON);
	CHECK(step(PASID_FREE, 2 * ms, 6, &l) == LIFE_ENDED && l.refs == 2);
}

static void every_event_is_accounted_for(void)
{
	struct counts c = { { .seen = 10, .sent = 5, .filtered = 3, .lost = 2 }, 0 };
	char buf[128];

	CHECK(!counts_check(&c, 5, buf, sizeof(buf)));
	CHECK_STR(counts_check(&c, 4, buf, sizeof(buf)), "sent 5 != received 4");
	CHECK_STR(counts_check(&c, 6, buf, sizeof(buf)), "sent 5 != received 6");
	c.all.lost = 1;
	CHECK_STR(counts_check(&c, 5, buf, sizeof(buf)),
		  "seen 10 != sent 5 + filtered 3 + lost 1");
	c.all.lost = 3;
	CHECK(counts_check(&c, 5, buf, sizeof(buf)));
	c.missed = 9;	/* runs that were skipped are not in seen */
	c.all.lost = 2;
	CHECK(!counts_check(&c, 5, buf, sizeof(buf)));
}

static void recording_comes_back_the_same(void)
{
	struct session s = {
		.start_ns = 1, .to_wall_ns = 2, .end_ns = 3, .kernel = "6.12.117",
		.plan = { "tp_btf:ioasid_alloc", "" },
		.counts = { { .seen = 4, .sent = 1, .filtered = 2, .lost = 1 }, 5, 6, 7, 8, 9, 10 },
	}, back = {};
	struct pasid_dev_event d = { .e = {
		.ts_ns = UINT64_MAX, .type = PASID_FREE, .cpu = 65535, .flags = 7,
		.tgid = 1, .tid = 2, .set = UINT32_MAX, .pasid = PASID_INVALID,
		.ret = INT32_MIN, .min = 3, .max = 4, .spid = 5,
		.comm = "\xff\x80 \n\"%\\abcdefgh",
	} }, bind = { .e = { .type = PASID_BIND, .flags = PASID_HAS_DEV },
		      .table = UINT64_MAX, .dev = "a b\xff" }, back_d;
	struct inv_event i = {
		.ts_ns = 1, .end_ns = UINT64_MAX, .id = 2, .pasid = UINT64_MAX, .addr = 3,
		.granule = 4, .granules = UINT64_MAX, .flags = 5, .tgid = 6, .tid = 7,
		.ret = INT32_MIN, .entries = 8, .cpu = 65535, .caches = 255,
		.granularity = 255, .comm = "c", .dev = " d",
	}, back_i;
	FILE *f = tmpfile();

	record_head(f, "unit", &s, names);
	record_event(f, pasid_members, &d);
	record_event(f, pasid_members, &bind);
	s.to_wall_ns = 77;
	record_clock(f, &s);
	s.lost_ns = 88;
	s.lost_now = 99;
	record_lost(f, &s);
	record_event(f, inv_members, &i);
	record_end(f, &s);
	rewind(f);
	CHECK(replay_head(f, "unit", &back, names));
	CHECK(replay_next(f, &back, pasid_members, &back_d, sizeof(d)) == REPLAY_EVENT);
	CHECK(!memcmp(&d, &back_d, sizeof(d)));
	CHECK(replay_next(f, &back, pasid_members, &back_d, sizeof(d)) == REPLAY_EVENT);
	CHECK(!memcmp(&bind, &back_d, sizeof(d)));
	CHECK(replay_next(f, &back, inv_members, &back_i, sizeof(i)) == REPLAY_LOST);
	CHECK(back.lost_ns == 88 && back.lost_now == 99);
	CHECK(replay_next(f, &back, inv_members, &back_i, sizeof(i)) == REPLAY_EVENT);
	CHECK(!memcmp(&i, &back_i, sizeof(i)));
	CHECK(replay_next(f, &back, pasid_members, &back_d, sizeof(d)) == REPLAY_END);
	CHECK(!memcmp(&s, &back, sizeof(s)));
	fclose(f);
}

static struct pasid_dev_event replayed;

static void replay_line(void *arg)
{
	struct session s = {};
	FILE *f = fmemopen(arg, strlen(arg), "r");

	CHECK(replay_next(f, &s, pasid_members, &replayed, sizeof(replayed)) == REPLAY_BAD);
	fclose(f);
}

static void bad_recordings_are_told(void)
{
	static const char *const bad[] = {
		"{\"type\":\"event\",\"event\":\"nope\"}", "{\"type\":\"event\",\"event\":7}",
		"{\"type\":\"event\",\"pid\":4294967296}", "{\"type\":\"event\",\"pid\":-1}",
		"{\"type\":\"event\",\"ret\":4294967296}", "{\"type\":\"event\",\"table\":1}",
		"{\"type\":\"event\",\"table\":\"z\"}", "{\"type\":\"event\",\"comm\":1}",
		"{\"type\":\"event\",\"comm\":\"12345678901234567\"}", "{\"type\":\"what\"}",
		"{\"type\":\"event\",\"comm\":\"\u0100\"}", "[]", "{", "\n",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(strstr(capture(stderr, replay_line, (void *)bad[i]), "cannot replay: "));
}

/* Keys of which one ends as another begins, and that hold zeros */
static void what_was_known_is_found_by_its_bytes(void)
{
	static const char *const keys[] = { "a\0b", "a\0c", "\0\0\0", "b\0b", "aab" };
	const int n = sizeof(keys) / sizeof(keys[0]);
	struct known known = { .key_size = 3, .value_size = sizeof(__u64) };
	char key[3];
	__u64 *value;

	for (int i = 0; i < 2 * n; i++) {
		memcpy(key, keys[i % n], sizeof(key));
		CHECK(known_has(&known, key) == (i >= n));
		value = known_of(&known, key);
		CHECK(value && *value == (i < n ? 0 : 7ULL << (i - n)));
		*value = 7ULL << i;
	}
	known_forget(&known, keys[1]);
	known_forget(&known, "xyz");
	CHECK(!known_has(&known, keys[1]));
	for (int i = 0; i < n; i++) {
		value = known_of(&known, keys[i]);
		CHECK(*value == (i == 1 ? 0 : 7ULL << (i + n)));
		known_forget(&known, keys[i]);
	}
	CHECK(!known.tree);
}

int main(void)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} tests[] = {
#define T(f) { #f, f }
		T(numbers_are_parsed_strictly),
		T(durations_are_parsed_strictly),
		T(devices_are_named_as_in_the_kernel),
		T(pasid_lists_are_parsed_strictly),
		T(event_lists_are_parsed_strictly),
		T(options_set_what_they_say),
		T(intervals_are_parsed),
		T(users_are_found),
		T(bad_usage_is_told_and_exits_2),
		T(help_fits_and_has_no_letter_twice),
		T(messages_fit_the_terminal),
		T(processes_are_found),
		T(numbers_of_a_namespace_are_translated),
		T(filter_wants_what_was_asked_for),
		T(requests_are_filtered),
		T(requests_are_described),
		T(submissions_are_described),
		T(times_fit_their_column),
		T(text_is_safe_for_a_terminal),
		T(json_is_always_utf8),
		T(lines_are_written_together),
		T(values_are_formatted),
		T(a_clock_that_is_set_is_noticed),
		T(capabilities_are_named),
		T(plan_takes_the_best_hook_there_is),
		T(hooks_are_told_apart_by_type),
		T(causes_are_told),
		T(slots_are_powers_of_two),
		T(histograms_have_their_shape),
		T(numbers_fit_their_columns),
		T(rows_come_from_a_table),
		T(addresses_are_named),
		T(queues_are_found),
		T(what_was_known_is_found_by_its_bytes),
		T(requests_are_loaded_not_copied),
		T(a_life_is_put_together),
		T(what_was_alive_is_told_once),
		T(lives_before_what_was_alive_are_told),
		T(every_event_is_accounted_for),
		T(recording_comes_back_the_same),
		T(bad_recordings_are_told),
	};
	int nr = sizeof(tests) / sizeof(tests[0]), bad = 0;

	out_init();
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n1..%d\n", nr);
	for (int i = 0; i < nr; i++) {
		failed = false;
		tests[i].run();
		bad += failed;
		printf("%sok %d %s\n", failed ? "not " : "", i + 1, tests[i].name);
	}
	return bad > 0;
}
