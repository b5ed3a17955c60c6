#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Write branch all of build/linux back into patches/. The same commits always give the same files.
# A commit's set is that of the patch with its subject, else of the patch with its author's date (a reworded one), else SET=,
# else the set of the commit before it. Cover letters are written by hand and stay as they are.
# Usage: scripts/refresh.sh            SET=N-name: the set that new commits go to (it may be a new one)
#        scripts/refresh.sh --sets     only print "commit set", a line per commit that patches/ knows
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ -e "$BUILD/linux/.git" ] || die "no build/linux: run make tree"
series=$ROOT/patches/series
[ -z "${SET:-}" ] || [[ $SET =~ ^[0-9]+-[a-z0-9-]+$ ]] || die "SET=$SET is no set's name (like 4-page-reporting)"

declare -A by_subject by_date
while IFS= read -r p; do
	case $p in '' | '#'*) continue ;; esac
	[ -f "$ROOT/patches/$p" ] || continue
	info=$(git mailinfo /dev/null /dev/null <"$ROOT/patches/$p")
	by_subject[$(sed -n 's/^Subject: //p' <<<"$info")]=${p%%/*}
	by_date[$(date -d "$(sed -n 's/^Date: //p' <<<"$info")" +%s)]=${p%%/*}
done <"$series"

list() {
	local commit date subject s last=
	while IFS=$'\t' read -r commit date subject; do
		s=${by_subject[$subject]:-${by_date[$date]:-}}
		if [ -z "$s" ]; then
			[ "${1:-}" != quiet ] || continue
			s=${SET:-$last}
			[ -n "$s" ] || die "the first commit, '$subject', is in no set: give SET="
			note "new in $s: $subject"
		fi
		echo "$commit $s"
		last=$s
	done < <(kgit log --reverse --format='%H%x09%at%x09%s' base^0..all)
}

if [ "${1:-}" = --sets ]; then list quiet; exit 0; fi
[ $# -eq 0 ] || die "usage: scripts/refresh.sh [--sets]"
[ -z "$(kgit status --porcelain --untracked-files=no | head -n 1)" ] ||
	die "build/linux has changes that are not committed: commit them on branch all first"

new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
list >"$new/sets"
{ grep '^#' "$series" || echo '# SPDX-License-Identifier: GPL-2.0-only'; } >"$new/series"
from=base^0
while read -r s; do
	[ ! -d "$new/$s" ] || die "the commits of $s are not in one piece on branch all: reorder them with git rebase -i"
	to=$(awk -v s="$s" '$2 == s {c = $1} END {print c}' "$new/sets")
	kgit format-patch --quiet --zero-commit --no-signature -N --full-index --no-renames --no-thread --no-attach \
		--diff-algorithm=myers -o "$new/$s" "$from..$to"
	(cd "$new" && printf '%s\n' "$s"/*.patch) >>"$new/series"
	from=$to
done < <(awk '{print $2}' "$new/sets" | uniq)

# Every set's directory becomes what was written; a file that is the same is not touched.
{ sets; awk '{print $2}' "$new/sets" | uniq; } | sort -u | while read -r s; do
	mkdir -p "$ROOT/patches/$s"
	for p in "$ROOT/patches/$s"/*.patch; do
		[ ! -e "$p" ] || [ -e "$new/$s/$(basename "$p")" ] || rm "$p"
	done
	for p in "$new/$s"/*.patch; do
		[ -e "$p" ] || continue
		cmp -s "$p" "$ROOT/patches/$s/$(basename "$p")" || cp "$p" "$ROOT/patches/$s/"
	done
	[ -s "$ROOT/patches/$s/0000-cover-letter.txt" ] || note "patches/$s has no 0000-cover-letter.txt yet"
	rmdir --ignore-fail-on-non-empty "$ROOT/patches/$s"
done
cmp -s "$new/series" "$series" || cp "$new/series" "$series"
# From now on the tree is what patches/ says.
kgit config --unset kvm-dense.applied || true
SET='' "$ROOT/scripts/tree.sh"
