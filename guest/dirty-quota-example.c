// SPDX-License-Identifier: GPL-2.0-only
/*
 * dirty-quota-example - the whole of KVM_CAP_DIRTY_QUOTA in a small VMM.
 * docs/dirty-quota.md explains it.
 *
 * The guest, in real mode, writes to each of its 128 pages in turn, 8 times
 * over. It is granted some KiB (the argument, default 256); whenever it has
 * dirtied as much, it exits, the VMM takes and clears the dirty log, and
 * grants as much again. A real VMM would wait before, e.g. until the pages
 * are sent.
 *
 * Exit: 0 if the guest was stopped, and bytes counted and pages logged agree;
 * 1 if not, or if the kernel doesn't have the capability.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE	4096UL
#define CODE	0x1000UL		/* slot 0: up to there, and not logged */
#define DATA	0x10000UL		/* slot 1: logged */
#define PAGES	128UL

static const unsigned char code[] = {
	0xb9, 8, 0,			/*	mov	$8, %cx		*/
	0xb8, 0x00, 0x10,		/* all:	mov	$0x1000, %ax	*/
	0x8e, 0xd8,			/* next: mov	%ax, %ds	*/
	0xfe, 0x06, 0, 0,		/*	incb	(0)		*/
	0x05, 0x00, 0x01,		/*	add	$0x100, %ax	*/
	0x3d, 0x00, 0x90,		/*	cmp	$0x9000, %ax	*/
	0x75, 0xf2,			/*	jne	next		*/
	0xe2, 0xed,			/*	loop	all		*/
	0xe6, 0x10,			/*	out	%al, $0x10	*/
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int do_ioctl(int fd, unsigned long request, void *arg, const char *what)
{
	int ret = ioctl(fd, request, arg);

	if (ret < 0)
		die(what);
	return ret;
}
#define KVM(fd, request, arg) do_ioctl(fd, request, (void *)(arg), #request)

static unsigned char *add_slot(int vm, int slot, unsigned long gpa,
			       unsigned long size, int flags)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot, .flags = flags, .guest_phys_addr = gpa,
		.memory_size = size,
	};
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		die("mmap");
	region.userspace_addr = (unsigned long)mem;
	KVM(vm, KVM_SET_USER_MEMORY_REGION, &region);
	return mem;
}

static int create_vcpu(int vm)
{
	int vcpu = KVM(vm, KVM_CREATE_VCPU, 0);
	struct kvm_regs regs = { .rip = CODE, .rflags = 2 };
	struct kvm_sregs sregs;

	KVM(vcpu, KVM_GET_SREGS, &sregs);
	sregs.cs.base = sregs.cs.selector = 0;
	KVM(vcpu, KVM_SET_SREGS, &sregs);
	KVM(vcpu, KVM_SET_REGS, &regs);
	return vcpu;
}

/* The pages dirtied since the last call, which have to be sent (again). */
static unsigned long take_log(int vm)
{
	unsigned long bitmap[PAGES / 64], i, n = 0;
	struct kvm_dirty_log log = { .slot = 1, .dirty_bitmap = bitmap };

	KVM(vm, KVM_GET_DIRTY_LOG, &log);
	for (i = 0; i < PAGES / 64; i++)
		n += __builtin_popcountl(bitmap[i]);
	return n;
}

int main(int argc, char **argv)
{
	struct kvm_enable_cap quota = {
		.cap = KVM_CAP_DIRTY_QUOTA, .args = { KVM_DIRTY_QUOTA_ENABLE },
	};
	unsigned long grant = (argc > 1 ? strtoul(argv[1], NULL, 0) : 256) << 10;
	unsigned long exits = 0, logged = 0, counted;
	struct kvm_run *run;
	int kvm, vm, vcpu;

	if (argc > 2 || grant < 2 * PAGE) {
		fprintf(stderr, "usage: dirty-quota-example [KIB, at least 8]\n");
		return 2;
	}

	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		die("/dev/kvm");
	vm = KVM(kvm, KVM_CREATE_VM, 0);
	if (!(KVM(vm, KVM_CHECK_EXTENSION, KVM_CAP_DIRTY_QUOTA) & KVM_DIRTY_QUOTA_ENABLE)) {
		fprintf(stderr, "dirty-quota-example: this kernel has no KVM_CAP_DIRTY_QUOTA\n");
		return 1;
	}
	memcpy(add_slot(vm, 0, 0, DATA, 0) + CODE, code, sizeof(code));
	add_slot(vm, 1, DATA, PAGES * PAGE, KVM_MEM_LOG_DIRTY_PAGES);

	vcpu = create_vcpu(vm);
	run = mmap(NULL, KVM(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE,
		   MAP_SHARED, vcpu, 0);
	if (run == MAP_FAILED)
		die("mmap kvm_run");

	/* A vCPU's quota is 0 in the beginning: grant first, then enable. */
	run->dirty_quota_bytes = grant;
	KVM(vm, KVM_ENABLE_CAP, &quota);

	for (;;) {
		KVM(vcpu, KVM_RUN, 0);
		if (run->exit_reason != KVM_EXIT_DIRTY_QUOTA_EXHAUSTED)
			break;

		exits++;
		logged += take_log(vm);
		/*
		 * Add to the quota it had, not to what it has dirtied: what
		 * exceeds the quota is thus paid back.
		 */
		run->dirty_quota_bytes = run->dirty_quota_exit.quota + grant;
	}
	if (run->exit_reason != KVM_EXIT_IO) {
		fprintf(stderr, "dirty-quota-example: exit reason %u\n", run->exit_reason);
		return 1;
	}

	logged += take_log(vm);
	counted = run->dirty_count_bytes;
	printf("%lu bytes dirtied, %lu pages logged, %lu exits, one per %lu KiB\n",
	       counted, logged, exits, grant >> 10);
	return counted != logged * PAGE || !exits;
}
