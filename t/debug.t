#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The selftests that race, on kernels that watch themselves: kernel/debug.config, kcsan.config and rt.config, each over
# kernel/x86_64.config. A test that fails and a kernel that complains both count. CONFIG_EXTRA=debug|kcsan|rt and
# BED=x86-svm:VARIANT select (rt runs on x86-vmx:eptad=0 only); SECS is how long each subtest of aging_race_test takes (default 60). Building and running
# takes hours, so this runs in make check-debug and make test T=debug only.
#
# Of the data races that KCSAN reports those count that have a side in what the patches touch (see functions()) and that base
# does not have: t/expected/kcsan-x86-svm, pairs of functions. It says for which base, configuration and emulator; on any
# other the base kernel is booted too. t/expected/kcsan-known has some more, each with a reason.
#     RECORD=1 make test T=debug CONFIG_EXTRA=kcsan KERNEL=base     adds what it finds (each run finds others), or begins anew
set -euo pipefail
. "$(dirname "$0")/lib.sh"
RECORD=${RECORD:-} SECS=${SECS:-60}
[[ -z $RECORD || $KERNEL:${CONFIG_EXTRA:-} = base:kcsan ]] || die "RECORD=1 records KCSAN on base: KERNEL=base CONFIG_EXTRA=kcsan"

only_on "x86-svm x86-vmx" "debug kernels are for beds x86-svm and x86-vmx only"
export LIMIT=${LIMIT:-10800}
record=$EXPECTED/kcsan-x86-svm
# aging NAME BED: the plan that t/subtests/lockless-aging has for it, its subtests taking SECS.
aging() {
	awk -v name="$1" -v bed="$2" -v secs="$SECS" '$1 == "plan:" && $2 == name && $3 == bed {
		sub(/.*aging_race_test( -s [0-9]+)? -r/, "")
		print name, 7200, "aging_race_test -s", secs, "-r" $0
	}' "$ROOT/t/subtests/lockless-aging"
}
# Nested guests may crash base, and so come last.
cat >"$tmp/plan" <<EOF
$(aging aging_race_test 'x86-svm:*')
access_tracking_stress_test.mglru 900 access_tracking_stress_test -a mglru -p -t 2 -b 4M
access_tracking_stress_test.notifier 900 access_tracking_stress_test -a notifier -p -b 4M
access_tracking_perf_test 900 access_tracking_perf_test -v 2 -b 16M
dirty_log_perf_test 900 dirty_log_perf_test -v 2 -b 16M -i 2
memslot_modification_stress_test 900 memslot_modification_stress_test -v 2 -b 16M -i 20
dirty_quota_test 1800 dirty_quota_test
dirty_quota_hostile 1800 dirty_quota_hostile
dirty_quota_nested 1800 dirty_quota_nested
$(aging race.nested 'x86-svm:*')
EOF
cat >"$tmp/rt" <<EOF
$(aging aging_race_test x86-vmx:eptad=0)
access_tracking_stress_test.notifier 900 access_tracking_stress_test -a notifier -p -b 4M
EOF

key() {
	# shellcheck disable=SC1091
	. "$ROOT/beds/x86-svm.sh"
	echo "# SPDX-License-Identifier: GPL-2.0-only"
	echo "# base: $(git -C "$BUILD/linux-base" log -1 --format=%s)"
	echo "# configuration: $(cat "$ROOT/kernel/x86_64.config" "$ROOT/kernel/kcsan.config" | sha256sum | cut -c 1-16)"
	echo "# emulator: $(bed_version)"
}
# The data races in a log, one a line; "FUNCTION / FUNCTION", in KCSAN's order, which is always the same.
races() { tr -d '\r' <"$1" | sed -n 's/.*BUG: KCSAN: [a-z: -]* in //p' | sort -u; }

# What the patches may have to do with: all functions of KVM's files that they touch, as this kernel has compiled them; elsewhere
# the functions that they touch.
functions() {
	local f obj
	obj=$(objdir "$KERNEL" x86_64)
	kgit diff --name-only base^0 HEAD -- '*.c' '*.h' | while read -r f; do
		case $f in
		arch/x86/kvm/*.h | include/linux/kvm_host.h) nm "$obj"/arch/x86/kvm/*.o "$obj"/arch/x86/kvm/mmu/*.o ;;
		*/kvm/*.c) [ ! -f "$obj/${f%.c}.o" ] || nm "$obj/${f%.c}.o" ;;
		*) kgit diff -U0 base^0 HEAD -- "$f" | sed -nE 's/^@@.*@@ .*\b([a-z_0-9]+)\(.*/0 T \1/p' ;;
		esac
	done | awk '$2 ~ /^[tT]$/ { print $3 }' | sort -u
}

# complaints() of t/lib.sh, but for the data races that don't count. Those of base are only collected.
eval "all_$(declare -f complaints)"
complaints() {
	all_complaints "$@" | awk -v kernel="$KERNEL" '
		FILENAME == ARGV[1] { known[$0] = 1; next }
		FILENAME == ARGV[2] { ours[$0] = 1; next }
		!/BUG: KCSAN: / { print; next }
		kernel == "base" { next }
		{ race = $0; sub(/.*BUG: KCSAN: [a-z: -]* in /, "", race); split(race, f, " / ") }
		!(race in known) && (f[1] in ours || f[2] in ours)' "$tmp/known" "$tmp/ours" - || true
}

# plan_for WHERE: the plan, and what set 2 runs there; with fault injection, where the kernel has it.
plan_for() {
	cat "$plan"
	[ "$CONFIG_EXTRA" != rt ] || return 0
	plan_of eager-split "$1" | grep '^eager'
	[ "$CONFIG_EXTRA" != debug ] || echo "eager.alloc 600 eager_page_split_test -r alloc_fail"
}

# base_races: boots base on every variant, and collects what KCSAN says there.
base_races() {
	local KERNEL=base where
	: >"$tmp/base"
	for where in $(wheres); do
		plan_for "$where" >"$tmp/boot"
		run_bed "$where" base "$tmp/boot" || continue
		races "$LOG" >>"$tmp/base"
	done
	sort -u "$tmp/base" >"$tmp/known"
}

for CONFIG_EXTRA in ${CONFIG_EXTRA:-debug kcsan rt}; do
	export CONFIG_EXTRA
	echo "# kernel/$CONFIG_EXTRA.config"
	: >"$tmp/known"
	: >"$tmp/ours"
	# KVM on PREEMPT_RT wants a constant TSC, which Bochs has and QEMU hasn't; eptad=0, for Bochs' PML has a fault (docs/beds.md).
	BEDS=x86-svm plan=$tmp/plan
	[ "$CONFIG_EXTRA" != rt ] || BEDS=x86-vmx plan=$tmp/rt
	if [ "$CONFIG_EXTRA" = kcsan ]; then
		key >"$tmp/key"
		if [ -z "$RECORD" ] && cmp -s "$tmp/key" <(grep '^#' "$record" 2>/dev/null); then
			grep -v '^#' "$record" >"$tmp/known" || true
		elif [ "$KERNEL" != base ] || [ -n "$RECORD" ]; then
			base_races
		fi
		if [ -n "$RECORD" ]; then
			! cmp -s "$tmp/key" <(grep '^#' "$record" 2>/dev/null) || grep -v '^#' "$record" >>"$tmp/known" || true
			sort -u "$tmp/known" | cat "$tmp/key" - >"$tmp/record"
			cp "$tmp/record" "$record"
			tap pass "recorded: $(grep -vc '^#' "$record") data races of base are in t/expected/kcsan-x86-svm"
			continue
		fi
		sed -n 's/ *#.*//; /./p' "$EXPECTED/kcsan-known" >>"$tmp/known"
	fi
	for where in $(wheres); do
		[[ $where != x86-vmx:* || $where = x86-vmx:eptad=0 ]] || continue
		"$ROOT/scripts/kernel.sh" "$KERNEL" x86_64 >/dev/null || { tap fail "the $CONFIG_EXTRA kernel builds"; break; }
		[ "$CONFIG_EXTRA" != kcsan ] || functions >"$tmp/ours"
		plan_for "$where" >"$tmp/boot"
		run_bed "$where" "$KERNEL" "$tmp/boot" || continue
		report "$where" "$LOG"
		[ "$CONFIG_EXTRA" != kcsan ] || races "$LOG" | sed 's/^/# data race: /'
	done
done
done_testing
