#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# make bench: the times that an emulator cannot give, on this machine's own KVM and the kernel that is running now. They go to
# out/bench/SET/KERNEL-RELEASE.json. Run it once on each kernel (a distribution's 6.12 as base, then what make deb builds):
# all records of the machine are printed side by side.
# Usage, as root: [SET=1-lockless-aging] [VCPUS=64] [BYTES=64M] scripts/bench.sh      (BYTES: memory of each vCPU)
# Exit 2 where there is no KVM. On x86 KVM's modules are loaded anew for each MMU, so no virtual machine may be running.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

SET=${SET:-1-lockless-aging}
arch=$(uname -m | sed s/aarch64/arm64/)
[ -c /dev/kvm ] || die "make bench measures on hardware, and this machine has no /dev/kvm (make run counts in an emulator)"
[ "$arch" = arm64 ] || [ -d /sys/module/kvm_intel ] || [ -d /sys/module/kvm_amd ] ||
	die "make bench measures on hardware, and the KVM of this machine is neither kvm_intel nor kvm_amd (make run counts in an emulator)"
need_set "$SET"
grep -qs hardware "$ROOT/bench/$SET.sh" || die "set '$SET' has nothing to measure on hardware"
[ "$(id -u)" = 0 ] || die "make bench loads modules and reads what only root may: run it as root"
"$ROOT/scripts/deps.sh" source build
command -v jq >/dev/null || "$ROOT/scripts/deps.sh" report
[ -n "${SKIP_TREE:-}" ] || SET='' "$ROOT/scripts/tree.sh"
"$ROOT/scripts/selftests.sh" "$arch"

dir=$OUT/bench/$SET
record=$dir/$(uname -r).json
mkdir -p "$dir" "$OUT/log"
"$ROOT/bench/$SET.sh" hardware | jq -Rn --arg kernel "$(uname -r)" --arg date "$(date -u '+%Y-%m-%d %H:%M UTC')" \
	--arg cpus "$(nproc) x $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" \
	--arg vcpus "${VCPUS:-64}" --arg bytes "${BYTES:-64M}" '
	[inputs | split("\t") | select(.[0] == "number")] |
	if length == 0 then error("nothing was measured") else . end |
	{$kernel, $date, $cpus, $vcpus, $bytes,
	 numbers: (reduce .[] as $n ({}; .[$n[1]][$n[2]] = ($n[3] | tonumber)))}' >"$record.new" ||
	fail "make bench" "$OUT/log/bench-$SET.log" "the lines above"
mv "$record.new" "$record"

# Of this machine with these sizes; those without the set come first: their aging takes mmu_lock, or they say "unpatched".
# "gain" is the first figure by the last.
jq -rs --slurpfile now "$record" '
	map(select([.cpus, .vcpus, .bytes] == ($now[0] | [.cpus, .vcpus, .bytes]))) |
	sort_by([.numbers[] | .["locks.aging-write"], .unpatched | numbers] | add == 0) as $all |
	"\($all[0].cpus), \($all[0].vcpus) vCPUs with \($all[0].bytes) each",
	(["mode", "figure"] + [$all[].kernel] + ["gain"] | @tsv),
	([$all[].numbers | to_entries[] | .key as $m | .value | keys[] | [$m, .]] | unique[] as [$m, $k] |
	 [$all[].numbers[$m][$k]] as $n |
	 [$m, $k] + ($n | map(. // "-" | tostring)) +
	 [if ($n[0] | type) == "number" and ($n[-1] // 0) > 0 then ($n[0] / $n[-1] * 100 | round / 100 | tostring) else "-" end] |
	 @tsv)' "$dir"/*.json | column -t -s "$(printf '\t')"
echo "Record: ${record#"$ROOT"/}"
