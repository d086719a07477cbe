// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "engine.h"

static int libbpf_log(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	return vfprintf(stderr, fmt, ap);
}

void engine_log(bool on)
{
	libbpf_set_print(on ? libbpf_log : NULL);
}

static int failed(const char *what, int err)
{
	if (err == -EPERM) {
		msg("the kernel does not allow to %s the BPF programs (EPERM). Is this a container, or is the kernel locked down? Run it on the host; -vv prints libbpf's log.",
		    what);
		return EXIT_PRIVILEGE;
	}
	msg("cannot %s the BPF programs: %s. %s", what, strerror(-err), probe_advice(-err,
	    "The kernel may be too old or built without what they need; -vv prints libbpf's log."));
	return err == -ENOSYS ? EXIT_KERNEL : EXIT_RUNTIME;
}

int engine_load(struct bpf_object_skeleton *skel, const struct hook *const *chosen,
		int nr_chosen, const struct cli *cli)
{
	struct bpf_object *obj = *skel->obj;
	struct bpf_program *prog;
	int err;

	bpf_object__for_each_program(prog, obj)
		bpf_program__set_autoload(prog, false);
	for (int i = 0; i < nr_chosen; i++) {
		if (chosen[i])
			bpf_program__set_autoload(bpf_object__find_program_by_name(
				obj, chosen[i]->prog), true);
	}
	bpf_map__set_max_entries(bpf_object__find_map_by_name(obj, "events"),
				 cli->buffer_kb * 1024);
	err = bpf_object__load_skeleton(skel);
	return err ? failed("load", err) : EXIT_OK;
}

int engine_attach(struct bpf_object_skeleton *skel)
{
	int err = bpf_object__attach_skeleton(skel);

	return err ? failed("attach", err) : EXIT_OK;
}

bool engine_iterate(struct bpf_link *iter, size_t size, ring_buffer_sample_fn fn, void *ctx)
{
	int fd = bpf_iter_create(bpf_link__fd(iter)), err = 0;
	char buf[64 * size];	/* the kernel hands out whole records */
	ssize_t n = fd < 0 ? -1 : 0;

	while (fd >= 0 && !err && (n = read(fd, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			break;
		for (ssize_t i = 0; i < n && !err; i += size)
			err = fn(ctx, buf + i, size);
	}
	if (n < 0)
		msg("cannot read what was there before: %s.", strerror(errno));
	if (fd >= 0)
		close(fd);
	return n >= 0;
}

static bool read_counts(struct counts *c, struct bpf_object *obj)
{
	int map = bpf_object__find_map_fd_by_name(obj, "counters");
	int cpus = libbpf_num_possible_cpus();
	struct bpf_program *prog;

	if (cpus < 0)
		return false;
	*c = (struct counts){};
	for (__u32 slot = 0; slot < EMIT_SLOTS; slot++) {
		struct emit_counters cpu[cpus];

		if (bpf_map_lookup_elem(map, &slot, cpu))
			return false;
		for (int i = 0; i < cpus; i++) {
			c->all.seen += cpu[i].seen;
			c->all.sent += cpu[i].sent;
			c->all.filtered += cpu[i].filtered;
			c->all.lost += cpu[i].lost;
		}
	}
	bpf_object__for_each_program(prog, obj) {
		struct bpf_prog_info info = {};
		__u32 len = sizeof(info);

		if (!bpf_program__autoload(prog))
			continue;
		if (bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len))
			return false;
		c->missed += info.recursion_misses;
	}
	return true;
}

const char *counts_check(const struct counts *c, __u64 received, char *buf, size_t len)
{
	const struct emit_counters *a = &c->all;

	if (a->seen != a->sent + a->filtered + a->lost)
		snprintf(buf, len, "seen %llu != sent %llu + filtered %llu + lost %llu",
			 a->seen, a->sent, a->filtered, a->lost);
	else if (a->sent != received)
		snprintf(buf, len, "sent %llu != received %llu", a->sent, received);
	else
		return NULL;
	return buf;
}

bool engine_drain(struct bpf_object_skeleton *skel, struct ring_buffer *rb,
		  const __u64 *received, struct counts *counts)
{
	const char *wrong = "the counters cannot be read";
	char buf[128];

	bpf_object__detach_skeleton(skel);
	/* a program may still be running on another CPU for a moment */
	for (int i = 0; i < 20 && wrong; i++) {
		if (i)
			usleep(10000);
		ring_buffer__consume(rb);
		if (read_counts(counts, *skel->obj))
			wrong = counts_check(counts, *received, buf, sizeof(buf));
	}
	if (wrong)
		msg("events are unaccounted for: %s. Do not trust this output.", wrong);
	return !wrong;
}
