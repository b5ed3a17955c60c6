// SPDX-License-Identifier: GPL-2.0-only
/*
 * dirty-quota-demo - a migration's pre-copy phase in small, with and without
 * KVM_CAP_DIRTY_QUOTA.
 *
 * One vCPU reads and the others write. Time goes in virtual intervals: in
 * each, every vCPU is granted -g KiB, wants to touch some of its own slot
 * (vCPU 0 -d KiB, vCPU 1 twice that, and so on), and runs in a thread of its
 * own until it is done or exits because its quota is used up. The VMM then
 * takes the dirty log and "sends" -l KiB of what is dirty. Bytes dirtied are
 * what KVM's log says, never what the program believes. On a kernel without
 * the capability nothing is limited.
 *
 * Output: tab-separated lines that begin with
 *   kernel    release, 1 if the capability is there
 *   setting   option, value (KiB where it is a size)
 *   reads     what was done, pages touched, pages in the log afterwards
 *   interval  number, vCPU, role, KiB granted, wanted, touched, dirtied,
 *             quota exits, count and quota of the last exit (bytes)
 *   left      interval, KiB that are still to send
 *   vcpu      vCPU, role, quota exits, bytes past the quota at worst,
 *             bytes charged, bytes by KVM itself, bytes in the log
 */
#include <pthread.h>
#include <sys/utsname.h>
#include "vmm.h"

static struct {
	uint64_t readers, writers, intervals, grant, demand, memory, link;
} opt = { 1, 3, 24, 1024, 1536, 8192, 8192 };

struct worker {
	struct vcpu v;
	pthread_t thread;
	bool reader;
	uint64_t want, left, exits, count, quota;	/* of this interval */
	uint64_t all_exits, over, logged;	/* of all */
	unsigned long unsent[SLOT_MAX_PAGES / (8 * sizeof(long))];
};

static struct worker workers[MAX_VCPUS];
static pthread_barrier_t begin, end;
static uint64_t nr;

static const char *role(struct worker *w)
{
	return w->reader ? "reader" : "writer";
}

static void *work(void *arg)
{
	struct worker *w = arg;
	uint64_t i, over;

	for (i = 0; i < opt.intervals; i++) {
		pthread_barrier_wait(&begin);
		vcpu_assign(&w->v, w->reader ? guest_read : guest_write,
			    w->want / 4);
		w->exits = w->count = w->quota = 0;
		if (!vcpu_run(&w->v)) {
			w->exits = 1;
			w->count = w->v.run->dirty_quota_exit.count;
			w->quota = w->v.run->dirty_quota_exit.quota;
			over = w->count - w->quota;
			if (over > w->over)
				w->over = over;
		}
		w->left = vcpu_left(&w->v) * 4;
		pthread_barrier_wait(&end);
	}
	return NULL;
}

/* Send up to -l KiB; how much is left afterwards. */
static uint64_t send_pages(void)
{
	uint64_t budget = opt.link / 4, left = 0, i, w;

	for (w = 0; w < nr; w++) {
		for (i = 0; i < opt.memory / 4; i++) {
			unsigned long *word = &workers[w].unsent[i / 64];

			if (!(*word >> i % 64 & 1))
				continue;
			if (budget) {
				*word &= ~(1UL << i % 64);
				budget--;
			} else {
				left += 4;
			}
		}
	}
	return left;
}

static void interval(struct vm *vm, uint64_t n)
{
	uint64_t i, j, dirtied;

	for (i = 0; i < nr; i++)
		if (vm->has_quota)
			workers[i].v.run->dirty_quota_bytes += opt.grant * 1024;
	pthread_barrier_wait(&begin);
	pthread_barrier_wait(&end);
	for (i = 0; i < nr; i++) {
		struct worker *w = &workers[i];

		dirtied = vcpu_harvest(vm, &w->v);
		for (j = 0; j < opt.memory / 4 / 64; j++)
			w->unsent[j] |= w->v.log[j];
		w->logged += dirtied * PAGE;
		w->all_exits += w->exits;
		if (w->reader)
			vcpu_unmap(&w->v);
		printf("interval\t%lu\t%lu\t%s\t%lu\t%lu\t%lu\t%lu\t%lu\t%lu\t%lu\n",
		       n, i, role(w), vm->has_quota ? opt.grant : 0,
		       w->want, w->want - w->left, dirtied * 4, w->exits,
		       w->count, w->quota);
	}
	printf("left\t%lu\t%lu\n", n, send_pages());
}

/* What 64 reads leave in the log; 64 writes are the control. */
static void show_reads(void)
{
	struct vm vm;
	struct vcpu v;

	vm_create(&vm);
	vcpu_create(&vm, &v, 0, 64);
	vcpu_assign(&v, guest_read, 64);
	vcpu_run(&v);
	printf("reads\tof unmapped pages\t64\t%lu\n", vcpu_harvest(&vm, &v));
	vcpu_unmap(&v);
	vcpu_assign(&v, guest_read, 64);
	vcpu_run(&v);
	printf("reads\tafter the host unmapped them\t64\t%lu\n", vcpu_harvest(&vm, &v));
	vcpu_assign(&v, guest_write, 64);
	vcpu_run(&v);
	printf("reads\tcontrol: writes\t64\t%lu\n", vcpu_harvest(&vm, &v));
}

static void show_quota(void)
{
	uint64_t i, charged, host;
	struct vm vm;

	vm_create(&vm);
	for (i = 0; i < nr; i++) {
		workers[i].reader = i < opt.readers;
		workers[i].want = (i + 1) * opt.demand;
		vcpu_create(&vm, &workers[i].v, i, opt.memory / 4);
		/* A migration begins with everything to send. */
		memset(workers[i].unsent, 0xff, sizeof(workers[i].unsent));
	}
	if (vm.has_quota)
		vm_enable_quota(&vm, true);
	printf("left\t0\t%lu\n", nr * opt.memory);

	pthread_barrier_init(&begin, NULL, nr + 1);
	pthread_barrier_init(&end, NULL, nr + 1);
	for (i = 0; i < nr; i++)
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			die("pthread_create");
	for (i = 1; i <= opt.intervals; i++)
		interval(&vm, i);

	for (i = 0; i < nr; i++) {
		struct worker *w = &workers[i];

		pthread_join(w->thread, NULL);
		if (!kvm_stat(w->v.fd, "dirty_bytes_charged", &charged) ||
		    !kvm_stat(w->v.fd, "dirty_bytes_host", &host))
			charged = host = 0;
		printf("vcpu\t%lu\t%s\t%lu\t%lu\t%lu\t%lu\t%lu\n", i, role(w),
		       w->all_exits, w->over, charged, host, w->logged);
	}
}

int main(int argc, char **argv)
{
	static const struct { char letter; const char *name; uint64_t *value; } options[] = {
		{ 'r', "readers", &opt.readers },
		{ 'w', "writers", &opt.writers },
		{ 'i', "intervals", &opt.intervals },
		{ 'g', "grant", &opt.grant },
		{ 'd', "demand", &opt.demand },
		{ 'm', "memory", &opt.memory },
		{ 'l', "link", &opt.link },
	};
	size_t i, n = sizeof(options) / sizeof(options[0]);
	struct utsname uts;
	struct vm vm;
	int c;

	while ((c = getopt(argc, argv, "r:w:i:g:d:m:l:")) != -1) {
		for (i = 0; i < n && options[i].letter != c; i++)
			;
		if (i == n)
			return 2;
		*options[i].value = strtoul(optarg, NULL, 0);
	}
	nr = opt.readers + opt.writers;
	if (!nr || nr > MAX_VCPUS || opt.memory > SLOT_MAX_PAGES * 4 ||
	    opt.memory % 256 || nr * opt.demand > opt.memory || opt.demand < 4) {
		fprintf(stderr, "dirty-quota-demo: 1 to %d vCPUs, -m a multiple of 256 up to %d, -d from 4 to -m by the number of vCPUs\n",
			MAX_VCPUS, SLOT_MAX_PAGES * 4);
		return 2;
	}

	vm_create(&vm);
	uname(&uts);
	printf("kernel\t%s\t%d\n", uts.release, vm.has_quota);
	for (i = 0; i < n; i++)
		printf("setting\t%s\t%lu\n", options[i].name, *options[i].value);
	show_reads();
	show_quota();
	return 0;
}
