// SPDX-License-Identifier: GPL-2.0-only
/*
 * Monitors that are killed at any moment of what they do.
 *
 *	vmm_storm [ROUNDS [SEED]]
 *
 * In each round there is a team of processes for each of two devices. One opens
 * it, and sees a byte of a new guest; the others are its children, and share
 * its files. All bind, invalidate, attach, unbind and free, while the device
 * does DMA. Each is killed after a number of calls, and a moment, that are
 * chosen by chance; the others go on meanwhile, and no call of theirs may fail.
 * When all are dead, no PASID, no domain id and no present entry of a PASID may
 * be left, and nothing be written. After all rounds no memory and no file may
 * be missing.
 * Numbers are the same for a seed; how the processes meet is not.
 * One line of KTAP; before it the first thing that went wrong, with its round.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pasid-dma.h"
#include "vmm.h"

#define TEAMS		2
#define MEMBERS		3
#define PATIENCE_S	120	/* with members, who share a machine */
#define FREED_S		30	/* with the kernel, once they are dead */
#define MOST_CALLS	60	/* before a member is killed */
#define MOST_WAIT_US	2000

#define VA		0x7f0000001000ULL
/* The device writes to one, reads an A from one; one leaves the stage 2 */
#define TARGET		GUEST_DATA
#define SOURCE		(TARGET + PAGE)
#define EDGE		(SOURCE + PAGE)
#define TABLES		16	/* more pages than the guest has tables */

/*
 * A loss grows with the rounds, the stock of processors and caches does not:
 * each round makes some sixty bindings, so one small object of each is 4 KiB.
 */
#define WARM_UP		10
#define SLACK_KB	(500 + round_nr)
#define SLACK_PAGES	32
#define SLACK_FILES	100

/*
 * A kernel that has it tells what leaked itself, and its slab says nothing: there
 * is kmemleak's own memory, and KASAN keeps for a while what was freed.
 */
#define KMEMLEAK	"/sys/kernel/debug/kmemleak"

enum call {
	OPEN, START, PASID, BIND, BIND_LOCAL, HWPT, ATTACH, INVALIDATE, UNBIND,
	FREE, DETACH, DESTROY, MAP, RID, DMA, CALLS,
};

static const char *const names[CALLS] = {
	"open", "start", "alloc", "bind", "bind-local", "hwpt", "attach",
	"invalidate", "unbind", "free", "detach", "destroy", "map", "rid",
	"dma",
};

struct member {
	volatile pid_t pid;
	volatile unsigned int calls;	/* that it has made */
	volatile unsigned int call;	/* the last of them */
	volatile int error;		/* that this one returned */
	uint64_t state;			/* of its random numbers */
};

/* In memory that all share */
static struct team {
	struct member members[MEMBERS];
	char *memory;
} *teams;

static unsigned int round_nr, killed_at[CALLS];
static uint64_t seed, dice;

static uint32_t rnd(uint64_t *state, uint32_t below)
{
	/* xorshift64*: the same everywhere */
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)((*state * 2685821657736338717ULL) >> 33) % below;
}

/* ---- a member of a team ---- */

#define SLOTS		6

enum kind { NONE, SYSTEM, LOCAL, ATTACHED };

/* A PASID that the member has something on */
struct slot {
	enum kind kind;
	uint32_t pasid;
	uint32_t pt_id;
};

static struct monitor vmm;
static struct device dev;
static uint64_t root;
static struct member *me;
static struct slot slots[SLOTS];

/* Each call succeeds: it is about something of the member's own */
static void done(int ret)
{
	if (!ret)
		return;
	me->error = ret;
	_exit(1);
}

#define DO(what, expression) do {					\
	me->call = what;						\
	me->calls++;							\
	done(expression);						\
} while (0)

static void begin(struct slot *slot)
{
	slot->kind = SYSTEM + rnd(&me->state, 3);
	/* A number of the device's own, by the member and the slot */
	if (slot->kind != SYSTEM)
		slot->pasid = 0x80000 + (me - teams->members) * SLOTS +
			      (slot - slots);
	switch (slot->kind) {
	case SYSTEM:
		DO(PASID, pasid_alloc(&vmm, &slot->pasid));
		DO(BIND, pasid_bind(&vmm, &dev, slot->pasid, root, 48, 0));
		break;
	case LOCAL:
		DO(BIND_LOCAL, pasid_bind_local(&vmm, &dev, slot->pasid, root));
		break;
	default:
		DO(HWPT, pasid_alloc_nested(&vmm, &dev, root, 48,
					    &slot->pt_id));
		DO(ATTACH, pasid_attach(&dev, slot->pasid, slot->pt_id));
	}
}

static void end(struct slot *slot)
{
	switch (slot->kind) {
	case SYSTEM:
		/* To free it is enough */
		if (rnd(&me->state, 2))
			DO(UNBIND, pasid_unbind(&vmm, &dev, slot->pasid));
		DO(FREE, pasid_free(&vmm, slot->pasid));
		break;
	case LOCAL:
		DO(UNBIND, pasid_unbind(&vmm, &dev, slot->pasid));
		break;
	default:
		DO(DETACH, pasid_detach(&dev, slot->pasid));
		DO(DESTROY, monitor_destroy(&vmm, slot->pt_id));
	}
	slot->kind = NONE;
}

static struct slot *some_slot(void)
{
	return &slots[rnd(&me->state, SLOTS)];
}

static void do_slot(void)
{
	struct slot *slot = some_slot();

	if (slot->kind == NONE)
		begin(slot);
	else
		end(slot);
}

/* All that is bound here, and everything, in one submission or two */
static void do_invalidate(void)
{
	struct iommu_cache_invalidate_info infos[2 * SLOTS + 1];
	unsigned int nr = 0, i;

	for (i = 0; i < SLOTS; i++) {
		if (slots[i].kind != SYSTEM && slots[i].kind != LOCAL)
			continue;
		infos[nr++] = inv_range(slots[i].pasid, VA, PAGE,
					1 + rnd(&me->state, 9));
		infos[nr++] = inv_pasid(slots[i].pasid);
	}
	if (!nr || rnd(&me->state, 2))
		infos[nr++] = inv_domain();
	DO(INVALIDATE, invalidate(&vmm, &dev, infos, nr, NULL));
}

/* Only one of a team does these: the device has one ring, and one RID */
static void do_map(void)
{
	DO(MAP, monitor_unmap(&vmm, EDGE, PAGE));
	DO(MAP, monitor_map(&vmm, EDGE, PAGE, true));
}

static void do_rid(void)
{
	DO(RID, device_detach(&dev));
	DO(RID, device_attach(&dev, vmm.parent));
}

/* It goes on while the member does, which may take the PASID from it */
static void do_dma(void)
{
	static struct dma dma;
	struct slot *slot = some_slot();

	if (slot->kind == NONE)
		return;
	if (dma.op)
		DO(DMA, dma_wait(&dev, &dma));
	dma = (struct dma) {
		.op = PDMA_OP_FILL | (rnd(&me->state, 2) ? PDMA_CMD_ATS : 0),
		.pasid = slot->pasid, .dst = VA, .len = PAGE, .repeat = 100,
		.data = 0x7878787878787878ULL,
	};
	dma_start(&dev, &dma);
}

static void live(bool leads)
{
	for (;;) {
		unsigned int what = rnd(&me->state, leads ? 16 : 10);

		if (what < 6)
			do_slot();
		else if (what < 10)
			do_invalidate();
		else if (what < 12)
			do_map();
		else if (what < 13)
			do_rid();
		else
			do_dma();
	}
}

static int read_a_byte(uint32_t pasid)
{
	unsigned int reason;

	return dma_read(&dev, 0, pasid, VA + PAGE, &reason) == 'A' ? 0 : -EIO;
}

/* A guest as any other: nothing of those before it is in its way */
static void start(struct team *team)
{
	unsigned int nr = team - teams;

	DO(OPEN, monitor_open_with(&vmm, team->memory));
	DO(OPEN, device_open(&vmm, &dev, nr));
	/* Little, as it takes less time; the page that comes and goes alone */
	DO(START, monitor_unmap(&vmm, GUEST_BASE, GUEST_SIZE));
	DO(START, monitor_map(&vmm, GUEST_BASE, TABLES * PAGE, true));
	DO(START, monitor_map(&vmm, TARGET, 2 * PAGE, true));
	DO(START, monitor_map(&vmm, EDGE, PAGE, true));
	DO(START, device_alloc_parent(&vmm, &dev));
	DO(START, device_attach(&dev, vmm.parent));
	root = guest_table(&vmm);
	guest_map(&vmm, root, 48, VA, TARGET, PAGE, GUEST_RW);
	guest_map(&vmm, root, 48, VA + PAGE, SOURCE, PAGE, GUEST_RW);
	dma_pace(&dev, 20000);
	begin(&slots[0]);
	DO(START, read_a_byte(slots[0].pasid));
}

static void lead(struct team *team)
{
	unsigned int i;

	setpgid(0, 0);
	me = team->members;
	start(team);
	for (i = 1; i < MEMBERS; i++) {
		if (fork())
			continue;
		me = &team->members[i];
		memset(slots, 0, sizeof(slots));
		me->pid = getpid();
		live(false);
	}
	live(true);
}

/* ---- the storm ---- */

/* All of them; one whose parent died when it was born is no member yet */
static void stop_teams(void)
{
	unsigned int i;

	for (i = 0; i < TEAMS; i++)
		if (teams[i].members[0].pid)
			kill(-teams[i].members[0].pid, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static void fail(const char *what, long got, long wanted)
{
	stop_teams();
	printf("# round %u: %s: %ld, not %ld\n", round_nr, what, got, wanted);
	printf("not ok 1 storm seed %" PRIu64 "\n", seed);
	exit(1);
}

static time_t now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void start_teams(void)
{
	unsigned int i, j;
	pid_t pid;

	for (i = 0; i < TEAMS; i++) {
		struct team *team = &teams[i];

		memset(team->members, 0, sizeof(team->members));
		for (j = 0; j < MEMBERS; j++)
			team->members[j].state =
				(seed + round_nr * TEAMS + i) *
				0x9e3779b97f4a7c15ULL + j + 1;
		pid = fork();
		if (!pid)
			lead(team);
		if (pid < 0)
			fail("fork", -errno, 0);
		setpgid(pid, pid);
		team->members[0].pid = pid;
	}
}

/* One that was not born has no number, and gets none if its parent is dead */
static bool is_dead(const struct member *member)
{
	return !member->pid || kill(member->pid, 0);
}

static void wait_for_calls(const struct team *team, const struct member *member,
			   unsigned int calls)
{
	time_t end = now() + PATIENCE_S;

	while (member->calls < calls && !member->error &&
	       !(is_dead(team->members) && is_dead(member))) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		usleep(200);
		if (now() > end)
			fail(names[member->call], member->calls, calls);
	}
}

static void kill_member(struct team *team, struct member *member)
{
	wait_for_calls(team, member, rnd(&dice, MOST_CALLS));
	usleep(rnd(&dice, MOST_WAIT_US));
	if (member->pid && !kill(member->pid, SIGKILL))
		killed_at[member->call]++;
}

/* Each in its turn, while the others go on */
static void kill_teams(void)
{
	unsigned int order[TEAMS * MEMBERS], i, j;

	for (i = 0; i < TEAMS * MEMBERS; i++) {
		j = rnd(&dice, i + 1);
		order[i] = order[j];
		order[j] = i;
	}
	for (i = 0; i < TEAMS * MEMBERS; i++) {
		struct team *team = &teams[order[i] % TEAMS];

		kill_member(team, &team->members[order[i] / TEAMS]);
	}
	stop_teams();
}

static void check_members(void)
{
	unsigned int i, j;

	for (i = 0; i < TEAMS; i++)
		for (j = 0; j < MEMBERS; j++)
			if (teams[i].members[j].error)
				fail(names[teams[i].members[j].call],
				     teams[i].members[j].error, 0);
}

/* Some of it is freed in the background */
static void check_counts(const struct in_use *before)
{
	time_t end = now() + FREED_S;
	struct in_use left;

	for (;;) {
		left = in_use();
		if (!memcmp(&left, before, sizeof(left)))
			return;
		if (now() > end)
			break;
		usleep(1000);
	}
	if (left.pasids != before->pasids)
		fail("PASIDs", left.pasids, before->pasids);
	if (left.domain_ids != before->domain_ids)
		fail("domain ids", left.domain_ids, before->domain_ids);
	fail("entries of PASIDs", left.entries, before->entries);
}

/* A write that is still to come has 2 ms for it */
static void check_memory(void)
{
	unsigned int i, j;
	char *page;

	for (i = 0; i < TEAMS; i++)
		memset(teams[i].memory + (TARGET - GUEST_BASE), 'z', PAGE);
	usleep(2000);
	for (i = 0; i < TEAMS; i++) {
		page = teams[i].memory + (TARGET - GUEST_BASE);
		for (j = 0; j < PAGE; j++)
			if (page[j] != 'z')
				fail("written", page[j], 'z');
	}
}

/* These have no exact count, but grow with what is lost */
struct memory {
	long slab_kb;
	long iommu_pages;
	long files;
};

static struct memory memory_in_use(void)
{
	FILE *refresh = fopen("/proc/sys/vm/stat_refresh", "w");

	if (refresh) {
		fputs("1", refresh);
		fclose(refresh);
	}
	return (struct memory) {
		.slab_kb = number_in("/proc/meminfo", "SUnreclaim:"),
		.iommu_pages = number_in("/proc/vmstat", "nr_iommu_pages"),
		.files = number_in("/proc/sys/fs/file-nr", ""),
	};
}

static void check_lost(const struct memory *before)
{
	struct memory left = memory_in_use();

	printf("# slab %ld KiB, then %ld; pages of IOMMUs %ld, %ld; ",
	       before->slab_kb, left.slab_kb, before->iommu_pages,
	       left.iommu_pages);
	printf("files %ld, %ld\n", before->files, left.files);
	if (access(KMEMLEAK, F_OK) &&
	    left.slab_kb > before->slab_kb + (long)SLACK_KB)
		fail("KiB of slab", left.slab_kb, before->slab_kb);
	if (left.iommu_pages > before->iommu_pages + SLACK_PAGES)
		fail("pages of IOMMUs", left.iommu_pages, before->iommu_pages);
	if (left.files > before->files + SLACK_FILES)
		fail("files", left.files, before->files);
}

static void set_up(void)
{
	unsigned int i;

	/* Members whose parent is dead are its children then */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	teams = mmap(NULL, TEAMS * sizeof(*teams), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (teams == MAP_FAILED) {
		perror("vmm_storm: mmap");
		exit(1);
	}
	for (i = 0; i < TEAMS; i++) {
		teams[i].memory = monitor_memory();
		if (!teams[i].memory)
			fail("memory", i, TEAMS);
		memset(teams[i].memory + (SOURCE - GUEST_BASE), 'A', PAGE);
	}
}

int main(int argc, char *argv[])
{
	unsigned int rounds = argc > 1 ? atoi(argv[1]) : 60, i;
	struct memory memory = {};
	struct in_use before;

	seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	dice = seed * 0x9e3779b97f4a7c15ULL + 1;
	printf("KTAP version 1\n1..1\n");
	fflush(stdout);
	set_up();
	before = in_use();
	if (before.pasids < 0 || before.domain_ids < 0 || before.entries)
		fail("entries of PASIDs", before.entries, 0);
	for (round_nr = 1; round_nr <= WARM_UP + rounds; round_nr++) {
		start_teams();
		kill_teams();
		check_members();
		check_counts(&before);
		check_memory();
		if (round_nr == WARM_UP)
			memory = memory_in_use();
	}
	check_lost(&memory);
	printf("# killed at");
	for (i = 0; i < CALLS; i++)
		printf(" %s %u", names[i], killed_at[i]);
	printf("\nok 1 storm seed %" PRIu64 "\n", seed);
	return 0;
}
