#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What make check cannot hold (make check-full; hours): the whole stock selftest run against base, the sense check on every
# bed, a kernel per mutant, QEMU's migration, what guests return on each variant and L2 guests to L1, a preemptible x86_64 kernel, arm64 with 16K and
# 64K pages, each set alone. It goes on where it stopped: a part that passed is not run again until the kernel tree, the configuration or the tests change. A summary is
# written to t/expected/check-full.txt, to be committed.
# Usage: scripts/check-full.sh [PART ...]
set -euo pipefail
. "$(dirname "$0")/../t/lib.sh"

s=$ROOT/scripts
parts=(stock sense mutants qemu-migrate page-reporting-rss page-reporting-nested preempt arm64-16k arm64-64k)
for set in $(sets); do [ "$set" = 0-prep ] || parts+=("alone-$set"); done
[ $# -eq 0 ] || parts=("$@")

step 0 ${#parts[@]} "packages, kernel source"
"$s/deps.sh" check-full
"$s/tree.sh"
key=$({ kgit rev-parse 'all^{tree}'; kgit diff HEAD; git -C "$ROOT" rev-parse HEAD:t HEAD:beds HEAD:guest HEAD:kernel; } | sha256sum | cut -c 1-16)
done_dir=$OUT/check-full/$key
mkdir -p "$done_dir"

# other NAME REF SED ENV...: the tests named in ENV on a kernel of REF with its configuration changed.
other() {
	local root ref=$2 edit=$3
	root=$(other_root "$1" "$ref") || return
	shift 3
	sed -i "$edit" "$root"/kernel/*.config || return
	env KVM_DENSE_ROOT="$root" SKIP_TREE=1 "$@" "$s/test.sh"
}
part() {
	case $1 in
	stock) FULL=1 T=stock BED=x86-svm:tdp_mmu=Y "$s/test.sh" && FULL=1 T=stock BED=arm64 "$s/test.sh" ;;
	sense) T=sense BED=x86-svm "$s/test.sh" && T=sense BED=x86-vmx "$s/test.sh" && T=sense BED=arm64 "$s/test.sh" &&
		T=sense BED=guest "$s/test.sh" && T=sense BED=guest-arm64 "$s/test.sh" ;;
	mutants) T=mutants "$s/test.sh" ;;
	qemu-migrate | page-reporting-nested) T=$1 "$s/test.sh" ;;
	page-reporting-rss) T=page-reporting-rss BED=guest "$s/test.sh" ;;
	preempt) other preempt all 's/^CONFIG_PREEMPT_VOLUNTARY=y/CONFIG_PREEMPT=y/' T=dirty-quota BED=x86-svm ;;
	arm64-16k | arm64-64k)
		local edit="s/^CONFIG_ARM64_4K_PAGES=y/CONFIG_ARM64_${1#arm64-}_PAGES=y/; s/_16k_/_16K_/; s/_64k_/_64K_/"
		other "$1" all "$edit" T=dirty-quota BED=arm64 && other "$1" all "$edit" T=page-reporting BED=guest-arm64
		;;
	alone-*)
		SET=${1#alone-} "$s/tree.sh"
		other "$1" "alone/${1#alone-}" '' SET="${1#alone-}" BED="$([ "$1" = alone-4-page-reporting ] && echo guest || echo x86-svm)"
		;;
	*) die "check-full has no part '$1' (it has: ${parts[*]})" ;;
	esac
}

failed=0 n=0
for p in "${parts[@]}"; do
	n=$((n + 1))
	step $n ${#parts[@]} "$p"
	if [ -e "$done_dir/$p" ]; then note "passed before: $(head -n 1 "$done_dir/$p")"; continue; fi
	log=$OUT/log/check-full-$p.log
	start=$SECONDS
	if (part "$p") 2>&1 | tee "$log"; then
		echo "$p: passed, $(grep -a '^Files=' "$log" | tail -n 1) ($(date -u +%F), $((SECONDS - start)) s)" >"$done_dir/$p"
	else
		failed=$((failed + 1))
		echo "$p: FAILED, log ${log#"$ROOT"/}" >&2
	fi
done
{
	echo "# make check-full on $(kgit log -1 --format=%s base^0), tree $(kgit rev-parse --short 'all^{tree}'), key $key"
	for p in "${parts[@]}"; do cat "$done_dir/$p" 2>/dev/null || echo "$p: not passed"; done
} >"$EXPECTED/check-full.txt"
[ $failed -eq 0 ] || { echo "kvm-dense: $failed part(s) of check-full failed" >&2; exit 1; }
