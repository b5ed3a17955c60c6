/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmm.h - the smallest VMM that can show KVM's dirty log at work.
 *
 * Raw ioctls, no library. The machine is an x86 in long mode, identity mapped
 * with 4 KiB pages, without interrupts. Slot 0 holds page tables and code and
 * is not logged. Every vCPU works in a dirty-logged slot of its own, so each
 * bit in a log can be told to one vCPU.
 */
#ifndef VMM_H
#define VMM_H

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE		4096ULL
#define MAX_VCPUS	14
#define SLOT_GPA(i)	((uint64_t)((i) + 1) << 24)	/* 16 MiB apart */
#define SLOT_MAX_PAGES	4096
#define TOP_GPA		SLOT_GPA(MAX_VCPUS)
#define LOW_SIZE	(1 << 20)
#define CODE_GPA	0x8000ULL
#define PT_GPA		0x10000ULL

/*
 * What the guest runs: rcx times, touch a page at rdi and go to the next one,
 * wrapping from rsi to rbx. The write to port 0x10 tells the VMM "done".
 */
extern const char guest_write[], guest_read[], guest_idle[], guest_end[];
#define TOUCH(name, insn)						\
	name ": " insn "\n"						\
	"	add	$4096, %rdi\n"					\
	"	cmp	%rsi, %rdi\n"					\
	"	cmovae	%rbx, %rdi\n"					\
	"	dec	%rcx\n"						\
	"	jnz	" name "\n"					\
	"	out	%al, $0x10\n"
asm(".pushsection .rodata\n"
    TOUCH("guest_write", "mov %al, (%rdi)")
    TOUCH("guest_read", "mov (%rdi), %al")
    "guest_idle: out %al, $0x10\n"
    "guest_end:\n"
    ".popsection\n");

struct vm {
	int kvm, fd;
	bool has_quota;		/* the kernel knows KVM_CAP_DIRTY_QUOTA */
};

struct vcpu {
	int id, fd;
	struct kvm_run *run;
	uint64_t pages;		/* size of its slot */
	uint64_t cursor;	/* next address to touch */
	uint8_t *mem;
	unsigned long log[SLOT_MAX_PAGES / (8 * sizeof(long))];
};

__attribute__((noreturn, format(printf, 1, 2)))
static inline void die(const char *fmt, ...)
{
	int err = errno;
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, ": %s\n", strerror(err));
	exit(1);
}

static inline int xioctl(int fd, const char *name, unsigned long nr, void *arg)
{
	int ret = ioctl(fd, nr, arg);

	if (ret < 0)
		die("%s", name);
	return ret;
}
#define KVM(fd, nr, arg) xioctl(fd, #nr, nr, (void *)(uintptr_t)(arg))

static inline void *guest_alloc(uint64_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		die("mmap");
	/* Small pages, present: no fault in the host itself. */
	madvise(mem, size, MADV_NOHUGEPAGE);
	memset(mem, 0x5a, size);
	return mem;
}

static inline void add_slot(struct vm *vm, int slot, uint64_t gpa, void *mem,
			    uint64_t size, uint32_t flags)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot, .flags = flags, .guest_phys_addr = gpa,
		.memory_size = size, .userspace_addr = (uint64_t)mem,
	};

	KVM(vm->fd, KVM_SET_USER_MEMORY_REGION, &region);
}

static inline void vm_create(struct vm *vm)
{
	const uint64_t table = 0x27;	/* present, writable, user, accessed */
	uint64_t *low, *pt, i;

	vm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm < 0)
		die("/dev/kvm");
	vm->fd = KVM(vm->kvm, KVM_CREATE_VM, 0);
	vm->has_quota = KVM(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_DIRTY_QUOTA) &
			KVM_DIRTY_QUOTA_ENABLE;

	low = guest_alloc(LOW_SIZE);
	memset(low, 0, LOW_SIZE);
	pt = low + PT_GPA / 8;
	low[0x1000 / 8] = 0x2000 | table;
	low[0x2000 / 8] = 0x3000 | table;
	for (i = 0; i < TOP_GPA / PAGE; i++) {
		if (i % 512 == 0)
			low[0x3000 / 8 + i / 512] = (PT_GPA + i * 8) | table;
		/* Dirty is set beforehand: the walk itself writes nothing. */
		pt[i] = i * PAGE | table | 0x40;
	}
	memcpy((char *)low + CODE_GPA, guest_write, guest_end - guest_write);
	add_slot(vm, 0, 0, low, LOW_SIZE, 0);
}

/* Turn the quota on or off; a new vCPU starts with quota 0. */
static inline void vm_enable_quota(struct vm *vm, bool on)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_DIRTY_QUOTA,
		.args = { on ? KVM_DIRTY_QUOTA_ENABLE : 0 },
	};

	KVM(vm->fd, KVM_ENABLE_CAP, &cap);
}

static inline void vcpu_create(struct vm *vm, struct vcpu *v, int id, uint64_t pages)
{
	struct kvm_segment code = { .limit = ~0u, .selector = 8, .type = 11,
		.present = 1, .s = 1, .l = 1, .g = 1 };
	struct kvm_segment data = { .limit = ~0u, .selector = 16, .type = 3,
		.present = 1, .s = 1, .db = 1, .g = 1 };
	struct { struct kvm_cpuid2 head; struct kvm_cpuid_entry2 e[256]; } cpuid = {
		.head.nent = 256 };
	struct kvm_sregs sregs;

	memset(v, 0, sizeof(*v));
	v->id = id;
	v->pages = pages;
	v->cursor = SLOT_GPA(id);
	v->fd = KVM(vm->fd, KVM_CREATE_VCPU, id);
	v->run = mmap(NULL, KVM(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0),
		      PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
	if (v->run == MAP_FAILED)
		die("mmap kvm_run");

	KVM(vm->kvm, KVM_GET_SUPPORTED_CPUID, &cpuid);
	KVM(v->fd, KVM_SET_CPUID2, &cpuid);
	KVM(v->fd, KVM_GET_SREGS, &sregs);
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.cr3 = 0x1000;
	sregs.cr4 = 1 << 5;			/* PAE */
	sregs.cr0 = 1u << 31 | 1 << 16 | 1;	/* PG, WP, PE */
	sregs.efer = 1 << 10 | 1 << 8;		/* LMA, LME */
	KVM(v->fd, KVM_SET_SREGS, &sregs);

	v->mem = guest_alloc(pages * PAGE);
	add_slot(vm, id + 1, SLOT_GPA(id), v->mem, pages * PAGE,
		 KVM_MEM_LOG_DIRTY_PAGES);
}

/* Let the vCPU's next run touch @count pages, from where it last stopped. */
static inline void vcpu_assign(struct vcpu *v, const char *code, uint64_t count)
{
	struct kvm_regs regs = {
		.rip = CODE_GPA + (code - guest_write), .rflags = 2,
		.rdi = v->cursor, .rcx = count, .rbx = SLOT_GPA(v->id),
		.rsi = SLOT_GPA(v->id) + v->pages * PAGE,
	};

	KVM(v->fd, KVM_SET_REGS, &regs);
}

/* Run until the guest is done (true) or its quota is used up (false). */
static inline bool vcpu_run(struct vcpu *v)
{
	while (ioctl(v->fd, KVM_RUN, 0) < 0)
		if (errno != EINTR)
			die("KVM_RUN");
	switch (v->run->exit_reason) {
	case KVM_EXIT_IO:
		return true;
	case KVM_EXIT_DIRTY_QUOTA_EXHAUSTED:
		return false;
	}
	errno = EPROTO;
	die("vCPU %d: exit reason %u", v->id, v->run->exit_reason);
}

/* How many of the assigned pages are left; moves the cursor along. */
static inline uint64_t vcpu_left(struct vcpu *v)
{
	struct kvm_regs regs;

	KVM(v->fd, KVM_GET_REGS, &regs);
	v->cursor = regs.rdi;
	return regs.rcx;
}

/* Take and clear the log of the vCPU's slot; the number of pages in it. */
static inline uint64_t vcpu_harvest(struct vm *vm, struct vcpu *v)
{
	struct kvm_dirty_log get = { .slot = v->id + 1, .dirty_bitmap = v->log };
	uint64_t i, n = 0;

	memset(v->log, 0, sizeof(v->log));
	KVM(vm->fd, KVM_GET_DIRTY_LOG, &get);
	for (i = 0; i < sizeof(v->log) / sizeof(v->log[0]); i++)
		n += __builtin_popcountl(v->log[i]);
	return n;
}

/*
 * Make KVM unmap the slot, as NUMA balancing, KSM or swap do: the contents
 * stay, the next guest access of each page faults.
 */
static inline void vcpu_unmap(struct vcpu *v)
{
	if (mprotect(v->mem, v->pages * PAGE, PROT_READ) ||
	    mprotect(v->mem, v->pages * PAGE, PROT_READ | PROT_WRITE))
		die("mprotect");
}

/* One value from a VM's or a vCPU's binary statistics; false if there is none. */
static inline bool kvm_stat(int owner, const char *name, uint64_t *value)
{
	int fd = KVM(owner, KVM_GET_STATS_FD, 0);
	struct kvm_stats_header head;
	bool found = false;
	uint32_t i;

	if (pread(fd, &head, sizeof(head), 0) != sizeof(head))
		die("stats header");
	for (i = 0; i < head.num_desc && !found; i++) {
		size_t size = sizeof(struct kvm_stats_desc) + head.name_size;
		char buf[size] __attribute__((aligned(8)));
		struct kvm_stats_desc *desc = (void *)buf;

		if (pread(fd, buf, size, head.desc_offset + i * size) != (ssize_t)size)
			die("stats descriptor");
		if (strcmp(desc->name, name))
			continue;
		if (pread(fd, value, 8, head.data_offset + desc->offset) != 8)
			die("stats value");
		found = true;
	}
	close(fd);
	return found;
}

#endif
