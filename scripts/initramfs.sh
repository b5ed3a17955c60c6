#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Pack what runs inside a bed: a static busybox, guest/init, selftests under /t and guest programs under /g.
# Usage: scripts/initramfs.sh ARCH              build/initramfs/ARCH.cpio with everything
#        scripts/initramfs.sh ARCH PLAN FILE    FILE with PLAN as /plan and only the programs that it and guest/init name
# INITRAMFS_EXTRA=DIR: what DIR holds comes along, too.
# The archives are not compressed: QEMU copies them straight into memory.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ $# -eq 1 ] || [ $# -eq 3 ] || die "usage: scripts/initramfs.sh x86_64|arm64 [PLAN FILE]"
arch=$1 plan=${2:-} out=${3:-$BUILD/initramfs/$1.cpio}
case $arch in x86_64 | arm64) ;; *) die "no architecture '$arch' (x86_64 or arm64)" ;; esac
busybox=$BUILD/initramfs/busybox-$arch
mkdir -p "$BUILD/initramfs"

# Debian's busybox-static for ARCH, by an apt that keeps its lists under build/: the machine's own package lists stay
# as they are, and nobody needs to be root.
fetch_busybox() {
	local dir=$BUILD/initramfs/apt.$$ apt
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$dir/get"
	apt=(apt-get -q -o Dir::State::Lists="$dir/lists" -o Dir::Cache="$dir/cache" -o Dir::State::status=/dev/null
		-o APT::Architecture="$1" -o APT::Architectures::="$1" -o APT::Sandbox::User=)
	(cd "$dir/get" && "${apt[@]}" update && "${apt[@]}" download "busybox-static:$1") || return
	dpkg -x "$dir"/get/busybox-static_*.deb "$dir/x" || return
	mv "$dir/x/bin/busybox" "$busybox" || mv "$dir/x/usr/bin/busybox" "$busybox" || return
	rm -r "$dir"
}
if [ ! -x "$busybox" ] && [ "$arch" = "$(uname -m)" ] && ldd "$(command -v busybox)" 2>&1 | grep -q 'not a dynamic'; then
	cp "$(command -v busybox)" "$busybox"
fi
if [ ! -x "$busybox" ]; then
	HINT="a network connection, and apt-get update" \
		quiet "$OUT/log/busybox-$arch.log" "fetch $arch busybox" fetch_busybox "${arch/x86_64/amd64}"
fi

tmp=$(mktemp -d "$BUILD/initramfs/tmp.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$tmp"/{bin,t,g,proc,sys,dev,tmp,root,etc,host}
cp "$busybox" "$tmp/bin/busybox"
cp "$ROOT/guest/init" "$tmp/init"
for applet in $(busybox --list); do
	[ "$applet" = busybox ] || ln -s busybox "$tmp/bin/$applet"
done
pack() { # FROM TO: programs into the archive; with a plan only those that are named
	local p
	for p in "$1"/*; do
		[ -e "$p" ] || continue
		if [ -z "$plan" ] || grep -qwF -- "$(basename "$p")" "$plan" "$ROOT/guest/init"; then cp "$p" "$2"; fi
	done
}
pack "$BUILD/selftests/$arch" "$tmp/t"
pack "$BUILD/guest/$arch" "$tmp/g"
[ -z "$plan" ] || cp "$plan" "$tmp/plan"
[ -z "${INITRAMFS_EXTRA:-}" ] || cp -r "$INITRAMFS_EXTRA/." "$tmp"
(cd "$tmp" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet) >"$out.new"
mv "$out.new" "$out"
