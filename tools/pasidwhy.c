// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * pasidwhy: what this machine lacks for PASIDs, where that was read, what to do.
 *
 * In C for the registers of 64 bits and the capabilities of a device, which a shell
 * cannot read without other programs; without BPF and the library of the tracers, so
 * that it runs where they do not.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "whychecks.h"

#define VERSION		"0.1"
#define WIDTH		79

/* As of every tool, tools/lib/cli.h */
enum {
	EXIT_OK = 0,
	EXIT_RUNTIME = 1,
	EXIT_USAGE = 2,
	EXIT_PRIVILEGE = 3,
	EXIT_KERNEL = 4,
};

static const struct {
	const char *word, *title;
	char letter;
} goals[WHY_NR_GOALS] = {
	[WHY_SVA] = { "sva", "host SVA", 'S' },
	[WHY_NEST] = { "nest", "nesting, whole devices", 'N' },
	[WHY_GUEST] = { "guest", "PASIDs of guests", 'G' },
};

static const struct {
	const char *word, *verdict;
} states[] = {
	[WHY_OK] = { "ok", "yes" },
	[WHY_MISSING] = { "missing", "no" },
	[WHY_UNKNOWN] = { "unknown", "unknown" },
	[WHY_NOTE] = { "note", NULL },
};

static struct {
	const char *device, *root;
	unsigned int goals;
	bool json;
} cli = { .root = "", .goals = WHY_S | WHY_N | WHY_G };

static const char help[] =
	"Usage: pasidwhy [OPTION]... [DEVICE]\n"
	"Tell what this machine lacks for PASIDs, where that was read, and what to do.\n"
	"DEVICE is a PCI device, such as 0000:3a:01.0 or 3a:01.0.\n"
	"\n"
	"Options:\n"
	"  -f, --for LIST         only for these: sva, nest, guest\n"
	"  -j, --json             one JSON object per line\n"
	"      --version          print the version\n"
	"  -h, --help             print this text\n"
	"\n"
	"Examples:\n"
	"  pasidwhy               the kernel, the processor and all IOMMUs\n"
	"  pasidwhy 3a:01.0       a device and its IOMMU, too\n"
	"  pasidwhy -f guest 3a:01.0 >/dev/null && start-monitor\n"
	"                         only if a guest can have PASIDs on it\n";

/* --- text ----------------------------------------------------------------- */

static const char *letters(unsigned int of)
{
	static char text[WHY_NR_GOALS + 1];

	for (int i = 0; i < WHY_NR_GOALS; i++)
		text[i] = of & 1U << i ? goals[i].letter : '-';
	return text;
}

static bool asked(const struct why_check *c)
{
	return !c->goals || c->goals & cli.goals;
}

/* Words up to the width, later lines indented as the first */
static void wrap(int indent, const char *text)
{
	int column = 0;

	while (*text) {
		int len = strcspn(text, " ");

		if (column && column + 1 + len > WIDTH) {
			putchar('\n');
			column = 0;
		}
		column += printf("%*s%.*s", column ? 1 : indent, "", len, text);
		text += len;
		text += strspn(text, " ");
	}
	putchar('\n');
}

/* The same advice for several checks, as of several units, is given once. */
static bool advised_before(const struct why_result *r, int nr)
{
	for (int i = 0; i < nr; i++) {
		if (asked(&r->checks[i]) && r->checks[i].advice == r->checks[nr].advice)
			return true;
	}
	return false;
}

/* Under each file what was read there */
static void print_table(const struct why_result *r)
{
	const char *where = "";

	printf("FOR STATE   WHAT\n");
	for (int i = 0; i < r->nr; i++) {
		const struct why_check *c = &r->checks[i];

		if (!asked(c))
			continue;
		if (strcmp(c->where, where))
			printf("%s, %s:\n", c->of, c->where);
		where = c->where;
		printf("%s %-7s %s\n", letters(c->goals), states[c->state].word, c->what);
		if (c->advice && !advised_before(r, i))
			wrap(12, c->advice);
	}
}

static void print_verdicts(const struct why_result *r)
{
	putchar('\n');
	for (int i = 0; i < WHY_NR_GOALS; i++) {
		if (cli.goals & 1U << i)
			printf("%c   %-7s %s\n", goals[i].letter,
			       states[why_verdict(r, i)].verdict, goals[i].title);
	}
}

/* --- JSON ----------------------------------------------------------------- */

/* Device names and paths of sysfs are printable ASCII; all else becomes '?'. */
static void json_text(const char *key, const char *text, const char *end)
{
	printf("\"%s\":\"", key);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else
			putchar(*text >= ' ' && *text <= '~' ? *text : '?');
	}
	printf("\"%s", end);
}

static void json_nullable(const char *key, const char *text, const char *end)
{
	if (text && text[0])
		json_text(key, text, end);
	else
		printf("\"%s\":null%s", key, end);
}

static void json_check(const struct why_check *c)
{
	const char *comma = "";

	printf("{\"type\":\"check\",");
	json_text("state", states[c->state].word, ",");
	printf("\"for\":[");
	for (int i = 0; i < WHY_NR_GOALS; i++) {
		if (!(c->goals & 1U << i))
			continue;
		printf("%s\"%s\"", comma, goals[i].word);
		comma = ",";
	}
	printf("],");
	json_text("of", c->of, ",");
	json_text("what", c->what, ",");
	json_text("where", c->where, ",");
	json_nullable("advice", c->advice, "}\n");
}

static void print_json(const struct why_facts *f, const struct why_result *r)
{
	printf("{\"type\":\"start\",\"tool\":\"pasidwhy\",\"version\":1,");
	json_text("kernel", f->release, ",");
	json_nullable("device", f->dev.name, ",");
	json_nullable("unit", f->dev.unit, "}\n");
	for (int i = 0; i < r->nr; i++) {
		if (asked(&r->checks[i]))
			json_check(&r->checks[i]);
	}
	printf("{\"type\":\"end\"");
	for (int i = 0; i < WHY_NR_GOALS; i++) {
		putchar(',');
		json_nullable(goals[i].word, cli.goals & 1U << i ?
			      states[why_verdict(r, i)].verdict : NULL, "");
	}
	printf("}\n");
}

/* --- the command line ----------------------------------------------------- */

static int bad_usage(const char *what, const char *arg)
{
	fprintf(stderr, "pasidwhy: %s%s. See pasidwhy --help.\n", what, arg);
	return EXIT_USAGE;
}

static bool parse_goals(const char *list)
{
	cli.goals = 0;
	while (*list) {
		size_t len = strcspn(list, ",");
		int i;

		for (i = 0; i < WHY_NR_GOALS; i++) {
			if (strlen(goals[i].word) == len &&
			    !strncmp(goals[i].word, list, len))
				break;
		}
		if (i == WHY_NR_GOALS)
			return false;
		cli.goals |= 1U << i;
		list += len;
		list += *list == ',';
	}
	return cli.goals;
}

/* "3a:01.0", as lspci has it, is of domain 0; the kernel's names are lower case. */
static const char *device_name(const char *arg)
{
	static char name[WHY_NAME];
	unsigned int bus, dev, fn;
	int n = 0;

	if (sscanf(arg, "%2x:%2x.%1u%n", &bus, &dev, &fn, &n) == 3 && !arg[n])
		snprintf(name, sizeof(name), "0000:%02x:%02x.%u", bus, dev, fn);
	else
		snprintf(name, sizeof(name), "%s", arg);
	for (char *c = name; *c; c++)
		*c = tolower((unsigned char)*c);
	return strchr(name, '/') || name[0] == '.' ? "" : name;
}

/* Output that nobody took is no success, unless the reader has had enough. */
static int printed(int status)
{
	if ((!fflush(stdout) && !ferror(stdout)) || errno == EPIPE)
		return status;
	fprintf(stderr, "pasidwhy: cannot write the output: %s.\n", strerror(errno));
	return EXIT_RUNTIME;
}

static int status_of(const struct why_result *r)
{
	int status = EXIT_OK;

	for (int i = 0; i < WHY_NR_GOALS; i++) {
		enum why_state state = why_verdict(r, i);

		if (!(cli.goals & 1U << i))
			continue;
		if (state == WHY_MISSING)
			return EXIT_KERNEL;
		if (state == WHY_UNKNOWN)
			status = geteuid() ? EXIT_PRIVILEGE : EXIT_RUNTIME;
	}
	return status;
}

/* -1, or the status to end with */
static int parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "for", required_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ "root", required_argument, NULL, 'R' },	/* for tests */
		{}
	};
	int opt;

	while ((opt = getopt_long(argc, argv, ":f:jh", longs, NULL)) != -1) {
		switch (opt) {
		case 'f':
			if (parse_goals(optarg))
				break;
			return bad_usage("-f takes sva, nest and guest, not ", optarg);
		case 'j': cli.json = true; break;
		case 'R': cli.root = optarg; break;
		case 'h':
			printf("%s", help);
			return printed(EXIT_OK);
		case 'V':
			printf("pasidwhy " VERSION "\n");
			return printed(EXIT_OK);
		case ':': return bad_usage("no argument for ", argv[optind - 1]);
		default: return bad_usage("unknown option ", argv[optind - 1]);
		}
	}
	if (argc - optind > 1)
		return bad_usage("unexpected argument ", argv[optind + 1]);
	cli.device = argv[optind];
	return -1;
}

int main(int argc, char **argv)
{
	static struct why_facts facts;
	static struct why_result result;
	int status;

	signal(SIGPIPE, SIG_IGN);
	status = parse(argc, argv);
	if (status >= 0)
		return status;
	why_read(&facts, cli.root);
	if (cli.device && !why_read_device(&facts, cli.root, device_name(cli.device))) {
		fprintf(stderr, "pasidwhy: there is no PCI device %s. See /sys/bus/pci/devices.\n",
			cli.device);
		return EXIT_USAGE;
	}
	why_judge(&facts, &result);
	if (cli.json) {
		print_json(&facts, &result);
	} else {
		print_table(&result);
		print_verdicts(&result);
	}
	return printed(status_of(&result));
}
