# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Sourced by every script: the paths, the one-line errors, progress. Not run by itself.
# Exit codes: 1 a step failed (the line names its log), 2 bad input or a machine that lacks something.

ROOT=${KVM_DENSE_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)}
BUILD=$ROOT/build
# shellcheck disable=SC2034
OUT=$ROOT/out
V=${V:-0}
JOBS=${JOBS:-$(nproc)}
export KVM_DENSE_ROOT=$ROOT LC_ALL=C

# git is run on our trees with no say of the user's own settings but the name and address.
export GIT_TERMINAL_PROMPT=0

die() { echo "kvm-dense: $*" >&2; exit 2; }
fail() { echo "kvm-dense: $1 failed. Log: ${2#"$ROOT"/}. Try: $3" >&2; exit 1; }
note() { echo "   $*" >&2; }
step() { echo "== [$1/$2] $3 ($((SECONDS / 60)) min $((SECONDS % 60)) s)" >&2; }

srcdir() {
	case $1 in
	base) echo "$BUILD/linux-base" ;;
	patched) echo "$BUILD/linux" ;;
	*) die "no kernel '$1' (KERNEL is base or patched)" ;;
	esac
}

objdir() {
	case $2 in x86_64 | arm64) ;; *) die "no architecture '$2' (x86_64 or arm64)" ;; esac
	echo "$(srcdir "$1")/o.$2"
}

image() {
	case $2 in
	x86_64) echo "$(objdir "$1" x86_64)/arch/x86/boot/bzImage" ;;
	*) echo "$(objdir "$1" "$2")/arch/arm64/boot/Image" ;;
	esac
}

cross() { if [ "$1" = arm64 ] && [ "$(uname -m)" != aarch64 ]; then echo aarch64-linux-gnu-; fi; }

# The sets in patches/series, in order; is_set NAME.
sets() { sed -n 's|^\([^#/]*\)/.*|\1|p' "$ROOT/patches/series" 2>/dev/null | uniq; }
need_set() {
	sets | grep -qxF -- "$1" || die "no set '$1' in patches/series (there are: $(sets | tr '\n' ' '))"
}
need_kernel() { case $1 in base | patched) ;; *) die "no kernel '$1' (KERNEL is base or patched)" ;; esac; }

# quiet LOG TEXT CMD...: run CMD with its output in LOG and one moving line; V=1 shows all. A failure ends the script.
# HINT in the environment replaces the advice of the failure's line.
quiet() {
	local log=$1 text=$2 rc=0 pid start=$SECONDS said=$SECONDS last
	shift 2
	mkdir -p "$(dirname "$log")"
	if [ "$V" = 1 ]; then
		echo "+ $*" >&2
		{ "$@" 2>&1 || echo $? >"$log.rc"; } | tee "$log" >&2
		if [ -e "$log.rc" ]; then rc=$(cat "$log.rc"); rm -f "$log.rc"; fi
	else
		"$@" >"$log" 2>&1 &
		pid=$!
		while kill -0 "$pid" 2>/dev/null; do
			sleep 0.2
			if [ -t 2 ]; then
				last=$(tail -n 1 "$log" 2>/dev/null | tr -d '\000-\037' | cut -c 1-60)
				printf '\r\033[K   %s  %d s  %s' "$text" $((SECONDS - start)) "$last" >&2
			elif [ $((SECONDS - said)) -ge 60 ]; then
				said=$SECONDS
				echo "   $text: $((SECONDS - start)) s  $(tail -n 1 "$log" | tr -d '\000-\037' | cut -c 1-60)" >&2
			fi
		done
		[ ! -t 2 ] || printf '\r\033[K' >&2
		wait "$pid" || rc=$?
	fi
	if [ "$rc" -ne 0 ]; then fail "$text" "$log" "${HINT:-reading its last lines, then the same command with V=1}"; fi
	[ $((SECONDS - start)) -lt 2 ] || note "$text: $((SECONDS - start)) s"
}
