#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The selftests of set 4 on beds guest and guest-arm64: t/subtests/page-reporting says what runs on which variant. Where the balloon
# does not report (guest:off), they use the fake device, which can misbehave. On KERNEL=base the results are shown as they are.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

BEDS="guest guest-arm64"
[ -n "$(wheres)" ] || { echo "1..0 # SKIP page reporting needs bed guest or guest-arm64"; exit 0; }
run_subtests page-reporting
