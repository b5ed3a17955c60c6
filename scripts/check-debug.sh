#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The selftests that race, on kernels that watch themselves (make check-debug; hours): KASAN with lockdep, KCSAN, PREEMPT_RT,
# on every variant of bed x86-svm, PREEMPT_RT on x86-vmx. t/debug.t says what counts.
# Usage: [CONFIG_EXTRA=debug|kcsan|rt] [BED=x86-svm:VARIANT] [SECS=N] scripts/check-debug.sh
set -euo pipefail
. "$(dirname "$0")/lib.sh"

s=$ROOT/scripts
extras=${CONFIG_EXTRA:-debug kcsan rt}
read -ra list <<<"$extras"
steps=$((${#list[@]} + 4))
step 1 $steps "packages"
"$s/deps.sh" check-debug
step 2 $steps "kernel source, with the patches"
SET='' "$s/tree.sh"
n=3
for extra in "${list[@]}"; do
	step $n $steps "patched x86_64 kernel with kernel/$extra.config"
	CONFIG_EXTRA=$extra "$s/kernel.sh" patched x86_64 >/dev/null
	n=$((n + 1))
done
step $n $steps "selftests"
"$s/selftests.sh" x86_64
step $((n + 1)) $steps "the tests"
export CONFIG_EXTRA=${CONFIG_EXTRA:-} T=debug BED=${BED:-} KERNEL=patched SET='' SKIP_TREE=1
exec "$s/test.sh"
