#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# QEMU with patches/qemu moves a Linux guest inside a bed (guest/qemu-migrate), with auto-converge and with dirty quota, and
# survives what can go wrong meanwhile. The guest's kernel is the bed's own. On base QEMU has to refuse the capability.
# QEMU is built for it, so this runs in make check-full and make test T=qemu-migrate only: on x86-svm:tdp_mmu=Y, or where BED= says.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

BED=${BED:-x86-svm:tdp_mmu=Y}
only_on x86-svm "there is a QEMU for bed x86-svm only"
export INITRAMFS_EXTRA=$tmp/extra LIMIT=${LIMIT:-1800}

boot() { # BED:VARIANT KERNEL COMMAND
	"$ROOT/scripts/qemu.sh" pack "$2" "$INITRAMFS_EXTRA" || { tap fail "$1: QEMU builds, and the $2 kernel"; return 1; }
	echo "qemu-migrate 1700 $3" >"$tmp/plan"
	run_bed "$1" "$2" "$tmp/plan" || return
	tr -d '\r' <"$LOG" | sed -n '/^@@ BEGIN qemu-migrate/,/^@@ END/{/^#/p}'
	report "$1" "$LOG"
}
for where in $(wheres); do
	[ "$KERNEL" = base ] || boot "$where" "$KERNEL" qemu-migrate || continue
	boot "$where" base "qemu-migrate refused" || continue
done
done_testing
