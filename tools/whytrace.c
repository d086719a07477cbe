// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * By events that the kernel makes of returns from its functions (kprobes), in a tracing
 * instance of their own, so that nobody else's tracing is touched. A function returns
 * before its caller does, so the first one that returns an error is where it is from.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>
#include <sys/wait.h>

#include "whytrace.h"

#define TRACING		"/sys/kernel/tracing"

/* Functions on the way of a bind or an attach begin with one of these. */
static const char *const on_the_way[] = {
	"device_pasid_table_", "domain_add_dev_pasid", "domain_setup_first_level",
	"intel_iommu_", "intel_nested_", "intel_pasid_alloc_", "intel_pasid_setup_",
	"intel_svm_", "ioasid_", "iommu_alloc_global_", "iommu_attach_", "iommu_cache_",
	"iommu_dev_", "iommu_device_", "iommu_gpasid_", "iommu_group_", "iommu_paging_",
	"iommu_sva_", "iommu_uapi_", "iommufd_", "pci_enable_", "pci_prepare_",
	"prepare_domain_", "vfio_",
};

static char group[32];		/* of the events, and name of the instance */

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "pasidwhy: cannot %s: %s.\n", what, why);
	return -1;
}

/* A file below the events of the group, in the instance */
static bool put(const char *file, const char *text)
{
	char path[200];
	bool ok;
	int fd;

	snprintf(path, sizeof(path), TRACING "/instances/%s/%s", group, file);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool put_events(const char *file, const char *text)
{
	char path[100];

	snprintf(path, sizeof(path), "events/%s/%s", group, file);
	return put(path, text);
}

static bool is_on_the_way(const char *name)
{
	/* compilers' parts of functions have a dot, and would be no names of events */
	if (strchr(name, '.'))
		return false;
	for (size_t i = 0; i < sizeof(on_the_way) / sizeof(on_the_way[0]); i++) {
		if (!strncmp(name, on_the_way[i], strlen(on_the_way[i])))
			return true;
	}
	return false;
}

/* How many; some cannot be probed, or have a name that stands for two functions. */
static int add_probes(void)
{
	FILE *names = fopen(TRACING "/available_filter_functions", "re");
	int events = open(TRACING "/kprobe_events", O_WRONLY | O_APPEND | O_CLOEXEC);
	char line[256], name[128];
	int n = 0;

	while (names && events >= 0 && fgets(line, sizeof(line), names)) {
		if (sscanf(line, "%127s", name) == 1 && is_on_the_way(name))
			n += dprintf(events, "r:%s/%.63s %s ret=$retval:s32\n", group, name,
				     name) > 0;
	}
	if (names)
		fclose(names);
	if (events >= 0)
		close(events);
	return n;
}

static void remove_probes(void)
{
	FILE *list = fopen(TRACING "/kprobe_events", "re");
	int events = open(TRACING "/kprobe_events", O_WRONLY | O_APPEND | O_CLOEXEC);
	char *mine[4096], line[512], *end;
	int n = 0;

	/* "r:GROUP/NAME FUNCTION ..", or with a number behind the letter */
	while (list && n < 4096 && fgets(line, sizeof(line), list)) {
		end = strchr(line, ' ');
		if (!end || !strstr(line, group))
			continue;
		*end = '\0';
		mine[n++] = strdup(strchr(line, ':'));
	}
	if (list)
		fclose(list);
	while (n--) {
		dprintf(events, "-%s\n", mine[n]);
		free(mine[n]);
	}
	if (events >= 0)
		close(events);
}

static void end_tracing(void)
{
	char path[100];

	put_events("enable", "0");
	snprintf(path, sizeof(path), TRACING "/instances/%s", group);
	rmdir(path);
	remove_probes();
}

/* Nothing stays, whatever ends this, but after SIGKILL. */
static bool begin_tracing(int pid)
{
	char path[100], text[16];

	snprintf(group, sizeof(group), "pasidwhy_%d", getpid());
	snprintf(path, sizeof(path), TRACING "/instances/%s", group);
	snprintf(text, sizeof(text), "%d", pid);
	if (mkdir(path, 0700)) {
		fail("trace", errno == ENOENT ? "there is no " TRACING "/instances" :
		     strerror(errno));
		return false;
	}
	if (!add_probes())
		fail("trace", "the kernel takes no kprobes on its functions, for want of "
		     "CONFIG_KPROBE_EVENTS and CONFIG_FUNCTION_TRACER, or by lockdown");
	else if (!put("set_event_pid", text) || !put("options/event-fork", "1") ||
		 !put_events("filter", "ret < 0 && ret > -134") || !put_events("enable", "1"))
		fail("trace", strerror(errno));
	else
		return true;
	end_tracing();
	return false;
}

/* --- what it has recorded ------------------------------------------------------------ */

/* "  vmm_try-123     [000] .....    1.234567: NAME: (CALLER+0x1/0x2 <- NAME) ret=-95" */
static bool parse(char *line, struct why_error *e)
{
	char *name = strstr(line, " <- "), *ret = strstr(line, ") ret="), *at = NULL, *pid;

	if (!name || !ret || name > ret)
		return false;
	/* the last one, as the name of a thread may have anything */
	for (char *next = line; (next = strstr(next, " [")) && next < name; next++)
		at = next;
	if (!at)
		return false;
	*at = *ret = '\0';
	pid = strrchr(line, '-');
	if (!pid)
		return false;
	*pid++ = '\0';
	snprintf(e->comm, sizeof(e->comm), "%.15s", line + strspn(line, " "));
	snprintf(e->functions[0], sizeof(e->functions[0]), "%.63s", name + 4);
	for (char *c = e->comm; *c; c++)
		*c = *c >= ' ' && *c <= '~' ? *c : '?';
	e->pid = atoi(pid);
	e->ret = atoi(ret + 6);
	e->depth = e->times = 1;
	return true;
}

static bool has(const struct why_error *e, const char *function)
{
	for (int i = 0; i < e->depth; i++) {
		if (!strcmp(e->functions[i], function))
			return true;
	}
	return false;
}

/* Is it the same error, one function further out? */
static bool goes_on(const struct why_error *e, const struct why_error *next)
{
	return e->depth && e->depth < WHY_TRACE_DEPTH && e->pid == next->pid &&
	       e->ret == next->ret && !has(e, next->functions[0]);
}

static bool same(const struct why_error *a, const struct why_error *b)
{
	return a->depth == b->depth && a->pid == b->pid && a->ret == b->ret &&
	       !memcmp(a->functions, b->functions, sizeof(a->functions));
}

static void show_errors(void (*show)(const struct why_error *e))
{
	struct why_error shown = {}, e = {}, next;
	char path[100], line[512];
	bool more = true;
	FILE *f;

	snprintf(path, sizeof(path), TRACING "/instances/%s/trace", group);
	f = fopen(path, "re");
	while (more) {
		next = (struct why_error){};
		more = f && fgets(line, sizeof(line), f);
		if (more && !parse(line, &next))
			continue;
		if (more && goes_on(&e, &next)) {
			strcpy(e.functions[e.depth++], next.functions[0]);
			continue;
		}
		if (same(&shown, &e)) {
			shown.times++;
		} else {
			if (shown.depth)
				show(&shown);
			shown = e;
		}
		e = next;
	}
	if (shown.depth)
		show(&shown);
	if (f)
		fclose(f);
}

/* --- the command -------------------------------------------------------------------- */

/* It waits for a byte, or is not run. */
static int prepare(char **command, int *go)
{
	int ends[2], pid;
	char byte;

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid) {
		close(ends[1]);
		if (read(ends[0], &byte, 1) != 1)
			_exit(0);
		signal(SIGPIPE, SIG_DFL);
		execvp(command[0], command);
		fprintf(stderr, "pasidwhy: cannot run %s: %s.\n", command[0], strerror(errno));
		_exit(errno == ENOENT ? 127 : 126);
	}
	close(ends[0]);
	*go = ends[1];
	return pid;
}

int why_trace(char **command, void (*show)(const struct why_error *e))
{
	int status, go, pid;
	bool traced;

	/* a terminal sends them to the command, too, which decides */
	pid = prepare(command, &go);
	if (pid < 0)
		return fail("start a process", strerror(errno));
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	traced = begin_tracing(pid);
	if (traced && write(go, "", 1) != 1)
		traced = false;
	close(go);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!traced)
		return -1;
	put_events("enable", "0");
	show_errors(show);
	end_tracing();
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
