// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <bpf/libbpf.h>

#include "cli.h"
#include "probe.h"

#define KERNEL_BTF	"/sys/kernel/btf/vmlinux"

const char *caps_missing(uint64_t effective)
{
	/* CAP_SYS_ADMIN implies both, as in the kernel's bpf_capable() */
	bool admin = effective & (1ULL << CAP_SYS_ADMIN);
	bool bpf = admin || effective & (1ULL << CAP_BPF);
	bool perfmon = admin || effective & (1ULL << CAP_PERFMON);

	if (bpf && perfmon)
		return NULL;
	return bpf ? "CAP_PERFMON" : perfmon ? "CAP_BPF" : "CAP_BPF and CAP_PERFMON";
}

int probe_caps(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {};
	const char *missing;

	if (syscall(SYS_capget, &head, data)) {
		msg("cannot read the capabilities: %s.", strerror(errno));
		return EXIT_PRIVILEGE;
	}
	missing = caps_missing(data[0].effective | (uint64_t)data[1].effective << 32);
	if (!missing)
		return EXIT_OK;
	msg("not allowed to trace: this process lacks %s. Run it as root or with sudo.",
	    missing);
	return EXIT_PRIVILEGE;
}

const char *probe_advice(int err, const char *otherwise)
{
	struct rlimit files;

	/* Maps, programs and links are files; libbpf may say EINVAL then. */
	if (err == EMFILE || err == ENFILE ||
	    (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur < 128))
		return "Too few files may be open: raise the limit (ulimit -n).";
	if (err == ENOMEM)
		return "Free some memory, or take less with --buffer-kb.";
	return otherwise;
}

struct btf *probe_btf(const char *file)
{
	struct btf *btf;

	if (!file && access(KERNEL_BTF, R_OK)) {
		msg("no kernel BTF (%s: %s). Use a kernel with CONFIG_DEBUG_INFO_BTF=y, with /sys mounted.",
		    KERNEL_BTF, strerror(errno));
		return NULL;
	}
	btf = btf__parse(file ? file : KERNEL_BTF, NULL);
	if (!btf)
		msg("cannot read kernel types from %s: %s. %s",
		    file ? file : KERNEL_BTF, strerror(errno), probe_advice(errno,
		    "It must be raw BTF or an ELF file with a .BTF section, such as a vmlinux."));
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

const char *probe_hook(const struct btf *btf, const struct hook *hook)
{
	const struct btf_type *proto = hook_proto(btf, hook);
	/* a tracepoint's prototype begins with a void * of the tracing core */
	int more = hook->kind == HOOK_TRACEPOINT;

	if (!proto)
		return "absent";
	if (btf_vlen(proto) != hook->args + more)
		return "has other arguments";
	return NULL;
}

int probe_plan(const struct btf *btf, const struct hook *hooks, int nr_hooks,
	       const char *const *names, uint32_t *events,
	       const struct hook **chosen, bool no_tracepoints, bool verbose)
{
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
	return found;
}
