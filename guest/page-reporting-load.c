// SPDX-License-Identifier: GPL-2.0-only
/*
 * page-reporting-load - what a guest with free page reporting returns, and when.
 * Runs on kernels with and without the set; Arch: x86_64 arm64.
 *
 *   idle ANON FILE SECONDS [IDLE_MS]  touch and free ANON MiB of memory, read FILE
 *                            MiB of a file once, then wait. IDLE_MS: cache_idle_ms
 *   now ANON                 free ANON MiB, and have it reported: by report_now if
 *                            there is one, else by passes
 *   churn MIB SECONDS [AGE]  touch and free MIB, twice a second. AGE: min_age_ms
 *   order0 MIB               with page_reporting_order=0, free MIB of small pages
 *   cache FILE [IDLE_MS]     read FILE MiB once, and drop them: by cache_idle_ms,
 *                            else by drop_caches
 *   hot COLD HOT SECONDS IDLE_MS  read COLD MiB once and HOT MiB each second
 *   hibernate MIB            keep MIB of memory, and hibernate to the disk vda; goes
 *                            on in the machine that resumes from there
 *
 * What is reported is counted by a probe of __putback_isolated_page(), through
 * which a block returns to the free lists on any kernel; passes by one of
 * page_reporting_process().
 *
 * Output: tab-separated lines that begin with
 *   use     phase, seconds, KiB of memory that is free, KiB of page cache
 *   result  key, value
 * Pages are base pages.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define TRACING	"/sys/kernel/tracing/"
#define PARAMS	"/sys/module/page_reporting/parameters/"
#define NOW	"/sys/kernel/mm/page_reporting/report_now"
#define MIB	(1UL << 20)

static unsigned long page_size;

static void die(const char *what)
{
	printf("# %s: %s\n", what, strerror(errno));
	exit(1);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void pause_ms(unsigned int ms)
{
	usleep(ms * 1000);
}

/* Returns errno of the write. */
static int try_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), err = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		err = errno;
	close(fd);
	return err;
}

static void must_write(const char *path, const char *text)
{
	errno = try_write(path, text);
	if (errno)
		die(path);
}

static void set_param(const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), PARAMS "%s", name);
	must_write(path, value);
}

/* The sum of the numbers in lines of @path that begin with @key; 0 if there are none. */
static unsigned long lookup(const char *path, const char *key)
{
	unsigned long sum = 0, n;
	char line[256];
	FILE *f = fopen(path, "r");

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, key, strlen(key)) &&
		    sscanf(line + strlen(key), "%lu", &n) == 1)
			sum += n;
	}
	fclose(f);
	return sum;
}

static unsigned long vmstat(const char *key)
{
	return lookup("/proc/vmstat", key);
}

static unsigned long meminfo(const char *key)
{
	return lookup("/proc/meminfo", key);
}

static void result(const char *key, const char *format, ...)
{
	va_list args;

	printf("result\t%s\t", key);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

static void use(const char *phase)
{
	printf("use\t%s\t%.1f\t%lu\t%lu\n", phase, seconds(),
	       meminfo("MemFree:"), meminfo("Cached:"));
	fflush(stdout);
}

static void probe(void)
{
	if (!access(TRACING "events/pr", F_OK))
		return;
	must_write(TRACING "kprobe_events",
		   "p:pr/back __putback_isolated_page order=$arg2:u32\n"
		   "p:pr/pass page_reporting_process\n");
	must_write(TRACING "events/pr/back/trigger", "hist:keys=order\n");
	must_write(TRACING "events/pr/pass/trigger", "hist:keys=common_cpu\n");
}

/* Hits of a probe, each times 1 << its key if @pages. */
static unsigned long hits(const char *event, bool pages)
{
	char path[64], line[256], *p;
	unsigned long sum = 0, n;
	unsigned int key;
	FILE *f;

	snprintf(path, sizeof(path), TRACING "events/pr/%s/hist", event);
	f = fopen(path, "r");
	if (!f)
		die(path);
	while (fgets(line, sizeof(line), f)) {
		p = strstr(line, "hitcount:");
		if (!p || line[0] != '{' ||
		    sscanf(line, "{ %*[^:]: %u", &key) != 1 ||
		    sscanf(p, "hitcount: %lu", &n) != 1)
			continue;
		sum += pages ? n << key : n;
	}
	fclose(f);
	return sum;
}

static unsigned long reported(void)
{
	return hits("back", true);
}

static unsigned long passes(void)
{
	return hits("pass", false);
}

/*
 * Wait until nothing is reported any more, for six seconds or, if that is
 * later, until @least seconds are over. Prints the use of memory meanwhile, and
 * returns after how many passes 99 % of what was reported since @from were.
 */
static unsigned long settle(unsigned long from, double least, const char *phase)
{
	static struct { unsigned long pages, passes; } seen[4096];
	unsigned long start = passes(), last = -1UL, i, n = 0;
	double begin = seconds(), quiet = begin, now = begin;

	while (n < 4096 && now < begin + 240 &&
	       (now < quiet + 6 || now < begin + least)) {
		seen[n].passes = passes();
		seen[n].pages = reported();
		if (seen[n].pages != last) {
			last = seen[n].pages;
			quiet = now;
		}
		if (n++ % 4 == 0)
			use(phase);
		pause_ms(250);
		now = seconds();
	}
	if (now >= begin + 240)
		printf("# %s: no end of reporting within 240 s\n", phase);
	for (i = 0; i < n; i++)
		if (seen[i].pages - from >= (last - from) * 0.99)
			return seen[i].passes - start;
	return 0;
}

static void *touch(unsigned long bytes, bool huge)
{
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long i;

	if (p == MAP_FAILED)
		die("mmap");
	/* Without huge pages in the kernel it has no effect. */
	madvise(p, bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	for (i = 0; i < bytes; i += page_size)
		p[i] = 1;
	return p;
}

/* Files without blocks, on a file system in a small file: only page cache grows. */
static void make_fs(void)
{
	if (system("umount /m 2>/dev/null; mkdir -p /m && truncate -s 32M /tmp/fs && mke2fs -F /tmp/fs >/dev/null 2>&1 && mount -o loop /tmp/fs /m"))
		die("a file system");
}

static void make_file(const char *path, unsigned long bytes)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	if (fd < 0 || ftruncate(fd, bytes))
		die(path);
	close(fd);
	sync();
}

static void read_file(const char *path)
{
	static char buffer[1 << 16];
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		die(path);
	while (read(fd, buffer, sizeof(buffer)) > 0)
		;
	close(fd);
}

static void do_idle(unsigned long anon, unsigned long file, double wait,
		    const char *idle_ms)
{
	unsigned long dropped = vmstat("pgtrim_dropped ");

	make_fs();
	make_file("/m/cold", file);
	if (idle_ms)
		set_param("cache_idle_ms", idle_ms);
	settle(reported(), 0, "settle");
	use("start");
	munmap(touch(anon, true), anon);
	use("freed");
	read_file("/m/cold");
	use("read");
	settle(reported(), wait, "wait");
	use("end");
	result("dropped_pages", "%lu", vmstat("pgtrim_dropped ") - dropped);
	if (idle_ms)
		set_param("cache_idle_ms", "0");
}

static void do_now(unsigned long anon)
{
	unsigned long from, first, n;
	double start;
	void *p;
	int err;

	settle(reported(), 0, "settle");
	p = touch(anon, true);
	settle(reported(), 0, "settle");
	use("start");
	from = reported();
	munmap(p, anon);
	start = seconds();
	err = try_write(NOW, "free");
	first = reported() - from;
	use("written");
	if (!err)
		result("seconds", "%.3f", seconds() - start);
	else
		result("errno", "%d", err);
	n = settle(from, 0, "wait");
	use("end");
	result("freed_pages", "%lu", anon / page_size);
	result("written_pages", "%lu", first);
	result("reported_pages", "%lu", reported() - from);
	result("passes", "%lu", n);
}

static void do_churn(unsigned long bytes, double wait, const char *age)
{
	unsigned long from, reuse, n = 0;
	double end;

	if (age)
		set_param("min_age_ms", age);
	munmap(touch(bytes, true), bytes);
	settle(reported(), age ? atoi(age) / 1000 + 6 : 0, "settle");
	from = reported();
	reuse = vmstat("pgreport_reuse ");
	for (end = seconds() + wait; seconds() < end; n++) {
		munmap(touch(bytes, true), bytes);
		pause_ms(500);
	}
	if (age)
		set_param("min_age_ms", "0");
	result("cycles", "%lu", n);
	result("reported_pages", "%lu", reported() - from);
	result("reused_pages", "%lu", vmstat("pgreport_reuse ") - reuse);
	result("touched_pages", "%lu", n * (bytes / page_size));
}

/* The longest free list of one order, in blocks. */
static unsigned long longest_list(void)
{
	unsigned long max = 0, n;
	char line[512], *p;
	FILE *f = fopen("/proc/buddyinfo", "r");
	int skip;

	while (f && fgets(line, sizeof(line), f)) {
		p = strstr(line, "zone");
		if (!p)
			continue;
		for (p += 13; sscanf(p, " %lu%n", &n, &skip) == 1; p += skip)
			max = n > max ? n : max;
	}
	if (f)
		fclose(f);
	return max;
}

static void do_order0(unsigned long bytes)
{
	unsigned long from, i;
	char *p;

	set_param("page_reporting_order", "0");
	p = touch(bytes, false);
	settle(reported(), 0, "settle");
	from = reported();
	munmap(p, bytes);
	settle(reported(), 0, "once");
	result("freed_pages", "%lu", bytes / page_size);
	result("once_pages", "%lu", reported() - from);

	/* Every other page first: blocks that can't merge. */
	p = touch(bytes, false);
	settle(reported(), 0, "settle");
	from = reported();
	for (i = 0; i < bytes; i += 2 * page_size)
		madvise(p + i, page_size, MADV_DONTNEED);
	result("list_blocks", "%lu", longest_list());
	settle(reported(), 0, "half");
	munmap(p, bytes);
	settle(reported(), 0, "all");
	result("halves_pages", "%lu", reported() - from);
	result("hold_blocks", "%lu",
	       lookup("/sys/kernel/debug/page_reporting/stats", "max_hold_blocks "));
}

static void do_cache(unsigned long file, const char *idle_ms)
{
	unsigned long from, cached, dropped = vmstat("pgtrim_dropped ");
	double end;

	make_fs();
	make_file("/m/cold", file);
	settle(reported(), 0, "settle");
	read_file("/m/cold");
	settle(reported(), 0, "settle");
	from = reported();
	cached = meminfo("Cached:");
	if (idle_ms) {
		set_param("cache_idle_ms", idle_ms);
		end = seconds() + 4 * atoi(idle_ms) / 1000.0 + 10;
		while (seconds() < end && vmstat("pgtrim_dropped ") == dropped)
			pause_ms(250);
		settle(reported(), 3 * atoi(idle_ms) / 1000.0, "trim");
		result("dropped_pages", "%lu",
		       vmstat("pgtrim_dropped ") - dropped);
		set_param("cache_idle_ms", "0");
	} else {
		must_write("/proc/sys/vm/drop_caches", "1");
		settle(reported(), 0, "drop");
		result("dropped_pages", "%lu",
		       (cached - meminfo("Cached:")) * 1024 / page_size);
	}
	result("reported_pages", "%lu", reported() - from);
}

static void do_hot(unsigned long cold, unsigned long hot, double wait,
		   const char *idle_ms)
{
	unsigned long refaults, dropped;
	double end;

	make_fs();
	make_file("/m/cold", cold);
	make_file("/m/hot", hot);
	read_file("/m/hot");
	read_file("/m/hot");
	read_file("/m/cold");
	refaults = vmstat("workingset_refault_file ");
	dropped = vmstat("pgtrim_dropped ");
	set_param("cache_idle_ms", idle_ms);
	for (end = seconds() + wait; seconds() < end; ) {
		read_file("/m/hot");
		use("hot");
		pause_ms(1000);
	}
	result("dropped_pages", "%lu", vmstat("pgtrim_dropped ") - dropped);
	result("refaulted_pages", "%lu",
	       vmstat("workingset_refault_file ") - refaults);
	result("backoffs", "%lu", vmstat("pgtrim_backoff "));
	set_param("cache_idle_ms", "0");
}

static void do_hibernate(unsigned long bytes)
{
	unsigned long from, i, *p = touch(bytes, true);

	for (i = 0; i < bytes / sizeof(*p); i++)
		p[i] = i * 0x9e3779b97f4a7c15UL;
	if (system("mkswap /dev/vda >/dev/null && swapon /dev/vda"))
		die("swap on /dev/vda");
	must_write("/sys/power/disk", "shutdown");
	settle(reported(), 0, "settle");
	from = reported();
	use("before");
	must_write("/sys/power/state", "disk");
	use("resumed");
	settle(from, 0, "again");
	use("end");
	for (i = 0; i < bytes / sizeof(*p); i++) {
		if (p[i] != i * 0x9e3779b97f4a7c15UL) {
			printf("# memory changed\n");
			exit(1);
		}
	}
	result("kept_pages", "%lu", bytes / page_size);
	result("reported_pages", "%lu", reported() - from);
}

/* A number of MiB or seconds: whole, positive, not absurd. */
static unsigned long number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || !n || n > 1 << 20)
		end = NULL;
	if (!end) {
		printf("# not a number from 1 to 1048576: %s\n", text);
		exit(1);
	}
	return n;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "", *last = argv[argc - 1];

	page_size = sysconf(_SC_PAGESIZE);
	if (!strcmp(mode, "idle") && (argc == 5 || argc == 6)) {
		probe();
		do_idle(number(argv[2]) * MIB, number(argv[3]) * MIB,
			number(argv[4]), argc == 6 ? last : NULL);
	} else if (!strcmp(mode, "now") && argc == 3) {
		probe();
		do_now(number(argv[2]) * MIB);
	} else if (!strcmp(mode, "churn") && (argc == 4 || argc == 5)) {
		probe();
		do_churn(number(argv[2]) * MIB, number(argv[3]),
			 argc == 5 ? last : NULL);
	} else if (!strcmp(mode, "order0") && argc == 3) {
		probe();
		do_order0(number(argv[2]) * MIB);
	} else if (!strcmp(mode, "cache") && (argc == 3 || argc == 4)) {
		probe();
		do_cache(number(argv[2]) * MIB, argc == 4 ? last : NULL);
	} else if (!strcmp(mode, "hot") && argc == 6) {
		do_hot(number(argv[2]) * MIB, number(argv[3]) * MIB,
		       number(argv[4]), last);
	} else if (!strcmp(mode, "hibernate") && argc == 3) {
		probe();
		do_hibernate(number(argv[2]) * MIB);
	} else {
		printf("usage: %s idle ANON FILE SECONDS [IDLE_MS] | now ANON | churn MIB SECONDS [AGE] | order0 MIB | cache FILE [IDLE_MS] | hot COLD HOT SECONDS IDLE_MS | hibernate MIB\n",
		       argv[0]);
		return 1;
	}
	return 0;
}
