#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Install the Debian packages that a verb of the Makefile (or one need of the list below) lacks: prints the list, then
# installs, as root directly and else through sudo. NO_INSTALL=1 only names them and exits 2.
# On a machine without apt it looks for the commands instead, and says which lack.
# Usage: scripts/deps.sh VERB-OR-NEED...
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$ROOT/kernel/base.env"

# packages NEED; commands NEED (what stands for them on a machine that is not Debian)
packages() {
	case $1 in
	source) [ -n "${KERNEL_SRC:-}" ] || [ -e "$BUILD/linux/.git" ] || echo "linux-source-$BASE_SERIES"; echo xz-utils git ;;
	build) echo gcc libc6-dev make flex bison bc perl libelf-dev ccache rsync gzip cpio python3-minimal ;;
	arm64) [ -z "$(cross arm64)" ] || echo gcc-aarch64-linux-gnu libc6-dev-arm64-cross ;;
	qemu) echo qemu-system-x86 qemu-system-arm busybox-static cpio ;;
	qemu-build) echo gcc libc6-dev ccache git dpkg-dev python3-minimal meson ninja-build pkgconf libglib2.0-dev libpixman-1-dev \
		libfdt-dev zlib1g-dev seabios qemu-system-data binutils ;;
	bochs) echo bochs bochs-term bochsbios vgabios grub-pc-bin grub-common xorriso mtools bsdutils ;;
	report) echo gnuplot-nox jq ;;
	test) echo perl gcc libc6-dev spin python3 ;;
	lint) echo shellcheck sparse perl python3 python3-ply python3-git python3-sphinx ;;
	deb) echo "linux-config-$BASE_SERIES" dpkg-dev debhelper kmod libdw-dev libssl-dev openssl pahole lz4 ;;
	esac
}
commands() {
	case $1 in
	source) echo tar xz git ;;
	build) echo gcc make flex bison bc perl rsync gzip cpio python3 ;;
	arm64) echo "$(cross arm64)gcc" ;;
	qemu) echo qemu-system-x86_64 qemu-system-aarch64 busybox cpio ;;
	qemu-build) echo gcc git dpkg-source python3 meson ninja pkg-config strip ;;
	bochs) echo bochs grub-mkrescue xorriso mformat script ;;
	report) echo gnuplot jq ;;
	test) echo prove gcc spin python3 ;;
	lint) echo shellcheck sparse perl python3 sphinx-build ;;
	deb) echo dpkg-buildpackage dh kmod pahole lz4 ;;
	esac
}
needs() {
	case $1 in
	tree | refresh | export) echo source ;;
	run) echo source build qemu report ;;
	check-debug) echo source build qemu test ;;
	boot) echo source build qemu bochs ;;
	check | check-full) echo source build arm64 qemu bochs test lint ;;
	bisect) echo source build arm64 ;;
	lint) echo source build arm64 lint ;;
	deb) echo source build deb ;;
	source | build | arm64 | qemu | qemu-build | bochs | report | test) echo "$1" ;;
	*) die "no verb or need '$1' known to scripts/deps.sh" ;;
	esac
}

[ $# -gt 0 ] || die "usage: scripts/deps.sh VERB-OR-NEED..."
list=
for a in "$@"; do list+=" $(needs "$a")" || exit $?; done
list=$(tr ' ' '\n' <<<"$list" | sort -u)

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
	lacking=
	for need in $list; do
		for c in $(commands "$need"); do command -v "$c" >/dev/null || lacking+=" $c"; done
	done
	[ -z "$lacking" ] || die "this machine has no apt, and lacks these commands:$lacking"
	exit 0
fi

missing=
for p in $(for need in $list; do packages "$need"; done | tr ' ' '\n' | sort -u); do
	# shellcheck disable=SC2016
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null | head -c 9)" = installed ] || missing+=" $p"
done
[ -n "$missing" ] || exit 0
echo "kvm-dense: these Debian packages are needed and not installed:$missing" >&2
[ "${NO_INSTALL:-}" != 1 ] || exit 2

sudo=()
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || die "not root, and no sudo: install them by hand:$missing"
	sudo=(sudo)
fi
log=$OUT/log/apt.log
mkdir -p "$OUT/log"
export DEBIAN_FRONTEND=noninteractive
network=
quiet "$log" "apt-get update" bash -c '"$@" || echo "apt-get update: failed"' - "${sudo[@]}" apt-get -o DPkg::Lock::Timeout=600 update
if grep -qE '^(W: Failed to fetch|E: |apt-get update: failed)' "$log"; then network=" (apt-get update failed: is there a network?)"; fi

want=()
unknown=
hint=
for p in $missing; do
	candidate=$(apt-cache policy "$p" 2>/dev/null | sed -n 's/^  Candidate: //p')
	case $p in
	linux-source-*)
		pin=$(apt-cache madison "$p" 2>/dev/null | awk -v v="$BASE_VERSION" '$3 == v || index($3, v "~") == 1 {print $3; exit}')
		want+=("$p${pin:+=$pin}")
		source_hint="; Debian 12 (security) and 13 have the source, or give KERNEL_SRC=DIR-OR-TARBALL of any $BASE_SERIES.y"
		;;
	*) want+=("$p") source_hint= ;;
	esac
	if [ -z "$candidate" ] || [ "$candidate" = "(none)" ]; then unknown+=" $p" hint+=$source_hint; fi
done
[ -z "$unknown" ] || die "apt knows no package$unknown$network$hint"
# shellcheck disable=SC2016
quiet "$log" "apt-get install" bash -c '"$@" || echo "apt-get install: failed"' - "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
	apt-get -o DPkg::Lock::Timeout=600 install --yes --no-install-recommends "${want[@]}"
! grep -q '^apt-get install: failed' "$log" || die "apt-get could not install${network:-} all of:$missing (log: ${log#"$ROOT"/})"
