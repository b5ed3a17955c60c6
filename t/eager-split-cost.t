#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Once its huge pages are split, KVM_CLEAR_DIRTY_LOG costs at most 0.6 times the instructions that it costs on base, with the TDP
# MMU; with the others at most 1.1 times. Counted by guest/clear-log-cost under QEMU's -icount on one CPU, where the TSC is the
# number of instructions executed. It runs twice per boot; what the two differ by is the measurement's own error (A/A).
# KERNEL=base compares base with itself, and has to fail with the TDP MMU.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

count_instructions clear-log-cost

# The numbers of one boot as "old|new RUN KEY PHASE VALUE", and the bed's variant as "on - - - VARIANT".
numbers() { # old|new LOG
	tr -d '\r' <"$2" | awk -F '\t' -v OFS='\t' -v role="$1" -v on="${where#*:}" '
		BEGIN { print "on", "-", "-", "-", on }
		/^@@ BEGIN / { run = substr($0, 10) }
		$1 == "clock" || $1 == "wrong" { print role, run, $1, "-", $2 }
		$1 == "cost" { print role, run, $1, $2, $3 }
		$1 == "huge" { print role, run, $1, "before", $2; print role, run, $1, "after", $4 }'
}

# Comments to print, and "pass|fail TEXT" for each check.
compare() {
	awk -F '\t' -v kernel="$KERNEL" "$cost_awk"'
	$1 == "on" { on = $5; next }
	{ x[$1, $2, $3, $4] = $5; n++ }
	END {
		np = split("first second fifth sparse", phase, " ")
		if (n != 4 * (2 + np + 2)) { check(0, "all four measurements gave their numbers"); exit }
		printf "# %-30s %9s %9s %8s\n", "instructions per page cleared", "base", kernel, "ratio"
		for (p = 1; p <= np; p++) {
			old = cost("old", phase[p]); new = cost("new", phase[p]); ratio[p] = old > 0 ? new / old : 99
			printf "# %-30s %9.1f %9.1f %8.3f\n", phase[p], old, new, ratio[p]
			if (p > 1)
				for (role in roles) spread = max(spread, abs(x[role, "a", "cost", phase[p]] / x[role, "b", "cost", phase[p]] - 1))
		}
		least = 1
		for (k in x) {
			if (k ~ "clock") clock = max(clock, abs(x[k] - 1))
			if (k ~ "wrong") wrong += x[k]
			if (k ~ "after") left += x[k]
			# The guest maps itself with small pages.
			if (k ~ "before" && !x[k] && on != "npt=0") least = 0
			if (k ~ "second" && x[k] < 10) least = 0
		}
		check(clock <= 0.01, "the clock counts instructions (off by " clock + 0 ")")
		check(spread <= 0.02, sprintf("A/A: two runs in one boot differ by at most 2 %% (%.2f %%)", 100 * spread))
		check(!wrong, "each log has the pages that were written (" wrong + 0 " wrong)")
		check(least && !left, "huge mappings were split before the second clear (left: " left + 0 ")")
		limit = on == "tdp_mmu=Y" ? 0.6 : 1.1
		check(ratio[2] <= limit, sprintf("the second KVM_CLEAR_DIRTY_LOG: at most %s times base (%.3f)", limit, ratio[2]))
	}
	BEGIN { roles["old"]; roles["new"] }' "$tmp/numbers"
}

compare_costs
done_testing
