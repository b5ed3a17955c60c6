#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# KVM's own selftests give on the patched kernel what they give on base. t/expected/stock-BED.list is the plan (a listed
# subset with small arguments), stock-BED.base what base gave; its header says for which base, configuration and
# emulator. On any other combination base is booted too, and compared in the same run.
#     RECORD=1 make test T=stock KERNEL=base     writes the .base files anew
#     FULL=1 make test T=stock                   every selftest there is (hours), base and patched in the same run
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$ROOT/kernel/base.env"
RECORD=${RECORD:-} FULL=${FULL:-}
[ -z "$RECORD" ] || [ "$KERNEL" = base ] || die "RECORD=1 records the base kernel: KERNEL=base"

key() { # BED
	# shellcheck disable=SC1090
	(
		. "$ROOT/beds/$1.sh"
		echo "# SPDX-License-Identifier: GPL-2.0-only"
		echo "# base: $(git -C "$BUILD/linux-base" log -1 --format=%s)"
		echo "# configuration: $(sha256sum <"$ROOT/kernel/$bed_arch.config" | cut -c 1-16)"
		echo "# emulator: $(bed_version)"
		echo "# plan: $(sha256sum <"$EXPECTED/stock-$1.list" | cut -c 1-16)"
	)
}
short() { results "$1" | cut -f 1-3; }

# Every selftest but those of set 3, and those that only measure or run for ever.
whole() { # ARCH
	local p
	for p in "$BUILD/selftests/$1"/*; do
		p=$(basename "$p")
		case $p in dirty_quota_* | nx_huge_pages_test) continue ;; esac
		echo "$p 300 $p"
	done
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for where in $(wheres | awk -F : '!seen[$1]++'); do
	bed=${where%%:*}
	list=$EXPECTED/stock-$bed.list
	[ -f "$list" ] || continue
	if [ -n "$FULL" ]; then
		"$ROOT/scripts/selftests.sh" "$(arch_of "$where")"
		whole "$(arch_of "$where")" >"$tmp/plan"
		export LIMIT=10800
	else
		cp "$list" "$tmp/plan"
	fi
	key "$bed" >"$tmp/key"
	if [ -n "$RECORD" ]; then
		run_bed "$where" base "$tmp/plan" || continue
		short "$LOG" | cat "$tmp/key" - >"$EXPECTED/stock-$bed.base"
		tap pass "$where: recorded $(grep -vc '^#' "$EXPECTED/stock-$bed.base") results in t/expected/stock-$bed.base"
		continue
	fi
	if [ -z "$FULL" ] && cmp -s "$tmp/key" <(grep '^#' "$EXPECTED/stock-$bed.base" 2>/dev/null); then
		grep -v '^#' "$EXPECTED/stock-$bed.base" >"$tmp/base"
	else
		echo "# $bed: base is booted as well, for there is no record of this base, configuration, emulator and plan"
		run_bed "$where" base "$tmp/plan" || continue
		short "$LOG" >"$tmp/base"
	fi
	run_bed "$where" "$KERNEL" "$tmp/plan" || continue
	results "$LOG" >"$tmp/now"
	while IFS=$'\t' read -r program subtest was; do
		sub=${subtest#-}
		now=$(awk -F '\t' -v p="$program" -v s="$subtest" '$1 == p && $2 == s { print $3; exit }' "$tmp/now")
		if [ "$now" = "$was" ]; then tap pass "$where $program${sub:+ $sub}: $was, as on base"; else
			tap fail "$where $program${sub:+ $sub}: $was, as on base" \
				"it is: ${now:-missing} $(awk -F '\t' -v p="$program" -v s="$subtest" '$1 == p && $2 == s { print $4; exit }' "$tmp/now")"
		fi
	done <"$tmp/base"
	while IFS=$'\t' read -r program subtest now reason; do
		sub=${subtest#-}
		grep -qF "$program"$'\t'"$subtest"$'\t' "$tmp/base" || [ "$now" != fail ] ||
			tap fail "$where $program${sub:+ $sub}, which base does not have" "$reason"
	done <"$tmp/now"
done
done_testing
