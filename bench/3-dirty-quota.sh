#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Showcase of set 3: the program guest/dirty-quota-demo on the base and on the patched kernel.
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

plan=$OUT/report/3-dirty-quota.plan
mkdir -p "$OUT/report" "$OUT/boot"
echo "demo 240 dirty-quota-demo" >"$plan"
for k in base patched; do
	log=$OUT/boot/x86-svm-tdp_mmu=Y-$k-showcase.log
	HINT="reading ${log#"$ROOT"/}, the console; make boot BED=$bed KERNEL=$k gives a shell there" LIMIT=${LIMIT:-300} \
		quiet "$OUT/log/showcase-$k.log" "showcase on the $k kernel" "$ROOT/scripts/boot.sh" run "$bed" "$k" "$plan" "$log"
	grep -q '^@@ END demo rc=0' "$log" || fail "dirty-quota-demo on the $k kernel" "$log" "make boot BED=$bed KERNEL=$k, then dirty-quota-demo"
	[ -z "$(complaints "$bed" "$log")" ] || fail "the $k kernel complained, so its showcase" "$log" "grep -a -e WARNING -e BUG in it"
	digest "$log" >"$log.digest" || fail "reading the demo's lines" "$log" "running it again"
	while read -r key value; do is[$k.$key]=$value; done <"$log.digest"
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
bed	$bed
command	dirty-quota-demo
caption	Left: on the patched kernel each writer (solid, blue) follows the granted line exactly, and the reader (dashed, blue) dirties nothing. On the base kernel each writes what it wants, and even the reader's pages (dashed, orange) are logged as dirty, because KVM maps them writable on a read fault. Right: on the patched kernel what is still to be sent shrinks to nothing; on the base kernel it never does.
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
for k in base patched; do points "$k" "$OUT/boot/x86-svm-tdp_mmu=Y-$k-showcase.log"; done
