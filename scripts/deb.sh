#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# linux-image and linux-headers packages of the patched kernel, in out/deb, from the configuration of Debian's package
# linux-config-6.12, without debug information (its packages alone take 20 GB to make).
# TRIM=1: for a trial, with none of its modules but those of kernel/deb-trim.config.
# Usage: [TRIM=1] scripts/deb.sh
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$ROOT/kernel/base.env"

"$ROOT/scripts/deps.sh" deb
SET='' "$ROOT/scripts/tree.sh"
darch=$(dpkg --print-architecture)
case $darch in
amd64) arch=x86_64 flavour=amd64 ;;
arm64) arch=arm64 flavour=arm64 ;;
*) die "packages are made on amd64 and arm64, and this machine is $darch" ;;
esac
from=/usr/src/linux-config-$BASE_SERIES/config.${darch}_none_$flavour.xz
[ -f "$from" ] || die "no $from: package linux-config-$BASE_SERIES has changed its layout"

trim=${TRIM:-0}
name=kvm-dense
[ "$trim" != 1 ] || name=kvm-dense-trim
dir=$BUILD/deb obj=$BUILD/deb/o.$name
mkdir -p "$obj"
free=$(df --output=avail -BG "$dir" | tail -n 1 | tr -dc 0-9)
need=${MIN_DISK_GB:-$([ "$trim" = 1 ] && echo 4 || echo 15)}
[ "$free" -ge "$need" ] || die "the disk of build/ has $free GB free; the packages need $need"

cc=gcc
if command -v ccache >/dev/null; then cc="ccache gcc"; export CCACHE_BASEDIR=$BUILD CCACHE_NOHASHDIR=1; fi
mk=(make -C "$BUILD/linux" O="$obj" ARCH="$arch" CC="$cc" HOSTCC="$cc" LOCALVERSION="-$name" -j "$JOBS")

# Off: debug information, and the key that only Debian has. The module keyring is made during the build.
cat >"$dir/ours.config" <<'EOF'
CONFIG_DEBUG_INFO_NONE=y
CONFIG_SYSTEM_TRUSTED_KEYS=""
CONFIG_LOCALVERSION=""
CONFIG_LOCALVERSION_AUTO=n
EOF
configure() {
	xz -dc "$from" >"$dir/config.new"
	if [ "$trim" = 1 ]; then
		sed -i 's/=m$/=n/' "$dir/config.new"
		cat "$ROOT/kernel/deb-trim.config" >>"$dir/ours.config"
	fi
	(cd "$BUILD/linux" && scripts/kconfig/merge_config.sh -m -O "$obj" "$dir/config.new" "$dir/ours.config")
	"${mk[@]}" olddefconfig
	survived "$obj/.config" "$dir/ours.config"
}

step 1 2 "configure from $from"
quiet "$OUT/log/deb-config.log" "configure" configure
step 2 2 "build the packages ($(grep -c '=m$' "$obj/.config") modules)"
commits=$(kgit rev-list --count base^0..all)
version=$(make -s -C "$BUILD/linux" kernelversion)
quiet "$OUT/log/deb.log" "build the packages" "${mk[@]}" KDEB_PKGVERSION="$version-1+$name.$commits" \
	KDEB_COMPRESS=xz DPKG_FLAGS=-d DEB_BUILD_PROFILES=pkg.linux-upstream.nokerneldbg bindeb-pkg
mkdir -p "$OUT/deb"
rm -f "$OUT"/deb/*-"$name"_*.deb
mv "$dir"/linux-image-*-"$name"_*.deb "$dir"/linux-headers-*-"$name"_*.deb "$OUT/deb/"
note "install with: apt install ./out/deb/linux-image-*-${name}_*.deb"
ls "$OUT"/deb/*-"$name"_*.deb
