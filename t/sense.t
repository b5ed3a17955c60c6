#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Do the tests of the sets test anything? On the base kernel every subtest that t/subtests/* calls "feature" has to fail, or
# to skip because the interface is absent. One that skips, and one called "safety", names a mutant: a patch in t/mutants/
# that says which subtest it makes fail (t/mutants.t proves it). Without a mutant only failing on base will do. One called
# "chance" fails on base when a race is hit there, and names a mutant. "control" judges no kernel and has to pass there; "oops" may crash base, and isn't run there.
# A program that skips as a whole skips every subtest. One boot per table of x86-svm:tdp_mmu=Y, of guest:reporting, :off and :kunit, or what BED names.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

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

here() { BEDS=$(beds_of "$table") wheres | grep -x "${BED:+.*}\|x86-svm:tdp_mmu=Y\|guest:\(reporting\|off\|kunit\)"; }

judge() { # WHERE PROGRAM SUBTEST STATUS REASON
	local name="$1 $2 $3" row class mutant pattern program
	if [ "$3:$4" = -:skip ] && absent "$5" && ! table_row "$table" "$1" "$2" - >/dev/null; then
		while read -r program pattern _; do
			[ "$program" != "$2" ] || judge "$1" "$2" "$pattern" skip "$5"
		done < <(grep -v -e '^#' -e '^$' -e '^plan:' -e '^beds:' "$ROOT/t/subtests/$table")
		return
	fi
	if [ "$3" = - ] && ! row=$(table_row "$table" "$1" "$2" -); then
		tap fail "$name runs its subtests on base" "$4: $5"
		return
	fi
	if ! row=$(table_row "$table" "$1" "$2" "$3"); then
		tap fail "$name is in t/subtests/$table"
		return
	fi
	read -r class mutant pattern <<<"$row"
	used+=("$2 $pattern")
	case $class:$4 in
	feature:fail) tap pass "$name fails on base" ;;
	feature:skip | safety:skip)
		if ! absent "$5" && ! expected_skip "$1" "$2" "$3"; then
			tap fail "$name skips on base because the interface is absent" "it says: $5"
		else
			check "$name skips on base; $mutant makes it fail" is_mutant "$mutant" "$2" "$pattern"
		fi
		;;
	feature:pass) tap fail "$name fails on base" "it passes: it tests nothing that the set adds" ;;
	chance:pass | chance:fail) check "$name may go either way on base; $mutant makes it fail" is_mutant "$mutant" "$2" "$pattern" ;;
	control:pass | control:skip) tap pass "$name works on base" ;;
	control:fail) tap fail "$name works on base" "$5" ;;
	safety:pass) check "$name passes on base; $mutant makes it fail" is_mutant "$mutant" "$2" "$pattern" ;;
	safety:fail) tap fail "$name is safe on base" "$5" ;;
	*) tap fail "$name has a class" "the table says $class" ;;
	esac
}

plan=$(mktemp)
trap 'rm -f "$plan"' EXIT
KERNEL=base
for table in "$ROOT"/t/subtests/*; do
	table=$(basename "$table")
	for where in $(here); do
		used=()
		plan_of "$table" "$where" >"$plan"
		[ -s "$plan" ] || continue
		run_bed "$where" base "$plan" || continue
		while IFS=$'\t' read -r program subtest status reason; do
			judge "$where" "$program" "$subtest" "$status" "$reason"
		done < <(results "$LOG")
		[[ $where == x86-svm:* ]] || continue
		while read -r program pattern class mutant _; do
			if [ "$class" = oops ]; then
				check "$where $program may crash base and isn't run there; $mutant makes it fail" is_mutant "$mutant" "$program" "$pattern"
				continue
			fi
			plan_of "$table" "$where" | grep -q "^$program " || continue
			[[ "|$(IFS='|'; echo "${used[*]}")|" == *"|$program $pattern|"* ]] ||
				tap fail "$where: the row '$program $pattern' of $table names a subtest that exists"
		done < <(grep -v -e '^#' -e '^$' -e '^plan:' -e '^beds:' "$ROOT/t/subtests/$table")
	done
done
done_testing
