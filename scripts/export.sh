#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Write a set, as it is alone, to out/export/SET/ for git send-email: [PATCH 0/N] from its cover letter, then [PATCH i/N].
# Usage: SET=N-name scripts/export.sh
#        scripts/export.sh --depends N-name      only print the sets that it needs, in the order of the series
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# What a set needs: 0-prep, and what the line "Depends:" of its cover letter names, and so on.
depends() {
	local s
	for s in $(sed -n 's/^Depends: *//p' "$ROOT/patches/$1/0000-cover-letter.txt" 2>/dev/null | tr ',' ' '); do
		case $s in none | linux | base | "$1") continue ;; esac
		need_set "$s"
		depends "$s"
		echo "$s"
	done
	[ "$1" = 0-prep ] || ! sets | grep -qx 0-prep || echo 0-prep
}

if [ "${1:-}" = --depends ]; then
	need_set "$2"
	found=$(depends "$2") || exit $?
	sets | grep -xF -e "${found:-/}" || true
	exit 0
fi
set_=${SET:-}
[ -n "$set_" ] || die "SET= says which set to export (there are: $(sets | tr '\n' ' '))"
need_set "$set_"
cover=$ROOT/patches/$set_/0000-cover-letter.txt
[ -s "$cover" ] || die "patches/$set_ has no 0000-cover-letter.txt"
grep -q '^Subject: .' "$cover" || die "patches/$set_/0000-cover-letter.txt has no line 'Subject: ...'"

"$ROOT/scripts/deps.sh" export
"$ROOT/scripts/tree.sh"
n=$(grep -c "^$set_/" "$ROOT/patches/series")
out=$OUT/export/$set_
rm -rf "$out"
mkdir -p "$out"
format() {
	kgit format-patch --quiet --zero-commit --no-signature --full-index --no-renames --diff-algorithm=myers --thread=shallow \
		--subject-prefix="PATCH $BASE_SERIES" "$@" -o "$out" "alone/$set_~$n..alone/$set_"
}
. "$ROOT/kernel/base.env"
format --cover-letter

# git makes the cover letter's headers, shortlog and diffstat; ours are the subject and the text.
letter=$out/0000-cover-letter.patch
subject=$(sed -n 's/^Subject: *//p' "$cover" | head -n 1)
awk -v text="$cover" -v subject="$subject" '
	/\*\*\* SUBJECT HERE \*\*\*/ && !s { sub(/\*\*\* SUBJECT HERE \*\*\*/, ""); print $0 subject; s = 1; next }
	/^\*\*\* BLURB HERE \*\*\*$/ {
		while ((getline line < text) > 0)
			if (line !~ /^Subject: / && line !~ /SPDX-License-Identifier/ && (line != "" || begun)) { print line; begun = 1 }
		next
	}
	{ print }' "$letter" >"$letter.new"
mv "$letter.new" "$letter"
note "$((n + 1)) messages in out/export/$set_: git send-email --to=... out/export/$set_/*.patch"
