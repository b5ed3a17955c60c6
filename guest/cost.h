/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cost.h - count instructions: under QEMU's -icount with one CPU, the TSC is the
 * number of instructions executed, guest and host together. Elsewhere it counts
 * cycles.
 */
#ifndef COST_H
#define COST_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static inline uint64_t ticks(void)
{
	uint32_t low, high;

	asm volatile("lfence; rdtsc" : "=a"(low), "=d"(high) :: "memory");
	return (uint64_t)high << 32 | low;
}

/* "clock": ticks per instruction of a loop without memory accesses, so 1. */
static inline void print_clock(void)
{
	double best = 1e9, now;
	uint64_t n, start;
	int i;

	/* The kernel may have something else to do, but not each time. */
	for (i = 0; i < 5; i++) {
		n = 1000000;
		start = ticks();
		asm volatile("1: dec %0; jnz 1b" : "+r"(n));
		now = (ticks() - start) / 2e6;
		best = now < best ? now : best;
	}
	printf("clock\t%.3f\n", best);
}

static inline int compare_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* "cost": @name, and the median, least and most of @n numbers, which it sorts. */
static inline void print_cost(const char *name, double *cost, uint64_t n)
{
	qsort(cost, n, sizeof(*cost), compare_double);
	printf("cost\t%s\t%.2f\t%.2f\t%.2f\n", name, cost[n / 2], cost[0], cost[n - 1]);
}

#endif
