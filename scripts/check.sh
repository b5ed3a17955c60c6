#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The tests (make check): packages, the patches applied, lint, both architectures built, every test of t/
# on every bed. Ends with prove's summary. What takes hours is in scripts/check-full.sh.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

s=$ROOT/scripts
step 1 6 "packages"
"$s/deps.sh" check
step 2 6 "kernel source, with the patches"
"$s/tree.sh"
step 3 6 "lint"
"$s/lint.sh"
step 4 6 "kernels: base and patched x86_64, patched arm64"
"$s/kernel.sh" base x86_64 >/dev/null
"$s/kernel.sh" patched x86_64 >/dev/null
"$s/kernel.sh" patched arm64 >/dev/null
step 5 6 "selftests"
"$s/selftests.sh" x86_64
"$s/selftests.sh" arm64
step 6 6 "the tests on every bed, two at a time"
unset T BED KERNEL SET
exec "$s/test.sh"
