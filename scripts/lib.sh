# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Sourced by every script: the paths, the one-line errors, progress. Not run by itself.
# KVM_DENSE_ROOT in the environment: another copy of the repository to work on (the tests use it).
# CONFIG_EXTRA=NAME: kernels are those with kernel/NAME.config over kernel/ARCH.config, in object directories of their own.
# Exit codes: 1 a step failed (the line names its log), 2 bad input or a machine that lacks something.

ROOT=${KVM_DENSE_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)}
BUILD=$ROOT/build
# shellcheck disable=SC2034
OUT=$ROOT/out
V=${V:-0}
JOBS=${JOBS:-$(nproc)}
export LC_ALL=C
# Our make's variables (KERNEL=, V=, T=) are not meant for the kernel's make.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

die() { echo "kvm-dense: $*" >&2; exit 2; }
fail() { echo "kvm-dense: $1 failed. Log: ${2#"$ROOT"/}. Try: $3" >&2; exit 1; }
note() { echo "   $*" >&2; }
step() { echo "== [$1/$2] $3 ($((SECONDS / 60)) min $((SECONDS % 60)) s)" >&2; }

srcdir() {
	case $1 in
	base) echo "$BUILD/linux-base" ;;
	patched) echo "$BUILD/linux" ;;
	bisect) echo "$BUILD/linux-bisect" ;;
	*) die "no kernel '$1' (KERNEL is base or patched)" ;;
	esac
}

objdir() {
	case $2 in x86_64 | arm64) ;; *) die "no architecture '$2' (x86_64 or arm64)" ;; esac
	echo "$(srcdir "$1")/o.$2${CONFIG_EXTRA:+-$CONFIG_EXTRA}"
}

image() {
	case $2 in
	x86_64) echo "$(objdir "$1" x86_64)/arch/x86/boot/bzImage" ;;
	*) echo "$(objdir "$1" "$2")/arch/arm64/boot/Image" ;;
	esac
}

# cross ARCH: the compiler's prefix; empty where the machine is of that kind itself.
cross() {
	case $1-$(uname -m) in
	arm64-aarch64 | x86_64-x86_64) ;;
	arm64-*) echo aarch64-linux-gnu- ;;
	*) echo x86_64-linux-gnu- ;;
	esac
}

# The sets in patches/series, in order; is_set NAME.
sets() { sed -n 's|^\([^#/]*\)/.*|\1|p' "$ROOT/patches/series" 2>/dev/null | uniq; }
need_set() {
	sets | grep -qxF -- "$1" || die "no set '$1' in patches/series (there are: $(sets | tr '\n' ' '))"
}
# kgit: git on build/linux, with none of the user's settings: its output goes into files that must not differ.
kgit() { GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 git -C "$BUILD/linux" "$@"; }
need_kernel() { case $1 in base | patched) ;; *) die "no kernel '$1' (KERNEL is base or patched)" ;; esac; }

# survived CONFIG FRAGMENT...: every option that the fragments ask for is in the configuration, the last word of them on
# an option being the one that counts; names those that are not.
survived() {
	local line lost=0
	while read -r line; do
		case $line in
		CONFIG_*=n) ! grep -q "^${line%n}" "$1" || { echo "did not survive: $line"; lost=1; } ;;
		CONFIG_*) grep -qxF "$line" "$1" || { echo "did not survive: $line"; lost=1; } ;;
		esac
	done < <(awk -F = '/^CONFIG_/ { last[$1] = $0 } END { for (o in last) print last[o] }' "${@:2}")
	return $lost
}

# progress LOG TEXT PID: the line that moves, until PID is gone: on a terminal four times a second, else once a minute.
progress() {
	local n=0 last
	while kill -0 "$3" 2>/dev/null; do
		sleep 0.25
		n=$((n + 1))
		[ -t 2 ] || [ $((n % 240)) -eq 0 ] || continue
		last=$(tail -c 300 "$1" 2>/dev/null | tr '\r' '\n' | tail -n 1 | tr -d '\000-\037' | cut -c 1-60)
		if [ -t 2 ]; then printf '\r\033[K   %s  %d s  %s' "$2" $((n / 4)) "$last" >&2; else note "$2: $((n / 4)) s  $last"; fi
	done
}

# quiet LOG TEXT CMD...: run CMD with its output in LOG and one moving line; V=1 shows all. A failure ends the script.
# HINT in the environment replaces the advice of the failure's line.
quiet() {
	local log=$1 text=$2 rc=0 start=$SECONDS bar=
	shift 2
	mkdir -p "$(dirname "$log")"
	: >"$log"
	set +e
	if [ "$V" = 1 ]; then
		echo "+ $*" >&2
		(set -e; "$@") 2>&1 | tee "$log" >&2
		rc=${PIPESTATUS[0]}
	else
		progress "$log" "$text" $$ &
		bar=$!
		(set -e; "$@") >"$log" 2>&1
		rc=$?
		kill "$bar" 2>/dev/null
		wait "$bar" 2>/dev/null
		[ ! -t 2 ] || printf '\r\033[K' >&2
	fi
	set -e
	if [ "$rc" -ne 0 ]; then fail "$text" "$log" "${HINT:-reading its last lines, then the same command with V=1}"; fi
	[ $((SECONDS - start)) -lt 2 ] || note "$text: $((SECONDS - start)) s"
}
