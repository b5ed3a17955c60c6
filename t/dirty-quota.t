#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The selftests of set 3 on every bed and variant. On KERNEL=base the results are shown as they are.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

exits=/sys/kernel/tracing/events/kvm/kvm_exit
plan=$(mktemp)
trap 'rm -f "$plan"' EXIT
for where in $(wheres); do
	[ -n "$(plan_of dirty-quota "$where")" ] || continue
	{
		# Where a guest's triple fault happened is lost when KVM resets the vCPU: trace it, for bed_fault().
		[[ $where != x86-svm:* ]] || echo "watch 20 cd $exits && echo 'exit_reason == 0x7f' >filter && echo 1 >enable"
		plan_of dirty-quota "$where"
		[[ $where != x86-svm:* ]] || echo "watched 20 grep kvm_exit /sys/kernel/tracing/trace || true"
	} >"$plan"
	run_bed "$where" "$KERNEL" "$plan" || continue
	report_of dirty-quota "$where" "$LOG"
done
done_testing
