// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does a call execute code that none has executed before? The kernel tells by KCOV, of
 * the files that the series touches. Such a call is kept with those before it, and tried
 * again with some of its numbers changed. All calls are new if there is no KCOV.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/kcov.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "vmm_fuzz.h"

#define PCS		(64 << 10)	/* of one call */
#define EDGES		(1 << 20)
#define PROGRAMS	2048

struct program {
	unsigned int nr;
	struct tape calls[DEPTH];
};

/* Of all threads of all rounds */
static struct guide {
	uint64_t edges[EDGES / 64];
	unsigned int nr_edges, nr_programs;
	struct program programs[PROGRAMS];
} *guide;
static bool following;

void guide_init(bool follow)
{
	guide = shared(sizeof(*guide));
	following = follow;
}

void guide_open(struct thread *thread)
{
	int kcov = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);

	if (kcov < 0)
		return;
	if (!ioctl(kcov, KCOV_INIT_TRACE, PCS)) {
		thread->pcs = mmap(NULL, PCS * sizeof(*thread->pcs), PROT_READ | PROT_WRITE,
				   MAP_SHARED, kcov, 0);
		if (thread->pcs != MAP_FAILED && !ioctl(kcov, KCOV_ENABLE, KCOV_TRACE_PC))
			return;		/* it goes with the process */
	}
	thread->pcs = NULL;
	close(kcov);
}

/* A call that was kept, to be changed, or NULL */
const struct tape *guide_pick(struct thread *thread)
{
	unsigned int nr = guide->nr_programs;

	if (!thread->pcs || !following || !nr)
		return NULL;
	if (!thread->program && fresh(thread, 2)) {
		thread->program = &guide->programs[fresh(thread, nr < PROGRAMS ? nr : PROGRAMS)];
		thread->next = 0;
	}
	while (thread->program && thread->next < thread->program->nr) {
		thread->next++;
		if (fresh(thread, 8))
			return &thread->program->calls[thread->next - 1];
	}
	thread->program = NULL;
	return NULL;
}

void guide_begin(struct thread *thread)
{
	if (thread->pcs)
		__atomic_store_n(&thread->pcs[0], 0, __ATOMIC_RELAXED);
}

/* From one place to the next: as a way there can be new between old places */
static bool is_new(uint64_t from, uint64_t to)
{
	uint64_t hash = (to ^ from * 0x9e3779b97f4a7c15ULL) * 0xff51afd7ed558ccdULL >> 44;
	uint64_t bit = 1ULL << hash % 64, *word = &guide->edges[hash / 64];

	return !(*word & bit) && !(__atomic_fetch_or(word, bit, __ATOMIC_RELAXED) & bit);
}

static void keep(const struct thread *thread)
{
	unsigned int nr = __atomic_fetch_add(&guide->nr_programs, 1, __ATOMIC_RELAXED);
	unsigned int had = thread->nr_last < DEPTH ? thread->nr_last : DEPTH;
	struct program *program = &guide->programs[nr % PROGRAMS];

	for (unsigned int i = 0; i < had; i++)
		program->calls[i] = *thread->last[(thread->nr_last - had + i) % DEPTH];
	__atomic_store_n(&program->nr, had, __ATOMIC_RELEASE);
}

void guide_end(struct thread *thread)
{
	uint64_t nr, from = 0;
	unsigned int found = 0;

	if (!thread->pcs)
		return;
	nr = __atomic_load_n(&thread->pcs[0], __ATOMIC_RELAXED);
	for (uint64_t i = 1; i <= nr; i++) {
		found += is_new(from, thread->pcs[i]);
		from = thread->pcs[i];
	}
	thread->last[thread->nr_last++ % DEPTH] = thread->tape;
	if (!found)
		return;
	__atomic_fetch_add(&guide->nr_edges, found, __ATOMIC_RELAXED);
	keep(thread);
}

void guide_report(void)
{
	if (!guide->nr_edges)
		printf("# without KCOV: no call was looked at\n");
	else
		printf("# %u edges executed, by %u calls first%s\n", guide->nr_edges,
		       guide->nr_programs, following ? "" : ", which were not followed");
}
