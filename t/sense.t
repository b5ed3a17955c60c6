#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Do the tests of set 3 test anything? On the base kernel every subtest that t/subtests/dirty-quota calls "feature" has to
# fail, or to skip because the interface is absent. One that skips, and one called "safety", names a mutant: a patch in
# t/mutants/ that says which subtest it makes fail (t/mutants.t proves it). Without a mutant only failing on base will do.
# One boot of x86-svm:tdp_mmu=Y, or what BED names.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
BED=${BED:-x86-svm:tdp_mmu=Y}
table=$ROOT/t/subtests/dirty-quota

# The mutant exists, and names a subtest of this row.
is_mutant() { # MUTANT PROGRAM PATTERN
	local program subtest
	[ -f "$ROOT/t/mutants/$1.patch" ] || return 1
	while read -r _ program subtest; do
		# shellcheck disable=SC2053
		[[ $program == "$2" && $subtest == $3 ]] && return 0
	done < <(grep '^Fails: ' "$ROOT/t/mutants/$1.patch")
	return 1
}

judge() { # WHERE PROGRAM SUBTEST STATUS REASON
	local name="$1 $2 $3" row class mutant pattern
	if [ "$3" = - ] && ! row=$(table_row dirty-quota "$1" "$2" -); then
		tap fail "$name runs its subtests on base" "$4: $5"
		return
	fi
	if ! row=$(table_row dirty-quota "$1" "$2" "$3"); then
		tap fail "$name is in t/subtests/dirty-quota"
		return
	fi
	read -r class mutant pattern <<<"$row"
	used+=("$2 $pattern")
	case $class:$4 in
	feature:fail) tap pass "$name fails on base" ;;
	feature:skip | safety:skip)
		if [[ $5 != *KVM_CAP_DIRTY_QUOTA* ]] && ! expected_skip "$1" "$2" "$3"; then
			tap fail "$name skips on base because the interface is absent" "it says: $5"
		else
			check "$name skips on base; $mutant makes it fail" is_mutant "$mutant" "$2" "$pattern"
		fi
		;;
	feature:pass) tap fail "$name fails on base" "it passes: it tests nothing that set 3 adds" ;;
	safety:pass) check "$name passes on base; $mutant makes it fail" is_mutant "$mutant" "$2" "$pattern" ;;
	safety:fail) tap fail "$name is safe on base" "$5" ;;
	*) tap fail "$name has a class" "the table says $class" ;;
	esac
}

plan=$(mktemp)
trap 'rm -f "$plan"' EXIT
KERNEL=base
for where in $(wheres); do
	used=()
	programs=$(grep -v '^#' "$table" | awk '{ print $1 }' | sort -u)
	[[ $where != arm64:* ]] || programs=$(grep -vx dirty_quota_nested <<<"$programs")
	for p in $programs; do echo "$p 900 $p"; done >"$plan"
	run_bed "$where" base "$plan" || continue
	while IFS=$'\t' read -r program subtest status reason; do
		judge "$where" "$program" "$subtest" "$status" "$reason"
	done < <(results "$LOG")
	[[ $where == x86-svm:* ]] || continue
	while read -r program pattern _; do
		[[ "|$(IFS='|'; echo "${used[*]}")|" == *"|$program $pattern|"* ]] ||
			tap fail "$where: the table's row '$program $pattern' names a subtest that exists"
	done < <(grep -v -e '^#' -e '^$' "$table")
done
done_testing
