#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The selftests of set 4 on beds guest and guest-arm64: t/subtests/page-reporting says what runs on which variant. Where the balloon
# does not report (guest:off), they use the fake device, which can misbehave. On KERNEL=base the results are shown as they are.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

run_subtests page-reporting
