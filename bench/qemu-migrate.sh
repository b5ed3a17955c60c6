#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The part of set 3's showcase that is a real migration: guest/qemu-migrate on bed x86-svm. Prints lines as bench/3-dirty-quota.sh
# does; "base" is stock auto-converge, "patched" dirty quota: the same QEMU, guest and link, in one boot.
set -euo pipefail
. "$(dirname "$0")/../t/lib.sh"

bed=x86-svm:tdp_mmu=Y
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
log=$OUT/boot/x86-svm-tdp_mmu=Y-patched-qemu-migrate-showcase.log
mkdir -p "$OUT/boot"
"$ROOT/scripts/qemu.sh" pack patched "$tmp/extra"
echo "qemu-migrate 1700 qemu-migrate" >"$tmp/plan"
HINT="reading ${log#"$ROOT"/}, the console; make test T=qemu-migrate" INITRAMFS_EXTRA=$tmp/extra LIMIT=${LIMIT:-1800} \
	quiet "$OUT/log/showcase-qemu-migrate.log" "a Linux guest migrates with QEMU" "$ROOT/scripts/boot.sh" run "$bed" patched "$tmp/plan" "$log"
grep -q '^@@ END qemu-migrate rc=0' "$log" || fail "guest/qemu-migrate" "$log" "make test T=qemu-migrate"
is() { tr -d '\r' <"$log" | awk -F '\t' -v k="$1" '$1 == "figure" && $2 == k { print $3 }'; }
figure() { printf 'figure\t%s\t%s\t%s\t%s\t%s\t%s\n' "$@"; }

figure "QEMU: sent to migrate a Linux guest, of its memory" % "$(is auto_converge_sent)" "$(is dirty_quota_sent)" "<=" 150
figure "QEMU: the migration came to an end" "" "$(is auto_converge_ended)" "$(is dirty_quota_ended)" == 1
