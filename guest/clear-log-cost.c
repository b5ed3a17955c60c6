// SPDX-License-Identifier: GPL-2.0-only
/*
 * clear-log-cost - what KVM_CLEAR_DIRTY_LOG costs the host kernel.
 *
 * Meant for QEMU's -icount shift=0 with one CPU, where the TSC counts the
 * instructions executed; elsewhere it counts cycles. The guest's 8192 pages are
 * huge in the host. With KVM_DIRTY_LOG_INITIALLY_SET each of -r rounds turns
 * logging on, and times KVM_CLEAR_DIRTY_LOG of the whole slot:
 *   first    of all pages, which are dirty initially
 *   second   of all pages, which the guest has written since
 *   fifth    of each fifth page, which the guest has written
 *   sparse   of one page per word of the bitmap, which the guest has written
 * and turns logging off again. The first three rounds are warm-up.
 *
 * Output: tab-separated lines that begin with
 *   clock   ticks per instruction of a loop without memory accesses
 *   cost    phase, ticks per page cleared (median), minimum, maximum
 *   huge    in all rounds, huge mappings when logging was turned on, and after
 *           the first and the second KVM_CLEAR_DIRTY_LOG
 *   wrong   pages that a log had and should not, or the other way around
 */
#include "cost.h"
#include "vmm.h"

#define WARM_UP	3
#define PAGES	8192ULL
#define HUGE	(512 * PAGE)
#define SLOT	1

enum { FIRST, SECOND, FIFTH, SPARSE, PHASES };
static const char * const names[PHASES] = { "first", "second", "fifth", "sparse" };

static unsigned long bitmap[PAGES / (8 * sizeof(long))];
static uint64_t wrong;

static uint64_t huge_mappings(struct vm *vm)
{
	uint64_t n;

	if (!kvm_stat(vm->fd, "pages_2m", &n))
		die("no pages_2m");
	return n;
}

static void *huge_alloc(uint64_t size)
{
	char *mem = mmap(NULL, size + HUGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		die("mmap");
	mem += -(uintptr_t)mem % HUGE;
	if (madvise(mem, size, MADV_HUGEPAGE))
		die("MADV_HUGEPAGE");
	memset(mem, 0x5a, size);
	return mem;
}

/* Write each @step-th page. */
static void touch(struct vcpu *v, uint64_t step)
{
	uint64_t i;

	for (i = 0; i < PAGES; i += step == 1 ? PAGES : step) {
		v->cursor = SLOT_GPA(0) + i * PAGE;
		vcpu_assign(v, guest_write, step == 1 ? PAGES : 1);
		vcpu_run(v);
	}
}

/* Get the log, which has each @step-th page, and clear it. */
static uint64_t clear_log(struct vm *vm, uint64_t step)
{
	struct kvm_dirty_log get = { .slot = SLOT, .dirty_bitmap = bitmap };
	struct kvm_clear_dirty_log clear = { .slot = SLOT, .num_pages = PAGES,
					     .dirty_bitmap = bitmap };
	uint64_t i, start;

	memset(bitmap, 0, sizeof(bitmap));
	KVM(vm->fd, KVM_GET_DIRTY_LOG, &get);
	for (i = 0; i < PAGES; i++)
		wrong += (bitmap[i / 64] >> i % 64 & 1) != !(i % step);

	start = ticks();
	KVM(vm->fd, KVM_CLEAR_DIRTY_LOG, &clear);
	return ticks() - start;
}

int main(int argc, char **argv)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
		.args = { KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE |
			  KVM_DIRTY_LOG_INITIALLY_SET },
	};
	uint64_t i, p, rounds = 12, huge[PHASES] = { 0 };
	double *cost[PHASES];
	struct vcpu v;
	struct vm vm;
	void *mem;
	int c;

	while ((c = getopt(argc, argv, "r:")) != -1) {
		if (c != 'r')
			return 2;
		rounds = strtoul(optarg, NULL, 0);
	}
	if (rounds <= WARM_UP) {
		fprintf(stderr, "clear-log-cost: -r above %d\n", WARM_UP);
		return 2;
	}

	vm_create(&vm);
	KVM(vm.fd, KVM_ENABLE_CAP, &cap);
	/* A vCPU, with another memslot in the place of its own. */
	vcpu_create(&vm, &v, 0, 64);
	add_slot(&vm, SLOT, SLOT_GPA(0), v.mem, 0, 0);
	v.pages = PAGES;
	mem = huge_alloc(PAGES * PAGE);
	add_slot(&vm, SLOT, SLOT_GPA(0), mem, PAGES * PAGE, 0);
	for (p = 0; p < PHASES; p++)
		cost[p] = calloc(rounds, sizeof(double));

	for (i = 0; i < rounds; i++) {
		touch(&v, 1);
		huge[0] += huge_mappings(&vm);
		add_slot(&vm, SLOT, SLOT_GPA(0), mem, PAGES * PAGE,
			 KVM_MEM_LOG_DIRTY_PAGES);
		cost[FIRST][i] = clear_log(&vm, 1) / (double)PAGES;
		huge[1] += huge_mappings(&vm);
		touch(&v, 1);
		cost[SECOND][i] = clear_log(&vm, 1) / (double)PAGES;
		huge[2] += huge_mappings(&vm);
		touch(&v, 5);
		cost[FIFTH][i] = clear_log(&vm, 5) / (PAGES / 5.0);
		touch(&v, 64);
		cost[SPARSE][i] = clear_log(&vm, 64) / (double)(PAGES / 64);
		add_slot(&vm, SLOT, SLOT_GPA(0), mem, PAGES * PAGE, 0);
	}

	print_clock();
	for (p = 0; p < PHASES; p++)
		print_cost(names[p], cost[p] + WARM_UP, rounds - WARM_UP);
	printf("huge\t%lu\t%lu\t%lu\nwrong\t%lu\n", huge[0], huge[1], huge[2], wrong);
	return 0;
}
