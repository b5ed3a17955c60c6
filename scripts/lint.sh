#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Every check that boots nothing: the series and its cover letters, checkpatch, shellcheck and SPDX lines, and (in
# lint-code.sh) sparse, W=1 and the documentation of what the patches touch. All of them run; then it fails if one did.
# Usage: scripts/lint.sh
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$ROOT"

"$ROOT/scripts/deps.sh" lint
SET='' "$ROOT/scripts/tree.sh"
logs=$OUT/log
mkdir -p "$logs"
bad=()

# problem TEXT: say what is wrong; it counts.
problem() { echo "lint: $*"; }

# check NAME TEXT CMD...: run it, show the first of its problems, and go on.
check() {
	local name=$1 text=$2 n
	shift 2
	HINT="reading it" quiet "$logs/lint-$name.log" "lint: $text" "$@"
	n=$(grep -c '^lint: ' "$logs/lint-$name.log") || true
	if [ "$n" -gt 0 ]; then
		grep '^lint: ' "$logs/lint-$name.log" | head -n 15 >&2
		bad+=("$text: $n (out/log/lint-$name.log)")
	fi
	note "$text: $n problems"
}

series() {
	local p s n last_set='' last_n=0 subject body headings h seen=' '
	git ls-files --cached --others --exclude-standard 'patches/*/*.patch' | sed 's|^patches/||' | grep -v '^qemu/' | sort >"$logs/lint-have"
	grep -v -e '^#' -e '^$' patches/series >"$logs/lint-listed" || true
	comm -23 "$logs/lint-have" <(sort "$logs/lint-listed") | while read -r p; do problem "patches/$p is not in patches/series"; done
	while IFS=/ read -r s p; do
		[ -f "patches/$s/$p" ] || { problem "patches/series names $s/$p, which is not there"; continue; }
		if [ "$s" != "$last_set" ]; then
			[[ $seen != *" $s "* ]] || problem "patches/series: $s is not in one piece"
			[ -z "$last_set" ] || [ "${s%%-*}" -gt "${last_set%%-*}" ] || problem "patches/series: $s comes after $last_set"
			last_n=0 last_set=$s seen+="$s "
		fi
		n=$((10#${p%%-*}))
		[ "$n" -eq $((last_n + 1)) ] || problem "$s/$p: number $n follows $last_n"
		last_n=$n
		subject=$(git mailinfo "$logs/lint-body" /dev/null <"patches/$s/$p" | sed -n 's/^Subject: //p')
		body=$(sed -E 's/[^A-Za-z0-9._]+/-/g; s/\.\.+/./g' <<<"$subject")
		[[ $body == "$(sed -E 's/^[0-9]+-//; s/\.patch$//' <<<"$p")"* ]] || problem "$s/$p: its subject is '$subject'"
		[[ $subject =~ ^[A-Za-z0-9/_\ ,-]+:\  ]] || problem "$s/$p: the subject does not start with a subsystem"
		grep -q '^Signed-off-by: .*<.*@.*>' "$logs/lint-body" || problem "$s/$p: no Signed-off-by"
		grep -vE '^[A-Z][a-z-]+-by: |^(---|Link: |Fixes: |Cc: |$)' "$logs/lint-body" | grep -q . || problem "$s/$p: no description"
		head -n 1 "patches/$s/$p" | grep -q '^From 0\{40\} ' || problem "$s/$p: not as make refresh writes it"
	done <"$logs/lint-listed"
	for s in $(sets); do
		p=patches/$s/0000-cover-letter.txt
		[ -s "$p" ] || { problem "$p is missing"; continue; }
		grep -q '^Subject: .' "$p" || problem "$p: no line 'Subject: ...'"
		grep -q '^Depends: .' "$p" || problem "$p: no line 'Depends: ...'"
		"$ROOT/scripts/export.sh" --depends "$s" >/dev/null 2>&1 || problem "$p: Depends: names a set that is not in the series"
		headings='Problem Approach Tests Changelog'
		[ "$s" = 0-prep ] || headings+=' Objections Figures'
		for h in $headings; do
			awk -v h="$h" '
				/^(--+|==+)$/ { inside = (prev ~ "^" h); prev = ""; next }
				inside && prev != "" { n++ }
				{ prev = $0 }
				END { exit !(n + (inside && prev != "")) }' "$p" || problem "$p: no section '$h', or an empty one"
		done
	done
}

# What checkpatch may say without being right here: FILE_PATH_CHANGES asks for a MAINTAINERS entry, and the directories
# that the sets add files to have one; trace headers are written with open-ended lines, aligned their own way, throughout; checkpatch takes the
# macro around a field of struct kvm_run for a function; KVM's iterators are macros that end in an if or a for, and evaluate
# what they iterate with more than once; the page flag Reported has camel-case accessors; the BUG_ON()s about rmaps are base's own, on lines that change.
allowed='(include/trace/events/|arch/[a-z0-9]*/kvm/trace).*(OPEN_ENDED_LINE|PARENTHESIS_ALIGNMENT)|include/uapi/linux/kvm.h:.*FUNCTION_ARGUMENTS'
allowed+='|mm/page_reporting.h:.*CAMELCASE.*PageReported'
allowed+='|arch/x86/kvm/mmu/(tdp_)?mmu.c:.*(COMPLEX_MACRO|MACRO_ARG_REUSE|BRACES: Unbalanced braces around else|AVOID_BUG)'
checkpatches() {
	local p n=0 all
	all=$(grep -c -v -e '^#' -e '^$' patches/series) || true
	while read -r p; do
		n=$((n + 1))
		echo "$n of $all: $p"
		(cd "$BUILD/linux" && PATH=/usr/bin:$PATH perl "$BUILD/linux-base/scripts/checkpatch.pl" --strict --terse --no-summary --show-types --showfile \
			--ignore FILE_PATH_CHANGES --root "$BUILD/linux" "$ROOT/patches/$p" 2>&1) | grep -vE "$allowed" | sed "s|^|lint: $p: |" || true
	done < <(grep -v -e '^#' -e '^$' patches/series)
}

shells() {
	local f line
	while IFS= read -r -d '' f; do
		[ -f "$f" ] || continue
		line=$(head -n 1 "$f" | tr -d '\000')
		case $f in
		*.patch | *.json | COPYING | patches/*/0000-cover-letter.txt) ;;
		*) head -n 5 "$f" | grep -q 'SPDX-License-Identifier: GPL-2.0-only' || problem "$f: no line SPDX-License-Identifier: GPL-2.0-only" ;;
		esac
		case $f:$line in
		*.sh:* | *.t:* | *:'#!'*/sh | *:'#!'*bash | *:'#!'*busybox\ sh)
			shellcheck -f gcc "$f" | sed 's/^/lint: /' || true ;;
		esac
	done < <(git ls-files --cached --others --exclude-standard -z)
}

# The patches apply without merging on the pinned base; on another 6.12.y it is worth knowing which do not.
fuzz() {
	local p
	grep -v -e '^#' -e '^$' patches/series | sed "s|^|$ROOT/patches/|" >"$logs/lint-listed"
	mapfile -t p <"$logs/lint-listed"
	if ! "$ROOT/scripts/am.sh" 'base^0' "${p[@]}"; then problem "the series does not apply with plain git am (see above); git am -3 was used"; fi
}

step 1 5 "the series and its cover letters"
check series "series and cover letters" series
check fuzz "zero fuzz" fuzz
step 2 5 "checkpatch --strict"
check checkpatch "checkpatch" checkpatches
step 3 5 "shellcheck, SPDX"
check shell "shellcheck and SPDX" shells
step 4 5 "sparse and W=1 on the files that the patches touch"
check code "sparse and W=1" "$ROOT/scripts/lint-code.sh" code
step 5 5 "documentation"
check docs "documentation" "$ROOT/scripts/lint-code.sh" docs

if [ ${#bad[@]} -gt 0 ]; then
	fail "lint (${bad[0]%% (*}$([ ${#bad[@]} -eq 1 ] || echo ", and $((${#bad[@]} - 1)) other checks"))" "$logs/lint-*.log" "the lines that start with 'lint:' there"
fi
