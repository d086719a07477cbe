/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Why the kernel refuses: an errno, and what else is known, becomes a cause. */
#ifndef CAUSE_H
#define CAUSE_H

#include <stdbool.h>

enum cause {
	CAUSE_USER_NS,
	CAUSE_LOCKDOWN,
	CAUSE_SECCOMP,
	CAUSE_FUNCTIONS,
	CAUSE_FORBIDDEN,
	CAUSE_MEMORY,
	CAUSE_FILES,
	CAUSE_NO_TARGET,
	CAUSE_NO_TRAMPOLINE,
	CAUSE_NO_BPF,
	CAUSE_TYPES,
	CAUSE_BUSY,
	CAUSE_REFUSED,
	CAUSE_UNKNOWN,
	CAUSE_NR,
};

/* The answer depends on these beside the errno. */
struct cause_facts {
	char lockdown[32];	/* "none", "integrity", ..; "" if it is not known */
	bool user_ns;		/* not the initial one */
	bool seccomp;
	bool few_files;		/* may be open: libbpf may call that EINVAL */
	bool functions;		/* a program on a function was to be loaded */
};

enum cause cause_of(int err, const struct cause_facts *facts);
/* "cannot WHAT: the error. The cause and what to do". The exit code */
int cause_tell(const char *what, int err, bool functions);
/* The same for given facts, for the unit tests */
int cause_tell_of(const char *what, int err, const struct cause_facts *facts);
/* That of this kernel; "" if it is not known */
void cause_read_lockdown(char *word, int size);
/* The chosen word of "none [integrity] confidentiality" */
void cause_lockdown(const char *line, char *word, int size);

#endif /* CAUSE_H */
