#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# With KVM_CAP_DIRTY_QUOTA off, a dirty-logging fault costs at most 0.5 % or 20 instructions more than on base, and no extra exit.
# Counted under QEMU's -icount on one CPU, where the TSC is the number of instructions executed. guest/dirty-fault-cost runs twice per
# boot; what the two differ by is the measurement's own error (A/A). What the read-fault patch costs is printed apart: with it, a page
# that is read and then written faults twice. KERNEL=base compares base with itself.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

count_instructions dirty-fault-cost
export MEM=1G

# The numbers of one boot as "old|new RUN KEY PHASE VALUE".
numbers() { # old|new LOG
	tr -d '\r' <"$2" | awk -F '\t' -v OFS='\t' -v role="$1" '
		/^@@ BEGIN / { run = substr($0, 10) }
		$1 == "clock" { print role, run, $1, "-", $2 }
		$1 == "cost" || $1 == "exits" { print role, run, $1, $2, $3 }'
}

# Comments to print, and "pass|fail TEXT" for each check.
compare() {
	awk -F '\t' -v kernel="$KERNEL" "$cost_awk"'
	{ x[$1, $2, $3, $4] = $5 }
	END {
		np = split("write read first-write read+write", phase, " ")
		if (NR != 4 * (1 + 2 * (np + 1))) { check(0, "all four measurements gave their numbers"); exit }
		printf "# %-21s %9s %9s %8s %9s  %s\n", "instructions per page", "base", kernel, "more", "", "exits more"
		for (p = 1; p <= np; p++) {
			old = cost("old", phase[p]); new = cost("new", phase[p])
			more = x["new", "a", "exits", phase[p]] - x["old", "a", "exits", phase[p]]
			printf "# %-21s %9.1f %9.1f %+8.1f %+7.2f %%  %+d%s\n", phase[p], old, new, new - old,
				old ? 100 * (new - old) / old : 0, more, phase[p] == "read+write" ? "  (read-fault patch)" : ""
			if (phase[p] != "read+write") extra += abs(more)
		}
		clock = 0
		for (k in x) if (k ~ "clock") clock = max(clock, abs(x[k] - 1))
		spread = max(abs(x["old", "a", "cost", "write"] - x["old", "b", "cost", "write"]),
			     abs(x["new", "a", "cost", "write"] - x["new", "b", "cost", "write"]))
		old = cost("old", "write"); new = cost("new", "write")
		check(clock <= 0.01, "the clock counts instructions (off by " clock ")")
		check(spread <= 2, "A/A: two runs in one boot differ by at most 2 instructions per fault (" spread ")")
		check(old > 100 && x["old", "a", "exits", "write"] > 1000, "base takes a fault per page")
		check(new - old <= max(old / 200, 20),
			sprintf("a dirty fault costs at most 0.5 %% or 20 instructions more (%.1f, on %.1f)", new - old, old))
		check(!extra, "no extra exit, save for pages read and then written")
	}' "$tmp/numbers"
}

compare_costs
done_testing
