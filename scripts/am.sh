#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Apply patches on a commit of build/linux with git am, away from its files: in a sparse worktree that holds only the
# files that the patches touch. Prints the resulting commit; the same patches on the same base give the same one.
# Usage: scripts/am.sh [-3] COMMIT PATCH...      (-3 lets git am merge; without it a patch applies with zero fuzz)
set -euo pipefail
. "$(dirname "$0")/lib.sh"

three=()
if [ "${1:-}" = -3 ]; then three=(-3); shift; fi
[ $# -ge 1 ] || die "usage: scripts/am.sh [-3] COMMIT PATCH..."
onto=$1
shift
am=$BUILD/linux-am
log=$OUT/log/am.log
mkdir -p "$OUT/log"

cleanup() { kgit worktree remove --force "$am" >/dev/null 2>&1 || rm -rf "$am"; kgit worktree prune; }
trap cleanup EXIT
cleanup

kgit worktree add --quiet --detach --no-checkout "$am" "$onto" >"$log" 2>&1 ||
	fail "a worktree for git am" "$log" "git -C build/linux worktree prune"
agit() { GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 git -C "$am" "$@"; }
{
	printf '%s\n' /Makefile /.gitattributes
	[ $# -eq 0 ] || sed -n 's|^--- a/|/|p; s|^+++ b/|/|p; s|^rename [a-z]* |/|p' "$@"
} | sort -u | agit sparse-checkout set --no-cone --stdin >>"$log" 2>&1
agit checkout --quiet >>"$log" 2>&1

export GIT_COMMITTER_NAME=kvm-dense GIT_COMMITTER_EMAIL=kvm-dense@localhost
for patch in "$@"; do
	if ! agit -c am.threeWay=false am --quiet --committer-date-is-author-date "${three[@]}" "$patch" >>"$log" 2>&1; then
		echo "git am $patch" >>"$log"
		die "${patch#"$ROOT"/} does not apply (log: ${log#"$ROOT"/})"
	fi
done
agit rev-parse HEAD
