# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Sourced by t/*.t: boots a bed with a plan, turns what the guest printed into TAP for prove(1).
# Environment: BED (a bed or bed:variant; empty is all), KERNEL (default patched).

. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"
BED=${BED:-}
KERNEL=${KERNEL:-patched}
TAP_N=0
EXPECTED=$ROOT/t/expected

# tap STATUS NAME [REASON]: one line of TAP. STATUS is pass, fail, skip.
tap() {
	TAP_N=$((TAP_N + 1))
	case $1 in
	pass) echo "ok $TAP_N - ${2//#/}" ;;
	skip) echo "ok $TAP_N - ${2//#/} # SKIP ${3:-}" ;;
	*)
		echo "not ok $TAP_N - ${2//#/}"
		[ -z "${3:-}" ] || echo "#   $3"
		;;
	esac
}
check() { # NAME COMMAND...: passes when COMMAND succeeds
	local name=$1
	shift
	if "$@"; then tap pass "$name"; else tap fail "$name"; fi
}
done_testing() {
	if [ "$TAP_N" -eq 0 ]; then tap fail "something was tested"; fi
	echo "1..$TAP_N"
}

# beds_of T: the beds of t/subtests/T, whose line "beds:" names them if they are not those that run KVM.
beds_of() { sed -n 's/^beds: //p' "$ROOT/t/subtests/$1"; }

# The bed:variant pairs that BED selects among BEDS (default: every bed), one a line.
wheres() {
	local bed v
	for bed in ${BEDS:-x86-svm arm64 x86-vmx}; do
		[ -z "$BED" ] || [ "${BED%%:*}" = "$bed" ] || continue
		# shellcheck disable=SC1090,SC2154
		for v in $(. "$ROOT/beds/$bed.sh"; echo "${bed_variants[@]}"); do
			case $BED in '' | "$bed" | "$bed:$v") echo "$bed:$v" ;; esac
		done
	done
}
arch_of() { # BED[:VARIANT]
	# shellcheck disable=SC1090,SC2154
	(. "$ROOT/beds/${1%%:*}.sh"; echo "$bed_arch")
}

# Lines of a kernel in trouble, from the console or from the guest's own dmesg ("@@ DMESG"). Program output never matches.
# What a bed's emulator provokes on every boot, before the first command, is listed in t/expected/boot-BED (one extended
# regular expression per line): a warning from "cut here" to "end trace" is left out when one of its lines matches. The stack
# that the OOM killer prints is no complaint: who did not expect it has failed.
complaints() { # BED:VARIANT LOG
	tr -d '\r' <"$2" | awk -v allow="$EXPECTED/boot-${1%%:*}" '
		BEGIN { while ((getline line <allow) > 0) if (line !~ /^#/ && line != "") known[++n] = line }
		function show() { if (block != "" && !fine) printf "%s", block; block = ""; fine = 0 }
		/^@@ BEGIN/ { show(); begun = 1; next }
		!/(^@@ DMESG <[0-9]+>|^|[^0-9])\[ *[0-9]+\.[0-9]+\]/ { next }
		/invoked oom-killer:/ { oom = 1 }
		/Out of memory: Killed/ { oom = 0 }
		oom && /Call Trace:/ { next }
		!begun && /cut here/ { show(); block = $0 "\n"; next }
		block != "" {
			block = block $0 "\n"
			for (i = 1; i <= n; i++) if ($0 ~ known[i]) fine = 1
			if (/end trace/) show()
			next
		}
		{ print }
		END { show() }' | grep -aE \
		'WARNING:|BUG:|kernel BUG|Oops|Kernel panic|general protection|Unable to handle|KASAN|UBSAN|INFO: (task|rcu|possible|lockdep)|rcu: INFO|stall|lockup|LOCKUP|possible (circular|recursive)|inconsistent lock state|suspicious RCU|refcount_t|unchecked MSR|corruption|sleeping function|while atomic|Call [Tt]race:' ||
		true
}

# bed_fault BED:VARIANT KERNEL LOG: prints which of the two known faults of x86-svm's emulation (docs/beds.md) this is, or
# fails. Both are certain, or they don't count:
# a guest takes an exception, or exits, at an address inside the host's own function around VMRUN;
# the kernel traps on an int3 where its "Code:" line shows that memory holds none (QEMU 7.2 ran a stale translation after
# the kernel patched a jump label).
bed_fault() {
	local rip map=/dev/null from to byte
	[[ $1 == x86-svm:* ]] || return 1
	map=$(objdir "$2" x86_64)/System.map
	read -r from to < <(awk '/ __svm_vcpu_run$/ { a = $1; getline; print a, $1; exit }' "$map")
	while read -r rip; do
		if [[ ! $rip < $from && $rip < $to ]]; then echo "a guest was at the host's address after VMRUN"; return 0; fi
	done < <(grep -aoE "(guest RIP '|reason [a-z_0-9]+ rip )0xf[0-9a-f]*" "$3" | sed 's/.*0x//')
	byte=$(grep -a -A 8 'Oops: int3' "$3" | grep -ao 'Code: .*' | head -n 1 | sed -n 's/.* \([0-9a-f][0-9a-f]\) <.*/\1/p')
	[ -n "$byte" ] && [ "$byte" != cc ] && echo "the CPU ran an int3 that is not in memory"
}

# run_bed BED:VARIANT KERNEL PLAN: builds what is missing, boots, sets LOG. TAP: that it ran to its end, without complaint.
run_bed() {
	local where=$1 kernel=$2 plan=$3 arch faults=0 fault rc why bad
	arch=$(arch_of "$where")
	LOG=$OUT/boot/${where/:/-}-$kernel${CONFIG_EXTRA:+-$CONFIG_EXTRA}-$(basename "$0" .t).log
	# shellcheck disable=SC1090
	(. "$ROOT/beds/${where%%:*}.sh"; echo "variant 20 $(bed_verify "${where#*:}")"; cat "$plan") >"$plan.all"
	"$ROOT/scripts/kernel.sh" "$kernel" "$arch" >/dev/null || { tap fail "$where: the $kernel kernel builds"; return 1; }
	"$ROOT/scripts/selftests.sh" "$arch" || { tap fail "$where: the selftests build"; return 1; }
	while :; do
		rc=0
		why=$("$ROOT/scripts/boot.sh" run "$where" "$kernel" "$plan.all" "$LOG" 2>&1) || rc=$?
		fault=$(bed_fault "$where" "$kernel" "$LOG") || break
		faults=$((faults + 1))
		echo "# bed fault $faults on $where: $fault$([ $faults -gt 2 ] || echo "; booting again")" | tee /dev/stderr
		[ $faults -le 2 ] || break
		mv "$LOG" "${LOG%.log}.fault$faults.log"
	done
	if [ $rc -eq 0 ]; then tap pass "$where runs its plan to the end"; else
		tap fail "$where runs its plan to the end" "${why#kvm-dense: }; the console's end: $(tail -n 3 "$LOG" | tr -d '\r' | tr '\n' '|')"
		[ ! -s "$LOG.emulator" ] || sed 's/^/# emulator: /' "$LOG.emulator" | tail -n 5
	fi
	rm -f "$plan.all"
	check "$where is the machine that it is called" grep -qa '^@@ END variant rc=0' "$LOG"
	bad=$(complaints "$where" "$LOG" | head -n 3)
	if [ -z "$bad" ]; then tap pass "$where: the kernel does not complain"; else
		tap fail "$where: the kernel does not complain" "${bad//$'\n'/ | } (log ${LOG#"$ROOT"/})"
	fi
	return 0
}

# results LOG: a line for every (sub)test: PROGRAM <tab> SUBTEST <tab> pass|fail|skip <tab> REASON. A program that prints
# no TAP, or skips as a whole, has the subtest "-".
results() { tr -d '\r' <"$1" | awk -f "$ROOT/t/results.awk" | grep -vE '^(variant|watch|watched)	'; }

# only_on BEDS REASON: the test is for BEDS alone, and skips for REASON if another is wanted. Makes $tmp, which goes when the test ends.
only_on() {
	BEDS=$1
	[ -n "$(wheres)" ] || { echo "1..0 # SKIP $2"; exit 0; }
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
}
# count_instructions PROGRAM: the boots that follow are of x86-svm with one CPU and QEMU's -icount (see guest/cost.h). Makes
# $tmp, and $tmp/plan, which runs PROGRAM twice: a and b.
count_instructions() {
	only_on x86-svm "instructions can be counted on bed x86-svm only"    # only QEMU does
	export SMP=1 EXTRA_APPEND=norandmaps QEMU_EXTRA="-icount shift=0,sleep=off" LIMIT=${LIMIT:-600}
	printf '%s\n' "a 500 $1" "b 500 $1" >"$tmp/plan"
}
# What awk needs in "compare" (see compare_costs), where x[ROLE, RUN, KEY, PHASE] are the numbers: cost() is the mean of a phase's
# two runs.
# shellcheck disable=SC2034
cost_awk='
	function check(good, text) { print good ? "pass" : "fail", text }
	function max(a, b) { return a > b ? a : b }
	function abs(a) { return a < 0 ? -a : a }
	function cost(role, phase) { return (x[role, "a", "cost", phase] + x[role, "b", "cost", phase]) / 2 }
'
# compare_costs: boots base and KERNEL with $tmp/plan. The test's "numbers old|new LOG" makes $tmp/numbers of both, and its
# "compare" of that comments to print, and "pass|fail TEXT" for each check.
compare_costs() {
	local where role kernel status text
	for where in $(wheres); do
		: >"$tmp/numbers"
		for role in old new; do
			kernel=$([ $role = old ] && echo base || echo "$KERNEL")
			run_bed "$where" "$kernel" "$tmp/plan" || continue 2
			numbers $role "$LOG" >>"$tmp/numbers"
		done
		while read -r status text; do
			if [ "$status" = "#" ]; then echo "# $where $text"; else tap "$status" "$where: $text"; fi
		done < <(compare)
	done
}

# counts LOG: what guest/mmu-lock-count printed, as lines "RUN.NAME N"; RUN is the name in the plan.
counts() { tr -d '\r' <"$1" | awk -F '\t' '/^@@ BEGIN / { run = substr($0, 10) } $1 == "count" { print run "." $2, $3 }'; }

# split_counts LOG: what eager_page_split_test counted, as lines "RUN.SUBTEST.K.NAME N": the K-th time that it did so in SUBTEST.
split_counts() {
	tr -d '\r' <"$1" | awk '
	/^@@ BEGIN / { run = substr($0, 10) }
	/^# [a-z0-9_]+: [0-9]+ faults/ {
		sub(":", "", $2)
		key = run "." $2 "." ++n[run, $2] "."
		gsub("[(),]", "")
		for (i = 3; i < NF; i += 2) print key $(i + 1), $i
	}'
}

# rss_excess LOG SAMPLES RUN: what QEMU holds beyond what the guest uses, while RUN is one of page-reporting-load in LOG, as lines
# "SECONDS PHASE MIB" for each sample that boot.sh wrote to SAMPLES; 0 s is the end of phase "settle", when all that is free was
# reported. Free memory and page cache count as not used; so 0 MiB is right when all of both was returned.
rss_excess() {
	awk -v run="$3" '
	BEGIN { FS = "[ \t\r]+" }
	FNR == NR {
		bytes += length($0) + 1
		if (/^@@ BEGIN /) on = $3 == run
		if (/^@@ END / && on) end = bytes
		if (on && $1 == "use") { at[++n] = bytes; phase[n] = $2; t[n] = $3; free[n] = $4; cache[n] = $5 }
		next
	}
	{
		while (i < n && at[i + 1] <= $1) i++
		if (!i || (end && $1 > end)) next
		if (phase[i] == "settle") { rss0 = $2; t0 = t[i]; free0 = free[i]; cache0 = cache[i] }
		else printf "%.1f %s %.1f\n", t[i] - t0, phase[i], ($2 - rss0 + free[i] - free0 + cache[i] - cache0) / 1024
	}' "$1" "$2"
}

# load_results LOG: what page-reporting-load measured, as lines "RUN.KEY VALUE".
load_results() { tr -d '\r' <"$1" | awk -F '\t' '/^@@ BEGIN / { run = substr($0, 10) } $1 == "result" { print run "." $2, $3 }'; }

# expected_skip BED:VARIANT PROGRAM SUBTEST: is it in t/expected/skips-BED? Lines there: VARIANT PROGRAM SUBTEST REASON...
# with shell patterns in the first three.
expected_skip() {
	local variant program subtest reason file=$EXPECTED/skips-${1%%:*}
	[ -f "$file" ] || return 1
	while read -r variant program subtest reason; do
		case $variant in '' | '#'*) continue ;; esac
		# shellcheck disable=SC2053
		[[ ${1#*:} == $variant && $2 == $program && $3 == $subtest ]] && return 0
	done <"$file"
	return 1
}

# report BED:VARIANT LOG: TAP for all results; a skip that is not expected is a failure.
report() {
	local program subtest status reason name
	while IFS=$'\t' read -r program subtest status reason; do
		name="$1 $program"
		[ "$subtest" = - ] || name+=" $subtest"
		if [ "$status" = skip ] && ! absent "$reason" && ! expected_skip "$1" "$program" "$subtest"; then
			status=fail reason="not in t/expected/skips-${1%%:*}, but skips: $reason"
		fi
		tap "$status" "$name" "$reason"
	done < <(results "$2")
}
# report_of T BED:VARIANT LOG: report(), of subtests that all have to be in t/subtests/T.
report_of() {
	local program subtest
	report "$2" "$3"
	while IFS=$'\t' read -r program subtest _; do
		[ "$subtest" = - ] || table_row "$1" "$2" "$program" "$subtest" >/dev/null ||
			tap fail "$2: $program $subtest is in t/subtests/$1"
	done < <(results "$3")
}
# run_subtests T [PATTERN]: what t/subtests/T runs, on every bed and variant that it has a plan for. Where PATTERN matches
# BED:VARIANT, only if BED names just that. On KERNEL=base the results are shown as they are.
run_subtests() {
	local where plan BEDS
	BEDS=$(beds_of "$1")
	[ -n "$(wheres)" ] || { echo "1..0 # SKIP it runs on other beds: ${BEDS:-those with KVM}"; exit 0; }
	plan=$(mktemp)
	# shellcheck disable=SC2064
	trap "rm -f '$plan'" EXIT
	for where in $(wheres); do
		# shellcheck disable=SC2053
		[[ $where != ${2:-} || $BED = "$where" ]] || continue
		[ -n "$(plan_of "$1" "$where")" ] || continue
		watched_plan_of "$1" "$where" >"$plan"
		run_bed "$where" "$KERNEL" "$plan" || continue
		report_of "$1" "$where" "$LOG"
	done
	done_testing
}
# absent REASON: the interface is not there, which only the base kernel may say.
absent() {
	[ "$KERNEL" = base ] && case $1 in
	*KVM_CAP_DIRTY_QUOTA* | *"MGLRU doesn't clear the idle flag"*) ;;
	*"no page reporting that can be asked for"*) ;;
	*KVM_CAP_EAGER_PAGE_SPLIT* | *"no split statistics"* | *"no parameter "*/eager_page_split* | *"no parameter "*/populate_on_split*) ;;
	*) false ;;
	esac
}

# other_root NAME REF: a second root, build/NAME, whose "patched" kernel is REF of build/linux; everything else
# of the repository is this root's. Prints the path, to be given to scripts/*.sh as KVM_DENSE_ROOT.
other_root() {
	local root=$BUILD/$1 x
	mkdir -p "$root/build" "$root/kernel"
	for x in beds guest scripts patches t out build/initramfs build/linux-base; do
		[ -e "$root/$x" ] || ln -s "$ROOT/$x" "$root/$x"
	done
	cp "$ROOT"/kernel/* "$root/kernel/"
	[ -e "$root/build/linux" ] ||
		git -C "$BUILD/linux" worktree add --quiet --force --detach "$root/build/linux" "$2" >&2 || return
	git -C "$root/build/linux" reset --quiet --hard || return
	git -C "$root/build/linux" checkout --quiet --detach "$2" || return
	echo "$root"
}

# plan_of T BED:VARIANT: what t/subtests/T runs there: its lines "plan: NAME BEDS SECONDS COMMAND", BEDS being a shell pattern
# for BED:VARIANT. "usage: COMMAND" is bad input: it has to print help and exit 1. "oops: COMMAND" isn't run on base.
plan_of() {
	local name beds seconds command
	grep '^plan:' "$ROOT/t/subtests/$1" | while read -r _ name beds seconds command; do
		# shellcheck disable=SC2053
		[[ $2 == $beds ]] || continue
		if [[ $command == oops:* ]]; then
			[ "$KERNEL" != base ] || continue
			command=${command#oops: }
		fi
		[[ $command != usage:* ]] || command="${command#usage: } >/tmp/help; [ \$? = 1 ] && grep -q ^usage: /tmp/help"
		echo "$name $seconds $command"
	done
}

# watched_plan_of T BED:VARIANT: plan_of(); on x86-svm between a command that traces exits of guests which were at an address of the
# host's, and triple faults, whose address KVM loses when it resets the vCPU; and one that prints them, for bed_fault().
watched_plan_of() {
	local exits=/sys/kernel/tracing/events/kvm/kvm_exit svm=
	[[ $2 != x86-svm:* ]] || svm=1
	[ -z "$svm" ] || echo "watch 20 cd $exits && echo 'exit_reason == 0x7f || guest_rip > 0xffff800000000000' >filter && echo 1 >enable"
	plan_of "$1" "$2"
	[ -z "$svm" ] || echo "watched 20 grep kvm_exit: /sys/kernel/tracing/trace | head -n 20"
}

# table_row T BED:VARIANT PROGRAM SUBTEST: prints "CLASS MUTANT PATTERN" of the row of t/subtests/T for it, or fails.
table_row() {
	local program pattern class mutant beds
	while read -r program pattern class mutant beds; do
		# shellcheck disable=SC2053
		[[ $program == "$3" && $4 == $pattern ]] || continue
		# shellcheck disable=SC2053
		[[ -z $beds || ${2%%:*} == $beds ]] || class=safety
		echo "$class $mutant $pattern"
		return 0
	done < <(grep -v -e '^#' -e '^plan:' -e '^beds:' "$ROOT/t/subtests/$1")
	return 1
}
