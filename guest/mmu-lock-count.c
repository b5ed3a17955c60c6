// SPDX-License-Identifier: GPL-2.0-only
/*
 * mmu-lock-count - run a command and count what is done to kvm->mmu_lock.
 *
 * Arch: x86_64 arm64
 *
 * usage: mmu-lock-count [-c] [-f] COMMAND [ARGS...]
 *
 * The kernel counts, in histograms on kprobes at _raw_write_lock() and
 * _raw_read_lock(), keyed by the lock's address. mmu_lock is the first member
 * of struct kvm, so a lock is an mmu_lock when kvm_arch_init_vm() was given
 * its address. This is exact on a kernel without lock debugging, where every
 * write_lock() and read_lock() is one call of these functions (PREEMPTION=y),
 * and needs no lock_stat, which changes the timing of all locks.
 *
 *   -c  keep the call chains too (slow): what was taken, and waited for,
 *       inside an aging notifier
 *   -f  keep the VM's page fault statistics (x86)
 *
 * The command's output is passed on, and its exit code is this program's.
 * Then follow lines "count <tab> NAME <tab> N":
 *   vms         VMs created
 *   aged        calls of kvm_age_gfn() and kvm_test_age_gfn(): aging
 *               notifiers, once for each memslot that they hit
 *   write, read          mmu_lock taken for write, for read
 *   contended            had to wait for it
 *   aging-write, aging-read, aging-contended      of those, inside an aging
 *                                                 notifier (-c)
 *   pf_taken, pf_fast    page faults, and those fixed without mmu_lock (-f)
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRACING	"/sys/kernel/tracing/"
#define STATS	"/sys/kernel/debug/kvm/"
#define GROUP	"mmu_lock_count"
#define MAX_VMS	256

static const struct probe {
	const char *name, *function;
} probes[] = {
	{ "vm", "kvm_arch_init_vm" },
	{ "age", "kvm_age_gfn" },
	{ "test", "kvm_test_age_gfn" },
	{ "write", "_raw_write_lock" },
	{ "read", "_raw_read_lock" },
};
#define NR_PROBES	(sizeof(probes) / sizeof(probes[0]))

static const char * const faults[] = { "pf_taken", "pf_fast" };

static uint64_t vms[MAX_VMS];
static int nr_vms;

__attribute__((noreturn, format(printf, 1, 2)))
static void die(const char *fmt, ...)
{
	int err = errno;
	va_list ap;

	fprintf(stderr, "mmu-lock-count: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, ": %s\n", strerror(err));
	exit(2);
}

/* Write one line to a file below TRACING. */
__attribute__((format(printf, 3, 4)))
static void put(const char *file, bool must, const char *fmt, ...)
{
	char path[256], line[256];
	va_list ap;
	int fd, n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	snprintf(path, sizeof(path), TRACING "%s", file);
	fd = open(path, O_WRONLY | O_APPEND);
	if ((fd < 0 || write(fd, line, n) != n) && must)
		die("%s > %s", line, path);
	if (fd >= 0)
		close(fd);
}

static const char *event(const char *probe, const char *file)
{
	static char path[128];

	snprintf(path, sizeof(path), "events/%s/%s/%s",
		 strcmp(probe, "contended") ? GROUP : "lock",
		 strcmp(probe, "contended") ? probe : "contention_begin", file);
	return path;
}

/* Start to count, or stop and leave nothing behind. */
static void count(bool on, bool chains)
{
	const char *chain = chains ? ",common_stacktrace" : "";
	const char *no = on ? "" : "!";
	size_t i;

	for (i = 0; i < NR_PROBES; i++) {
		const char *name = probes[i].name;
		bool lock = i >= 3;

		if (on)
			put("kprobe_events", true, "p:" GROUP "/%s %s lock=$arg1:u64\n",
			    name, probes[i].function);
		put(event(name, "trigger"), on, "%shist:keys=lock%s:size=16384\n",
		    no, lock ? chain : "");
		if (!on)
			put("kprobe_events", false, "-:" GROUP "/%s\n", name);
	}
	put(event("contended", "trigger"), on, "%shist:keys=lock_addr%s:size=16384\n",
	    no, chain);
}

static bool is_mmu_lock(uint64_t lock)
{
	int i;

	for (i = 0; i < nr_vms; i++)
		if (vms[i] == lock)
			return true;
	return false;
}

/*
 * Add up a histogram. Its entries look like
 *	{ lock: 18446..., common_stacktrace:
 *	         _raw_write_lock+0x0/0x20
 *	         kvm_mmu_notifier_clear_young+0x1c9/0x260
 *	} hitcount:          5
 * On arm64 the caller of the probed function is not in the chain, hence mm's
 * own functions around the notifiers count as well.
 */
static uint64_t sum(const char *probe, uint64_t *aging)
{
	uint64_t n, lock = 0, total = 0;
	char path[256], line[512], *p;
	bool inside = false;
	FILE *f;

	snprintf(path, sizeof(path), TRACING "%s", event(probe, "hist"));
	f = fopen(path, "r");
	if (!f)
		die("%s", path);
	while (fgets(line, sizeof(line), f)) {
		p = strstr(line, "lock:");
		if (!p)
			p = strstr(line, "lock_addr:");
		if (line[0] == '{' && p) {
			lock = strtoull(strchr(p, ':') + 1, NULL, 0);
			inside = false;
			if (!strcmp(probe, "vm")) {
				if (nr_vms == MAX_VMS)
					die("more than %d VMs", MAX_VMS);
				vms[nr_vms++] = lock;
			}
		}
		if (strstr(line, "mmu_notifier_clear_young") ||
		    strstr(line, "mmu_notifier_clear_flush_young") ||
		    strstr(line, "mmu_notifier_test_young"))
			inside = true;
		p = strstr(line, "hitcount:");
		if (p && is_mmu_lock(lock)) {
			n = strtoull(p + strlen("hitcount:"), NULL, 0);
			total += n;
			if (aging && inside)
				*aging += n;
		}
		if (sscanf(line, " Dropped: %lu", &n) == 1 && n) {
			errno = ENOSPC;
			die("%s dropped %lu events", path, n);
		}
	}
	fclose(f);
	return total;
}

/*
 * Open the statistics of the child's VM as soon as it has one. An open file
 * keeps the VM, so that they can be read after the child's end.
 */
static bool open_stats(pid_t child, FILE **stats)
{
	char prefix[32], path[512];
	struct dirent *d;
	bool found = false;
	size_t i;
	DIR *dir = opendir(STATS);

	if (!dir)
		die(STATS);
	snprintf(prefix, sizeof(prefix), "%d-", child);
	while (!found && (d = readdir(dir))) {
		if (strncmp(d->d_name, prefix, strlen(prefix)))
			continue;
		found = true;
		for (i = 0; i < 2; i++) {
			snprintf(path, sizeof(path), STATS "%s/%s", d->d_name, faults[i]);
			stats[i] = fopen(path, "r");
			found &= !!stats[i];
		}
	}
	closedir(dir);
	return found;
}

int main(int argc, char **argv)
{
	uint64_t aging[3] = { 0 }, total[3], aged, n;
	bool chains = false, fault_stats = false;
	static const char * const locks[] = { "write", "read", "contended" };
	FILE *stats[2] = { NULL, NULL };
	int c, i, status;
	pid_t child;

	while ((c = getopt(argc, argv, "+cf")) != -1) {
		if (c == 'c')
			chains = true;
		else if (c == 'f')
			fault_stats = true;
		else
			return 2;
	}
	if (optind == argc) {
		fprintf(stderr, "usage: mmu-lock-count [-c] [-f] COMMAND [ARGS...]\n");
		return 2;
	}

	count(false, chains);
	count(true, chains);
	child = fork();
	if (child < 0)
		die("fork");
	if (!child) {
		execvp(argv[optind], argv + optind);
		die("%s", argv[optind]);
	}
	while (!waitpid(child, &status, WNOHANG)) {
		if (fault_stats && !stats[1])
			open_stats(child, stats);
		usleep(stats[1] || !fault_stats ? 50000 : 1000);
	}

	sum("vm", NULL);
	aged = sum("age", NULL) + sum("test", NULL);
	for (i = 0; i < 3; i++)
		total[i] = sum(locks[i], &aging[i]);

	if (nr_vms && !total[0]) {
		errno = ENOTSUP;
		die("no write_lock() seen; are locks inlined");
	}

	printf("\ncount\tvms\t%d\ncount\taged\t%lu\n", nr_vms, aged);
	for (i = 0; i < 3; i++) {
		printf("count\t%s\t%lu\n", locks[i], total[i]);
		if (chains)
			printf("count\taging-%s\t%lu\n", locks[i], aging[i]);
	}
	for (i = 0; fault_stats && i < 2; i++) {
		if (!stats[i] || fscanf(stats[i], "%lu", &n) != 1)
			die("no %s", faults[i]);
		printf("count\t%s\t%lu\n", faults[i], n);
	}
	for (i = 0; i < 2; i++)
		if (stats[i])
			fclose(stats[i]);
	count(false, chains);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
