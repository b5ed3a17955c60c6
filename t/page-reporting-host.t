#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What a host may do to a guest that reports: stop it for longer than timeout_ms, and let it hibernate and resume in another VM, which
# has no memory for it yet. On base what was reported before is never reported again then, though the other VM's boot touched it.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

only_on guest "it is about the host of bed guest"
[[ $BED == guest:* ]] || BED=guest:reporting

# A batch may be parked whenever the machine was stopped, and has to come back.
stops=4
printf '%s\n' "integrity 300 echo 500 >/sys/module/page_reporting/parameters/timeout_ms; page_reporting_test -t 30 -r integrity" \
	"after 200 page_reporting_test -r report_now -r unregister" \
	"parked 20 grep -x 'parked_pages 0' /sys/kernel/debug/page_reporting/stats" >"$tmp/plan"
if [ "$KERNEL" != base ]; then
	export FREEZE="integrity_begins 2 $stops"
	sed -i '1s/; /; echo integrity_begins; /' "$tmp/plan"
	run_bed "$BED" "$KERNEL" "$tmp/plan" && report "$BED" "$LOG"
	kept=$(grep -c 'page_reporting: device keeps' "$LOG") || true
	check "$BED: stopped for 2 s $stops times, it parks a batch $kept times, and $stops at most" test "$kept" -le $stops
	unset FREEZE
fi

# The kernel that resumes touches all memory before, for it clears what is free (init_on_free).
kept=256
export MEM=2G
disk() { rm -f "$tmp/disk" && truncate -s 2G "$tmp/disk"; }
export QEMU_EXTRA="-drive file=$tmp/disk,format=raw,if=virtio" RSS=$tmp/rss
# hibernate KERNEL: boots twice; prints the MiB that QEMU holds before, and in the end.
hibernate() {
	local before
	LOG=$OUT/boot/guest-hibernate-$1
	disk
	echo "load 600 page-reporting-load hibernate $kept" >"$tmp/plan"
	LIMIT=400 "$ROOT/scripts/boot.sh" run "$BED" "$1" "$tmp/plan" "$LOG-1.log" >/dev/null 2>&1 || true
	grep -qa '^use.before' "$LOG-1.log" || return
	before=$(awk -v at="$(grep -abo '^use.before' "$LOG-1.log" | cut -d : -f 1)" '$1 < at { rss = $2 } END { print int(rss / 1024) }' "$RSS")
	# Its own plan is for a machine that does not resume.
	echo "not-resumed 5 false" >"$tmp/plan"
	EXTRA_APPEND="resume=/dev/vda init_on_free=1" LIMIT=400 "$ROOT/scripts/boot.sh" run "$BED" "$1" "$tmp/plan" "$LOG-2.log" >/dev/null 2>&1 || return
	LOG=$LOG-2.log
	grep -qa '^@@ END load rc=0' "$LOG" || return
	awk -v at="$(grep -abo '^use.end' "$LOG" | cut -d : -f 1)" -v before="$before" \
		'$1 <= at { rss = $2 } END { print before, int(rss / 1024) }' "$RSS"
}
for kernel in $(printf '%s\n' base "$KERNEL" | sort -u); do
	if held=$(hibernate "$kernel"); then tap pass "$BED $kernel: hibernates, and resumes in another VM"; else
		tap fail "$BED $kernel: hibernates, and resumes in another VM" "logs ${LOG#"$ROOT"/}*"
		continue
	fi
	LOG=$OUT/boot/guest-hibernate-$kernel-2.log
	check "$BED $kernel: the kernel does not complain" test -z "$(complaints "$BED" "$LOG")"
	read -r before end <<<"$held"
	if [ "$kernel" = base ] && [ "$KERNEL" != base ]; then
		check "$BED base: QEMU holds over 512 MiB more than before ($before, then $end)" test "$end" -gt $((before + 512))
	else
		check "$BED $kernel: QEMU holds at most 64 MiB more than before ($before, then $end)" test "$end" -le $((before + 64))
	fi
done
done_testing
