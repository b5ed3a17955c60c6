#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The selftests of set 3 on every bed and variant. On KERNEL=base the results are shown as they are.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

run_subtests dirty-quota
