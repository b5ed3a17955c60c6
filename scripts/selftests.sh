#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Build the selftests of KVM, of mm those that the sets add, and guest/*.c, static and stripped, into build/selftests/ARCH and
# build/guest/ARCH.
# They come from the patched tree and its headers, and run on the base kernel as well.
# A program in guest/ is built for arm64 when its source says "Arch: x86_64 arm64".
# Usage: scripts/selftests.sh x86_64|arm64
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ $# -eq 1 ] || die "usage: scripts/selftests.sh x86_64|arm64"
case $1 in
x86_64) karch=x86 ;;
arm64) karch=arm64 ;;
*) die "no architecture '$1' (x86_64 or arm64)" ;;
esac
arch=$1
cross=$(cross "$arch")
src=$(srcdir patched)
obj=$BUILD/selftests/$arch.o
bin=$BUILD/selftests/$arch
[ -f "$src/Makefile" ] || die "no kernel tree in ${src#"$ROOT"/}: run make tree"
mkdir -p "$obj" "$bin" "$BUILD/guest/$arch"
exec 9>"$obj/.lock"
flock 9

headers() {
	make -C "$src" O="$obj/headers" ARCH="$karch" headers_install
}
programs() {
	make -C "$src/tools/testing/selftests/kvm" -j "$JOBS" ARCH="$karch" CROSS_COMPILE="$cross" \
		OUTPUT="$obj/kvm" abs_objdir="$obj" LDFLAGS="-static -pthread" \
		KHDR_INCLUDES="-isystem $obj/headers/usr/include"
}
# mm's other selftests need libraries, and take minutes.
mm_programs() {
	make -C "$src/tools/testing/selftests/mm" -j "$JOBS" ARCH="$karch" CROSS_COMPILE="$cross" OUTPUT="$obj/mm" \
		LDFLAGS="-static -pthread" KHDR_INCLUDES="-isystem $obj/headers/usr/include" "$obj/mm/page_reporting_test"
}
# Only what the tree still builds is offered: an old name must not pass for a new test.
collect() {
	local list p
	list=$(cd "$obj" && find kvm mm -type f -perm -u+x)
	for p in "$bin"/*; do
		grep -qx ".*/$(basename "$p")" <<<"$list" || rm -f "$p"
	done
	for p in $list; do
		[ "$bin/$(basename "$p")" -nt "$obj/$p" ] ||
			"${cross}strip" -o "$bin/$(basename "$p")" "$obj/$p" || return
	done
}
guest_programs() {
	local c p dir=$BUILD/guest/$arch
	[ -z "$(find "$ROOT/guest" "$obj/headers/usr/include/linux/kvm.h" -newer "$dir/.built" 2>&1)" ] && return
	rm -f "$dir"/*
	for c in "$ROOT"/guest/*.c; do
		[ "$arch" = x86_64 ] || grep -q 'Arch:.*arm64' "$c" || continue
		p=$dir/$(basename "$c" .c)
		"${cross}gcc" -static -pthread -O2 -Wall -s -isystem "$obj/headers/usr/include" -o "$p" "$c" || return
	done
	touch "$dir/.built"
}

mkdir -p "$obj/kvm" "$obj/mm" "$obj/tools"
quiet "$OUT/log/headers-$arch.log" "install $arch headers" headers
quiet "$OUT/log/selftests-$arch.log" "build $arch selftests" programs
if [ -f "$src/tools/testing/selftests/mm/page_reporting_test.c" ]; then
	quiet "$OUT/log/selftests-$arch-mm.log" "build $arch selftests of mm" mm_programs
else
	rm -f "$obj/mm/page_reporting_test"
fi
quiet "$OUT/log/selftests-$arch-strip.log" "strip $arch selftests" collect
quiet "$OUT/log/guest-$arch.log" "build $arch guest programs" guest_programs
