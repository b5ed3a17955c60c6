#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Every t/mutants/*.patch, put on the patched kernel, makes the subtest fail that its header names:
#     Fails: PROGRAM SUBTEST     (PROGRAM may be the name of a plan line in t/subtests/*)
#     Bed: BED:VARIANT
# Of a command that names its subtests (-r) only that one is run: on a kernel that is broken, those before it may not end.
# A kernel is built for each, so this runs in make check-full and make test T=mutants only. MUTANT=name runs one.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

plan=$(mktemp)
trap 'rm -f "$plan"' EXIT
root=$(other_root mutant all) || { tap fail "a tree for the mutants"; done_testing; exit; }
for patch in "$ROOT"/t/mutants/${MUTANT:-*}.patch; do
	mutant=$(basename "$patch" .patch)
	where=$(sed -n 's/^Bed: *//p' "$patch")
	[ -z "$BED" ] || [[ $where == "$BED"* ]] || continue
	sed -n 's/^Fails: *//p' "$patch" | while read -r program subtest; do
		command=$(for t in "$ROOT"/t/subtests/*; do plan_of "$(basename "$t")" "$where"; done |
			awk -v p="$program" -v r=" -r $subtest" '$1 == p && NF > 3 { $1 = $2 = ""; if (gsub(/ -r [^ ]+/, "")) $0 = $0 r; print; exit }')
		echo "$program.$subtest 300 ${command:-$program -r $subtest}"
	done >"$plan"
	if [ -z "$where" ] || [ ! -s "$plan" ]; then
		tap fail "$mutant says what it makes fail, and where"
		continue
	fi
	git -C "$root/build/linux" reset --quiet --hard
	if ! git -C "$root/build/linux" apply "$patch"; then
		tap fail "$mutant applies"
		continue
	fi
	log=$OUT/boot/mutant-$mutant.log
	arch=$(arch_of "$where")
	if ! KVM_DENSE_ROOT=$root "$ROOT/scripts/kernel.sh" patched "$arch" >/dev/null; then
		tap fail "$mutant builds"
		continue
	fi
	KVM_DENSE_ROOT=$root "$ROOT/scripts/selftests.sh" "$arch"
	# A mutant may well crash: what counts is that the subtest ran and did not pass.
	KVM_DENSE_ROOT=$root "$ROOT/scripts/boot.sh" run "$where" patched "$plan" "$log" || true
	while read -r _ program subtest; do
		got=$(results "$log" | awk -F '\t' -v p="$program.$subtest" -v s="$subtest" '$1 == p && ($2 == s || $2 == "-") { print $3; exit }')
		if [ "$got" = fail ]; then tap pass "$mutant makes $program $subtest fail"; else
			tap fail "$mutant makes $program $subtest fail" "it is: ${got:-not run} (log ${log#"$ROOT"/})"
		fi
	done < <(grep '^Fails: ' "$patch")
done
done_testing
