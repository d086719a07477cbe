// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "engine.h"
#include "who.h"
#include "tasks.skel.h"
#include "../../bpf/tasks.h"

#define INITIAL_PID_NS	"pid:[4026531836]"	/* PROC_PID_INIT_INO of the kernel */

/* The line of /proc/PID/status that begins with key, without it; or NULL */
static const char *status(const char *proc, const char *pid, const char *key,
			  char *line, size_t size)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/status", proc, pid);
	f = fopen(path, "re");
	while (f && fgets(line, size, f)) {
		if (strncmp(line, key, strlen(key)))
			continue;
		fclose(f);
		line[strcspn(line, "\n")] = '\0';
		return line + strlen(key);
	}
	if (f)
		fclose(f);
	return NULL;
}

/* Is number what the innermost namespace calls it, which has a namespace of its own? */
static bool called_inside(const char *proc, const char *pid, uint32_t number)
{
	char line[256];
	const char *list = status(proc, pid, "NSpid:", line, sizeof(line));
	const char *last = list ? strrchr(list, '\t') : NULL;

	return last && last != list && strtoul(last + 1, NULL, 10) == number;
}

/* The only process that is called so in a namespace of its own, or 0 */
static uint32_t find_inside(const char *proc, uint32_t number, int *found)
{
	DIR *dir = opendir(proc);
	struct dirent *entry;
	uint32_t pid = 0;

	*found = 0;
	while (dir && (entry = readdir(dir))) {
		if (!called_inside(proc, entry->d_name, number))
			continue;
		pid = strtoul(entry->d_name, NULL, 10);
		++*found;
	}
	if (dir)
		closedir(dir);
	return pid;
}

static uint32_t group_of(const char *proc, uint32_t tid)
{
	char name[16], line[256];
	const char *tgid;

	snprintf(name, sizeof(name), "%u", tid);
	tgid = status(proc, name, "Tgid:", line, sizeof(line));
	return tgid ? strtoul(tgid, NULL, 10) : 0;
}

static uint32_t not_here(const char *proc, const char *what, uint32_t number)
{
	int found;
	uint32_t pid = find_inside(proc, number, &found);

	if (found == 1) {
		msg("there is no %s %u here, but %u is called so in its PID namespace: that one is meant.",
		    what, number, pid);
		return pid;
	}
	if (found)
		msg("there is no %s %u here, but %d are called so in PID namespaces of theirs: give the number that ps has on this machine.",
		    what, number, found);
	else
		msg("there is no %s %u: nothing is seen but what it left behind, or what gets that number.",
		    what, number);
	return number;
}

uint32_t who_process(const char *proc, uint32_t pid)
{
	uint32_t tgid = group_of(proc, pid);

	if (!tgid)
		return not_here(proc, "process", pid);
	if (tgid != pid)
		msg("%u is a thread of process %u: that process is meant.", pid, tgid);
	return tgid;
}

uint32_t who_thread(const char *proc, uint32_t tid)
{
	return group_of(proc, tid) ? tid : not_here(proc, "thread", tid);
}

static bool in_initial_namespace(void)
{
	char name[64] = "";

	return readlink("/proc/self/ns/pid", name, sizeof(name) - 1) < 0 ||
	       !strcmp(name, INITIAL_PID_NS);
}

/* 0: there is none, -1: an error was told */
static int64_t find(struct bpf_link *iter, uint32_t number, bool process)
{
	const struct task_numbers *numbers;
	struct records records;
	int64_t found = 0;

	records_open(&records, iter, sizeof(*numbers));
	while (!found && (numbers = records_next(&records))) {
		if (numbers->here == number)
			found = process ? numbers->tgid : numbers->tid;
	}
	return records_close(&records) ? found : -1;
}

static int64_t ask_kernel(uint32_t number, bool process)
{
	struct tasks_bpf *skel = tasks_bpf__open();
	int64_t found = -1;

	if (skel && !engine_load_all(skel->skeleton))
		found = find(skel->links.on_task, number, process);
	tasks_bpf__destroy(skel);
	return found;
}

int64_t who_global(uint32_t number, bool process)
{
	return in_initial_namespace() ? number : ask_kernel(number, process);
}

/* Of a container: what is not in it cannot be meant */
static bool translate(const char *what, uint32_t *number, bool process)
{
	int64_t global;

	if (!*number)
		return true;
	global = who_global(*number, process);
	if (!global)
		msg("there is no %s %u in this PID namespace.", what, *number);
	if (global <= 0)
		return false;
	msg("%s %u of this PID namespace is %u in the initial one, whose numbers are shown.",
	    what, *number, (uint32_t)global);
	*number = global;
	return true;
}

static bool is_there(const char *pattern)
{
	glob_t found;

	if (glob(pattern, GLOB_NOSORT, NULL, &found))
		return false;
	globfree(&found);
	return true;
}

/* Then hooks are there, and nothing ever comes to them. */
static void look_for_iommu(void)
{
	if (!access("/sys/class", X_OK) && !is_there("/sys/class/iommu/*"))
		msg("this machine has no IOMMU that is on: /sys/class/iommu is empty. Devices use no PASIDs then. Look for intel_iommu= or amd_iommu= on the kernel's command line, and for VT-d or AMD-Vi in the firmware's settings.");
}

bool who_has_other_units(void)
{
	return is_there("/sys/class/iommu/*") && !is_there("/sys/class/iommu/dmar*");
}

bool who_is_unit(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/class/iommu/%s", name);
	return !access(path, F_OK);
}

static void resolve_device(const char *device)
{
	char pattern[128];

	if (!*device || access("/sys/bus", X_OK) || who_is_unit(device))
		return;
	snprintf(pattern, sizeof(pattern), "/sys/bus/*/devices/%s", device);
	if (!is_there(pattern))
		msg("there is no device %s in /sys/bus/*/devices: nothing is seen until there is.",
		    device);
}

bool who_resolve(struct cli *cli)
{
	look_for_iommu();
	resolve_device(cli->device);
	if (!in_initial_namespace())
		return translate("process", &cli->filter.tgid, true) &&
		       translate("thread", &cli->tid, false);
	if (cli->filter.tgid)
		cli->filter.tgid = who_process("/proc", cli->filter.tgid);
	if (cli->tid)
		cli->tid = who_thread("/proc", cli->tid);
	return true;
}
