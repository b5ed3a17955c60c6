#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The selftests of set 2 on every bed and variant: t/subtests/eager-split says which run where, and with what arguments.
# On KERNEL=base the results are shown as they are.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

plan=$(mktemp)
trap 'rm -f "$plan"' EXIT
for where in $(wheres); do
	[ -n "$(plan_of eager-split "$where")" ] || continue
	watched_plan_of eager-split "$where" >"$plan"
	run_bed "$where" "$KERNEL" "$plan" || continue
	report_of eager-split "$where" "$LOG"
done
done_testing
