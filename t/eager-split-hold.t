#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Who waits for mmu_lock while huge pages are split waits for at most 8 splits, with every MMU. Seen in a trace of
# eager_page_split_test's subtest "contended", where vCPUs fault in another memslot: the splits between lock:contention_begin and
# lock:contention_end that began with a waiter on record in the lock, a writer by its flag or a reader by its count, since any waiter
# last got the lock: the queue is fair, the splitter comes in behind all others. All splits in between are shown too, but don't count:
# an emulated CPU may stand still after contention_begin, when nobody knows of it yet.
# On base the splitter of L2's huge pages doesn't look: the counter works.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

only_on x86-svm "contention is traced on bed x86-svm only, which has several CPUs"

# As the kernel sees it: an mmu_lock is the first member of a struct kvm, and begins with its state: 0xff is held for write, 0x100
# a waiting writer, 0x200 each reader, holding or waiting. Both functions are called once per split, the former with a vCPU by faults.
# trace_clock "counter" orders events across CPUs.
t=/sys/kernel/tracing
setup="cd $t && echo counter >trace_clock && echo 0 >options/hash-ptr && echo 32000 >buffer_size_kb"
while read -r probe; do setup+=" && echo '$probe' >>kprobe_events"; done <<'END'
p:hold/vm kvm_arch_init_vm kvm=$arg1:x64
p:hold/shadow __kvm_mmu_get_shadow_page kvm=$arg1:x64 state=+0($arg1):u32 vcpu=$arg2:u64
p:hold/tdp tdp_mmu_split_huge_page kvm=$arg1:x64 state=+0($arg1):u32
END
setup+=" && echo 'vcpu == 0' >events/hold/shadow/filter"
# Of lock:contention_begin only rwlocks.
setup+=" && echo 'flags == 3 || flags == 5' >events/lock/contention_begin/filter"
for event in hold kvmmmu/kvm_mmu_split_huge_page lock/contention_begin lock/contention_end; do
	setup+=" && echo 1 >events/$event/enable"
done
# "hold NAME N": waits, waits while something was split, most splits that waits saw, with and without a queue; events lost.
# One line, without a single quote, for busybox.
# shellcheck disable=SC2016
count='
/entries-in-buffer/ { split($3, n, "/"); lost = n[2] - n[1] }
match($0, /-[0-9]+ +\[[0-9]+\]/) {
	split(substr($0, RSTART + 1), f); pid = f[1]; event = f[5];
	lock = f[event ~ /^contention/ ? 6 : 7]; sub(/^(kvm=)?0x/, "", lock);
	if (event == "vm:") vms[lock] = 1;
	if (event == "shadow:" || event == "tdp:") {
		n = substr(f[8], 7); write = n % 256; waits_writer = int(n / 256) % 2; readers = int(n / 512);
		queued[lock] += waits_writer || (write && readers)
	}
	if (event == "kvm_mmu_split_huge_page:") splits += ($0 ~ / errno 0$/);
	if (event == "contention_begin:" && lock in vms) { at[pid] = lock; queued0[pid] = queued[lock]; splits0[pid] = splits }
	if (event == "contention_end:" && at[pid] == lock) {
		waits++; a = splits - splits0[pid]; b = queued[lock] - queued0[pid]; at[pid] = "";
		split_waits += a > 0; if (a > all) all = a; if (b > most) most = b;
		for (p in at) if (at[p] == lock) queued0[p] = queued[lock]
	}
}
END { print "\nhold waits", waits + 0 "\nhold split_waits", split_waits + 0 "\nhold most", most + 0 "\nhold all", all + 0 "\nhold lost", lost + 0 }'
count=$(tr '\n\t' '  ' <<<"$count")
# The trace is stopped and emptied around what it is to show.
run() { # NAME [OPTIONS]: lines of a plan
	echo "$1 150 echo >$t/trace; eager_page_split_test ${2:-} -r contended -b 128M -s 10 -v 2"
	echo "$1-hold 300 echo 0 >$t/tracing_on; awk '$count' $t/trace; echo 1 >$t/tracing_on"
}
# holds LOG: "RUN.NAME N".
holds() { tr -d '\r' <"$1" | awk '/^@@ BEGIN / { run = substr($0, 10); sub("-hold$", "", run) } $1 == "hold" { print run "." $2, $3 }'; }

at_most() { [ "$1" -le "$2" ]; }
at_least() { [ "$1" -ge "$2" ]; }
judge() { # WHERE KERNEL RUN: of is[]
	local name="$1 $2: $3" n
	for n in waits split_waits most all lost; do echo "# $name $n ${is[$3.$n]:--}"; done
	check "$name: the trace is complete (${is[$3.lost]:-?} events lost)" at_most "${is[$3.lost]:-1}" 0
	check "$name: someone waited while huge pages were split (${is[$3.split_waits]:-0} times)" at_least "${is[$3.split_waits]:-0}" 1
	n=${is[$3.most]:--1}
	if [ "$2" = base ] && [ "$KERNEL" != base ]; then
		check "$name: longer than for 8 splits ($n)" at_least "$n" 9
	else
		check "$name: not longer than for 8 splits ($n)" at_most "${n/#-1/99}" 8
	fi
}

for where in $(wheres); do
	{
		echo "setup 30 $setup"
		run l1
		[[ $where == *:npt=0 ]] || run l2 -n
	} >"$tmp/plan"
	declare -A is=()
	if [[ $where == *:tdp_mmu=Y && $KERNEL != base ]]; then
		run_bed "$where" base "$tmp/plan" || continue
		while read -r key n; do is[$key]=$n; done < <(holds "$LOG")
		judge "$where" base l2
		is=()
	fi
	run_bed "$where" "$KERNEL" "$tmp/plan" || continue
	while read -r key n; do is[$key]=$n; done < <(holds "$LOG")
	check "$where: the events can be traced" grep -qa '^@@ END setup rc=0' "$LOG"
	judge "$where" "$KERNEL" l1
	[[ $where == *:npt=0 ]] || judge "$where" "$KERNEL" l2
done
done_testing
