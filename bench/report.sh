#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Make DIRECTORY/index.html, one file that needs no other, out of DIRECTORY/results.json (written by scripts/run.sh) and nothing else.
# Usage: bench/report.sh DIRECTORY
set -euo pipefail
. "$(dirname "$0")/../scripts/lib.sh"

[ -f "${1:-}/results.json" ] || die "usage: bench/report.sh DIRECTORY (with results.json)"
dir=$1
json=$dir/results.json
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The set's series as one file each, drawn by its gnuplot script; the SVG without its XML prologue.
plot() {
	local name
	rm -f "$work"/*.dat
	while read -r name; do
		jq -r --arg s "$1" --arg n "$name" '.sets[] | select(.name == $s).series[$n][] | @tsv' "$json" >"$work/$name.dat"
	done < <(jq -r --arg s "$1" '.sets[] | select(.name == $s).series | keys[]' "$json")
	gnuplot -c "$ROOT/bench/$1.gp" "$work" >"$work/plot.svg" 2>"$work/plot.err" ||
		fail "plotting $1" "$json" "gnuplot says: $(tail -n 1 "$work/plot.err")"
	sed -n '/<svg/,$p' "$work/plot.svg" | sed "s/gnuplot_plot_/$1-&/g"
}

page_head() {
	cat <<-'END'
	<!DOCTYPE html>
	<html lang="en">
	<meta charset="utf-8">
	<meta name="viewport" content="width=device-width, initial-scale=1">
	<!-- SPDX-License-Identifier: GPL-2.0-only -->
	<title>kvm-dense: base against patched</title>
	<style>
	body { margin: 2rem auto; padding: 0 1rem; max-width: 66rem; font: 16px/1.5 sans-serif; color: #222; background: #fff; }
	p { max-width: 46rem; }
	h1 { font-size: 1.6rem; margin-bottom: 0; }
	h2 { font-size: 1.25rem; margin-top: 2.2rem; border-top: 1px solid #ddd; padding-top: 1rem; }
	table { border-collapse: collapse; margin: 1rem 0; }
	th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #e4e4e4; vertical-align: top; }
	td.n, th.n { text-align: right; white-space: nowrap; }
	.met { color: #1a6e2e; } .missed { color: #b00020; font-weight: bold; }
	.small { color: #555; font-size: .9rem; }
	figure { margin: 1rem 0; } figure svg { width: 100%; height: auto; }
	code { background: #f4f4f4; padding: .1rem .25rem; overflow-wrap: anywhere; }
	</style>
	END
}

# One jq program each for the top, a set's words and table, and the end; every text goes through @html.
top() {
	jq -r '
	([.sets[].figures[]] | {met: map(select(.verdict == "met")) | length, all: length}) as $v |
	"<h1>kvm-dense: base against patched</h1>",
	"<p class=small>\(.date | @html) · Linux \(.kernels.base.release | split("-")[0] | @html) without and with the patches of this repository</p>",
	"<p>Both kernels were built from the same source and configuration, booted as host kernels, and given the same programs to run.",
	"<b>base</b> is the kernel without the patches, <b>patched</b> the one with them.",
	"A <b>target</b> is what the figure on the patched kernel has to reach.</p>",
	"<p><b class=\(if $v.met == $v.all then "met" else "missed" end)>\($v.met) of \($v.all) targets met.</b></p>"' "$json"
}

section() {
	jq -r --arg s "$1" '
	.sets[] | select(.name == $s) |
	"<h2>\(.title | @html)</h2>",
	(.about[] | "<p>\(@html)</p>"),
	"<table><tr><th>figure<th class=n>base<th class=n>patched<th class=n>ratio<th class=n>target<th>verdict</tr>",
	(.figures[] | "<tr><td>\(.name | @html) <span class=small>(\(.unit | @html))</span><td class=n>\(.base | @html)<td class=n>\(.patched | @html)" +
		"<td class=n>\(.ratio | @html)<td class=n>\(.target | sub("== "; "") | sub("<= "; "≤ ") | sub(">= "; "≥ "))<td class=\(.verdict)>\(.verdict)</tr>"),
	"</table>",
	"<p class=small>-: the base kernel does not have the interface, or there is no ratio. Ratio: patched by base.</p>",
	"<figure>"' "$json"
	plot "$1"
	jq -r --arg s "$1" '
	.sets[] | select(.name == $s) |
	"<figcaption class=small>\(.caption | @html)</figcaption></figure>",
	"<p class=small>Set of patches <code>patches/\(.name | @html)</code>, emulated machine <code>\(.bed | @html)</code> (docs/beds.md); on both kernels it ran <code>\(.commands | join("; ") | @html)</code></p>"' "$json"
}

provenance() {
	jq -r '
	"<h2>How this was made</h2><table>",
	(["date", .date], ["command", .command], ["repository", .commit], ["emulator", .qemu], ["machine", .machine],
	 (.kernels | to_entries[] | ["\(.key) kernel", "\(.value.release), source \(.value.source), config SHA-256 \(.value.config)"]) |
	 "<tr><th>\(.[0] | @html)<td>\(.[1] | @html)</tr>"),
	"</table>",
	"<p>The host kernels ran in an emulator without hardware virtualisation, so no figure here is a time: all of them are counts. A second run repeats them, but for waits, which are a matter of chance.",
	"The same figures as data are in <code>results.json</code> beside this file. To make both again: <code>\(.command | @html)</code> in the repository.</p>",
	"</html>"' "$json"
}

{
	page_head
	top
	for s in $(jq -r '.sets[].name' "$json"); do section "$s"; done
	provenance
} >"$work/index.html"
mv "$work/index.html" "$dir/index.html"
