#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The selftests of set 2 on every bed and variant: t/subtests/eager-split says which run where, and with what arguments.
# On KERNEL=base the results are shown as they are.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

run_subtests eager-split
