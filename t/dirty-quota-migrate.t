#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Pre-copy migration with dirty quotas, against auto-converge and the limit by dirty ring: dirty_quota_migrate with all rows of
# the tables that v10 of dirty quota published (bench/3-dirty-quota.source), on x86-svm with the TDP MMU, or on the variants that BED
# names. Time is virtual, so its figures are the same on each run; but for one row, which runs by the real clock too.
# On base, whose KVM ignores quotas, the same rows have to fail. KERNEL=base shows what fails there.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
only_on x86-svm "too slow for the other beds"
export LIMIT=${LIMIT:-3000}

# KVM's smallest ring stands for a larger one if memory is scaled down, for one of 4096 entries if down to so many pages: these
# two runs are compared with the quota's. What the tables' runs give for the ring is only shown.
ring="dirty_quota_migrate -p ring"
# Of memory that isn't scaled down: m / b is 8 s.
row="dirty_quota_migrate -p quota -m 0.032 -n 2 -l 0.032 -b 4"
{
	echo "tables 2400 dirty_quota_migrate"
	echo "ring 600 $ring -t A1 -s 91552 && $ring -t Bb -s 183104"
	echo "virtual 120 $row"
	echo "real 120 $row -r"
} >"$tmp/plan"
echo "tables 1200 dirty_quota_migrate -t A -p quota -s 2048" >"$tmp/base"

# what_came LOG: dirty_quota_migrate's results as lines "RUN ROW POLICY VERDICT SECONDS RATIO SENT RUNTIME READERS STALLED".
what_came() {
	tr -d '\r' <"$1" | awk -F '\t' -v OFS='\t' '
		/^@@ BEGIN / { run = substr($0, 10) }
		$1 == "result" { print run, $2, $3, $9, $10, $11, $12, $13, $15, $16 }'
}

# judge SOURCE RESULTS: comments, and "pass|fail TEXT" for each gate.
judge() {
	awk -F '\t' '
	function check(good, text) { print good ? "pass" : "fail", text }
	function f(row, policy, what) { return x["tables", row, policy, what] }
	function time(row, policy, verdict) {
		verdict = f(row, policy, "verdict")
		return verdict == "converged" ? f(row, policy, "time") : verdict == "unconverged" ? "never" : "missing"
	}
	function seconds(t) { return t == "never" ? 1e9 : t + 0 }
	function no_longer(a, b) { return seconds(a) && seconds(a) < 1e9 && seconds(a) <= seconds(b) }
	/^#/ { next }
	FNR == NR { rows[++n] = $1; old[$1] = $2; new[$1] = $3; diff[$1] = $4; next }
	{
		k = $1 SUBSEP $2 SUBSEP $3 SUBSEP
		x[k "verdict"] = $4; x[k "time"] = $5; x[k "ratio"] = $6; x[k "runtime"] = $8; x[k "readers"] = $9; x[k "stalled"] = $10
	}
	END {
		printf "# %-4s %9s %9s %9s %9s %9s %7s | source: %8s %8s %6s\n", "s", "none", "ac", "ac-fast", "ring", "quota", "less",
			"current", "quota", "less"
		for (i = 1; i <= n; i++) {
			r = rows[i]
			if (r !~ /^A/) continue
			ac = time(r, "ac"); quota = time(r, "quota")
			less = seconds(quota) && seconds(ac) && ac != "never" ? 100 * (1 - seconds(quota) / seconds(ac)) : "-"
			printf "# %-4s %9s %9s %9s %9s %9s %7s | %16s %8s %6s\n", r, time(r, "none"), ac, time(r, "ac-fast"), time(r, "ring"),
				quota, less == "-" ? less : sprintf("%.1f", less), old[r], new[r], diff[r]
			check(seconds(quota) && f(r, "quota", "ratio") <= 1.25,
				sprintf("%s: quota converges, within 1.25 m/b (%s m/b)", r, f(r, "quota", "ratio")))
			if (time(r, "none") != "never") {
				check(quota + 0 <= 1.01 * time(r, "none") && quota + 0 >= 0.99 * time(r, "none"),
					sprintf("%s: quota takes as long as without throttling, within 1 %% (%s and %s s)", r, quota, time(r, "none")))
				continue
			}
			if (old[r] == "never")
				check(ac == "never", sprintf("%s: auto-converge does not converge", r))
			else
				check(less != "-" && less >= diff[r] + 0,
					sprintf("%s: quota takes %.1f %% less than auto-converge, source %s %%", r, less, diff[r]))
			check(no_longer(quota, new[r]), sprintf("%s: quota takes %s s, source %s s", r, quota, new[r]))
		}
		printf "# %-4s %9s %9s %9s %9s %9s | source: %8s %8s\n", "%", "none", "ac", "ac-fast", "ring", "quota", "current", "quota"
		for (i = 1; i <= n; i++) {
			r = rows[i]
			if (r !~ /^B/) continue
			printf "# %-4s", r
			for (j = split("none ac ac-fast ring quota", p, " "); j; j--) list[j] = p[j]
			for (j = 1; j <= 5; j++) printf " %9s", f(r, p[j], "runtime")
			printf " | %16s %8s\n", old[r], new[r]
		}
		check(f("Bb", "quota", "runtime") + 0 >= 66, "balanced: the guest runs at least 66 % (" f("Bb", "quota", "runtime") ")")
		check(f("Br", "quota", "runtime") + 0 >= 79, "read-intensive: the guest runs at least 79 % (" f("Br", "quota", "runtime") ")")
		for (i = 1; i <= 2; i++) {
			r = i == 1 ? "Bb" : "Br"
			check(f(r, "quota", "readers") + 0 >= 99 && f(r, "quota", "readers") + 0 >= f(r, "ring", "readers") + 0,
				sprintf("%s: readers run at least 99 %%, and no less than with the ring limit (%s and %s)", r,
					f(r, "quota", "readers"), f(r, "ring", "readers")))
		}
		for (i = 1; i <= 2; i++) {
			r = i == 1 ? "A1" : "Bb"
			v = x["ring", r, "ring", "verdict"] == "unconverged" ? "never" : x["ring", r, "ring", "time"]
			check(no_longer(time(r, "quota"), v) &&
				f(r, "quota", "runtime") + 0 > x["ring", r, "ring", "runtime"] + 0,
				sprintf("%s: quota takes no longer than the limit by a ring of 4096, and the guest runs more (%s and %s s, %s and %s %%)",
					r, time(r, "quota"), v, f(r, "quota", "runtime"), x["ring", r, "ring", "runtime"]))
		}
		check(f("Bw", "quota", "stalled") != "" && f("Bw", "quota", "stalled") <= f("Bw", "ac-fast", "stalled") / 2,
			sprintf("write-intensive: vCPUs stall for at most half as long as with ac-fast (%s and %s s)",
				f("Bw", "quota", "stalled"), f("Bw", "ac-fast", "stalled")))
		v = x["virtual", "own", "quota", "time"]; r = x["real", "own", "quota", "time"]
		check(v && r + 0 >= 0.85 * v && r <= 1.15 * v, sprintf("by the real clock it takes as long as in virtual time, within 15 %% (%s and %s s)", r, v))
	}' "$@"
}

for where in $(wheres); do
	[[ $where == *:tdp_mmu=Y || $where == "$BED" ]] || continue
	run_bed "$where" "$KERNEL" "$tmp/plan" || continue
	report "$where" "$LOG"
	what_came "$LOG" >"$tmp/results"
	while read -r status text; do
		if [ "$status" = "#" ]; then echo "# $text"; else tap "$status" "$where: $text"; fi
	done < <(judge "$ROOT/bench/3-dirty-quota.source" "$tmp/results")
	[ "$KERNEL" != base ] || continue

	# All but those that need no throttling
	run_bed "$where" base "$tmp/base" || continue
	what_came "$LOG" >"$tmp/base.results"
	while IFS=$'\t' read -r _ name _ verdict seconds _; do
		grep -q "^tables	$name	none	unconverged" "$tmp/results" || continue
		check "$where: $name does not converge on base, which ignores the quota ($verdict, $seconds s)" test "$verdict" = unconverged
	done <"$tmp/base.results"
	check "$where: base went through all rows" test "$(wc -l <"$tmp/base.results")" = 15
done
done_testing
