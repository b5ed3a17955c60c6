#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The selftests of set 3 on every bed and variant. On KERNEL=base the results are shown as they are.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

plan=$(mktemp)
trap 'rm -f "$plan"' EXIT
for where in $(wheres); do
	[ -n "$(plan_of dirty-quota "$where")" ] || continue
	watched_plan_of dirty-quota "$where" >"$plan"
	run_bed "$where" "$KERNEL" "$plan" || continue
	report_of dirty-quota "$where" "$LOG"
done
done_testing
