#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Boot a kernel on a bed (beds/*.sh).
# Usage: scripts/boot.sh run BED:VARIANT base|patched PLAN LOG    feed PLAN (see guest/init), console to LOG
#        scripts/boot.sh shell [BED[:VARIANT] [base|patched]]  a root shell on this terminal (make boot BED= KERNEL=)
# run succeeds when the guest printed "@@ DONE". Environment: LIMIT (seconds of wall clock), SMP, MEM,
# EXTRA_APPEND (kernel parameters), QEMU_EXTRA (options of QEMU), RSS (a file that run fills, three times a second, with
# lines "bytes of LOG so far, VmRSS of the emulator in KiB"), FREEZE ("TEXT SECONDS TIMES": when the console shows a line that
# begins with TEXT, run stops the emulator for SECONDS, and lets it go on for as long, TIMES over).
# shellcheck disable=SC1090,SC2154,SC2317
set -euo pipefail
. "$(dirname "$0")/lib.sh"

usage="usage: scripts/boot.sh run BED:VARIANT KERNEL PLAN LOG | shell [BED[:VARIANT] [KERNEL]]"
mode=${1:-} where=${2:-${BED:-x86-svm}} kernel=${3:-${KERNEL:-patched}}
case $mode:$# in run:5 | shell:[123]) ;; *) die "$usage" ;; esac
need_kernel "$kernel"
bed=${where%%:*}
[ -f "$ROOT/beds/$bed.sh" ] || die "no bed '$bed' (there are: $(basename -s .sh "$ROOT"/beds/*.sh | tr '\n' ' '))"

# For the beds that are QEMU: add the console and run it.
qemu_start() { # run|shell LOG COMMAND...
	local how=$1 log=$2 extra=()
	shift 2
	[ -z "${QEMU_EXTRA:-}" ] || read -ra extra <<<"$QEMU_EXTRA"
	if [ "$how" = shell ]; then
		set -- "$@" -nographic -virtfs \
			local,path=/,mount_tag=hostroot,security_model=none,readonly=on,multidevs=remap
	else
		set -- "$@" -display none -monitor none -serial "file:$log"
	fi
	exec "$@" -no-reboot "${extra[@]}"
}

bed_hint="Ctrl-A X ends QEMU at once."
. "$ROOT/beds/$bed.sh"
variant=${where#"$bed"}
variant=${variant#:}
variant=${variant:-${bed_variants[0]}}
[[ " ${bed_variants[*]} " == *" $variant "* ]] || die "bed $bed has no variant '$variant' (it has: ${bed_variants[*]})"
if [ "$mode" = shell ]; then
	[ -t 0 ] || die "make boot needs a terminal"
	"$ROOT/scripts/deps.sh" boot
	SET='' "$ROOT/scripts/tree.sh"
	"$ROOT/scripts/kernel.sh" "$kernel" "$bed_arch" >/dev/null
	"$ROOT/scripts/selftests.sh" "$bed_arch"
fi
image=$(image "$kernel" "$bed_arch")
[ -f "$image" ] || die "no $kernel $bed_arch kernel: run scripts/kernel.sh $kernel $bed_arch"

BED_TMP=$(mktemp -d "$BUILD/boot.XXXXXX")
machine=
finish() {
	[ -z "$machine" ] || stop_machine
	rm -rf "$BED_TMP"
}
stop_machine() { # what was started here, by its own process id
	local pid
	for pid in $(cat "$BED_TMP/pid" 2>/dev/null) "$machine"; do
		kill "$pid" 2>/dev/null || continue
		for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
		kill -9 "$pid" 2>/dev/null || true
	done
	wait "$machine" 2>/dev/null || true
	machine=
}
trap finish EXIT
trap 'exit 130' INT TERM
params="$(bed_params "$variant") panic=-1 ${EXTRA_APPEND:-}"

if [ "$mode" = shell ]; then
	"$ROOT/scripts/initramfs.sh" "$bed_arch"
	echo "kvm-dense: $kernel kernel on $bed:$variant; exit powers off. $bed_hint" >&2
	(bed_start shell "$image" "$BUILD/initramfs/$bed_arch.cpio" "$params quiet" '') || true
	exit 0
fi

plan=$4 log=$5
[ -f "$plan" ] || die "no plan $plan"
mkdir -p "$(dirname "$log")"
: >"$log"
"$ROOT/scripts/initramfs.sh" "$bed_arch" "$plan" "$BED_TMP/initrd"
LIMIT=${LIMIT:-$bed_limit}
end=$((SECONDS + LIMIT))
(bed_start run "$image" "$BED_TMP/initrd" "$params loglevel=1" "$log") </dev/null >"$log.emulator" 2>&1 &
machine=$!
sample() { # "$machine" is QEMU itself, but Bochs' is in a file
	sed -n "s/^VmRSS:[^0-9]*\([0-9]*\) kB/$(stat -c %s "$log") \1/p" \
		"/proc/$(cat "$BED_TMP/pid" 2>/dev/null || echo "$machine")/status" 2>/dev/null || true
}
[ -z "${RSS:-}" ] || : >"$RSS"
freeze() {
	local text seconds times
	read -r text seconds times <<<"$FREEZE"
	grep -qa "^$text" "$log" || return 0
	FREEZE=
	for _ in $(seq "$times"); do
		kill -STOP "$machine"
		sleep "$seconds"
		kill -CONT "$machine"
		sleep "$seconds"
	done
}
why=
while kill -0 "$machine" 2>/dev/null; do
	if grep -qa '^@@ DONE' "$log"; then why=ended; break; fi
	if grep -qa 'end Kernel panic\|Kernel panic - not syncing' "$log"; then sleep 2; why="the kernel panicked"; break; fi
	if [ $SECONDS -ge $end ]; then why="no end within $LIMIT s"; break; fi
	[ -z "${RSS:-}" ] || sample >>"$RSS"
	[ -z "${FREEZE:-}" ] || freeze
	sleep 0.3
done
stop_machine
if grep -qa '^@@ DONE' "$log"; then
	rm -f "$log.emulator"
	exit 0
fi
echo "kvm-dense: $bed:$variant ($kernel): ${why:-the machine stopped early}. Log: ${log#"$ROOT"/}" >&2
exit 1
