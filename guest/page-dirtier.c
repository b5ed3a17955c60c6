// SPDX-License-Identifier: GPL-2.0-only
/*
 * page-dirtier - the only program of a guest that is migrated (its /init)
 *
 * Usage: page-dirtier MIB
 *
 * On each CPU a thread goes round and round through its share of MIB of
 * memory. The first word of each page says in which round it was written, and
 * has to be what the last round left there: a write that is lost shows. The
 * rest of the page never changes and is summed up every second: any other
 * loss shows. Every second it prints "alive NUMBER ROUNDS SUM good", with
 * "BAD" for the last word from the first error on.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define WORDS (4096 / sizeof(uint64_t))

struct page {
	uint64_t word[WORDS];
};

struct worker {
	struct page *first, *end;
	uint64_t rounds;
	long cpu;
	pthread_t thread;
};

static bool bad;

static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	return x ^ x >> 29;
}

static uint64_t stamp(struct page *page, uint64_t round)
{
	return mix((uintptr_t)page ^ round << 48);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct page *page;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(w->cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	for (;;) {
		uint64_t round = __atomic_load_n(&w->rounds, __ATOMIC_RELAXED);

		for (page = w->first; page < w->end; page++) {
			volatile uint64_t *word = &page->word[0];

			if (*word != stamp(page, round) && !bad) {
				printf("page %p of round %lu holds %lx, not %lx\n", page, round,
				       *word, stamp(page, round));
				bad = true;
			}
			*word = stamp(page, round + 1);
		}
		__atomic_store_n(&w->rounds, round + 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static uint64_t sum(struct page *page, struct page *end)
{
	uint64_t sum = 0;
	unsigned int i;

	for (; page < end; page++)
		for (i = 1; i < WORDS; i++)
			sum = (sum ^ page->word[i]) * 0x100000001b3ULL;
	return sum;
}

int main(int argc, char **argv)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN), i;
	struct page *memory, *end, *page;
	uint64_t want, now, rounds, n;
	struct worker *workers;
	size_t pages, j;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 2 || !(pages = strtoul(argv[1], NULL, 0) << 8)) {
		fprintf(stderr, "usage: page-dirtier MIB\n");
		return 1;
	}
	memory = mmap(NULL, pages * sizeof(*memory), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	workers = calloc(cpus, sizeof(*workers));
	if (memory == MAP_FAILED || !workers) {
		perror("page-dirtier: memory");
		return 1;
	}
	end = memory + pages;
	for (page = memory; page < end; page++) {
		page->word[0] = stamp(page, 0);
		for (j = 1; j < WORDS; j++)
			page->word[j] = mix((page - memory) * WORDS + j);
	}
	want = sum(memory, end);
	for (i = 0; i < cpus; i++) {
		workers[i].first = memory + pages / cpus * i;
		workers[i].end = memory + pages / cpus * (i + 1);
		workers[i].cpu = i;
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i])) {
			fprintf(stderr, "page-dirtier: no thread\n");
			return 1;
		}
	}
	for (n = 1;; n++) {
		sleep(1);
		now = sum(memory, end);
		if (now != want)
			bad = true;
		for (rounds = i = 0; i < cpus; i++)
			rounds += __atomic_load_n(&workers[i].rounds, __ATOMIC_RELAXED);
		printf("alive %lu %lu %lx %s\n", n, rounds, now, bad ? "BAD" : "good");
	}
}
