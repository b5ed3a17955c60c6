// SPDX-License-Identifier: GPL-2.0-only
/*
 * page-alloc-cost - what it costs a guest with free page reporting to allocate
 * and free memory.
 *
 * Meant for QEMU's -icount shift=0 with one CPU, where the TSC counts the
 * instructions executed; elsewhere it counts cycles. Each of the phases maps
 * memory, writes to every page of it and unmaps it again:
 *   pair   one anonymous base page after the other, so that the allocator gets
 *          back what it gave out last
 *   small  anonymous base pages, more than a CPU keeps for itself
 *   file   a private mapping of a file on tmpfs
 *   huge   anonymous huge pages
 * -r rounds of each are timed; the first three are warm-up. -o turns on what
 * page reporting has: blocks are reported when they have been free for 4 s, page
 * cache that has been idle for that long is dropped.
 *
 * Output: tab-separated lines that begin with
 *   clock   ticks per instruction of a loop without memory accesses
 *   cost    phase, ticks per page (median), minimum, maximum
 */
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cost.h"

#define WARM_UP	3
#define PAIRS	256
#define SMALL	(4UL << 20)
#define HUGE	(8UL << 20)
#define PARAMS	"/sys/module/page_reporting/parameters/"

enum { PAIR, SMALL_PAGES, FILE_PAGES, HUGE_PAGES, PHASES };
static const char * const names[PHASES] = { "pair", "small", "file", "huge" };

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void set_param(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		die(path);
	close(fd);
}

/* Ticks per page. */
static double timed(int phase, int fd)
{
	unsigned long bytes = phase == HUGE_PAGES ? HUGE : SMALL, step, i;
	uint64_t start = ticks();
	volatile char *p;

	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		 fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		die("mmap");
	if (phase == PAIR) {
		for (i = 0; i < PAIRS; i++) {
			p[0] = 1;
			madvise((void *)p, 4096, MADV_DONTNEED);
		}
		munmap((void *)p, bytes);
		return (double)(ticks() - start) / PAIRS;
	}
	if (fd < 0 && madvise((void *)p, bytes, phase == HUGE_PAGES ?
			      MADV_HUGEPAGE : MADV_NOHUGEPAGE))
		die("madvise");
	step = phase == HUGE_PAGES ? 2UL << 20 : 4096;
	for (i = 0; i < bytes; i += step)
		p[i] = 1;
	munmap((void *)p, bytes);
	return (double)(ticks() - start) / (bytes / step);
}

int main(int argc, char **argv)
{
	int rounds = 51, opt, phase, i, fd;
	double *cost;

	while ((opt = getopt(argc, argv, "or:")) > 0) {
		if (opt == 'r' && atoi(optarg) > WARM_UP) {
			rounds = atoi(optarg);
		} else if (opt == 'o') {
			set_param(PARAMS "min_age_ms", "4000");
			set_param(PARAMS "cache_idle_ms", "4000");
		} else {
			printf("usage: %s [-o] [-r ROUNDS]\n", argv[0]);
			return 1;
		}
	}

	fd = open("/tmp/page-alloc-cost", O_RDWR | O_CREAT, 0600);
	if (fd < 0 || ftruncate(fd, SMALL))
		die("/tmp/page-alloc-cost");
	cost = calloc(rounds, sizeof(*cost));
	if (!cost)
		die("calloc");

	print_clock();
	for (phase = 0; phase < PHASES; phase++) {
		for (i = 0; i < rounds; i++)
			cost[i] = timed(phase, phase == FILE_PAGES ? fd : -1);
		print_cost(names[phase], cost + WARM_UP, rounds - WARM_UP);
	}
	return 0;
}
