// SPDX-License-Identifier: GPL-2.0-only
/* Unit tests of tools/lib, tools/invshow and the filters in bpf/; prints KTAP. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../tools/lib/cli.h"
#include "../../tools/lib/engine.h"
#include "../../tools/lib/life.h"
#include "../../tools/lib/out.h"
#include "../../tools/lib/probe.h"
#include "../../tools/lib/record.h"
#include "../../tools/invshow.h"

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

/* What f writes to stderr, or to stdout if that is given. */
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

/* What the command line, split at blanks, prints to stderr. */
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
	CHECK(parsed.ret == CLI_GO_ON && c->events == 3 && !c->events_given && !c->cmd);
	CHECK(c->buffer_kb == 1024 && !c->json && !c->verbose && !c->limit);
	parse("-p 7 -P 1,2 -e free -x -d 3 -n 4 -T -w -j -vv");
	CHECK(parsed.ret == CLI_GO_ON);
	CHECK(c->filter.tgid == 7 && c->filter.nr_ranges == 2 && c->filter.failed_only);
	CHECK(c->events == 2 && c->events_given && c->duration_s == 3 && c->limit == 4);
	CHECK(c->wall && c->wide && c->json && c->verbose == 2);
	parse("--pid=7 --pasid 1,2 --event free --failed --duration 3 --limit 4 --time "
	      "--wide --json --verbose --strict --buffer-kb 4 --btf b --ready-file r");
	CHECK(parsed.ret == CLI_GO_ON);
	CHECK(c->filter.tgid == 7 && c->filter.nr_ranges == 2 && c->filter.failed_only);
	CHECK(c->events == 2 && c->events_given && c->duration_s == 3 && c->limit == 4);
	CHECK(c->wall && c->wide && c->json && c->verbose == 1);
	CHECK(c->strict && c->buffer_kb == 4);
	CHECK_STR(c->btf, "b");
	CHECK_STR(c->ready, "r");
	parse("-t 9 -D 0000:3a:01.0 --in-flight 77");
	CHECK(parsed.ret == CLI_GO_ON && c->tid == 9 && c->in_flight == 77);
	CHECK_STR(c->device, "0000:3a:01.0");
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
	CHECK(parsed.ret == CLI_GO_ON && c->filter.failed_only && c->cmd);
	CHECK_STR(c->cmd[0], "cmd");
	CHECK_STR(c->cmd[1], "-x");
	CHECK_STR(c->cmd[2], "arg");
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
		{ "-d -1", "unit: -d: '-1' is not a number" },
		{ "-n x", "unit: -n: 'x' is not a number" },
		{ "-e fre", "unit: -e: 'fre' is not an event of this tool. See unit --help." },
		{ "--buffer-kb 2", "unit: --buffer-kb: '2' is not a power of two" },
		{ "--buffer-kb 12", "unit: --buffer-kb: '12' is not a power of two" },
		{ "-p", "unit: -p needs an argument. See unit --help." },
		{ "--btf", "unit: --btf needs an argument. See unit --help." },
		{ "-Z", "unit: unknown option -Z. See unit --help." },
		{ "--nope", "unit: unknown option --nope. See unit --help." },
		{ "--json=x", "unit: unknown option --json=x. See unit --help." },
		{ "word", "unit: unexpected argument 'word'; a command goes after --." },
		{ "-x word -j", "unit: unexpected argument 'word'; a command" },
		{ "--", "unit: no command after --. See unit --help." },
		{ "--life -e free", "unit: --life does not go with -e and -x. See unit" },
		{ "--life -x", "unit: --life does not go with -e and -x. See unit --help." },
		{ "--replay f -- cmd", "unit: --replay does not go with" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *text = parse(bad[i].line);

		CHECK(parsed.ret == EXIT_USAGE);
		CHECK(longest_line(text) < 80);
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
	CHECK(!strstr(text, "ready-file") && !strstr(text, "replay"));
	for (text = strstr(text, "\n  -"); text; text = strstr(text + 1, "\n  -")) {
		int letter = text[4];

		CHECK(letter == '-' || !seen[letter]);
		/* kept for iommu, rows, sort, no clear */
		CHECK(!strchr("IrsC", letter));
		seen[letter] = true;
	}
	CHECK(seen['p'] && seen['P'] && seen['h']);
}

static void say(void *arg)
{
	msg("%s", (char *)arg);
}

static void messages_wrap_at_80(void)
{
	char text[301] = "";
	size_t n;

	msg_name = "unit";
	CHECK_STR(capture(stderr, say, "short"), "unit: short\n");
	for (int i = 0; i < 100; i++)
		strcat(text, "ab ");
	n = longest_line(capture(stderr, say, text));
	CHECK(n > 75 && n < 80);
	memset(text, 'x', 300);
	CHECK(longest_line(capture(stderr, say, text)) == 306);	/* nowhere to break */
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
	CHECK_STR(out_time(1763794262000001999, false, buf, sizeof(buf)), "07:51:02.000001");
	CHECK_STR(out_time(1763794262000001999, true, buf, sizeof(buf)),
		  "2025-11-22T06:51:02.000001Z");
}

static void capabilities_are_named(void)
{
	const uint64_t admin = 1ULL << 21, perfmon = 1ULL << 38, bpf = 1ULL << 39;

	CHECK(!caps_missing(admin) && !caps_missing(bpf | perfmon));
	CHECK_STR(caps_missing(bpf), "CAP_PERFMON");
	CHECK_STR(caps_missing(perfmon), "CAP_BPF");
	CHECK_STR(caps_missing(~(admin | bpf | perfmon)), "CAP_BPF and CAP_PERFMON");
}

/* BTF as the kernel has it for tracepoint or function name with args arguments. */
static void add_hook(struct btf *btf, const char *name, int args, bool tp)
{
	char full[64];
	int num = btf__add_int(btf, "int", 4, BTF_INT_SIGNED), proto;

	proto = btf__add_func_proto(btf, tp ? 0 : num);
	for (int i = 0; i < args + tp; i++)
		btf__add_func_param(btf, "arg", num);
	snprintf(full, sizeof(full), "btf_trace_%s", name);
	if (tp)
		btf__add_typedef(btf, full, btf__add_ptr(btf, proto));
	else
		btf__add_func(btf, name, BTF_FUNC_GLOBAL, proto);
}

static void plan_takes_the_best_hook_there_is(void)
{
	static const struct hook hooks[] = {
		{ 0, HOOK_TRACEPOINT, "tp_a", 5, "a1", NULL },
		{ 0, HOOK_FEXIT, "fn_a", 1, "a2", "SET" },
		{ 1, HOOK_TRACEPOINT, "tp_f", 3, "f1", NULL },
		{ 1, HOOK_FENTRY, "fn_f", 1, "f2", "SET" },
	};
	static const struct hook iter = { 0, HOOK_ITER, "it", 2, "i", NULL };
	const struct hook *chosen[2];
	struct btf *btf = btf__new_empty();
	uint32_t events = 3;
	char buf[40];

	CHECK(probe_plan(btf, hooks, 4, names, &events, chosen, false, false) == 0);
	CHECK(!events && !chosen[0] && !chosen[1]);

	add_hook(btf, "fn_a", 1, false);
	add_hook(btf, "fn_f", 1, false);
	add_hook(btf, "tp_f", 4, true);		/* not what we know */
	events = 3;
	CHECK(probe_plan(btf, hooks, 4, names, &events, chosen, false, false) == 2);
	CHECK(events == 3 && chosen[0] == &hooks[1] && chosen[1] == &hooks[3]);
	CHECK_STR(probe_hook(btf, &hooks[2]), "has other arguments");
	CHECK_STR(probe_hook(btf, &hooks[0]), "absent");

	add_hook(btf, "tp_a", 5, true);
	CHECK(probe_plan(btf, hooks, 4, names, &events, chosen, false, false) == 2);
	CHECK(chosen[0] == &hooks[0] && chosen[1] == &hooks[3]);
	CHECK_STR(probe_hook_name(chosen[0], buf, sizeof(buf)), "tp_btf:tp_a");
	CHECK_STR(probe_hook_name(chosen[1], buf, sizeof(buf)), "fentry:fn_f");
	CHECK(probe_plan(btf, hooks, 4, names, &events, chosen, true, false) == 2);
	CHECK(chosen[0] == &hooks[1]);
	CHECK_STR(probe_hook(btf, &iter), "absent");
	add_hook(btf, "bpf_iter_it", 2, false);
	CHECK(!probe_hook(btf, &iter));
	CHECK_STR(probe_hook_name(&iter, buf, sizeof(buf)), "iter:it");
	events = 2;	/* off: not asked for */
	CHECK(probe_plan(btf, hooks, 4, names, &events, chosen, false, false) == 1);
	CHECK(events == 2 && !chosen[0] && chosen[1] == &hooks[3]);
	btf__free(btf);
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
	CHECK(step(PASID_FREE, 900, 2, &l) == LIFE_GOES_ON);	/* the one before */
	CHECK(step(PASID_ALLOC, 1001, 2, &l) == LIFE_KNOWN);
	CHECK(step(PASID_FREE, 2000, 2, &l) == LIFE_ENDED);
	CHECK(l.born_ns == 1000 && l.refs == 2);
	CHECK(step(PASID_ALLOC, 2001, 2, &l) == LIFE_GOES_ON);
	/* its free was lost: this is another one */
	CHECK(step(PASID_ALIVE, 1000, 3, &l) == LIFE_GOES_ON);
	CHECK(step(PASID_ALLOC, 1001000001000, 3, &l) == LIFE_GOES_ON);
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
		.counts = { { .seen = 4, .sent = 1, .filtered = 2, .lost = 1 }, 5, 6, 7, 8 },
	}, back = {};
	struct pasid_dev_event d = { .e = {
		.ts_ns = UINT64_MAX, .type = PASID_FREE, .cpu = 65535, .flags = 7,
		.tgid = 1, .tid = 2, .set = UINT32_MAX, .pasid = PASID_INVALID,
		.ret = INT32_MIN, .min = 3, .max = 4, .spid = 5,
		.comm = "\xff \n\"%\0abcdefghi",
	} }, bind = { .e = { .type = PASID_BIND, .flags = PASID_HAS_DEV },
		      .table = UINT64_MAX, .dev = "a b\xff" }, back_d;
	struct inv_event i = {
		.ts_ns = 1, .end_ns = UINT64_MAX, .id = 2, .pasid = UINT64_MAX, .addr = 3,
		.granule = 4, .granules = UINT64_MAX, .flags = 5, .tgid = 6, .tid = 7,
		.ret = INT32_MIN, .entries = 8, .cpu = 65535, .caches = 255,
		.granularity = 255, .comm = "c", .dev = " d",
	}, back_i;
	FILE *f = tmpfile();

	record_head(f, &s, names);
	record_event(f, &d);
	record_event(f, &bind);
	inv_record(f, &i);
	record_end(f, &s);
	rewind(f);
	CHECK(replay_head(f, &back, names));
	CHECK(replay_event(f, &back, &back_d) == 1 && !memcmp(&d, &back_d, sizeof(d)));
	CHECK(replay_event(f, &back, &back_d) == 1 && !memcmp(&bind, &back_d, sizeof(d)));
	CHECK(inv_replay(f, &back, &back_i) == 1 && !memcmp(&i, &back_i, sizeof(i)));
	CHECK(replay_event(f, &back, &back_d) == 0 && !memcmp(&s, &back, sizeof(s)));
	fclose(f);
}

int main(void)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} tests[] = {
#define T(f) { #f, f }
		T(numbers_are_parsed_strictly),
		T(pasid_lists_are_parsed_strictly),
		T(event_lists_are_parsed_strictly),
		T(options_set_what_they_say),
		T(bad_usage_is_told_and_exits_2),
		T(help_fits_and_has_no_letter_twice),
		T(messages_wrap_at_80),
		T(filter_wants_what_was_asked_for),
		T(requests_are_filtered),
		T(requests_are_described),
		T(text_is_safe_for_a_terminal),
		T(json_is_always_utf8),
		T(values_are_formatted),
		T(capabilities_are_named),
		T(plan_takes_the_best_hook_there_is),
		T(a_life_is_put_together),
		T(what_was_alive_is_told_once),
		T(every_event_is_accounted_for),
		T(recording_comes_back_the_same),
	};
	int nr = sizeof(tests) / sizeof(tests[0]), bad = 0;

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
