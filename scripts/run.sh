#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The main job (make run): build the base and the patched x86_64 host kernel, run every set's showcase (bench/SET.sh) on both, print one
# table of the figures, and write out/report/index.html and results.json.
# Usage: [SET=N-name] scripts/run.sh    (all sets that have a showcase, without SET). Exit 1 when a target is missed.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

report=$OUT/report
s=$ROOT/scripts

SET=${SET:-}
if [ -n "$SET" ]; then
	need_set "$SET"
	[ -x "$ROOT/bench/$SET.sh" ] || die "set '$SET' has no showcase (bench/$SET.sh)"
fi

source_of() { # a kernel tree in words; what is not committed there is said too
	echo "$(git -C "$1" log -1 --format=%s base) and $(git -C "$1" rev-list --count base..HEAD) patches," \
		"tree $(git -C "$1" rev-parse --short=12 'HEAD^{tree}')$(git -C "$1" diff --quiet HEAD || echo " with uncommitted changes")"
}
provenance() {
	local k
	for k in base patched; do
		jq -n --arg k "$k" --arg release "$(cat "$(objdir "$k" x86_64)/include/config/kernel.release")" \
			--arg source "$(source_of "$(srcdir "$k")")" \
			--arg config "$(sha256sum <"$(objdir "$k" x86_64)/.config" | cut -d ' ' -f 1)" \
			'{($k): {$release, $source, $config}}'
	done | jq -s --arg date "$(date -u '+%Y-%m-%d %H:%M UTC')" --arg command "make run" \
		--arg commit "$(git -C "$ROOT" describe --always --dirty 2>/dev/null || echo unknown)" \
		--arg qemu "$(qemu-system-x86_64 --version | sed -n '1s/^QEMU emulator version //p')" \
		--arg machine "$(nproc) CPUs, $(. /etc/os-release && echo "$PRETTY_NAME")" \
		'{$date, $command, $commit, $qemu, $machine, kernels: add}'
}

# A showcase's lines as JSON; here the verdicts fall.
as_json() {
	jq -Rn --arg name "$1" '
	def number: try tonumber catch null;
	def all($key): map(select(.[0] == $key));
	def meets($op; $limit):
		if . == null then false elif $op == "==" then . == $limit elif $op == "<=" then . <= $limit
		elif $op == ">=" then . >= $limit else error("no operator \($op)") end;
	[inputs | split("\t")] |
	{$name, title: all("title")[0][1], about: [all("about")[][1]], bed: all("bed")[0][1],
	 commands: [all("command")[][1]], caption: all("caption")[0][1],
	 figures: [all("figure")[] | (.[3] | number) as $b | (.[4] | number) as $p |
		{name: .[1], unit: .[2], base: .[3], patched: .[4], target: "\(.[5]) \(.[6])",
		 ratio: (if $b == null or $p == null or $b == 0 then "-" else ($p / $b * 1000 | round / 1000 | tostring) end),
		 verdict: (. as $f | if $p | meets($f[5]; $f[6] | tonumber) then "met" else "missed" end)}],
	 series: (reduce all("series")[] as $l ({}; .[$l[1]] += [[($l[2] | tonumber), ($l[3] | tonumber)]]))}
	| if (.figures | length) == 0 then error("no figures") else . end' "$2"
}

table() {
	local form='%-62s %-6s %10s %10s %7s %8s  %s\n'
	jq -r '.sets[] | ["", .name], (.figures[] | [.name, .unit, .base, .patched, .ratio, .target, .verdict]) | join("\u001f")' \
		"$report/results.json" | while IFS=$'\037' read -r name unit b p ratio target verdict; do
		if [ -z "$name" ]; then
			# shellcheck disable=SC2059
			printf "\n$form" "$unit" unit base patched ratio target verdict
		else
			# shellcheck disable=SC2059
			printf "$form" "$name" "$unit" "$b" "$p" "$ratio" "$target" "$verdict"
		fi
	done
}

todo=()
for set in ${SET:-$(sets)}; do [ ! -x "$ROOT/bench/$set.sh" ] || todo+=("$set"); done
[ ${#todo[@]} -gt 0 ] || die "no set in patches/series has a showcase in bench/"
steps=$((6 + ${#todo[@]}))
step 1 $steps "packages"
"$s/deps.sh" run
step 2 $steps "kernel source, with the patches"
SET='' "$s/tree.sh"
step 3 $steps "base kernel"
"$s/kernel.sh" base x86_64 >/dev/null
step 4 $steps "patched kernel"
"$s/kernel.sh" patched x86_64 >/dev/null
step 5 $steps "programs and initramfs"
"$s/selftests.sh" x86_64
"$s/initramfs.sh" x86_64
mkdir -p "$report"
n=6
for set in "${todo[@]}"; do
	step $n $steps "showcase of $set on both kernels"
	"$ROOT/bench/$set.sh" >"$report/$set.tsv"
	as_json "$set" "$report/$set.tsv" >"$report/$set.json"
	n=$((n + 1))
done
step $n $steps "report"
provenance >"$report/provenance.json"
for set in "${todo[@]}"; do cat "$report/$set.json"; done |
	jq -s --slurpfile from "$report/provenance.json" '$from[0] + {sets: .}' >"$report/results.json"
(cd "$report" && rm -f provenance.json ./*.plan && for set in "${todo[@]}"; do rm -f "$set.json" "$set.tsv"; done)
"$ROOT/bench/report.sh" "$report"

table
missed=$(jq '[.sets[].figures[] | select(.verdict != "met")] | length' "$report/results.json")
echo
echo "Report: out/report/index.html (data: out/report/results.json)"
[ "$missed" -eq 0 ] || { echo "kvm-dense: $missed target(s) missed" >&2; exit 1; }
