#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# build/qemu: a git tree of Debian 12's qemu (tag base) with a commit per patch of patches/qemu, and from it a small static
# qemu-system-x86_64 for KVM alone in build/qemu-bed, with the firmware that it needs. Nothing is done when it is up to date.
# Usage: scripts/qemu.sh                          (the directory's path goes to stdout)
#        scripts/qemu.sh pack base|patched DIR    also fill DIR with what guest/qemu-migrate needs in a bed: INITRAMFS_EXTRA=DIR
#        scripts/qemu.sh refresh                  write the commits of build/qemu back into patches/qemu
# QEMU_DSC=FILE.dsc takes a source package that is here already.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$ROOT/patches/qemu/base.env"

tree=$BUILD/qemu
obj=$BUILD/qemu-obj
bed=$BUILD/qemu-bed
series=$ROOT/patches/qemu/series
qgit() { GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 git -C "$tree" "$@"; }

hash_of_patches() { (cd "$ROOT/patches/qemu" && grep -v '^#' series | xargs -r cat) | sha256sum | cut -c 1-40; }

if [ "${1:-}" = refresh ]; then
	[ -e "$tree/.git" ] || die "no build/qemu: run make qemu"
	[ -z "$(qgit status --porcelain --untracked-files=no | head -n 1)" ] || die "build/qemu has changes that are not committed"
	rm -f "$ROOT"/patches/qemu/*.patch
	qgit format-patch --quiet --zero-commit --no-signature -N --full-index --no-renames --no-thread --no-attach \
		--diff-algorithm=myers -o "$ROOT/patches/qemu" base
	(cd "$ROOT/patches/qemu" && { echo '# SPDX-License-Identifier: GPL-2.0-only'; printf '%s\n' [0-9]*.patch; } >series)
	qgit config kvm-dense.applied "$(hash_of_patches) $(qgit rev-parse HEAD)"
	exit 0
fi
case ${1:-}:$# in :0 | pack:3) ;; *) die "usage: scripts/qemu.sh [pack base|patched DIR | refresh]" ;; esac
[ $# -eq 0 ] || need_kernel "$2"

"$ROOT/scripts/deps.sh" qemu-build
mkdir -p "$BUILD" "$OUT/log"
exec 8>"$BUILD/.qemu.lock"
flock 8

# The source package, from the mirrors that this machine's apt uses already, by an apt that keeps its lists elsewhere:
# Debian 12's, whatever release the machine is of.
fetch() {
	local dir=$1 apt key=/usr/share/keyrings/debian-archive-keyring.gpg
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' | sort -u |
		awk -v key="$([ ! -f $key ] || echo "[signed-by=$key] ")" '
		$1 == "Debian" { print "deb-src " key $2 " bookworm main" }
		$1 == "Debian-Security" { print "deb-src " key $2 " bookworm-security main" }' >"$dir/sources.list"
	cat "$dir/sources.list"
	[ -s "$dir/sources.list" ] || { echo "apt's sources name no mirror of Debian"; return 1; }
	apt=(apt-get -q -o Dir::Etc::SourceList="$dir/sources.list" -o Dir::Etc::SourceParts=- -o Dir::State::Lists="$dir/lists"
		-o Dir::Cache="$dir/cache" -o APT::Sandbox::User=)
	cd "$dir" && "${apt[@]}" update || return
	"${apt[@]}" source --download-only --only-source "qemu=$QEMU_VERSION" || "${apt[@]}" source --download-only --only-source qemu
}

unpack() { # DSC DIR: as a git tree
	dpkg-source --no-copy --extract "$1" "$2" || return
	rm -rf "$2/.pc"
	git init --quiet --initial-branch=dirty-quota "$2"
	git -C "$2" config gc.auto 0
	git -C "$2" config user.name "$(git config user.name || echo kvm-dense)"
	git -C "$2" config user.email "$(git config user.email || echo kvm-dense@localhost)"
	git -C "$2" -c core.fsync=none add --all --force
	GIT_AUTHOR_DATE='2026-01-01T00:00:00Z' GIT_COMMITTER_DATE='2026-01-01T00:00:00Z' git -C "$2" -c user.name=kvm-dense \
		-c user.email=kvm-dense@localhost -c commit.gpgSign=false -c core.hooksPath=/dev/null commit --quiet --no-verify -m "$what"
	git -C "$2" -c tag.gpgSign=false tag base
}

if [ ! -e "$tree/.git" ]; then
	[ ! -e "$tree" ] || die "build/qemu is there but is no git repository: move it away"
	new=$BUILD/qemu.new
	rm -rf "$new"
	mkdir -p "$new"
	dsc=${QEMU_DSC:-}
	if [ -z "$dsc" ]; then
		command -v apt-get >/dev/null || die "this machine has no apt to fetch qemu $QEMU_VERSION with: give QEMU_DSC=FILE.dsc"
		HINT="a network connection, or QEMU_DSC=FILE.dsc" quiet "$OUT/log/qemu-fetch.log" "fetch qemu's source package" fetch "$new/get"
		dsc=$(echo "$new"/get/qemu_*.dsc)
	fi
	[ -f "$dsc" ] || die "no $dsc"
	version=$(sed -n 's/^Version: *//p' "$dsc")
	what="qemu $version"
	if [ "$version" != "$QEMU_VERSION" ]; then
		[[ $version == 1:7.2+* ]] || die "$dsc is qemu $version, not 7.2"
		note "the base is qemu $version, not the pinned $QEMU_VERSION: patches are applied with git am -3"
	elif [ "$(sha256sum <"$dsc" | cut -c 1-64)" != "$QEMU_DSC_SHA256" ]; then
		die "$dsc is not Debian's $QEMU_VERSION (SHA-256 differs)"
	fi
	quiet "$OUT/log/qemu-unpack.log" "unpack $what" unpack "$dsc" "$new/tree"
	mv "$new/tree" "$tree"
	rm -rf "$new"
fi

mapfile -t patches < <(grep -v '^#' "$series" | sed "/^\$/d; s|^|$ROOT/patches/qemu/|")
for p in "${patches[@]}"; do [ -f "$p" ] || die "patches/qemu/series names ${p##*/}, which is not there"; done
apply() {
	local three=()
	[ "$(qgit log -1 --format=%s base^0)" = "qemu $QEMU_VERSION" ] || three=(-3)
	qgit reset --quiet --hard base^0
	GIT_COMMITTER_NAME=kvm-dense GIT_COMMITTER_EMAIL=kvm-dense@localhost \
		qgit am --quiet --committer-date-is-author-date "${three[@]}" "${patches[@]}" || { qgit am --abort; return 1; }
}
hash=$(hash_of_patches)
read -r done_hash done_head < <(qgit config kvm-dense.applied || true) || true
head=$(qgit rev-parse HEAD)
work=$(qgit status --porcelain | head -n 1)
[ "$head" = "${done_head:-$(qgit rev-parse base^0)}" ] || work="commits"
if [ "$hash" != "${done_hash:-}" ]; then
	[ -z "$work" ] || die "build/qemu has work that patches/qemu lacks, and patches/qemu has changed: scripts/qemu.sh refresh keeps the work, moving build/qemu away drops it"
	quiet "$OUT/log/qemu-am.log" "apply patches/qemu" apply
	qgit config kvm-dense.applied "$hash $(qgit rev-parse HEAD)"
elif [ -n "$work" ]; then
	note "build/qemu has work that patches/qemu lacks: it is built as it is; scripts/qemu.sh refresh writes its commits"
fi

# Everything off but what a Linux guest with a serial console, KVM and migration need. Static: it runs in a bed's initramfs.
options=(--target-list=x86_64-softmmu --static --disable-pie --enable-kvm --disable-tcg --without-default-features
	--without-default-devices --disable-tools --disable-docs --audio-drv-list= --meson=meson --with-git-submodules=ignore)
cc=gcc
if command -v ccache >/dev/null; then
	cc="ccache gcc"
	export CCACHE_BASEDIR=$BUILD CCACHE_NOHASHDIR=1
fi
export PATH=/usr/sbin:/usr/bin:/sbin:/bin    # Debian's own python3, whatever else the user has
state() {
	qgit rev-parse 'HEAD^{tree}'
	qgit diff --no-ext-diff --no-color HEAD
	qgit ls-files --others --exclude-standard -z | (cd "$tree" && xargs -0r sha256sum)
	cat "$0"
	gcc --version
}
configure() {
	rm -rf "$obj"
	mkdir -p "$obj"
	cd "$obj" && "$tree/configure" --cc="$cc" "${options[@]}" && echo "${options[*]}" >.kvm-dense-options
}
# The firmware is Debian's: QEMU's source package holds none.
collect() {
	rm -rf "$bed.new"
	mkdir "$bed.new"
	strip -o "$bed.new/qemu-system-x86_64" "$obj/qemu-system-x86_64"
	cp /usr/share/seabios/bios-256k.bin /usr/share/qemu/kvmvapic.bin /usr/share/qemu/linuxboot_dma.bin "$bed.new"
	rm -rf "$bed"
	mv "$bed.new" "$bed"
}
state=$(state | sha256sum)
if [ "$(cat "$bed/.kvm-dense" 2>/dev/null)" != "$state" ]; then
	[ "$(cat "$obj/.kvm-dense-options" 2>/dev/null)" = "${options[*]}" ] || quiet "$OUT/log/qemu-configure.log" "configure qemu" configure
	quiet "$OUT/log/qemu.log" "build qemu" ninja -C "$obj" -j "$JOBS" qemu-system-x86_64
	quiet "$OUT/log/qemu-collect.log" "collect qemu and its firmware" collect
	echo "$state" >"$bed/.kvm-dense"
fi
[ $# -gt 0 ] || { echo "$bed"; exit 0; }

# The guest's kernel is the bed's own, its initramfs one program.
kernel=$("$ROOT/scripts/kernel.sh" "$2" x86_64)
"$ROOT/scripts/selftests.sh" x86_64
rm -rf "$3"
mkdir -p "$3/q" "$3/g"
cp "$bed"/* "$kernel" "$3/q"
cp "$ROOT/guest/qemu-migrate" "$BUILD/guest/x86_64/qmp" "$3/g"
cp "$BUILD/guest/x86_64/page-dirtier" "$3/q/init"
(cd "$3/q" && echo init | cpio -o -H newc -R 0:0 --quiet >initrd && rm init)
