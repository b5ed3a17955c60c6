#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Configure and build one kernel: tinyconfig, then kernel/ARCH.config over it, and of kernel/sets.config what the tree has.
# Nothing is done when it is up to date.
# Usage: [CONFIG_EXTRA=NAME] scripts/kernel.sh base|patched x86_64|arm64      (the image's path goes to stdout)
# CONFIG_EXTRA puts kernel/NAME.config over that; such a kernel has an object directory of its own.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ $# -eq 2 ] || die "usage: scripts/kernel.sh base|patched x86_64|arm64"
kernel=$1 arch=$2
src=$(srcdir "$kernel")
obj=$(objdir "$kernel" "$arch")
img=$(image "$kernel" "$arch")
extra=${CONFIG_EXTRA:+-$CONFIG_EXTRA}
frag=("$obj/.kvm-dense-sets" "$ROOT/kernel/$arch.config" ${CONFIG_EXTRA:+"$ROOT/kernel/$CONFIG_EXTRA.config"})
log=$OUT/log/kernel-$kernel-$arch$extra.log
[ -f "${frag[-1]}" ] || die "no configuration ${frag[-1]#"$ROOT"/}"
[ -f "$src/Makefile" ] || die "no kernel tree in ${src#"$ROOT"/}: run make tree"

cross=$(cross "$arch")
gcc=${cross}gcc hostcc=gcc
command -v "$gcc" >/dev/null || die "no $gcc: run scripts/deps.sh build"
if command -v ccache >/dev/null; then
	gcc="ccache $gcc" hostcc="ccache gcc"
	# The object directory is inside the source, so that base and patched give ccache the same command lines.
	export CCACHE_BASEDIR=$src CCACHE_NOHASHDIR=1
fi
export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 2026' KBUILD_BUILD_USER=kvm-dense KBUILD_BUILD_HOST=kvm-dense
mk=(make -C "$src" O="$obj" ARCH="$arch" CROSS_COMPILE="$cross" CC="$gcc" HOSTCC="$hostcc"
	LOCALVERSION="-$kernel$extra" -j "$JOBS")
[ "$V" != 1 ] || mk+=(V=1)

# What the image depends on: the tree with its uncommitted changes, the fragment, the compiler, this script.
state() {
	git -C "$src" rev-parse 'HEAD^{tree}'
	git -C "$src" diff --no-ext-diff --no-color HEAD
	git -C "$src" ls-files --others --exclude-standard -z | (cd "$src" && xargs -0r sha256sum)
	cat "${frag[@]}" "$0"
	"${cross}gcc" --version
}

configure() {
	"${mk[@]}" tinyconfig
	(cd "$src" && scripts/kconfig/merge_config.sh -m -O "$obj" "$obj/.config" "${frag[@]}")
	"${mk[@]}" olddefconfig
	survived "$obj/.config" "${frag[@]}"
}

mkdir -p "$obj"
exec 9>"$obj/.lock"
flock 9
grep '^CONFIG_' "$ROOT/kernel/sets.config" | while read -r line; do
	name=${line%=*}
	! git -C "$src" grep -q "^config ${name#CONFIG_}\$" -- '*Kconfig*' || echo "$line"
done >"$obj/.kvm-dense-sets"
state=$(state | sha256sum)
if [ -f "$img" ] && [ "$(cat "$obj/.kvm-dense" 2>/dev/null)" = "$state" ]; then
	echo "$img"
	exit 0
fi

want=$(cat "${frag[@]}" | sha256sum)
if [ "$(cat "$obj/.kvm-dense-config" 2>/dev/null)" != "$want" ]; then
	HINT="the lines 'did not survive' there name options of ${frag[*]#"$ROOT"/} that this tree does not take" \
		quiet "$OUT/log/config-$kernel-$arch$extra.log" "configure $kernel $arch$extra" configure
	echo "$want" >"$obj/.kvm-dense-config"
fi
HINT="grep -m5 -E 'error|Error' ${log#"$ROOT"/}" quiet "$log" "build $kernel $arch$extra" "${mk[@]}" "$(basename "$img")"
echo "$state" >"$obj/.kvm-dense"
echo "$img"
