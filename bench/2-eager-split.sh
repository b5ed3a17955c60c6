#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Showcase of set 2: what dirty logging of huge pages costs the vCPUs, on the base and on the patched kernel.
# Usage: bench/2-eager-split.sh             (the kernels and the initramfs are built; scripts/run.sh sees to it)
#        bench/2-eager-split.sh hardware    times on this machine's own KVM, for scripts/bench.sh
# Prints tab-separated lines as bench/3-dirty-quota.sh does. The figures are counted by eager_page_split_test; the times of
# dirty_log_perf_test are only plotted (and, as ratios, written to standard error). With "hardware" the lines are: number MODE KEY VALUE.
set -euo pipefail
. "$(dirname "$0")/../t/lib.sh"
. "$(dirname "$0")/hardware.sh"

param=/sys/module/kvm/parameters/eager_page_split

# runs VCPUS BYTES TIMES PARAMETERS [OPTIONS]: the command line, of a bed's shell or of this machine's, that runs dirty_log_perf_test
# that many times with each number of vCPUs and each value of eager_page_split: splits when logging is enabled (-g), or is cleared.
runs() {
	echo "for e in $4; do echo \$e >$param; for v in $1; do for o in '-g -w 100' '-g -w 20' '-w 100'; do for i in \$(seq $3); do" \
		"echo @run \$e \$v \$o; dirty_log_perf_test -s anonymous_hugetlb_2mb ${5:-} -b $2 -v \$v \$o || exit; done; done; done; done"
}
# times LOG: of what these print, the medians, as "EAGER VCPUS WHAT SECONDS".
times() {
	tr -d '\r' <"$1" | awk '
	function put(what) { sub("s$", "", $NF); print eager, vcpus, what, $NF }
	/^@run / { eager = $2; vcpus = $3; enable = $4 == "-g"; writes = $NF }
	/^Enabling dirty logging time: / && enable && writes == 100 { put("enable") }
	/^Iteration 1 dirty memory time: / && enable { put("write" writes) }
	/^Iteration [12] clear dirty log time: / { put("clear" $2) }' | sort -k 1,1 -k 2,2n -k 3,3 -k 4,4g | awk '
	function show() { if (n) print key, x[int((n + 1) / 2)] }
	$1 " " $2 " " $3 != key { show(); n = 0; key = $1 " " $2 " " $3 }
	{ x[++n] = $4 }
	END { show() }'
}

# measure MODE: times on this machine, with 2 and with all vCPUs.
measure() {
	local log=$OUT/log/bench-2-eager-split.log pages=/proc/sys/vm/nr_hugepages eager="Y N" map="-G 2M" had was='' n=${VCPUS:-64} bytes=${BYTES:-64M}
	if [ -e $param ]; then was=$(cat $param); else eager=N; fi # arm64's base
	[ "$1" != stage2 ] || map=
	had=$(cat $pages)
	echo $((n * ($(numfmt --from=iec "$bytes") / 2097152 + 1))) >$pages
	# A selftest opens itself by the name it was called.
	(cd "$BUILD/selftests/$arch" && PATH=.:$PATH exec sh -c "$(runs "2 $n" "$bytes" 5 "$eager" "$map")") </dev/null >"$log" 2>&1 ||
		note "$1: $(tail -n 1 "$log")"
	echo "$had" >$pages
	[ -z "$was" ] || echo "$was" >$param
	times "$log" | awk -v mode="$1" -v OFS='\t' '{ print "number", mode, "eager_page_split=" $1 "." $2 "-vcpus." $3 "_s", $4 }'
	printf 'number\tkernel\tunpatched\t%d\n' "$([ -e /sys/module/kvm/parameters/populate_on_split ]; echo $?)"
}
if [ "${1:-}" = hardware ]; then each_mmu measure; exit; fi

modes=(tdp_mmu=Y tdp_mmu=N npt=0)
declare -A is mode_name=([tdp_mmu=Y]="TDP MMU" [tdp_mmu=N]="direct shadow MMU" [npt=0]="shadow paging")
vcpus="1 2 4 8" bytes=8M    # TIMES=3 in the environment: medians of three runs each, instead of one

# The guest maps its memory with 2M pages, as does L1 that of L2.
counts="eager_page_split_test -r enable -r write100 -r write20 -r lazy -r lazy_clear"
nested="eager_page_split_test -n -r enable -r write20"
plan=$OUT/report/2-eager-split.plan
mkdir -p "$OUT/report" "$OUT/boot"
for k in base patched; do
	for mode in "${modes[@]}"; do
		bed=x86-svm:$mode
		log=$OUT/boot/x86-svm-$mode-$k-showcase-split.log
		{
			echo "l1 200 $counts"
			[ "$mode" = npt=0 ] || echo "l2 200 $nested"
			echo "times 700 echo 48 >/proc/sys/vm/nr_hugepages; $(runs "$vcpus" $bytes "${TIMES:-1}" "Y N" "-G 2M")"
		} >"$plan"
		HINT="reading ${log#"$ROOT"/}, the console; make boot BED=$bed KERNEL=$k gives a shell there" LIMIT=${LIMIT:-1200} \
			quiet "$OUT/log/showcase-split-$mode-$k.log" "splitting on the $k kernel, ${mode_name[$mode]}" \
			"$ROOT/scripts/boot.sh" run "$bed" "$k" "$plan" "$log"
		# On base subtests fail, but have counted before.
		if [ "$k" = base ]; then good=1; else good=$(wc -l <"$plan"); fi
		[ "$(grep -c '^@@ END .* rc=0' "$log")" -ge "$good" ] ||
			fail "a program on the $k kernel, ${mode_name[$mode]}" "$log" "make boot BED=$bed KERNEL=$k, then what does not end with rc=0 there"
		[ -z "$(complaints "$bed" "$log")" ] || fail "the $k kernel complained, so its showcase" "$log" "grep -a -e WARNING -e BUG in it"
		while read -r key value; do is[$k.$mode.$key]=$value; done < <(split_counts "$log")
		times "$log" >"$log.times"
	done
done

figure() { # NAME UNIT MODE KEY OP LIMIT
	printf 'figure\t%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "${is[base.$3.$4]:--}" "${is[patched.$3.$4]:--}" "$5" "$6"
}
bar() { # SERIES X MODE KEY
	local k
	for k in base patched; do [ -z "${is[$k.$3.$4]:-}" ] || printf 'series\t%s-%s\t%s\t%s\n' $k "$1" "$2" "${is[$k.$3.$4]}"; done
}

cat <<END
title	Eager huge-page splitting on every MMU: dirty logging without a fault per page
about	To move a running virtual machine, its host logs which pages are written, and for that has to replace huge mappings of 2 MiB by small ones. Done lazily, by the faults of the virtual CPUs (vCPUs), each page faults once, and with most MMUs under mmu_lock. The base kernel splits huge pages beforehand only with the TDP MMU; the patched kernel does so with every MMU, and faults that are left to split keep the other 511 pages mapped.
about	One vCPU has 32 MiB of huge pages (8192 small ones), all mapped. Logging is enabled, then the vCPU goes through its memory once and writes all pages or 20 % of them (1667, always the same), and reads the others. The guest counts what it writes, and the log has to show exactly that.
about	The times are those of dirty_log_perf_test with 1 to 8 vCPUs with 8 MiB each, in an emulator with 4 CPUs: they show a tendency at best, and have no target. "make bench" measures on hardware.
bed	x86-svm:tdp_mmu=Y, tdp_mmu=N and npt=0
command	$counts
command	$nested
command	dirty_log_perf_test -s anonymous_hugetlb_2mb -G 2M -b $bytes -v {${vcpus// /,}} [-g] [-w 20]
caption	Top left: faults while 20 % of the pages are written once. No more are possible than pages, no fewer needed than writes, unless dirty pages are found otherwise. The others: times on the patched kernel, divided by those on base, with kvm.eager_page_split=Y (solid) and N (dashed); below 1 is faster.
END
figure "Faults under mmu_lock, all pages written, direct shadow MMU" faults tdp_mmu=N l1.write100.1.slow "<=" 16
figure "Faults under mmu_lock, 20 % written, direct shadow MMU" faults tdp_mmu=N l1.write20.1.slow "<=" 16
figure "Faults, 20 % written, shadow paging" faults npt=0 l1.write20.1.faults "<=" 1683
figure "Faults, 20 % written, L2 on the direct shadow MMU" faults tdp_mmu=N l2.write20.1.faults "<=" 1683
figure "TLB flushes to enable logging, L2 on the TDP MMU" times tdp_mmu=Y l2.enable.1.flushes "<=" 2
figure "Faults under mmu_lock, initially-all-set, eager=N, TDP MMU" faults tdp_mmu=Y l1.lazy_clear.2.slow "<=" 16
figure "Faults, 20 % written, eager=N, direct shadow MMU" faults tdp_mmu=N l1.lazy.2.faults "<=" 1700

bar faults 0 tdp_mmu=Y l1.write20.1.faults
bar faults 1 tdp_mmu=N l1.write20.1.faults
bar faults 2 npt=0 l1.write20.1.faults
bar faults 3 tdp_mmu=Y l2.write20.1.faults
bar faults 4 tdp_mmu=N l2.write20.1.faults
# Ratios: a series for each time, value of the parameter and MMU.
note "times, patched / base, with ${vcpus// /, } vCPUs (an emulator's, without a target):"
for mode in "${modes[@]}"; do
	log=$OUT/boot/x86-svm-$mode
	awk -v mode="$mode" -v OFS='\t' '
	NR == FNR { base[$1, $2, $3] = $4; next }
	base[$1, $2, $3] > 0 { print "series", $3 "-" $1 "-" mode, $2, $4 / base[$1, $2, $3] }' \
		"$log-base-showcase-split.log.times" "$log-patched-showcase-split.log.times" | sort -s -t $'\t' -k 2,2 -k 3,3n >"$plan.ratios"
	cat "$plan.ratios"
	awk -F '\t' '
	function show() { if (row != "") print "   " row }
	$2 != was { show(); row = sprintf("%-20s", $2); was = $2 }
	{ row = row sprintf("%8.3f", $4) }
	END { show() }' "$plan.ratios" >&2
	rm "$plan.ratios"
done
