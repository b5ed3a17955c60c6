#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Showcase of set 3 on the base and on the patched kernel: the programs guest/dirty-quota-demo, and dirty_quota_migrate, a selftest,
# beside the figures in bench/3-dirty-quota.source.
# Usage: bench/3-dirty-quota.sh    (the kernels and the initramfs are built; scripts/run.sh sees to it)
# Prints tab-separated lines: title, about, bed, command, caption; figure NAME UNIT BASE PATCHED OP LIMIT, where "PATCHED OP LIMIT"
# is the target; series NAME X Y, the points of the plot that bench/3-dirty-quota.gp draws.
set -euo pipefail
. "$(dirname "$0")/../t/lib.sh"

bed=x86-svm:tdp_mmu=Y
declare -A is

# One number per line, "key value", out of a console log; all of it from lines that the demo printed.
digest() {
	tr -d '\r' <"$1" | awk -F '\t' '
	/^@@ BEGIN / { demo = / demo$/ }
	!demo { next }
	$1 == "kernel" { print "release " $2 "\ncap " $3 }
	$1 == "setting" { set[$2] = $3; print $2, $3 }
	$1 == "reads" { print "reads" ++r, $4 }
	$1 == "interval" && $4 == "writer" { if ($8 > most) most = $8; n++ }
	$1 == "interval" && $4 == "reader" { wanted += $6; touched += $7; dirtied += $8; n++ }
	$1 == "vcpu" { exits[$3] += $4; if ($5 > over) over = $5; gap += $6 + $7 - $8; logged += $8; v++ }
	$1 == "left" { left = $3; if ($2 && !fits && left <= set["link"] / 2) fits = $2 }
	END {
		if (!v || n != v * set["intervals"])
			exit 1
		print "writer_most", most / 1024 "\nreader_dirtied", dirtied / 1024 "\nreader_share", 100 * touched / wanted
		print "reader_exits", exits["reader"] + 0 "\nwriter_exits", exits["writer"] + 0 "\nover", over + 0
		print "gap", gap + 0 "\nlogged", logged / 1048576 "\nleft", left / 1024 "\nfits", fits ? fits : "never"
	}'
}

# The points of the plot, in MiB.
points() {
	tr -d '\r' <"$2" | awk -F '\t' -v OFS='\t' -v k="$1" '
	$1 == "interval" {
		name = k "-" $4 ($4 == "writer" ? $3 : "")
		if ($2 == 1) print "series", name, 0, 0
		print "series", name, $2, (sum[$3] += $8) / 1024
		if ($5 && $3 == 0) { if ($2 == 1) print "series", "granted", 0, 0; print "series", "granted", $2, (grant += $5) / 1024 }
	}
	$1 == "left" { print "series", k "-left", $2, $3 / 1024 }'
}

# What dirty_quota_migrate found, as "ROW.POLICY.WHAT VALUE".
migrations() {
	tr -d '\r' <"$1" | awk -F '\t' -v never=$never '$1 == "result" {
		k = $2 "." $3 "."
		print k "time", $9 == "converged" ? $10 : "never"
		print k "ratio", $9 == "converged" ? $11 : never
		print k "runtime", $13 "\n" k "readers", $15 "\n" k "stalled", $16
		print $2 ".row", $4 " GB, " $5 " vCPUs, " $7 " GB/s, " $8 " MB/s"
		printf "%s.bound %.2f\n", $2, 1.25 * $4 * 1000 / $8
	}'
}

plan=$OUT/report/3-dirty-quota.plan
never=80    # where the plot has it
mkdir -p "$OUT/report" "$OUT/boot"
for k in base patched; do
	# Auto-converge is what there was before.
	printf '%s\n' "demo 240 dirty-quota-demo" "migrate 2400 dirty_quota_migrate$([ $k = patched ] || echo " -p ac")" >"$plan"
	log=$OUT/boot/x86-svm-tdp_mmu=Y-$k-showcase.log
	HINT="reading ${log#"$ROOT"/}, the console; make boot BED=$bed KERNEL=$k gives a shell there" LIMIT=${LIMIT:-3000} \
		quiet "$OUT/log/showcase-$k.log" "showcase on the $k kernel" "$ROOT/scripts/boot.sh" run "$bed" "$k" "$plan" "$log"
	grep -q '^@@ END demo rc=0' "$log" || fail "dirty-quota-demo on the $k kernel" "$log" "make boot BED=$bed KERNEL=$k, then dirty-quota-demo"
	grep -q '^@@ END migrate rc=0' "$log" || fail "dirty_quota_migrate on the $k kernel" "$log" "make boot BED=$bed KERNEL=$k, then dirty_quota_migrate"
	[ -z "$(complaints "$bed" "$log")" ] || fail "the $k kernel complained, so its showcase" "$log" "grep -a -e WARNING -e BUG in it"
	digest "$log" >"$log.digest" || fail "reading the demo's lines" "$log" "running it again"
	while read -r key value; do is[$k.$key]=$value; done <"$log.digest"
	while read -r key value; do is[$k.$key]=$value; done < <(migrations "$log")
	rm -f "$log.digest"
	[ "${is[$k.cap]}" = 1 ] || for key in reader_exits writer_exits over gap; do is[$k.$key]=-; done
done

readers=${is[patched.readers]} writers=${is[patched.writers]} intervals=${is[patched.intervals]}
grant=$((${is[patched.grant]} / 1024)) link=$((${is[patched.link]} / 1024)) memory=$((${is[patched.memory]} / 1024))
demand=$(awk -v kib="${is[patched.demand]}" 'BEGIN { print kib / 1024 }')
net=$((link - writers * grant))    # what an interval sends beyond what it may dirty
figure() { printf 'figure\t%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "${is[base.$3]}" "${is[patched.$3]}" "$4" "$5"; }

cat <<END
title	Dirty quota: a chosen number of bytes dirtied per interval (KVM_CAP_DIRTY_QUOTA)
about	While a virtual machine is copied to another host, its virtual CPUs (vCPUs) keep writing to memory, and every page written must be sent again. If they write faster than the link can send, the copy never ends. With a dirty quota the program that runs the machine (the VMM) grants each vCPU a number of bytes. A vCPU that has newly dirtied that much stops and returns to the VMM until it is granted more; the others go on.
about	Here there are $writers writing vCPUs and $readers reading, each in $memory MiB of its own. In each of $intervals intervals each vCPU is granted $grant MiB and wants more: the reader wants to read $demand MiB, the writers to write 2, 3 and so on times as much. The link sends $link MiB. After each interval the host unmaps the reader's pages, as memory balancing or swapping do. Time is virtual (work is counted, not seconds), so every run gives the same figures. The same program runs on both kernels; the base kernel has no quota to give.
about	Bytes dirtied are those that KVM's own dirty log reports.
about	Whole migrations follow (the rows A1 to A15 are the time they take), with the workloads that were published with the idea ("Per-vCPU dirty quota-based throttling", v10): vCPUs that write to all of their memory in turn, so much per second, and a link of some bandwidth. QEMU's auto-converge stops all vCPUs for a part of the time, more and more, until the copy can end. With a dirty quota the guest may dirty a fifth of what the link can send. Time is virtual here, too, and memory is scaled down, with access rate and bandwidth; what is dirty, and who stops when, is up to KVM. In parentheses: what the source measured on hardware, with auto-converge and with its own dirty quota.
about	At last, a real one: on the patched kernel two QEMU 7.2, with migration capability dirty-quota (patches/qemu), move a Linux guest that writes to half of its memory all the time. There "base" is QEMU's auto-converge, on the same kernel.
bed	$bed
command	dirty-quota-demo
command	dirty_quota_migrate
command	qemu-migrate (on the patched one only)
caption	Top left: on the patched kernel each writer (solid, blue) follows the granted line exactly, and the reader (dashed, blue) dirties nothing. On the base kernel each writes what it wants, and even the reader's pages (dashed, orange) are logged as dirty, because KVM maps them writable on a read fault. Top right: on the patched kernel what is still to be sent shrinks to nothing; on the base kernel it never does. Bottom left: how long migration takes, in multiples of the time of one copy, with each of the workloads; grey is the source. Not all of them end. Bottom right: the share of time in which vCPUs run meanwhile. All that is blue, green or orange there is from the patched kernel.
END
figure "Pages dirtied by 64 reads of unmapped pages" pages reads1 == 0
figure "Pages dirtied by 64 reads after the host unmapped them" pages reads2 == 0
figure "Pages dirtied by 64 writes (control)" pages reads3 == 64
figure "Dirtied by a writer in one interval, at most ($grant granted)" MiB writer_most "<=" "$grant"
figure "Dirtied by the reader in all intervals" MiB reader_dirtied == 0
figure "Reads done, of those wanted" % reader_share == 100
figure "Quota exits of the reader" exits reader_exits == 0
figure "Quota exits of the writers" exits writer_exits == $((writers * intervals))
figure "Bytes past the quota at an exit, at most" bytes over == 0
figure "Charged + KVM's own, less what the log shows" bytes gap == 0
figure "Intervals until the rest takes half an interval to send" intervals fits "<=" \
	$((((readers + writers) * memory + net - 1) / net))
figure "Left to send after the last interval" MiB left "<=" $((link / 2))
name=([0]=Write-intensive [1]=Read-write-balanced [2]=Read-intensive)
compare() { # NAME UNIT KEY OP LIMIT: auto-converge on base, quota on the patched kernel
	printf 'figure\t%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "${is[base.${3/./.ac.}]}" "${is[patched.${3/./.quota.}]}" "$4" "$5"
}
series() { printf 'series\t%s\t%s\t%s\n' "$@"; }
b=0
while IFS=$'\t' read -r row current quota _; do
	is[patched.$row.source-current.runtime]=$current is[patched.$row.source-quota.runtime]=$quota
	case $row in
	A*)
		compare "$row: ${is[patched.$row.row]} ($current, $quota)" s "$row.time" "<=" "${is[patched.$row.bound]}"
		for p in current quota; do
			awk -v bound="${is[patched.$row.bound]}" -v row="${row#A}" -v p=$p -v t="${!p}" -v OFS='\t' -v never=$never \
				'BEGIN { print "series", "source-" p, row, t == "never" ? never : 1.25 * t / bound }'
		done
		for p in ac ac-fast ring quota; do series "migrate-$p" "${row#A}" "${is[patched.$row.$p.ratio]}"; done
		;;
	B*)
		case $row in
		Bw) compare "${name[b]}: vCPUs stall during migration" s "$row.stalled" "<=" \
			"$(awk -v fast="${is[patched.Bw.ac-fast.stalled]}" 'BEGIN { print fast / 2 }')" ;;
		Bb) compare "${name[b]}: the guest runs ($current, $quota)" % "$row.runtime" ">=" 66 ;;
		Br) compare "${name[b]}: the guest runs ($current, $quota)" % "$row.runtime" ">=" 79 ;;
		esac
		[ "$row" = Bw ] || compare "${name[b]}: vCPUs that only read run" % "$row.readers" ">=" 99
		for p in source-current source-quota ac ac-fast ring quota; do series "runtime-$p" $b "${is[patched.$row.$p.runtime]}"; done
		b=$((b + 1))
		;;
	esac
done < <(grep -v '^#' "$ROOT/bench/3-dirty-quota.source")
"$ROOT/bench/qemu-migrate.sh"
for k in base patched; do points "$k" "$OUT/boot/x86-svm-tdp_mmu=Y-$k-showcase.log"; done
