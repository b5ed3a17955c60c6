#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Showcase of set 1: how often kvm->mmu_lock is taken while a guest's memory is aged, on the base and on the patched kernel.
# Usage: bench/1-lockless-aging.sh             (the kernels and the initramfs are built; scripts/run.sh sees to it)
#        bench/1-lockless-aging.sh hardware    times on this machine's own KVM, for scripts/bench.sh
# Prints tab-separated lines as bench/3-dirty-quota.sh does. Counted by guest/mmu-lock-count; no figure is a time.
# With "hardware" the lines are: number MODE KEY VALUE.
set -euo pipefail
. "$(dirname "$0")/../t/lib.sh"
. "$(dirname "$0")/hardware.sh"

# measure MODE: 5 times, populate memory, with and without two threads that age it; then what aging does with mmu_lock.
measure() {
	local ager p out=$OUT/log/bench-1-lockless-aging.log test=$BUILD/selftests/$arch/access_tracking_stress_test
	for ager in page_idle mglru; do
		: >"$out"
		for p in "" -p "" -p "" -p "" -p "" -p; do
			# shellcheck disable=SC2086
			"$test" -a $ager -v "${VCPUS:-64}" -b "${BYTES:-64M}" -t 2 $p >"$out.1" 2>&1 || {
				note "$1, $ager: $(grep -v '^ok' "$out.1" | tail -n 1)"
				continue 2
			}
			sed -n "s/^# populate: \([0-9.]*\) s for \([0-9]*\) pages.*/${p:+aged-}populate_s \1/p
				s/^# populate: .* agers meanwhile, \([0-9.]*\) s each.*/pass_s \1/p" "$out.1" >>"$out"
		done
		sort -k 1,1 -k 2,2g "$out" | awk -v mode="$1" -v ager=$ager -v OFS='\t' '
			function put() { if (n) print "number", mode, ager "." key, x[int((n + 1) / 2)] }
			$1 != key { put(); n = 0; key = $1 }
			{ x[++n] = $2 }
			END { put() }'
	done
	"$BUILD/guest/$arch/mmu-lock-count" -c "$test" -a page_idle -v "${VCPUS:-64}" -b 1M -t 2 -p 2>&1 |
		awk -F '\t' -v mode="$1" -v OFS='\t' '$1 == "count" { print "number", mode, "locks." $2, $3 }'
}
if [ "${1:-}" = hardware ]; then each_mmu measure; exit; fi

modes=(tdp_mmu=Y tdp_mmu=N npt=0)
declare -A is mode_name=([tdp_mmu=Y]="TDP MMU" [tdp_mmu=N]="direct shadow MMU" [npt=0]="shadow paging")

plan=$OUT/report/1-lockless-aging.plan
perf="access_tracking_perf_test -a page_idle -v 2"
stress="access_tracking_stress_test -a page_idle -p -v 1 -t 3"
mkdir -p "$OUT/report" "$OUT/boot"
cat >"$plan" <<END
chains 120 mmu-lock-count -c $perf -b 4M
whole 300 mmu-lock-count -f $perf -b 64M
populate 120 mmu-lock-count -c $stress -b 16M
END

for k in base patched; do
	for mode in "${modes[@]}"; do
		bed=x86-svm:$mode
		log=$OUT/boot/x86-svm-$mode-$k-showcase-aging.log
		HINT="reading ${log#"$ROOT"/}, the console; make boot BED=$bed KERNEL=$k gives a shell there" LIMIT=${LIMIT:-300} \
			quiet "$OUT/log/showcase-aging-$mode-$k.log" "aging on the $k kernel, ${mode_name[$mode]}" \
			"$ROOT/scripts/boot.sh" run "$bed" "$k" "$plan" "$log"
		[ "$(grep -c '^@@ END .* rc=0' "$log")" = 3 ] ||
			fail "a program on the $k kernel, ${mode_name[$mode]}" "$log" "make boot BED=$bed KERNEL=$k, then what does not end with rc=0 there"
		[ -z "$(complaints "$bed" "$log")" ] || fail "the $k kernel complained, so its showcase" "$log" "grep -a -e WARNING -e BUG in it"
		while read -r key value; do is[$k.$mode.$key]=$value; done < <(counts "$log")
		is[$k.$mode.rate]=$(awk -v w="${is[$k.$mode.chains.aging-write]}" -v r="${is[$k.$mode.chains.aging-read]}" \
			-v n="${is[$k.$mode.chains.aged]}" 'BEGIN { print n ? (w + r) / n : "-" }')
	done
done

figure() { # NAME UNIT MODE KEY OP LIMIT
	printf 'figure\t%s, %s\t%s\t%s\t%s\t%s\t%s\n' "$1" "${mode_name[$3]}" "$2" "${is[base.$3.$4]}" "${is[patched.$3.$4]}" "$5" "$6"
}

cat <<END
title	Aging without mmu_lock: accessed bits are harvested without stalling the guest
about	A host that packs virtual machines has to know which of their pages are in use. To find out, it ages them: it clears the accessed bits in KVM's page tables and looks later which are set again. MGLRU, idle page tracking and DAMON do that all the time. On the base kernel each page costs one write acquisition of mmu_lock, the lock that a virtual CPU (vCPU) needs when it faults memory in, so aging and the guest stall each other. On the patched kernel aging takes no mmu_lock, with any of KVM's three x86 MMUs.
about	access_tracking_perf_test runs 2 vCPUs with 64 MiB each and ages their memory twice, through /sys/kernel/mm/page_idle/bitmap. access_tracking_stress_test ages memory in three threads while one vCPU populates 16 MiB, so that every wait for mmu_lock is due to aging. The kernel itself counts: in histograms on its lock functions and on lock:contention_begin, for the locks of virtual machines only.
bed	x86-svm:tdp_mmu=Y, tdp_mmu=N and npt=0
command	mmu-lock-count $perf -b 64M
command	mmu-lock-count -c $perf -b 4M
command	mmu-lock-count -c $stress -b 16M
caption	Left: what is left on the patched kernel with the direct shadow MMU and shadow paging is one acquisition per page fault, and some to create and destroy the machine. Right: the vCPU and the aging threads no longer wait for each other. Both axes are logarithmic; a bar at the bottom is 0.
END
for mode in "${modes[@]}"; do
	bound=300
	[ "$mode" = tdp_mmu=Y ] || bound=$((${is[patched.$mode.whole.pf_taken]} - ${is[patched.$mode.whole.pf_fast]} + 300))
	figure "mmu_lock taken for write" times "$mode" whole.write "<=" "$bound"
	figure "mmu_lock taken per aging call" times "$mode" rate == 0
	figure "Waits for mmu_lock in aging" times "$mode" populate.aging-contended == 0
	figure "Aging calls (control)" calls "$mode" whole.aged ">=" 65536
done
for k in base patched; do
	for i in "${!modes[@]}"; do
		printf 'series\t%s-write\t%s\t%s\n' "$k" "$i" "${is[$k.${modes[i]}.whole.write]}"
		printf 'series\t%s-waits\t%s\t%s\n' "$k" "$i" "${is[$k.${modes[i]}.populate.contended]}"
	done
done
