#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What a guest with free page reporting pays to allocate and free memory: with defaults at most 1 % more instructions than on base per
# huge page, page of a private file mapping or small page of many, and when one small page is allocated and freed at most 2 more, beyond
# what two runs differ by; with age filter and cache trimming on, at most 2 % more. Counted by guest/page-alloc-cost under QEMU's -icount on one CPU, where the TSC is the number of
# instructions executed. It runs twice per boot; what the two differ by is the measurement's own error (A/A). KERNEL=base compares base
# with itself.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

BED=${BED:-x86-svm:tdp_mmu=Y}    # there is no VM in it
count_instructions page-alloc-cost
export MEM=1G QEMU_EXTRA="$QEMU_EXTRA -device virtio-balloon-pci,free-page-reporting=on"
params=/sys/module/page_reporting/parameters
# -1: no device takes reports
sed -i "s|page-alloc-cost|! grep -e -1 $params/page_reporting_order \&\& &|" "$tmp/plan"
# On a kernel without the parameters there is nothing to turn on.
printf '%s\n' "on.a 500 page-alloc-cost \$([ ! -e $params/cache_idle_ms ] || echo -o)" \
	"on.b 500 page-alloc-cost" >>"$tmp/plan"

# The numbers of one boot as "old|new RUN KEY PHASE VALUE".
numbers() { # old|new LOG
	tr -d '\r' <"$2" | awk -F '\t' -v OFS='\t' -v role="$1" '
		/^@@ BEGIN / { run = substr($0, 10) }
		$1 == "clock" { print role, run, $1, "-", $2 }
		$1 == "cost" { print role, run, $1, $2, $3 }'
}

# Comments to print, and "pass|fail TEXT" for each check.
compare() {
	awk -F '\t' -v kernel="$KERNEL" "$cost_awk"'
	function on(phase) { return (x["new", "on.a", "cost", phase] + x["new", "on.b", "cost", phase]) / 2 }
	{ x[$1, $2, $3, $4] = $5 }
	END {
		np = split("pair small file huge", phase, " ")
		if (NR != 8 * (1 + np)) { check(0, "all eight measurements gave their numbers"); exit }
		printf "# %-21s %9s %9s %8s %9s %8s\n", "instructions per page", "base", kernel, "more", "on", "more"
		for (p = 1; p <= np; p++) {
			old[p] = cost("old", phase[p]); new[p] = cost("new", phase[p])
			printf "# %-21s %9.1f %9.1f %+7.2f%% %9.1f %+7.2f%%\n", phase[p], old[p], new[p], 100 * (new[p] / old[p] - 1),
				on(phase[p]), 100 * (on(phase[p]) / old[p] - 1)
			if (p == 1) for (role in roles) noise = max(noise, abs(x[role, "a", "cost", phase[p]] - x[role, "b", "cost", phase[p]]))
			for (role in roles) spread = max(spread, abs(x[role, "a", "cost", phase[p]] / x[role, "b", "cost", phase[p]] - 1))
		}
		for (k in x) if (k ~ "clock") clock = max(clock, abs(x[k] - 1))
		# A pass may come in between.
		check(clock <= 0.05, "the clock counts instructions (off by " clock + 0 ")")
		check(spread <= 0.002, sprintf("A/A: two runs in one boot differ by at most 0.2 %% (%.3f %%)", 100 * spread))
		check(old[1] > 300 && old[2] > 300 && old[3] > 300 && old[4] > 10 * old[2], "each phase faults, and the last one on huge pages")
		check(new[1] - old[1] <= 2 + noise,
			sprintf("a small page, allocated and freed: at most 2 instructions more than on base (%+.2f, noise %.2f)", new[1] - old[1], noise))
		for (p = 2; p <= np; p++)
			check(new[p] <= 1.01 * old[p], sprintf("%s, defaults: at most 1.01 times base (%.4f)", phase[p], new[p] / old[p]))
		for (p = 1; p <= np; p++)
			check(on(phase[p]) <= 1.02 * old[p], sprintf("%s, all on: at most 1.02 times base (%.4f)", phase[p], on(phase[p]) / old[p]))
	}
	BEGIN { roles["old"]; roles["new"] }' "$tmp/numbers"
}

compare_costs
done_testing
