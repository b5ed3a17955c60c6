// SPDX-License-Identifier: GPL-2.0-only
/*
 * dirty-fault-cost - what one dirty-logging fault costs the host kernel.
 *
 * Meant for QEMU's -icount shift=0 with one CPU, where the TSC counts the
 * instructions executed, guest and host together; elsewhere it counts cycles.
 * One vCPU touches -n pages of a logged slot within one KVM_RUN:
 *   again         write pages that are writable and logged: no fault
 *   write         write mapped pages after the log was cleared
 *   read          read pages that KVM had unmapped
 *   read+write    write these pages after that
 *   first-write   write pages that KVM had unmapped
 * Each of -r rounds takes the difference to "again"; the first three rounds
 * are warm-up. -q turns KVM_CAP_DIRTY_QUOTA on, with an unlimited quota.
 *
 * Output: tab-separated lines that begin with
 *   clock   ticks per instruction of a loop without memory accesses
 *   cost    phase, ticks per page (median), minimum, maximum
 *   exits   phase, exits in all rounds without those for host interrupts
 */
#include "cost.h"
#include "vmm.h"

#define WARM_UP	3

enum { AGAIN, WRITE, READ, READ_WRITE, FIRST_WRITE, PHASES };
static const char * const names[PHASES] = {
	"again", "write", "read", "read+write", "first-write"
};

static uint64_t pages = 128, rounds = 35;

static uint64_t exits(struct vcpu *v)
{
	uint64_t all, irq;

	if (!kvm_stat(v->fd, "exits", &all) || !kvm_stat(v->fd, "irq_exits", &irq))
		die("no exit statistics");
	return all - irq;
}

static uint64_t timed(struct vcpu *v, const char *code, uint64_t *nr_exits)
{
	uint64_t start, stop, before = exits(v);

	vcpu_assign(v, code, pages);
	start = ticks();
	vcpu_run(v);
	stop = ticks();
	*nr_exits += exits(v) - before;
	return stop - start;
}

int main(int argc, char **argv)
{
	uint64_t i, p, t[PHASES], nr_exits[PHASES] = { 0 };
	bool quota = false;
	double *cost[PHASES];
	struct vcpu v;
	struct vm vm;
	int c;

	while ((c = getopt(argc, argv, "n:r:q")) != -1) {
		if (c == 'n')
			pages = strtoul(optarg, NULL, 0);
		else if (c == 'r')
			rounds = strtoul(optarg, NULL, 0);
		else if (c == 'q')
			quota = true;
		else
			return 2;
	}
	if (!pages || pages > SLOT_MAX_PAGES || pages % 64 || rounds <= WARM_UP) {
		fprintf(stderr, "dirty-fault-cost: -n a multiple of 64 up to %d, -r above %d\n",
			SLOT_MAX_PAGES, WARM_UP);
		return 2;
	}

	vm_create(&vm);
	vcpu_create(&vm, &v, 0, pages);
	if (quota) {
		v.run->dirty_quota_bytes = UINT64_MAX;
		vm_enable_quota(&vm, true);
	}
	for (p = 0; p < PHASES; p++)
		cost[p] = calloc(rounds, sizeof(double));

	for (i = 0; i < rounds; i++) {
		if (i == WARM_UP)
			memset(nr_exits, 0, sizeof(nr_exits));
		vcpu_unmap(&v);
		vcpu_harvest(&vm, &v);
		t[FIRST_WRITE] = timed(&v, guest_write, &nr_exits[FIRST_WRITE]);
		vcpu_harvest(&vm, &v);
		t[WRITE] = timed(&v, guest_write, &nr_exits[WRITE]);
		t[AGAIN] = timed(&v, guest_write, &nr_exits[AGAIN]);
		vcpu_unmap(&v);
		vcpu_harvest(&vm, &v);
		t[READ] = timed(&v, guest_read, &nr_exits[READ]);
		t[READ_WRITE] = timed(&v, guest_write, &nr_exits[READ_WRITE]);
		for (p = 0; p < PHASES; p++)
			cost[p][i] = ((double)t[p] - (p ? (double)t[AGAIN] : 0)) / pages;
	}

	print_clock();
	for (p = 0; p < PHASES; p++) {
		print_cost(names[p], cost[p] + WARM_UP, rounds - WARM_UP);
		printf("exits\t%s\t%lu\n", names[p], nr_exits[p]);
	}
	return 0;
}
