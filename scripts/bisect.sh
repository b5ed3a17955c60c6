#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Build every commit of branch all, or those of SET=, on x86_64 and arm64, in build/linux-bisect; where a commit touches
# the KVM selftests, those too. What was built is remembered by its sources and configuration, so an interrupted run goes on, and
# what a commit doesn't change (the other architecture's files, say) isn't built again.
# Usage: [SET=N-name] scripts/bisect.sh
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ -z "${SET:-}" ] || need_set "$SET"
"$ROOT/scripts/deps.sh" bisect
SET='' "$ROOT/scripts/tree.sh"
tree=$BUILD/linux-bisect
done_list=$OUT/bisect-done
touch "$done_list"

mapfile -t commits < <("$ROOT/scripts/refresh.sh" --sets | awk -v s="${SET:-}" 's == "" || $2 == s {print $1}')
[ ${#commits[@]} -gt 0 ] || die "no commit to build on branch all"
if ! git -C "$tree" rev-parse HEAD >/dev/null 2>&1; then
	kgit worktree prune
	quiet "$OUT/log/bisect-tree.log" "check out build/linux-bisect" kgit worktree add --detach "$tree" base^0
fi

selftests() {
	local obj=$tree/o.selftests karch=$1
	[ "$1" = arm64 ] || karch=x86
	rm -rf "$obj"
	mkdir -p "$obj/kvm" "$obj/tools"
	make -C "$tree" O="$obj/headers" ARCH="$karch" headers_install
	make -C "$tree/tools/testing/selftests/kvm" ARCH="$karch" CROSS_COMPILE="$(cross "$1")" OUTPUT="$obj/kvm" abs_objdir="$obj" \
		KHDR_INCLUDES="-isystem $obj/headers/usr/include" LDFLAGS="-static -pthread" -j "$JOBS"
}

# key COMMIT WHAT GREP...: what WHAT of COMMIT is built from, those files whose lines "MODE blob ID<tab>PATH" GREP shows.
key() {
	local commit=$1 what=$2
	shift 2
	echo "$what $({ kgit ls-tree -r "$commit" | grep -P "$@"; cat "$ROOT/kernel/${what##* }.config" "$ROOT/kernel/sets.config"; } | sha256sum | cut -c 1-40)"
}
built() { grep -qxF "$1" "$done_list"; }

n=0
for commit in "${commits[@]}"; do
	n=$((n + 1))
	what="$(kgit log -1 --format='%h %s' "$commit")"
	step "$n" ${#commits[@]} "$what"
	for arch in x86_64 arm64; do
		other=arm64
		[ $arch = x86_64 ] || other=x86
		key=$(key "$commit" "kernel $arch" -v "\t(arch/$other|tools/testing|Documentation)/")
		if ! built "$key"; then
			git -C "$tree" checkout --quiet --force --detach "$commit"
			"$ROOT/scripts/kernel.sh" bisect "$arch" >/dev/null
			echo "$key" >>"$done_list"
		fi
		kgit diff --quiet "$commit~" "$commit" -- tools/testing/selftests/kvm && continue
		key=$(key "$commit" "selftests $arch" '\t(tools|include|arch)/')
		if ! built "$key"; then
			git -C "$tree" checkout --quiet --force --detach "$commit"
			HINT="git -C build/linux show $commit" quiet "$OUT/log/bisect-selftests-$arch.log" "selftests $arch" selftests "$arch"
			echo "$key" >>"$done_list"
		fi
	done
done
note "${#commits[@]} commits build on x86_64 and arm64"
