#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Showcase of set 4: what a guest returns to its host, on the base and on the patched kernel, by guest/page-reporting-load on bed
# guest. Usage: bench/4-page-reporting.sh    (the kernels and the initramfs are built; scripts/run.sh sees to it)
# Prints tab-separated lines as bench/3-dirty-quota.sh does. Base's events are counted by probes, as the patched kernel's are.
set -euo pipefail
. "$(dirname "$0")/../t/lib.sh"

bed=guest:reporting
anon=2048 file=1024 wait=60 idle=4000    # MiB, MiB, s, ms
load=page-reporting-load
declare -A is

# What can't be had without reporting's delay of 2 s: twice the idle time and 16 passes.
due=$((2 * idle / 1000 + 16 * 2))
allowed=$((file / 10 + 64))    # MiB: 10 % of what is idle, and 64

plan=$OUT/report/4-page-reporting.plan
mkdir -p "$OUT/report" "$OUT/boot"
for k in base patched; do
	log=$OUT/boot/guest-reporting-$k-showcase.log
	{
		echo "idle 500 $load idle $anon $file $wait"
		[ $k = base ] || echo "on 500 $load idle $anon $file $wait $idle"
		echo "now 500 $load now $anon"
		echo "churn 200 $load churn 128 30"
		[ $k = base ] || echo "age 200 $load churn 128 30 4000"
		echo "cache 300 $load cache 512$([ $k = base ] || echo " $idle")"
		[ $k = base ] || echo "hot 200 $load hot 512 64 60 $idle"
		echo "order0 900 $load order0 128"
	} >"$plan"
	HINT="reading ${log#"$ROOT"/}, the console; make boot BED=$bed KERNEL=$k gives a shell there" LIMIT=${LIMIT:-2400} RSS=$log.rss \
		quiet "$OUT/log/showcase-reporting-$k.log" "page reporting on the $k kernel" "$ROOT/scripts/boot.sh" run "$bed" "$k" "$plan" "$log"
	[ "$(grep -c '^@@ END .* rc=0' "$log")" -eq "$(wc -l <"$plan")" ] ||
		fail "$load on the $k kernel" "$log" "make boot BED=$bed KERNEL=$k, then what does not end with rc=0 there"
	[ -z "$(complaints "$bed" "$log")" ] || fail "the $k kernel complained, so its showcase" "$log" "grep -a -e WARNING -e BUG in it"
	while read -r key value; do is[$k.$key]=$value; done < <(load_results "$log")
	for run in idle on; do
		rss_excess "$log" "$log.rss" $run >"$log.$run"
		# From the end of reading on; its first sample is in phase "read" or later.
		is[$k.$run.excess]=$(awk -v due=$due '
			$2 == "read" || $2 == "wait" { if (!begin) begin = $1; if ($1 >= begin + due) { print $3; exit } }' "$log.$run")
	done
done
rm "$plan"

mib() { awk -v pages="${is[$1]:--}" 'BEGIN { print (pages == "-" ? "-" : sprintf("%.0f", pages / 256)) }'; }
ratio() { # KEY KEY [DIGITS]: their quotient
	awk -v a="${is[$1]:-0}" -v b="${is[$2]:-0}" -v d="${3:-2}" 'BEGIN { print (b > 0 ? sprintf("%." d "f", a / b) : "-") }'
}
percent() { # RUN: of the pages touched, those that were reported
	awk -v r="${is[$1.reported_pages]:-0}" -v t="${is[$1.touched_pages]:-0}" 'BEGIN { print (t > 0 ? sprintf("%.2f", 100 * r / t) : "-") }'
}
figure() { printf 'figure\t%s\t%s\t%s\t%s\t%s\t%s\n' "$@"; }

cat <<END
title	Free page reporting that is cheap and tunable, and reaches the page cache
about	A guest's kernel tells the host which memory is free, and the host takes it back until the guest touches it again. On a host with many guests most memory is not free, though: it is page cache, files that were read once and are not read again. The patched kernel can drop page cache that has been idle for a chosen time, where that makes a free block to report. It can wait until memory has been free for a while, and report all that is free at once when it is told to.
about	The guest has 4 GiB, 4 CPUs and QEMU's virtio balloon. It touches and frees $anon MiB of memory, reads $file MiB of files once, and then is idle for $wait s. How much of its host's memory QEMU has is read outside the guest (VmRSS); what the guest uses is subtracted, relative to a time when all that was free had been reported.
about	What is reported is counted by a probe of __putback_isolated_page(), through which reported blocks return to the free lists of either kernel.
bed	$bed
command	$load idle $anon $file $wait
command	$load now $anon
command	$load churn 128 30
command	$load cache 512
command	$load order0 128
caption	Left: what QEMU holds beyond what the guest uses. Memory that was freed goes back on both kernels, page cache only on the patched one with cache_idle_ms=$idle. Right: what is reported while a program touches and frees 128 MiB twice a second for 30 s: all of it in vain, as it is touched again.
END
figure "Held $due s after $anon MiB were freed and $file MiB of files read, cache_idle_ms=$idle" MiB \
	"${is[base.idle.excess]:--}" "${is[patched.on.excess]:--}" "<=" $allowed
figure "The same with defaults: no more than base" MiB "${is[base.idle.excess]:--}" "${is[patched.idle.excess]:--}" "<=" \
	$((${is[base.idle.excess]%.*} + 64))
figure "Passes, or writes to report_now, until 99 % of $anon MiB are returned" times "${is[base.now.passes]:--}" \
	"$(awk -v w="${is[patched.now.written_pages]}" -v f="${is[patched.now.freed_pages]}" -v p="${is[patched.now.passes]}" \
		'BEGIN { print (w >= 0.99 * f ? 1 : p + 1) }')" "<=" 1
figure "Reported in vain in 30 s of churn, of 100 pages touched, min_age_ms=4000" pages "$(percent base.churn)" "$(percent patched.age)" "<=" \
	"$(awk -v base="$(percent base.churn)" 'BEGIN { print base / 10 }')"
figure "Page cache that was dropped and then reported: drop_caches, cache_idle_ms" ratio "$(ratio base.cache.reported_pages base.cache.dropped_pages)" \
	"$(ratio patched.cache.reported_pages patched.cache.dropped_pages)" ">=" 0.9
figure "Refaults per page dropped, 64 MiB in use beside 512 idle" ratio - "$(ratio patched.hot.refaulted_pages patched.hot.dropped_pages 3)" "<=" 0.05
figure "Reported per page freed, page_reporting_order=0" ratio \
	"$(ratio base.order0.once_pages base.order0.freed_pages)" "$(ratio patched.order0.once_pages patched.order0.freed_pages)" "<=" 1.1
figure "The same, every other page freed first: no more than base" ratio \
	"$(ratio base.order0.halves_pages base.order0.freed_pages)" "$(ratio patched.order0.halves_pages patched.order0.freed_pages)" "<=" \
	"$(ratio base.order0.halves_pages base.order0.freed_pages)"
figure "Free blocks looked at in one hold of zone->lock: the list, at most" blocks "${is[base.order0.list_blocks]}" "${is[patched.order0.hold_blocks]}" "<=" 64

for s in base-idle patched-idle patched-on; do
	awk -v s=$s -v OFS='\t' '{ print "series", s, $1, $3 }' "$OUT/boot/guest-reporting-${s%-*}-showcase.log.${s#*-}"
done
printf 'series\t%s\t%s\t%s\n' churn-base 0 "$(mib base.churn.reported_pages)" churn-patched 1 "$(mib patched.churn.reported_pages)" \
	churn-age 2 "$(mib patched.age.reported_pages)"
