#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A pass over a guest's accessed bits costs at most 1.1 times the instructions that it costs on base, with every MMU.
# Counted by guest/aging-cost under QEMU's -icount on one CPU, where the TSC is the number of instructions executed. It runs
# twice per boot; what the two differ by is the measurement's own error (A/A). KERNEL=base compares base with itself.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

count_instructions aging-cost

# The numbers of one boot as "old|new RUN KEY PHASE VALUE".
numbers() { # old|new LOG
	tr -d '\r' <"$2" | awk -F '\t' -v OFS='\t' -v role="$1" '
		/^@@ BEGIN / { run = substr($0, 10) }
		$1 == "clock" { print role, run, $1, "-", $2 }
		$1 == "cost" { print role, run, $1, $2, $3 }
		$1 == "seen" { print role, run, $1, "missed", $4 - $2; print role, run, $1, "extra", $3 }'
}

# Comments to print, and "pass|fail TEXT" for each check.
compare() {
	awk -F '\t' -v kernel="$KERNEL" "$cost_awk"'
	{ x[$1, $2, $3, $4] = $5 }
	END {
		np = split("page_idle-young page_idle-old mglru-young mglru-old", phase, " ")
		if (NR != 4 * (1 + np + 2)) { check(0, "all four measurements gave their numbers"); exit }
		printf "# %-21s %9s %9s %8s\n", "instructions per page", "base", kernel, "ratio"
		for (p = 1; p <= np; p++) {
			old = cost("old", phase[p]); new = cost("new", phase[p]); ratio[p] = old > 0 ? new / old : 99
			printf "# %-21s %9.1f %9.1f %8.3f\n", phase[p], old, new, ratio[p]
			least = p == 1 || old < least ? old : least
			for (role in roles) spread = max(spread, abs(x[role, "a", "cost", phase[p]] / x[role, "b", "cost", phase[p]] - 1))
		}
		for (k in x) if (k ~ "clock") clock = max(clock, abs(x[k] - 1))
		for (k in x) if (k ~ "missed") missed += x[k]
		for (k in x) if (k ~ "extra") extra += x[k]
		check(clock <= 0.01, "the clock counts instructions (off by " clock + 0 ")")
		check(spread <= 0.01, sprintf("A/A: two runs in one boot differ by at most 1 %% (%.2f %%)", 100 * spread))
		check(least > 100, "every phase does something")
		check(!missed && !extra, "page_idle tells accessed pages from others (" missed + 0 " missed, " extra + 0 " too many)")
		for (p = 1; p <= np; p++)
			check(ratio[p] <= 1.1, sprintf("%s: at most 1.1 times base (%.3f)", phase[p], ratio[p]))
	}
	BEGIN { roles["old"]; roles["new"] }' "$tmp/numbers"
}

compare_costs
done_testing
