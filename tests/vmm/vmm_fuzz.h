/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of vmm_fuzz: vmm_fuzz.c has the calls and the rounds, vmm_fuzz-guide.c
 * looks for calls that reach what none has reached, vmm_fuzz-shrink.c makes a small
 * program of a finding.
 */
#ifndef VMM_FUZZ_H
#define VMM_FUZZ_H

#include <pthread.h>
#include <stdio.h>

#include "vmm.h"

#define THREADS		4
#define ENTRIES		8
#define PASIDS		16
#define DRAWS		160
#define DEPTH		4		/* calls of a program that is kept */

/* Of the numbers of a call the first is which it is; these are 0 in few. */
#define DRAW_WILD	1
#define DRAW_FAILING	2

/* The random numbers of a call. With them it is the same again, if its PASIDs are. */
struct tape {
	uint32_t nr;
	uint32_t draw[DRAWS];
};

/* All calls of a round, in the order in which they began */
struct record {
	uint32_t thread;
	struct tape tape;
};

struct thread {
	pthread_t id;
	uint64_t state;
	int fail_nth;
	unsigned int nr;
	bool wild;			/* this call has bytes of no kind */
	bool failing;			/* and this one an allocation that fails */
	int32_t *results;
	struct iommu_cache_invalidate_info entries[ENTRIES];
	struct iommu_gpasid_bind_data bind;

	struct tape *tape, scratch;	/* where what is drawn is kept */
	const struct tape *from;	/* and where it comes from, or NULL: new */
	unsigned int at;
	const struct play *play;
	FILE *c;			/* where its calls are written as C, or NULL */
	unsigned int slot;		/* in pasids[], of the next one */

	uint64_t *pcs;			/* the guide's */
	const struct tape *last[DEPTH];
	unsigned int nr_last, next;
	const struct program *program;
};

/* How a round ends */
enum ending { ORDERLY, KILLED, CLOSED, UNPLUGGED };

/* One try: a round, or calls of one */
struct play {
	unsigned int nr;
	uint64_t seed;
	enum ending ending;
	struct record **script;		/* NULL: new calls */
	unsigned int calls;		/* of the script, or of each thread */
	unsigned int threads;
	FILE *c[THREADS];
};

/* 0: all is well; else of which kind what is wrong is, complaint() has the text */
int play(const struct play *play);
const char *complaint(void);
const struct record *log_at(unsigned int nr);
unsigned int log_length(void);
void *shared(size_t size);
uint32_t fresh(struct thread *thread, uint32_t below);

extern struct monitor vmm;
extern struct device dev;
extern volatile uint32_t pasids[PASIDS];
extern bool on_mock;

/* vmm_fuzz-guide.c */
void guide_init(bool follow);
void guide_open(struct thread *thread);
const struct tape *guide_pick(struct thread *thread);
void guide_begin(struct thread *thread);
void guide_end(struct thread *thread);
void guide_report(void);

/* vmm_fuzz-shrink.c */
void shrink(const struct play *found, int kind);
void write_call(struct thread *thread, unsigned long request, const void *cmd,
		unsigned int nth);
void write_pasid(struct thread *thread, const char *indent, uint32_t pasid);
void write_c(struct thread *thread, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
