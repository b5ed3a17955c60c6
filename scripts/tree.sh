#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Make build/linux (tag base, a commit per patch on branch all, a branch set/N-name where each set ends) and
# build/linux-base. Nothing is done when branch all already holds patches/; work that make refresh has not written
# is never overwritten, unless FORCE=1 puts it aside (a branch old/..., git stash).
# Usage: scripts/tree.sh      SET=N-name also makes branch alone/N-name: base, 0-prep, what it depends on, the set
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$ROOT/kernel/base.env"

set_=${SET:-}
[ -f "$ROOT/patches/series" ] || die "no patches/series"
[ -z "$set_" ] || need_set "$set_"
mkdir -p "$BUILD" "$OUT/log"
exec 8>"$BUILD/.tree.lock"
flock 8

commit_base() {
	local new=$1 what=$2
	git init --quiet --initial-branch=all "$new"
	printf 'o.*\n' >>"$new/.git/info/exclude"
	# Debian's source ignores its whole top level: a new file would never be seen.
	sed -i '/^\/\*$/d; /^!\/debian\/$/d' "$new/.gitignore"
	git -C "$new" config gc.auto 0
	git -C "$new" config core.untrackedCache true
	GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 git -C "$new" -c core.fsync=none add --all --force
	GIT_AUTHOR_DATE='2026-01-01T00:00:00Z' GIT_COMMITTER_DATE='2026-01-01T00:00:00Z' \
		git -C "$new" -c user.name=kvm-dense -c user.email=kvm-dense@localhost -c commit.gpgSign=false \
		-c core.hooksPath=/dev/null commit --quiet --no-verify -m "$what"
	git -C "$new" -c tag.gpgSign=false tag base
	git -C "$new" config user.name "$(git config user.name || echo kvm-dense)"
	git -C "$new" config user.email "$(git config user.email || echo kvm-dense@localhost)"
}

if [ ! -e "$BUILD/linux/.git" ]; then
	[ ! -e "$BUILD/linux" ] || die "build/linux is there but is no git repository: move it away"
	rm -rf "$BUILD/linux.new"
	what=$("$ROOT/scripts/source.sh" "$BUILD/linux.new") || exit $?
	quiet "$OUT/log/tree.log" "commit the base" commit_base "$BUILD/linux.new" "$what"
	git -C "$BUILD/linux.new" config kvm-dense.source "${KERNEL_SRC:-}"
	mv "$BUILD/linux.new" "$BUILD/linux"
fi
have=$(kgit log -1 --format=%s base^0)
if [ -n "${KERNEL_SRC:-}" ] && [ "$(kgit config kvm-dense.source || true)" != "$KERNEL_SRC" ]; then
	die "build/linux was made from '$have', not from KERNEL_SRC=$KERNEL_SRC: move build/linux and build/linux-base away first"
fi
if ! git -C "$BUILD/linux-base" rev-parse HEAD >/dev/null 2>&1; then
	[ ! -e "$BUILD/linux-base" ] || kgit worktree repair "$BUILD/linux-base" >/dev/null 2>&1 ||
		die "build/linux-base is no worktree of build/linux: move it away"
	kgit worktree prune
	[ -e "$BUILD/linux-base" ] ||
		quiet "$OUT/log/tree.log" "check out build/linux-base" kgit worktree add --detach "$BUILD/linux-base" base^0
fi
[ "$(git -C "$BUILD/linux-base" rev-parse HEAD)" = "$(kgit rev-parse base^0)" ] || die "build/linux-base is not at tag base: git -C build/linux-base checkout base"

three=()
[ "${have%%~*}" = "linux-source-$BASE_SERIES $BASE_VERSION" ] || three=(-3)

mapfile -t patches < <(grep -v '^#' "$ROOT/patches/series" | sed "/^\$/d; s|^|$ROOT/patches/|")
for p in "${patches[@]}"; do [ -f "$p" ] || die "patches/series names ${p#"$ROOT"/}, which is not there"; done
hash=$({ kgit rev-parse base^0; [ ${#patches[@]} -eq 0 ] || cat "${patches[@]}"; grep -v '^#' "$ROOT/patches/series" || true; } | sha256sum | cut -c 1-40)
read -r done_hash done_all < <(kgit config kvm-dense.applied || true) || true
all=$(kgit rev-parse all) || die "build/linux has no branch all: git -C build/linux branch all base"
likeness() { kgit log --reverse --format='%T %an %ae %at%n%B' "base^0..$1"; }

if [ "$hash" != "${done_hash:-}" ]; then
	new=$("$ROOT/scripts/am.sh" "${three[@]}" base^0 "${patches[@]}") || exit $?
	if [ "$(likeness "$new")" != "$(likeness "$all")" ]; then
		branch=$(kgit symbolic-ref --short HEAD || echo "no branch")
		[ "$branch" = all ] || die "build/linux is on $branch, and patches/ has changed: git -C build/linux switch all"
		dirty=$(kgit status --porcelain | head -n 1)
		if [ -n "$dirty" ] || { [ "$all" != "${done_all:-}" ] && [ "$all" != "$(kgit rev-parse base^0)" ]; }; then
			[ "${FORCE:-}" = 1 ] || die "build/linux has work that patches/ lacks, and patches/ has changed: make refresh to keep the work, or FORCE=1 to put it aside"
			old=old/$(date -u +%Y%m%d-%H%M%S)
			kgit branch "$old" all
			[ -z "$dirty" ] || git -C "$BUILD/linux" stash push --quiet --include-untracked
			note "your commits are on branch $old${dirty:+, your changes in git stash}"
		fi
		kgit reset --quiet --keep "$new"
		note "branch all: ${#patches[@]} patches on $have"
		all=$new
	fi
	kgit config kvm-dense.applied "$hash $all"
	done_all=$all
fi
if [ "$all" != "${done_all:-}" ] || [ -n "$(kgit status --porcelain | head -n 1)" ]; then
	note "build/linux has work that patches/ lacks: it is built and tested as it is; make refresh writes its commits"
fi

# A branch per set, where its last patch is.
"$ROOT/scripts/refresh.sh" --sets | while read -r commit s; do echo "$s $commit"; done |
	awk '{end[$1] = $2} END {for (s in end) print "update refs/heads/set/" s, end[s]}' | kgit update-ref --stdin

if [ -n "$set_" ]; then
	mapfile -t patches < <(for s in $("$ROOT/scripts/export.sh" --depends "$set_") "$set_"; do
		grep "^$s/" "$ROOT/patches/series"; done | sed "s|^|$ROOT/patches/|")
	new=$("$ROOT/scripts/am.sh" -3 base^0 "${patches[@]}") || exit $?
	kgit branch --force "alone/$set_" "$new"
	note "branch alone/$set_: ${#patches[@]} patches"
fi
