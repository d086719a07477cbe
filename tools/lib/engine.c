// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "cause.h"
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

static const char *const follow_programs[] = { "on_process_fork", "on_process_free" };

#define NR_FOLLOW	(sizeof(follow_programs) / sizeof(follow_programs[0]))

/* EXIT_OK, or the exit code after telling why not */
static int use_cgroup(struct bpf_object *obj, const char *name)
{
	int map = bpf_object__find_map_fd_by_name(obj, "cgroup"), fd, ret;
	char path[4096];
	__u32 zero = 0;

	snprintf(path, sizeof(path), "%s%s", *name == '/' ? "" : "/sys/fs/cgroup/", name);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ret = fd < 0 ? -1 : bpf_map_update_elem(map, &zero, &fd, BPF_ANY);
	if (ret)
		msg("-c: %s is not a cgroup of version 2: %s.", path,
		    errno == EBADF ? "it is another directory" : strerror(errno));
	if (fd >= 0)
		close(fd);
	return ret ? EXIT_USAGE : EXIT_OK;
}

int engine_load(struct bpf_object_skeleton *skel, const struct hook *const *chosen,
		int nr_chosen, const struct cli *cli)
{
	struct bpf_object *obj = *skel->obj;
	struct bpf_map *events = bpf_object__find_map_by_name(obj, "events");
	struct bpf_program *prog;
	bool functions = false;
	int err;

	bpf_object__for_each_program(prog, obj)
		bpf_program__set_autoload(prog, false);
	for (int i = 0; i < nr_chosen; i++) {
		if (!chosen[i])
			continue;
		functions |= probe_is_function(chosen[i]);
		bpf_program__set_autoload(bpf_object__find_program_by_name(
			obj, chosen[i]->prog), true);
	}
	for (size_t i = 0; cli->follow && i < NR_FOLLOW; i++)
		bpf_program__set_autoload(bpf_object__find_program_by_name(
			obj, follow_programs[i]), true);
	if (events)
		bpf_map__set_max_entries(events, cli->buffer_kb * 1024);
	err = bpf_object__load_skeleton(skel);
	if (err)
		return cause_tell("load the BPF programs", err, functions);
	return cli->cgroup ? use_cgroup(obj, cli->cgroup) : EXIT_OK;
}

int engine_attach(struct bpf_object_skeleton *skel)
{
	int err = bpf_object__attach_skeleton(skel);

	return err ? cause_tell("attach the BPF programs", err, true) : EXIT_OK;
}

int engine_load_all(struct bpf_object_skeleton *skel)
{
	int err = bpf_object__load_skeleton(skel);

	return err ? cause_tell("load the BPF programs", err, false) : engine_attach(skel);
}

bool engine_follow(struct bpf_object_skeleton *skel, __u32 tgid)
{
	int map = bpf_object__find_map_fd_by_name(*skel->obj, "followed");
	__u8 one = 1;

	if (!bpf_map_update_elem(map, &tgid, &one, BPF_ANY))
		return true;
	msg("cannot follow the command: %s.", strerror(errno));
	return false;
}

void records_open(struct records *r, struct bpf_link *iter, size_t size)
{
	*r = (struct records){ .fd = bpf_iter_create(bpf_link__fd(iter)), .size = size };
	if (r->fd < 0)
		r->err = errno;
}

/* The kernel hands out whole records if it is asked for whole ones. */
static bool fill(struct records *r)
{
	ssize_t n;

	do
		n = read(r->fd, r->buf, sizeof(r->buf) / r->size * r->size);
	while (n < 0 && (errno == EAGAIN || errno == EINTR));
	if (n < 0)
		r->err = errno;
	r->at = 0;
	r->len = n > 0 ? n : 0;
	return n > 0;
}

const void *records_next(struct records *r)
{
	const void *record = r->buf + r->at;

	if (r->err)
		return NULL;
	if (r->at == r->len) {
		if (!fill(r))
			return NULL;
		record = r->buf;
	}
	r->at += r->size;
	return record;
}

bool records_close(struct records *r)
{
	if (r->fd >= 0)
		close(r->fd);
	if (r->err)
		msg("cannot read the kernel's list: %s.", strerror(r->err));
	return !r->err;
}

static bool read_counters(struct emit_counters *all, struct bpf_object *obj)
{
	int map = bpf_object__find_map_fd_by_name(obj, "counters");
	int cpus = libbpf_num_possible_cpus();

	if (cpus < 0)
		return false;
	*all = (struct emit_counters){};
	for (__u32 slot = 0; slot < EMIT_SLOTS; slot++) {
		struct emit_counters cpu[cpus];

		if (bpf_map_lookup_elem(map, &slot, cpu))
			return false;
		for (int i = 0; i < cpus; i++) {
			all->seen += cpu[i].seen;
			all->sent += cpu[i].sent;
			all->filtered += cpu[i].filtered;
			all->lost += cpu[i].lost;
		}
	}
	return true;
}

__u64 engine_lost(struct bpf_object_skeleton *skel)
{
	struct emit_counters all;

	return read_counters(&all, *skel->obj) ? all.lost : 0;
}

static bool read_counts(struct counts *c, struct bpf_object *obj)
{
	int unfollowed = bpf_object__find_map_fd_by_name(obj, "unfollowed");
	struct bpf_program *prog;
	__u32 zero = 0;

	*c = (struct counts){};
	if (!read_counters(&c->all, obj))
		return false;
	if (bpf_map_lookup_elem(unfollowed, &zero, &c->unfollowed))
		return false;
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

const char *engine_counts(struct bpf_object_skeleton *skel, const __u64 *received,
			  struct counts *counts, char *buf, size_t len)
{
	if (!read_counts(counts, *skel->obj))
		return "the counters cannot be read";
	return counts_check(counts, received ? *received : counts->all.sent, buf, len);
}
