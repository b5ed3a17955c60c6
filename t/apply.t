#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The patches apply, together and each set alone; what make refresh writes is what make tree read.
set -euo pipefail
cd "$(dirname "$0")/.."
. t/lib.sh
. t/scratch.sh
. kernel/base.env

have=$(kgit log -1 --format=%s base^0)
pinned() { [ "${have%%~*}" = "linux-source-$BASE_SERIES $BASE_VERSION" ]; }
mapfile -t patches < <(grep -v -e '^#' -e '^$' patches/series)
check "patches/series names ${#patches[@]} patches" test ${#patches[@]} -gt 0

dir=$(scratch apply)
unset SET KVM_DENSE_ROOT
tree=$dir/build/linux
in_scratch() { (cd "$dir" && "$@" >>"$dir/log" 2>&1); }

if pinned; then
	together() { in_scratch scripts/am.sh base^0 "${patches[@]/#/$dir/patches/}"; }
	check "all patches apply with git am, zero fuzz" together
else
	together() { in_scratch scripts/am.sh -3 base^0 "${patches[@]/#/$dir/patches/}"; }
	check "all patches apply with git am -3 on $have" together
fi

check "make tree" in_scratch make tree
check "branch all has a commit per patch" test "$(git -C "$tree" rev-list --count base^0..all)" -eq ${#patches[@]}
for s in $(sets); do
	check "branch set/$s ends with the last patch of $s" test "$(git -C "$tree" log -1 --format=%s "set/$s")" = \
		"$(git mailinfo /dev/null /dev/null <"patches/$(grep "^$s/" patches/series | tail -n 1)" | sed -n 's/^Subject: //p')"
done

before=$(git -C "$tree" rev-parse all; find "$tree/virt" -type f -newermt 2000-01-01 -printf '%p %T@\n' | sort)
check "make tree again" in_scratch make tree
check "make tree again moves and touches nothing" test "$before" = \
	"$(git -C "$tree" rev-parse all; find "$tree/virt" -type f -newermt 2000-01-01 -printf '%p %T@\n' | sort)"

same() { diff -r patches "$dir/patches" >>"$dir/log"; }
check "make refresh" in_scratch make refresh
check "tree, then refresh: no diff" same
check "make refresh again" in_scratch make refresh
check "a second refresh: no diff" same

# A tree made anew from the refreshed patches has the same commits.
all=$(git -C "$tree" rev-parse all)
git -C "$tree" config --unset kvm-dense.applied
git -C "$tree" reset --quiet --keep base^0
check "make tree from nothing" in_scratch make tree
check "the same patches give the same commits" test "$(git -C "$tree" rev-parse all)" = "$all"

for s in $(sets); do
	check "$s alone" in_scratch make tree "SET=$s"
	n=0
	for d in $("$ROOT/scripts/export.sh" --depends "$s") "$s"; do n=$((n + $(grep -c "^$d/" patches/series))); done
	check "$s alone is $n commits" test "$(git -C "$tree" rev-list --count "base^0..alone/$s")" -eq "$n"
	check "make export SET=$s" in_scratch make export "SET=$s"
	own=$(grep -c "^$s/" patches/series)
	check "it has a cover letter and $own patches" test "$(find "$dir/out/export/$s" -name '0*.patch' | wc -l)" -eq $((own + 1))
	check "its cover letter is filled in" test "$(grep -c 'HERE \*\*\*' "$dir/out/export/$s/0000-cover-letter.patch")" = 0
	mapfile -t messages < <(find "$dir/out/export/$s" -name '0*.patch' ! -name '0000-*' | sort)
	check "its messages apply on what it depends on" in_scratch scripts/am.sh -3 "alone/$s~$own" "${messages[@]}"
done
done_testing
[ -n "${KEEP:-}" ] || rm -rf "$dir"
