// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/capability.h>
#include <sys/syscall.h>

#include <bpf/libbpf.h>

#include "cause.h"
#include "cli.h"
#include "probe.h"

#define KERNEL_BTF	"/sys/kernel/btf/vmlinux"

const char *const probe_cap_names[] = {
	[PROBE_BPF] = "CAP_BPF",
	[PROBE_PERFMON] = "CAP_PERFMON",
};

int caps_of(uint64_t effective)
{
	/* CAP_SYS_ADMIN implies both, as in the kernel's bpf_capable() */
	bool admin = effective & (1ULL << CAP_SYS_ADMIN);
	bool bpf = admin || effective & (1ULL << CAP_BPF);
	bool perfmon = admin || effective & (1ULL << CAP_PERFMON);

	return bpf << PROBE_BPF | perfmon << PROBE_PERFMON;
}

int probe_have_caps(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {};

	if (syscall(SYS_capget, &head, data))
		return -1;
	return caps_of(data[0].effective | (uint64_t)data[1].effective << 32);
}

int probe_caps(void)
{
	int have = probe_have_caps();

	if (have < 0) {
		msg("cannot read the capabilities: %s.", strerror(errno));
		return EXIT_PRIVILEGE;
	}
	if (have == (1 << PROBE_NR_CAPS) - 1)
		return EXIT_OK;
	msg("not allowed to trace: this process lacks %s. Run it as root or with sudo.",
	    !have ? "CAP_BPF and CAP_PERFMON" :
	    probe_cap_names[have == 1 << PROBE_BPF ? PROBE_PERFMON : PROBE_BPF]);
	return EXIT_PRIVILEGE;
}

void probe_drop_caps(void)
{
	const uint64_t keep = 1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_KILL | 1ULL << CAP_SYSLOG;
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {};

	if (syscall(SYS_capget, &head, data))
		return;
	for (int i = 0; i < 2; i++) {
		data[i].permitted &= keep >> 32 * i;
		data[i].effective &= keep >> 32 * i;
		data[i].inheritable = 0;
	}
	syscall(SYS_capset, &head, data);
}

struct btf *probe_btf(void)
{
	struct btf *btf;

	if (access(KERNEL_BTF, R_OK)) {
		msg("no kernel BTF (%s: %s). Use a kernel with CONFIG_DEBUG_INFO_BTF=y, with /sys mounted.",
		    KERNEL_BTF, strerror(errno));
		return NULL;
	}
	btf = btf__parse(KERNEL_BTF, NULL);
	if (!btf)
		cause_tell("read the kernel's types from " KERNEL_BTF, -errno, false);
	return btf;
}

bool probe_has_btf(void)
{
	struct btf *btf = btf__parse(KERNEL_BTF, NULL);

	btf__free(btf);
	return btf;
}

static const char *const kind_names[] = {
	[HOOK_TRACEPOINT] = "tp_btf",
	[HOOK_FENTRY] = "fentry",
	[HOOK_FEXIT] = "fexit",
	[HOOK_ITER] = "iter",
};

const char *probe_hook_name(const struct hook *hook, char *buf, size_t len)
{
	snprintf(buf, len, "%s:%s", kind_names[hook->kind], hook->target);
	return buf;
}

/* The prototype of a tracepoint or function, or NULL. */
static const struct btf_type *hook_proto(const struct btf *btf, const struct hook *hook)
{
	bool tp = hook->kind == HOOK_TRACEPOINT;
	const struct btf_type *t;
	char name[128];
	int id;

	/* the kernel keeps the prototype of tracepoint x as typedef btf_trace_x */
	snprintf(name, sizeof(name), "%s%s", tp ? "btf_trace_" :
		 hook->kind == HOOK_ITER ? "bpf_iter_" : "", hook->target);
	id = btf__find_by_name_kind(btf, name, tp ? BTF_KIND_TYPEDEF : BTF_KIND_FUNC);
	if (id < 0)
		return NULL;
	t = btf__type_by_id(btf, btf__type_by_id(btf, id)->type);
	while (t && btf_is_ptr(t))
		t = btf__type_by_id(btf, t->type);
	return t && btf_is_func_proto(t) ? t : NULL;
}

#define SWITCHED_OFF	"is switched off"

static const struct btf_type *plain(const struct btf *btf, __u32 id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	while (t && (btf_is_mod(t) || btf_is_typedef(t)))
		t = btf__type_by_id(btf, t->type);
	return t;
}

static size_t type_text(const struct btf *btf, __u32 id, char *buf, size_t len)
{
	const struct btf_type *t = plain(btf, id);

	if (t && btf_is_ptr(t)) {
		t = plain(btf, t->type);
		return snprintf(buf, len, "%s*", t && btf_is_struct(t) ?
				btf__name_by_offset(btf, t->name_off) : "");
	}
	return snprintf(buf, len, "%u", t && !btf_is_func_proto(t) ? t->size : 0);
}

const char *probe_types(const struct btf *btf, const struct hook *hook, char *buf, size_t len)
{
	const struct btf_type *proto = hook_proto(btf, hook);
	/* a tracepoint's prototype begins with a void * of the tracing core */
	int first = hook->kind == HOOK_TRACEPOINT;
	size_t n = 0;

	if (!proto)
		return NULL;
	if (hook->kind != HOOK_TRACEPOINT && hook->kind != HOOK_ITER && proto->type) {
		n = type_text(btf, proto->type, buf, len);
		n += snprintf(buf + n, len > n ? len - n : 0, "(");
	}
	for (int i = first; i < btf_vlen(proto) && n < len; i++) {
		n += snprintf(buf + n, len - n, "%s", i > first ? " " : "");
		n += type_text(btf, btf_params(proto)[i].type, buf + n, len - n);
	}
	if (memchr(buf, '(', n < len ? n : len))
		snprintf(buf + n, len > n ? len - n : 0, ")");
	return buf;
}

/* A bare "*" of those that are wanted stands for any pointer. */
static bool types_match(const char *want, const char *have)
{
	while (*want && *have) {
		size_t w = strcspn(want, " ()"), h = strcspn(have, " ()");
		bool any = w == 1 && *want == '*' && h && have[h - 1] == '*';

		if (!any && (w != h || strncmp(want, have, w)))
			return false;
		want += w;
		have += h;
		if (*want != *have)
			return false;
		if (*want)
			want++, have++;
	}
	return *want == *have;
}

bool probe_is_function(const struct hook *hook)
{
	return hook->kind == HOOK_FENTRY || hook->kind == HOOK_FEXIT;
}

bool probe_functions_off(void)
{
	FILE *f = fopen("/proc/sys/kernel/ftrace_enabled", "re");
	bool off = f && fgetc(f) == '0';

	if (f)
		fclose(f);
	return off;
}

const char *probe_hook(const struct btf *btf, const struct hook *hook)
{
	char types[256] = "";

	if (!probe_types(btf, hook, types, sizeof(types)))
		return "absent";
	if (!types_match(hook->types, types))
		return "has other arguments";
	if (probe_is_function(hook) && probe_functions_off())
		return SWITCHED_OFF;
	return NULL;
}

int probe_plan(const struct btf *btf, const struct hook *hooks, int nr_hooks,
	       const char *const *names, uint32_t *events,
	       const struct hook **chosen, bool no_tracepoints, bool verbose)
{
	bool off = false;
	int found = 0;

	for (int ev = 0; names[ev]; ev++) {
		char name[96], notes[256] = "";
		size_t n = 0;

		chosen[ev] = NULL;
		if (!(*events & (1U << ev))) {
			if (verbose)
				msg("plan: %s: off, not asked for", names[ev]);
			continue;
		}
		for (int i = 0; i < nr_hooks && !chosen[ev]; i++) {
			const char *why;

			if (hooks[i].event != ev)
				continue;
			why = no_tracepoints && hooks[i].kind == HOOK_TRACEPOINT ?
			      "not to be used" : probe_hook(btf, &hooks[i]);
			off |= why && !strcmp(why, SWITCHED_OFF);
			if (!why)
				chosen[ev] = &hooks[i];
			else if (n < sizeof(notes))
				n += snprintf(notes + n, sizeof(notes) - n, "; %s %s",
					      probe_hook_name(&hooks[i], name, sizeof(name)),
					      why);
		}
		if (chosen[ev])
			found++;
		else
			*events &= ~(1U << ev);
		if (verbose)
			msg("plan: %s: %s%s%s%s", names[ev],
			    chosen[ev] ? probe_hook_name(chosen[ev], name, sizeof(name)) :
			    "cannot be seen",
			    chosen[ev] && chosen[ev]->lacks ? " without " : "",
			    chosen[ev] && chosen[ev]->lacks ? chosen[ev]->lacks : "", notes);
	}
	if (off)
		msg("function tracing is switched off: what needs it would be attached, and never run. Switch it on: sysctl kernel.ftrace_enabled=1.");
	return found;
}
