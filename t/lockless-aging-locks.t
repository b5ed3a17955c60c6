#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Aging takes no mmu_lock: counted by guest/mmu-lock-count, on every bed and variant. On x86-svm base runs the same plan, where
# each aging call that hits a memslot has to take it for write once, and to wait for it: the counters work.
# Times are wall-clock times of an emulator and only shown. KERNEL=base has to fail.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# What the beds can do in about half a minute.
plan() { # BED:VARIANT
	local size=64M middle=16M small=4M fault_stats=-f mode=
	case $1 in
	x86-vmx:*) size=4M middle=1M small=1M ;;
	arm64:*) size=8M middle=2M small=1M fault_stats='' mode='-m 6' ;; # 40 bits, 4K pages
	esac
	echo "chains 300 mmu-lock-count -c access_tracking_perf_test -a page_idle $mode -v 2 -b $small"
	echo "whole 600 mmu-lock-count $fault_stats access_tracking_perf_test -a page_idle $mode -v 2 -b $size"
	echo "populate 300 mmu-lock-count -c access_tracking_stress_test -a page_idle -p -v 1 -t 3 -b $middle"
	echo "time 300 access_tracking_stress_test -a page_idle -p -v 2 -t 2 -b $small"
}

# numbers ARRAY: what the run printed, as ARRAY[RUN.NAME].
numbers() {
	local -n into=$1
	local key n
	# shellcheck disable=SC2034
	while read -r key n; do into["$key"]=$n; done < <(
		counts "$LOG"
		tr -d '\r' <"$LOG" | sed -n '/^@@ BEGIN time$/,/^@@ END/{
			s/^# populate: \([0-9.]*\) s for .*/time.populate \1/p
			s/^# populate: .* meanwhile, \([0-9.]*\) s each.*/time.pass \1/p
		}'
	)
}
equal() { [ "$1" -eq "$2" ]; }
at_most() { [ "$1" -le "$2" ]; }
above() { [ "$1" -gt "$2" ]; }

for where in $(wheres); do
	# Bochs takes its time.
	[[ $where != x86-vmx:* || $where = x86-vmx:pml=1 ]] || [ "$BED" = "$where" ] || continue
	declare -A base=() now=()
	plan "$where" >"$tmp/plan"
	if [[ $where == x86-svm:* && $KERNEL != base ]]; then
		run_bed "$where" base "$tmp/plan" || continue
		numbers base
		check "$where: base takes mmu_lock for write once per aging call" \
			equal "${base[chains.aging-write]:-0}" "${base[chains.aged]:--1}"
		waits=$((${base[chains.aging-contended]:-0} + ${base[populate.aging-contended]:-0}))
		check "$where: base waits for it ($waits times)" above $waits 0
	fi
	run_bed "$where" "$KERNEL" "$tmp/plan" || continue
	numbers now
	printf '# %-30s %10s %10s %8s\n' "$where" base "$KERNEL" ratio
	for key in $(printf '%s\n' "${!now[@]}" | sort); do
		printf '# %-30s %10s %10s %8s\n' "$key" "${base[$key]:--}" "${now[$key]}" \
			"$(awk -v b="${base[$key]:-0}" -v n="${now[$key]}" 'BEGIN { if (b > 0) printf "%.3f", n / b; else print "-" }')"
	done
	check "$where: every program succeeds" equal "$(grep -ca '^@@ END .* rc=0' "$LOG")" $(($(wc -l <"$tmp/plan") + 1))
	for run in chains whole populate; do
		check "$where: $run: memory was aged (${now[$run.aged]:-0} calls)" above "${now[$run.aged]:-0}" 1000
	done
	for run in chains populate; do
		for what in write read contended; do
			check "$where: $run: mmu_lock inside aging notifiers, $what: ${now[$run.aging-$what]:-?}" \
				equal "${now[$run.aging-$what]:--1}" 0
		done
	done
	bound=300
	[[ $where != *:tdp_mmu=N && $where != *:npt=0 ]] || bound=$((${now[whole.pf_taken]:-0} - ${now[whole.pf_fast]:-0} + 300))
	check "$where: mmu_lock for write in the whole run: ${now[whole.write]:-?}, at most $bound" \
		at_most "${now[whole.write]:-999999999}" "$bound"
done
done_testing
