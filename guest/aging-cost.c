// SPDX-License-Identifier: GPL-2.0-only
/*
 * aging-cost - what a pass over a guest's accessed bits costs the host kernel.
 *
 * Meant for QEMU's -icount shift=0 with one CPU, where the TSC counts the
 * instructions executed; elsewhere it counts cycles. A vCPU maps -n pages, then
 * every one of them is aged, in two ways:
 *   page_idle  marked idle in /sys/kernel/mm/page_idle/bitmap
 *   mglru      aged by a new generation of MGLRU (/sys/kernel/debug/lru_gen)
 * and each way in two states of the pages:
 *   young      the vCPU accessed all of them since they were last aged
 *   old        it accessed none
 * -r rounds of each are timed; the first three are warm-up.
 *
 * Output: tab-separated lines that begin with
 *   clock   ticks per instruction of a loop without memory accesses
 *   cost    phase, ticks per page (median), minimum, maximum
 *   seen    of the pages accessed since they were marked idle, and of the
 *           others, how many the bitmap then says were accessed; how many
 *           pages are each
 */
#include "cost.h"
#include "vmm.h"

#define WARM_UP	3
#define BITMAP	"/sys/kernel/mm/page_idle/bitmap"
#define LRU_GEN	"/sys/kernel/debug/lru_gen"

enum { IDLE_YOUNG, IDLE_OLD, LRU_YOUNG, LRU_OLD, PHASES };
static const char * const names[PHASES] = {
	"page_idle-young", "page_idle-old", "mglru-young", "mglru-old"
};

static uint64_t pages = 4096, rounds = 12;
static uint64_t pfn[SLOT_MAX_PAGES], sorted[SLOT_MAX_PAGES];
static int bitmap_fd, lru_fd;

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void find_pfns(struct vcpu *v)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t i, entry;

	for (i = 0; i < pages; i++) {
		if (pread(fd, &entry, 8, ((uint64_t)v->mem / PAGE + i) * 8) != 8)
			die("pagemap");
		pfn[i] = entry & ((1ULL << 55) - 1);
		if (!pfn[i])
			die("no pfn: not root?");
	}
	close(fd);
	memcpy(sorted, pfn, sizeof(sorted));
	qsort(sorted, pages, sizeof(sorted[0]), compare);
}

/* One write for each word of the bitmap that has any of the pages. */
static uint64_t mark_idle(void)
{
	uint64_t i, word, mask, start = ticks();

	for (i = 0; i < pages; ) {
		word = sorted[i] / 64;
		for (mask = 0; i < pages && sorted[i] / 64 == word; i++)
			mask |= 1ULL << sorted[i] % 64;
		if (pwrite(bitmap_fd, &mask, 8, word * 8) != 8)
			die(BITMAP);
	}
	return ticks() - start;
}

static bool is_idle(uint64_t page)
{
	uint64_t word;

	if (pread(bitmap_fd, &word, 8, pfn[page] / 64 * 8) != 8)
		die(BITMAP);
	return word >> pfn[page] % 64 & 1;
}

/* The youngest generation of the root memcg's node 0: the last one listed. */
static unsigned long max_gen(void)
{
	unsigned long gen = 0, memcg = 0, node = 0;
	FILE *f = fopen(LRU_GEN, "r");
	char line[256];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "memcg %lu", &memcg) == 1)
			node = 0;
		else if (sscanf(line, " node %lu", &node) != 1 && memcg == 1 && !node)
			sscanf(line, "%lu", &gen);
	}
	if (f)
		fclose(f);
	return gen;
}

static uint64_t new_generation(void)
{
	unsigned long gen = max_gen();
	uint64_t start, stop;
	char command[64];
	int n;

	/* Anonymous pages too, and all of them. */
	n = snprintf(command, sizeof(command), "+ 1 0 %lu 1 1\n", gen);
	start = ticks();
	if (write(lru_fd, command, n) != n)
		die(LRU_GEN);
	stop = ticks();
	if (max_gen() != gen + 1)
		die("MGLRU made no new generation");
	return stop - start;
}

static void touch(struct vcpu *v, uint64_t count)
{
	vcpu_assign(v, guest_write, count);
	vcpu_run(v);
}

int main(int argc, char **argv)
{
	uint64_t i, p, seen[2] = { 0 };
	double *cost[PHASES];
	struct vcpu v;
	struct vm vm;
	int c;

	while ((c = getopt(argc, argv, "n:r:")) != -1) {
		if (c == 'n')
			pages = strtoul(optarg, NULL, 0);
		else if (c == 'r')
			rounds = strtoul(optarg, NULL, 0);
		else
			return 2;
	}
	if (!pages || pages > SLOT_MAX_PAGES || pages % 64 || rounds <= WARM_UP) {
		fprintf(stderr, "aging-cost: -n a multiple of 64 up to %d, -r above %d\n",
			SLOT_MAX_PAGES, WARM_UP);
		return 2;
	}
	bitmap_fd = open(BITMAP, O_RDWR);
	if (bitmap_fd < 0)
		die(BITMAP);
	lru_fd = open(LRU_GEN, O_WRONLY);
	if (lru_fd < 0)
		die(LRU_GEN);

	vm_create(&vm);
	vcpu_create(&vm, &v, 0, pages);
	guest_alloc(64 * PAGE);		/* pushes the guest's onto the LRU */
	find_pfns(&v);
	for (p = 0; p < PHASES; p++)
		cost[p] = calloc(rounds, sizeof(double));

	touch(&v, pages);
	for (i = 0; i < rounds; i++) {
		touch(&v, pages);
		cost[IDLE_YOUNG][i] = mark_idle();
		cost[IDLE_OLD][i] = mark_idle();
	}
	touch(&v, pages / 2);
	for (i = 0; i < pages; i++)
		seen[i >= pages / 2] += !is_idle(i);
	for (i = 0; i < rounds; i++) {
		touch(&v, pages);
		cost[LRU_YOUNG][i] = new_generation();
		cost[LRU_OLD][i] = new_generation();
	}

	print_clock();
	for (p = 0; p < PHASES; p++) {
		for (i = 0; i < rounds; i++)
			cost[p][i] /= pages;
		print_cost(names[p], cost[p] + WARM_UP, rounds - WARM_UP);
	}
	printf("seen\t%lu\t%lu\t%lu\n", seen[0], seen[1], pages / 2);
	return 0;
}
