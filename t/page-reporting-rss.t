#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What QEMU holds beyond what its guest uses, seen from outside (VmRSS), after the guest freed 1 GiB and read 512 MiB of files once:
# with cache_idle_ms at most 10 % of what is idle and 64 MiB within twice that time and 16 passes; with defaults the files alone, as on
# base. Where QEMU takes nothing back (guest:off) all that was touched: the measurement works. KERNEL=base has to fail. init_on_free is
# looked at where BED names it; with page_poison all memory is touched from the start. It takes 12 minutes, most of them idle, so it is in
# make check-full and make test T=page-reporting-rss only; make run prints the same figure.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

BEDS="guest guest-arm64"
here() { wheres | while read -r w; do case $BED:$w in *:kunit | *:page_poison | :*:init_on_free) ;; *) echo "$w" ;; esac; done; }
[ -n "$(here)" ] || { echo "1..0 # SKIP page reporting needs bed guest or guest-arm64, and their variants but kunit"; exit 0; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
anon=1024 file=512 idle=4000
due=$((2 * idle / 1000 + 16 * 2))
load="page-reporting-load idle $anon $file $((due + 10))"
within() { [ -n "$1" ] && awk -v x="$1" -v min="$2" -v max="$3" 'BEGIN { exit !(x >= min && x <= max) }'; }

# excess RUN: the median of MiB in the 5 s after the time that is due.
excess() {
	rss_excess "$LOG" "$tmp/rss" "$1" | awk -v due=$due '
		$2 == "read" || $2 == "wait" { if (!begin) begin = $1; if ($1 >= begin + due && $1 < begin + due + 5) print $3 }' |
		sort -g | awk '{ x[NR] = $1 } END { print x[int((NR + 1) / 2)] }'
}

export RSS=$tmp/rss
for where in $(here); do
	for kernel in $(printf '%s\n' base "$KERNEL" | sort -u); do
		# On base one variant will do.
		[ "$kernel" = "$KERNEL" ] || [[ $where == guest:reporting ]] || continue
		{
			echo "defaults 400 $load"
			[ "$kernel" = base ] || echo "trim 400 $load $idle"
		} >"$tmp/plan"
		run_bed "$where" "$kernel" "$tmp/plan" || continue
		defaults=$(excess defaults)
		case $where in
		*:off)
			# Files may be read into what was freed before.
			check "$where $kernel: QEMU keeps all that was touched, $anon to $((anon + file)) MiB ($defaults)" \
				within "$defaults" $((anon - 64)) $((anon + file + 64))
			;;
		*)
			check "$where $kernel: with defaults QEMU keeps $file MiB of files ($defaults)" \
				within "$defaults" $((file - 64)) $((file + 64 + anon / 10))
			if [ "$kernel" = "$KERNEL" ]; then
				check "$where $kernel: with cache_idle_ms=$idle QEMU keeps at most $((file / 10 + 64)) MiB ($(excess trim))" \
					within "$(excess trim)" -1000 $((file / 10 + 64))
			fi
			;;
		esac
	done
done
done_testing
