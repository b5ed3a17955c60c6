#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Unpack the base, Linux 6.12.y, into an empty directory; prints what it is, for the base commit's subject.
# Debian's linux-source-6.12 at the version of kernel/base.env, or what KERNEL_SRC= (a directory or tarball) names.
# Usage: scripts/source.sh DIR
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$ROOT/kernel/base.env"

[ $# -eq 1 ] || die "usage: scripts/source.sh DIR"
dir=$1
tarball=/usr/src/linux-source-$BASE_SERIES.tar.xz
what=

# version FILE: a kernel Makefile's version, as 6.12.117
version() { awk -F' *= *' '/^(VERSION|PATCHLEVEL|SUBLEVEL) /{v = v s $2; s = "."} NR > 5 {exit} END {print v}' "$1"; }

is_base() {
	case $1 in
	"$BASE_SERIES" | "$BASE_SERIES".*) ;;
	*) die "$2 is Linux ${1:-of no known version}, not $BASE_SERIES" ;;
	esac
}

check_tarball() {
	local makefile
	makefile=$(mktemp)
	tar -xOf "$1" --occurrence=1 --wildcards --no-wildcards-match-slash '*/Makefile' >"$makefile" 2>/dev/null || true
	is_base "$(version "$makefile")" "$1"
	rm -f "$makefile"
}

mkdir -p "$dir"
free=$(df --output=avail -BG "$dir" | tail -n 1 | tr -dc 0-9)
need=${MIN_DISK_GB:-12}
[ "$free" -ge "$need" ] || die "the disk of $dir has $free GB free; the trees and their builds need $need"

if [ -n "${KERNEL_SRC:-}" ]; then
	if [ -d "$KERNEL_SRC" ]; then
		[ -f "$KERNEL_SRC/Makefile" ] || die "KERNEL_SRC=$KERNEL_SRC holds no kernel source"
		v=$(version "$KERNEL_SRC/Makefile")
		is_base "$v" "KERNEL_SRC=$KERNEL_SRC"
		what="linux $v from KERNEL_SRC"
		# shellcheck disable=SC2317
		copy() {
			if [ -e "$KERNEL_SRC/.git" ]; then git -C "$KERNEL_SRC" archive HEAD; else tar -C "$KERNEL_SRC" --exclude-vcs --exclude='./o.*' -cf - .; fi |
				tar -C "$dir" -xf -
			[ ! -e "$dir/.config" ] || make -s -C "$dir" mrproper
		}
		quiet "$OUT/log/source.log" "copy $KERNEL_SRC" copy
		echo "$what"
		exit 0
	fi
	[ -f "$KERNEL_SRC" ] || die "KERNEL_SRC=$KERNEL_SRC does not exist"
	tarball=$KERNEL_SRC
	what="$(basename "$tarball") from KERNEL_SRC"
else
	"$ROOT/scripts/deps.sh" source
	[ -f "$tarball" ] || die "no $tarball: install linux-source-$BASE_SERIES, or give KERNEL_SRC="
fi
sum=$(sha256sum <"$tarball" | cut -c 1-64)
if [ "$sum" = "$BASE_SHA256_DEBIAN12" ] || [ "$sum" = "$BASE_SHA256_DEBIAN13" ]; then
	what="linux-source-$BASE_SERIES $BASE_VERSION"
else
	check_tarball "$tarball"
	if [ -z "$what" ]; then
		# shellcheck disable=SC2016
		v=$(dpkg-query -W -f '${Version}' "linux-source-$BASE_SERIES" 2>/dev/null || echo "of no package")
		[ "${v%%~*}" != "$BASE_VERSION" ] || die "$tarball is not what package $v holds (SHA-256 differs): reinstall linux-source-$BASE_SERIES"
		what="linux-source-$BASE_SERIES $v"
	fi
	note "the base is $what, not the pinned $BASE_VERSION: patches are applied with git am -3"
fi
quiet "$OUT/log/source.log" "unpack $tarball" tar -C "$dir" --strip-components=1 -xf "$tarball"
echo "$what"
