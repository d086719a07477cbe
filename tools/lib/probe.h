/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The rights of this process and the means of this kernel, asked before any loading. */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <bpf/btf.h>

enum hook_kind {
	HOOK_TRACEPOINT,
	HOOK_FENTRY,
	HOOK_FEXIT,
	HOOK_ITER,
};

/* One way to see one event. A tool lists them, the best one first. */
struct hook {
	int event;
	enum hook_kind kind;
	const char *target;	/* tracepoint, function or iterator */
	/*
	 * Its arguments: "x*", a pointer to struct x, "*", any pointer, "4", an
	 * integer of that size. A function that returns something has that first,
	 * as in "4(x*)". Others of the same name are something else.
	 */
	const char *types;
	const char *prog;	/* name of the BPF program */
	const char *lacks;	/* what it cannot tell, NULL if nothing */
};

/* Those that tracing needs */
enum { PROBE_BPF, PROBE_PERFMON, PROBE_NR_CAPS };
extern const char *const probe_cap_names[PROBE_NR_CAPS];
/* Bit by bit, those that this process has; -1 with errno set. */
int probe_have_caps(void);
/* EXIT_OK, or says which capability is missing and returns EXIT_PRIVILEGE. */
int probe_caps(void);
/*
 * Once all is attached: keeps what is needed to write files, to read the kernel's
 * symbols and to end the command. A right that only loading needs goes for good.
 */
void probe_drop_caps(void);
/* The types of the running kernel; NULL after saying why not. */
struct btf *probe_btf(void);
/* Whether there are any that can be read */
bool probe_has_btf(void);
/* Is it on a function, not on a tracepoint? */
bool probe_is_function(const struct hook *hook);
/* Then a program on a function is attached without an error, and never runs. */
bool probe_functions_off(void);
/* NULL if the hook is there, else why it cannot be used. */
const char *probe_hook(const struct btf *btf, const struct hook *hook);

/*
 * Chooses a hook for every event in *events: chosen[event], NULL if there is
 * none, in which case the event's bit is cleared. -v prints what was chosen and
 * why. The number of events that can be seen.
 */
int probe_plan(const struct btf *btf, const struct hook *hooks, int nr_hooks,
	       const char *const *names, uint32_t *events,
	       const struct hook **chosen, bool no_tracepoints, bool verbose);
/* "tp_btf:ioasid_alloc" */
const char *probe_hook_name(const struct hook *hook, char *buf, size_t len);

/* The prototype as in hook->types, for the messages and the unit tests */
const char *probe_types(const struct btf *btf, const struct hook *hook, char *buf, size_t len);
/* The same of given sets, for the unit tests */
int caps_of(uint64_t effective);

#endif /* PROBE_H */
