#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Run the tests of t/ under prove(1). Usage: [T=NAME] [BED=BED[:VARIANT]] [KERNEL=base|patched] [SET=SET] scripts/test.sh
# T is a file of t/ without .t; without T all run but those that belong to make check-full or check-debug. SET=3-dirty-quota runs
# t/dirty-quota.t and t/dirty-quota-*.t.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

T=${T:-} BED=${BED:-} KERNEL=${KERNEL:-patched} SET=${SET:-}
need_kernel "$KERNEL"
if [ -n "$SET" ]; then need_set "$SET"; T=${T:-${SET#*-}}; fi
[ -z "$T" ] || [ -f "$ROOT/t/$T.t" ] ||
	die "no test '$T' in t/ (there are: $(basename -s .t "$ROOT"/t/*.t | tr '\n' ' '))"
needs="source build qemu test"
if [ -n "$BED" ]; then
	bed=${BED%%:*}
	[ -f "$ROOT/beds/$bed.sh" ] || die "no bed '$bed' (there are: $(basename -s .sh "$ROOT"/beds/*.sh | tr '\n' ' '))"
	# shellcheck disable=SC1090
	. "$ROOT/beds/$bed.sh"
	# shellcheck disable=SC2154
	[[ $BED == "$bed" || " ${bed_variants[*]} " == *" ${BED#*:} "* ]] ||
		die "bed $bed has no variant '${BED#*:}' (it has: ${bed_variants[*]})"
fi
case $BED in '' | *arm64*) needs+=" arm64" ;; esac
case $BED in '' | x86-vmx*) needs+=" bochs" ;; esac
# shellcheck disable=SC2086
"$ROOT/scripts/deps.sh" $needs
[ -n "${SKIP_TREE:-}" ] || SET='' "$ROOT/scripts/tree.sh"

tests=()
for t in "$ROOT"/t/${T:-*}.t ${SET:+"$ROOT/t/$T"-*.t}; do
	[ -f "$t" ] || continue
	[ -z "$T" ] && grep -q 'make check-[a-z]* and make test' "$t" && continue
	tests+=("t/$(basename "$t")")
done
export BED KERNEL
mkdir -p "$OUT/log"
cd "$ROOT"
# One test is shown line by line; of many, what fails.
if [ -n "$T" ]; then flags=(--verbose); else flags=(--timer --failures --comments); fi
prove -j "${PROVE_JOBS:-2}" "${flags[@]}" "${tests[@]}" </dev/null
