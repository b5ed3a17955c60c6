#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# An L2 guest's free memory comes back to L1 (bed x86-svm): KVM there has less mapped for it (pages_4k, pages_2m), and L1's QEMU holds
# less, once L2 has written to report_now. L2's time is slow, so this is in make check-full and make test T=page-reporting-nested only.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ "$KERNEL" = patched ] || { echo "1..0 # SKIP base has no report_now"; exit 0; }
BED=${BED:-x86-svm:tdp_mmu=Y}
only_on x86-svm "L2 guests run on bed x86-svm"
freed=256
echo "load 200 page-reporting-load now $freed" >"$tmp/l2"
"$ROOT/scripts/kernel.sh" patched x86_64 >/dev/null
"$ROOT/scripts/selftests.sh" x86_64
l2=$(mktemp -d "$BUILD/l2.XXXXXX")
trap 'rm -rf "$tmp" "$l2"' EXIT
"$ROOT/scripts/initramfs.sh" x86_64 "$tmp/l2" "$l2/initrd"
mkdir -p "$tmp/extra/g"
cp "$ROOT/guest/l2-page-reporting" "$tmp/extra/g"
export INITRAMFS_EXTRA=$tmp/extra
export QEMU_EXTRA="-virtfs local,path=/,mount_tag=hostroot,security_model=none,readonly=on,multidevs=remap"
for where in $(wheres); do
	echo "l2 900 l2-page-reporting $(image patched x86_64) $l2/initrd" >"$tmp/plan"
	run_bed "$where" "$KERNEL" "$tmp/plan" || continue
	check "$where: L2 boots, and frees its memory" grep -qa '^@@ END l2 rc=0' "$LOG"
	while read -r what before after; do
		check "$where: ${what//_/ }, at least 90 % of $freed MiB less ($before, then $after MiB)" test $((before - after)) -ge $((freed * 9 / 10))
	done < <(tr -d '\r' <"$LOG" | awk -F '\t' '
		$1 == "held" { if ($3 > kvm) kvm = $3; if ($4 > rss) rss = $4 }
		$1 == "held" && $2 == "end" { print "KVM_maps", kvm, $3; print "QEMU_holds", rss, $4; ended = 1 }
		END { if (!ended) print "nothing_is_known", 0, 0 }')
done
done_testing
