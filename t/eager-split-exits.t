#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# arm64, kvm.eager_page_split=Y and no chunk size set: a vCPU that goes through 8192 logged pages once and writes 20 % of them exits
# at most 1750 times, for 1658 writes. On base, which has no such parameter, it exits for nearly each page: the counter works.
# Timer interrupts count as well, and are few. KERNEL=base has to fail.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

only_on arm64 "exits are compared on bed arm64 only, which has no statistics of faults"
echo "count 300 eager_page_split_test -r write20" >"$tmp/plan"
within() { [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]; }

for where in $(wheres); do
	for kernel in base "$KERNEL"; do
		declare -A is=()
		run_bed "$where" "$kernel" "$tmp/plan" || continue
		while read -r key n; do is[$key]=$n; done < <(split_counts "$LOG")
		n=${is[count.write20.1.exits]:-0}
		echo "# $where $kernel: $n exits, ${is[count.write20.1.faults]:-?} faults in logged memory"
		if [ "$kernel" = base ]; then check "$where: base exits for nearly each page ($n)" within "$n" 7800 9000; fi
		if [ "$kernel" = "$KERNEL" ]; then check "$where: $kernel: exits: $n, at most 1750" within "$n" 1658 1750; fi
	done
done
done_testing
