// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/resource.h>

#include <bpf/libbpf.h>

#include "cause.h"
#include "cli.h"

#define LOCKDOWN	"/sys/kernel/security/lockdown"
#define KERNEL_ENOTSUPP	524	/* of the kernel, unknown to user space */

#define FEW_FILES	128	/* maps, programs and links are files */

static const struct {
	int exit_code;
	const char *text;
} causes[CAUSE_NR] = {
	[CAUSE_USER_NS] = { EXIT_PRIVILEGE, "This is a user namespace, in which no capability is enough. Run it outside, on the host." },
	[CAUSE_LOCKDOWN] = { EXIT_PRIVILEGE, "The kernel is locked down (confidentiality), and does not allow programs to read its memory. Boot it with lockdown=integrity, or without." },
	[CAUSE_SECCOMP] = { EXIT_PRIVILEGE, "A seccomp filter is in force, as containers have it. Run it outside, on the host." },
	[CAUSE_FUNCTIONS] = { EXIT_PRIVILEGE, "A security module forbids programs on functions, or the kernel was built to refuse them; its log may tell. Those on tracepoints, which the patches of nested-sva bring, may be allowed. Is this a container? Run it on the host." },
	[CAUSE_FORBIDDEN] = { EXIT_PRIVILEGE, "A security module forbids it: see the kernel's log. Is this a container? Run it on the host." },
	[CAUSE_MEMORY] = { EXIT_RUNTIME, "There is not enough memory, or this cgroup may not have it. Try a smaller --buffer-kb or --in-flight." },
	[CAUSE_FILES] = { EXIT_RUNTIME, "The limit of open files is too low: see ulimit -n." },
	[CAUSE_NO_TARGET] = { EXIT_KERNEL, "The kernel's types name a function or tracepoint that the kernel does not have. Was it built from something else than they were?" },
	[CAUSE_NO_TRAMPOLINE] = { EXIT_KERNEL, "The kernel cannot put programs on functions. It needs CONFIG_FUNCTION_TRACER=y and CONFIG_DYNAMIC_FTRACE=y, and sysctl net.core.bpf_jit_enable=1." },
	[CAUSE_NO_BPF] = { EXIT_KERNEL, "The kernel has no BPF. It needs CONFIG_BPF_SYSCALL=y." },
	[CAUSE_TYPES] = { EXIT_KERNEL, "Was the kernel built with a pahole that is too old for it, or too new?" },
	[CAUSE_BUSY] = { EXIT_RUNTIME, "Something else holds what they attach to, such as a live patch or another tracer." },
	[CAUSE_REFUSED] = { EXIT_KERNEL, "The kernel does not take these programs: it may be older than 5.15, or lack what they use. -vv prints why." },
	[CAUSE_UNKNOWN] = { EXIT_RUNTIME, "-vv prints libbpf's log." },
};

/* Not lockdown: that takes helpers away, and no program needs what else it forbids. */
static enum cause of_eperm(const struct cause_facts *facts)
{
	if (facts->user_ns)
		return CAUSE_USER_NS;
	if (facts->seccomp)
		return CAUSE_SECCOMP;
	return facts->functions ? CAUSE_FUNCTIONS : CAUSE_FORBIDDEN;
}

enum cause cause_of(int err, const struct cause_facts *facts)
{
	if (facts->few_files && abs(err) == EINVAL)
		return CAUSE_FILES;
	switch (abs(err)) {
	case EPERM:
	case EACCES:
		return of_eperm(facts);
	case EINVAL:
	case LIBBPF_ERRNO__VERIFY:
		return strcmp(facts->lockdown, "confidentiality") ? CAUSE_REFUSED : CAUSE_LOCKDOWN;
	case ENOMEM:
		return CAUSE_MEMORY;
	case EMFILE:
	case ENFILE:
		return CAUSE_FILES;
	case ESRCH:
	case ENOENT:
		return CAUSE_NO_TARGET;
	case EOPNOTSUPP:
	case KERNEL_ENOTSUPP:
		return CAUSE_NO_TRAMPOLINE;
	case ENOSYS:
		return CAUSE_NO_BPF;
	case LIBBPF_ERRNO__FORMAT:
	case LIBBPF_ERRNO__LIBELF:
		return CAUSE_TYPES;
	case EBUSY:
		return CAUSE_BUSY;
	default:
		return CAUSE_UNKNOWN;
	}
}

void cause_lockdown(const char *line, char *word, int size)
{
	const char *begin = strchr(line, '['), *end = begin ? strchr(begin, ']') : NULL;

	snprintf(word, size, "%.*s", end ? (int)(end - begin - 1) : 0, end ? begin + 1 : "");
}

/* The first line of a file, or of those of it that begin with key; "" if none */
static void read_line(const char *file, const char *key, char *line, int size)
{
	FILE *f = fopen(file, "re");

	line[0] = '\0';
	while (f && fgets(line, size, f) && strncmp(line, key, strlen(key)))
		line[0] = '\0';
	if (f)
		fclose(f);
}

void cause_read_lockdown(char *word, int size)
{
	char line[128];

	read_line(LOCKDOWN, "", line, sizeof(line));
	cause_lockdown(line, word, size);
}

static struct cause_facts get_facts(bool functions)
{
	struct cause_facts facts = { .functions = functions };
	unsigned int inside, outside, count;
	struct rlimit files;
	char line[128];

	facts.few_files = !getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur < FEW_FILES;
	cause_read_lockdown(facts.lockdown, sizeof(facts.lockdown));
	read_line("/proc/self/status", "Seccomp:", line, sizeof(line));
	facts.seccomp = strchr(line, '2');
	/* the initial one maps everything to itself */
	read_line("/proc/self/uid_map", "", line, sizeof(line));
	facts.user_ns = sscanf(line, "%u %u %u", &inside, &outside, &count) == 3 &&
			!(inside == 0 && outside == 0 && count == ~0U);
	return facts;
}

int cause_tell_of(const char *what, int err, const struct cause_facts *facts)
{
	enum cause cause = cause_of(err, facts);
	char text[128];

	if (abs(err) == KERNEL_ENOTSUPP)
		snprintf(text, sizeof(text), "Operation not supported");
	else
		libbpf_strerror(err, text, sizeof(text));
	msg("cannot %s: %s. %s", what, text, causes[cause].text);
	return causes[cause].exit_code;
}

int cause_tell(const char *what, int err, bool functions)
{
	struct cause_facts facts = get_facts(functions);

	return cause_tell_of(what, err, &facts);
}
