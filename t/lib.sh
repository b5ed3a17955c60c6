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
complaints() { # LOG
	tr -d '\r' <"$1" | grep -aE '(^@@ DMESG <[0-9]+>|^|[^0-9])\[ *[0-9]+\.[0-9]{6}\]' | grep -aE \
		'WARNING:|BUG:|kernel BUG|Oops|Kernel panic|general protection|Unable to handle|KASAN|KCSAN|UBSAN|INFO: (task|rcu|possible|lockdep)|rcu: INFO|stall|lockup|LOCKUP|possible (circular|recursive)|inconsistent lock state|suspicious RCU|refcount_t|unchecked MSR|corruption|sleeping function|while atomic|Call [Tt]race:' ||
		true
}

# The known fault of x86-svm's emulation (docs/beds.md): a guest is found running at the host's address just after
# VMRUN. Only an exception at a guest RIP inside that function of the host kernel counts.
bed_fault() { # BED:VARIANT KERNEL LOG
	local rip map from to
	[[ $1 == x86-svm:* ]] || return 1
	map=$(objdir "$2" x86_64)/System.map
	read -r from to < <(awk '/ __svm_(sev_es_)?vcpu_run$/ { a = $1; getline; print a, $1; exit }' "$map")
	for rip in $(grep -ao "guest RIP '0xf[0-9a-f]*'" "$3" | grep -o 'f[0-9a-f]*'); do
		[[ ! $rip < $from && $rip < $to ]] && return 0
	done
	return 1
}

# run_bed BED:VARIANT KERNEL PLAN: builds what is missing, boots, sets LOG. TAP: that it ran to its end, without complaint.
run_bed() {
	local where=$1 kernel=$2 plan=$3 arch faults=0 rc bad
	arch=$(arch_of "$where")
	LOG=$OUT/boot/${where/:/-}-$kernel-$(basename "$0" .t).log
	"$ROOT/scripts/kernel.sh" "$kernel" "$arch" >/dev/null || { tap fail "$where: the $kernel kernel builds"; return 1; }
	"$ROOT/scripts/selftests.sh" "$arch" || { tap fail "$where: the selftests build"; return 1; }
	while :; do
		rc=0
		"$ROOT/scripts/boot.sh" run "$where" "$kernel" "$plan" "$LOG" || rc=$?
		bed_fault "$where" "$kernel" "$LOG" && [ $faults -lt 2 ] || break
		faults=$((faults + 1))
		mv "$LOG" "${LOG%.log}.fault$faults.log"
		echo "# bed fault $faults of at most 2 on $where: the emulation left the host's RIP in a guest; booting again" | tee /dev/stderr
	done
	if [ $rc -eq 0 ]; then tap pass "$where runs its plan to the end"; else
		tap fail "$where runs its plan to the end" "$(grep -a '^@@ BEGIN' "$LOG" | tail -n 1 | tr -d '\r') was the last to begin; log ${LOG#"$ROOT"/}"
	fi
	bad=$(complaints "$LOG" | head -n 3)
	if [ -z "$bad" ]; then tap pass "$where: the kernel does not complain"; else
		tap fail "$where: the kernel does not complain" "${bad//$'\n'/ | } (log ${LOG#"$ROOT"/})"
	fi
	return 0
}

# results LOG: a line for every (sub)test: PROGRAM <tab> SUBTEST <tab> pass|fail|skip <tab> REASON. A program that prints
# no TAP, or skips as a whole, has the subtest "-".
results() { tr -d '\r' <"$1" | awk -f "$ROOT/t/results.awk"; }

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
		name="$1 $program ${subtest#-}"
		if [ "$status" = skip ] && ! absent "$reason" && ! expected_skip "$1" "$program" "$subtest"; then
			status=fail reason="not in t/expected/skips-${1%%:*}, but skips: $reason"
		fi
		tap "$status" "$name" "$reason"
	done < <(results "$2")
}
# absent REASON: the interface is not there, which only the base kernel may say.
absent() { [ "$KERNEL" = base ] && [[ $1 == *KVM_CAP_DIRTY_QUOTA* ]]; }

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

# The table t/subtests/T: PROGRAM SUBTEST feature|safety MUTANT, where SUBTEST may hold shell patterns.
table_row() { # T PROGRAM SUBTEST -> "CLASS MUTANT PATTERN", or fails
	local program pattern class mutant _
	while read -r program pattern class mutant _; do
		# shellcheck disable=SC2053
		if [[ $program == "$2" && $3 == $pattern ]]; then echo "$class $mutant $pattern"; return 0; fi
	done < <(grep -v '^#' "$ROOT/t/subtests/$1")
	return 1
}
