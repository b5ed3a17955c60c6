#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The selftests of set 1 on every bed and variant: t/subtests/lockless-aging says which run where, and with what arguments.
# On KERNEL=base the results are shown as they are.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# Aging has nothing to do with PML, shadow paging is x86-svm's, and Bochs takes its time.
run_subtests lockless-aging 'x86-vmx:@(pml|ept)=0'
