#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The sets' KUnit suites under User-mode Linux, by the kernel's own kunit.py with kernel/uml.config: pure logic at the machine's own speed.
# On the beds the same suites run on real free lists (guest:kunit).
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ -z "$BED" ] || { echo "1..0 # SKIP this is no bed's test"; exit 0; }
[ "$KERNEL" = patched ] || { echo "1..0 # SKIP base has none of the suites"; exit 0; }
[ "$(uname -m)" = x86_64 ] || { echo "1..0 # SKIP User-mode Linux is for x86 alone"; exit 0; }
cc=(); ! command -v ccache >/dev/null || cc=(--make_options "CC=ccache gcc")
log=$OUT/log/kunit.log
mkdir -p "$OUT/log"
rc=0
# The tree must be without objects of its own, as ours is; the environment's ARCH is not kunit.py's.
(cd "$BUILD/linux" && env -u ARCH -u CROSS_COMPILE timeout 1500 python3 tools/testing/kunit/kunit.py run --arch um --kunitconfig "$ROOT/kernel/uml.config" \
	--build_dir "$BUILD/linux/o.um" --jobs "$JOBS" --timeout 240 --raw_output=kunit "${cc[@]}" 'page_reporting*') >"$log" 2>&1 || rc=$?
while read -r result name; do tap "$result" "$name"; done < <(awk '
	# "    # Subtest: SUITE", then a line for each of its tests; what has parameters has deeper lines, too.
	/^    # Subtest: / { suite = $3 }
	/^    (not )?ok / { r = /^    not/ ? "fail" : /# SKIP/ ? "skip" : "pass"; sub(/^ *(not )?ok [0-9]+ (- )?/, ""); print r, suite ": " $0 }' "$log")
check "some cases ran ($TAP_N; log ${log#"$ROOT"/})" test "$TAP_N" -ge 10
check "kunit.py ends well" test $rc -eq 0
done_testing
