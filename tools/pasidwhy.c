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

#include "whyshow.h"

#define VERSION		"0.1"

/* As of every tool, tools/lib/cli.h */
enum {
	EXIT_OK = 0,
	EXIT_RUNTIME = 1,
	EXIT_USAGE = 2,
	EXIT_PRIVILEGE = 3,
	EXIT_KERNEL = 4,
};

static struct {
	const char *device, *root;
	unsigned int goals;
	char **command;		/* of -e */
	bool errors, json;
} cli = { .root = "", .goals = WHY_S | WHY_N | WHY_G };

static const char help[] =
	"Usage: pasidwhy [OPTION]... [DEVICE]\n"
	"       pasidwhy -e [OPTION]... -- CMD [ARG]...\n"
	"Tell what this machine lacks for PASIDs, where that was read, and what to do.\n"
	"DEVICE is a PCI device, such as 0000:3a:01.0 or 3a:01.0.\n"
	"\n"
	"Options:\n"
	"  -f, --for LIST         only for these: sva, nest, guest\n"
	"  -e, --errors           run CMD, and tell where the errors that it gets come from\n"
	"  -j, --json             one JSON object per line\n"
	"      --version          print the version\n"
	"  -h, --help             print this text\n"
	"\n"
	"Examples:\n"
	"  pasidwhy               the kernel, the processor and all IOMMUs\n"
	"  pasidwhy 3a:01.0       a device and its IOMMU, too\n"
	"  pasidwhy -f guest 3a:01.0 >/dev/null && start-monitor\n"
	"                         only if a guest can have PASIDs on it\n"
	"  pasidwhy -e -- ./vmm   which function of the kernel refuses it\n";

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
			if (strlen(why_words[i]) == len &&
			    !strncmp(why_words[i], list, len))
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
		{ "errors", no_argument, NULL, 'e' },
		{ "json", no_argument, NULL, 'j' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ "root", required_argument, NULL, 'R' },	/* for tests */
		{}
	};
	int opt;

	while ((opt = getopt_long(argc, argv, ":f:ejh", longs, NULL)) != -1) {
		switch (opt) {
		case 'f':
			if (parse_goals(optarg))
				break;
			return bad_usage("-f takes sva, nest and guest, not ", optarg);
		case 'e': cli.errors = true; break;
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
	if (cli.errors) {
		cli.command = argv + optind;
		return optind < argc ? -1 : bad_usage("-e takes a command", "");
	}
	if (argc - optind > 1)
		return bad_usage("unexpected argument ", argv[optind + 1]);
	cli.device = argv[optind];
	return -1;
}

static int nr_errors;

static void show_error(const struct why_error *e)
{
	why_show_error(e, cli.json);
	nr_errors++;
}

/* The status is that of the command, unless it could not be traced. */
static int run_traced(void)
{
	int status;

	if (geteuid()) {
		fprintf(stderr, "pasidwhy: -e needs root, to trace the kernel.\n");
		return EXIT_PRIVILEGE;
	}
	status = why_trace(cli.command, show_error);
	if (status < 0)
		return EXIT_RUNTIME;
	if (!nr_errors)
		fprintf(stderr, "pasidwhy: no function on the way of PASIDs returned an error.\n");
	return printed(status);
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
	if (cli.errors)
		return run_traced();
	why_read(&facts, cli.root);
	if (cli.device && !why_read_device(&facts, cli.root, device_name(cli.device))) {
		fprintf(stderr, "pasidwhy: there is no PCI device %s. See /sys/bus/pci/devices.\n",
			cli.device);
		return EXIT_USAGE;
	}
	why_judge(&facts, &result);
	why_show(&facts, &result, cli.goals, cli.json);
	return printed(status_of(&result));
}
