#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The models of models/. Spin explores each *.pml to its end, finds no error and leaves no statement unreached; with any of
# the faults that the file can be given (BUG_...) it finds one. herd7 finds that each *.litmus can "Never" end badly and
# has no data race, and not so when acquire or release is taken from its lock.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# explore FILE [-DBUG_...]: what Spin's verifier prints. At most 1 GB and five minutes; both are far from what is needed.
# A fault is found soon: then, compiling takes longest.
explore() {
	local dir opt=${2:+-O0}
	dir=$(mktemp -d "$tmp/XXXXXX")
	(
		cd "$dir"
		spin -a ${2:+"$2"} "$1" && gcc -w "${opt:--O1}" -DSAFETY -DCOLLAPSE -DMEMLIM=1024 -o pan pan.c && timeout 300 ./pan -m400000
	) 2>&1 || echo "exit $?"
}
complete() { ! grep -qE '^exit |Search not completed|max search depth|out of memory' <<<"$1" && grep -q ' errors: 0$' <<<"$1"; }
all_reached() { grep -qE '^\s+\(0 of [0-9]+ states\)' <<<"$1" && ! grep -qE '^\s+\([1-9][0-9]* of [0-9]+ states\)' <<<"$1"; }

for model in "$ROOT"/models/*.pml; do
	name=$(basename "$model" .pml)
	out=$(explore "$model")
	if complete "$out"; then tap pass "$name: no error in $(awk '/states, stored/ { print $1 }' <<<"$out") states"; else
		tap fail "$name: no error in any state" "$(grep -E '^pan:|^exit|errors:|rror' <<<"$out" | head -n 3 | tr '\n' ' ')"
	fi
	check "$name: every statement is reached" all_reached "$out"
	faults=$(grep -oE '\<BUG_[A-Z_]+\>' "$model" | sort -u | grep -vx BUG_) || true
	check "$name: faults can be planted" test -n "$faults"
	for fault in $faults; do
		out=$(explore "$model" "-D$fault")
		if grep -q ' errors: 1$' <<<"$out"; then tap pass "$name: $fault is found"; else
			tap fail "$name: $fault is found" "$(grep -E '^exit|errors:|rror' <<<"$out" | head -n 3 | tr '\n' ' ')"
		fi
	done
done

# herd FILE: what herd7 says with the kernel's memory model.
herd() { (cd "$BUILD/linux-base/tools/memory-model" && timeout 60 herd7 -conf linux-kernel.cfg "$1") 2>&1 || echo "exit $?"; }
safe() { grep -q '^Observation .* Never ' <<<"$1" && ! grep -q '^Flag data-race' <<<"$1"; }
unsafe() { grep -qE '^Observation .* (Sometimes|Always) |^Flag data-race' <<<"$1"; }

for litmus in "$ROOT"/models/*.litmus; do
	name=$(basename "$litmus")
	if ! command -v herd7 >/dev/null; then
		tap skip "$name" "no herd7 (herdtools7 is in OCaml's opam; Debian 12 has no package of it)"
		continue
	fi
	check "$name: Never, and no data race" safe "$(herd "$litmus")"
	sed 's/cmpxchg_acquire(/cmpxchg_relaxed(/' "$litmus" >"$tmp/$name"
	check "$name: not so without acquire" unsafe "$(herd "$tmp/$name")"
	sed 's/smp_store_release(/WRITE_ONCE(*/' "$litmus" >"$tmp/$name"
	check "$name: not so without release" unsafe "$(herd "$tmp/$name")"
done
done_testing
