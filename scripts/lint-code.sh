#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What the compiler, sparse, kernel-doc and sphinx say about the files that the patches touch and did not say on base.
# Prints "lint: ..." for each such message; lint.sh calls it.
# Usage: scripts/lint-code.sh code|docs
set -euo pipefail
. "$(dirname "$0")/lib.sh"

mapfile -t touched < <(kgit diff --name-only --diff-filter=AM base^0 all)
[ ${#touched[@]} -gt 0 ] || { echo "the patches touch nothing"; exit 0; }

# only: keep the messages, without line numbers, so that base and patched can be compared.
only() { grep -E 'warning:|error:|WARNING:|ERROR:' | sed -E "s|$1/||g; s|^(\.\./)+||; s/:[0-9]+(:[0-9]+)?:/:/; s/ at .*:[0-9]+\)?$//" | LC_ALL=C sort -u; }

# targets KERNEL ARCH: the objects of the touched C files that this architecture builds, as kbuild names them.
targets() {
	local f
	for f in "${touched[@]}"; do
		[ -f "$(srcdir "$1")/$f" ] || continue
		case $2:$f in
		x86_64:virt/kvm/*.c) echo "arch/x86/kvm/../../../${f%.c}.o" ;;
		arm64:virt/kvm/*.c) echo "arch/arm64/kvm/../../../${f%.c}.o" ;;
		x86_64:arch/x86/*.c | arm64:arch/arm64/*.c) echo "${f%.c}.o" ;;
		arm64:drivers/hv/*) ;;    # needs ACPI there
		*:arch/* | *:tools/* | *:samples/* | *:Documentation/* | *:scripts/*) ;;
		*:*.c) echo "${f%.c}.o" ;;
		esac
	done
}

# fresh KERNEL DIR: DIR/messages are what this source, these patches, fragments and tools said before; then keep them.
fresh() {
	local src
	src=$(srcdir "$1")
	{
		git -C "$src" rev-parse 'HEAD^{tree}'
		git -C "$src" diff --no-ext-diff --no-color HEAD
		printf '%s\n' "${touched[@]}"
		cat "$ROOT"/kernel/*.config "$0"
		gcc --version
		sparse --version
		sphinx-build --version
	} 2>&1 | sha256sum >"$2/key.new"
	cmp -s "$2/key.new" "$2/key"
}

# code KERNEL ARCH: their messages under C=2 W=1, in an object directory of their own (W=1 would rebuild the other one).
code() {
	local src obj cross gcc t
	src=$(srcdir "$1")
	obj=$src/o.lint-$2
	cross=$(cross "$2")
	mapfile -t t < <(targets "$1" "$2")
	mkdir -p "$obj"
	if fresh "$1" "$obj"; then cat "$obj/messages"; return 0; fi
	gcc=${cross}gcc
	if command -v ccache >/dev/null; then gcc="ccache $gcc"; export CCACHE_BASEDIR=$src CCACHE_NOHASHDIR=1; fi
	local mk=(make -C "$src" O="$obj" ARCH="$2" CROSS_COMPILE="$cross" CC="$gcc" -j "$JOBS")
	cat "$ROOT/kernel/$2.config" "$ROOT/kernel/sets.config" "$ROOT/kernel/lint.config" >"$obj/fragment.new"
	if ! cmp -s "$obj/fragment" "$obj/fragment.new"; then
		"${mk[@]}" tinyconfig
		(cd "$src" && scripts/kconfig/merge_config.sh -m -O "$obj" "$obj/.config" "$obj/fragment.new")
		"${mk[@]}" olddefconfig
		mv "$obj/fragment.new" "$obj/fragment"
	fi
	: >"$obj/messages"
	[ ${#t[@]} -gt 0 ] || return 0
	"${mk[@]}" prepare
	# Every target anew: a message is only given when its file is compiled.
	(cd "$obj" && rm -f "${t[@]}")
	if "${mk[@]}" -k C=2 W=1 "${t[@]}" >"$obj/messages" 2>&1; then mv "$obj/key.new" "$obj/key"; else echo "lint: $2: the touched files of $1 do not compile"; fi
	cat "$obj/messages"
}

docs() {
	local src obj dirs f
	src=$(srcdir "$1")
	obj=$src/o.lint-docs
	mkdir -p "$obj"
	if fresh "$1" "$obj"; then cat "$obj/messages"; return 0; fi
	for f in "${touched[@]}"; do
		case $f in
		*.c | *.h) [ ! -f "$src/$f" ] || [[ $f == tools/* ]] || perl "$src/scripts/kernel-doc" -none "$src/$f" 2>&1 ;;
		esac
	done | tee "$obj/messages"
	dirs=$(printf '%s\n' "${touched[@]}" | sed -n 's|^Documentation/\(.*\)/[^/]*\.rst$|\1|p' | sort -u | tr '\n' ' ')
	rm -rf "$obj/Documentation"
	if [ -z "$dirs" ] || make -C "$src" O="$obj" SPHINXDIRS="$dirs" SPHINXOPTS="-j $JOBS" htmldocs >>"$obj/messages" 2>&1; then
		mv "$obj/key.new" "$obj/key"
	else
		echo "lint: $1: make htmldocs SPHINXDIRS='$dirs' failed"
	fi
	cat "$obj/messages"
}

compare() { # compare WHAT BASE-MESSAGES PATCHED-MESSAGES
	comm -13 <(only "$BUILD/linux-base" <"$2") <(only "$BUILD/linux" <"$3") | sed "s|^|lint: $1: |"
}

# tools/ has copies of headers: where they were equal on base, they stay equal.
copies() {
	local f orig
	for f in "${touched[@]}"; do
		for orig in "tools/$f" "${f#tools/}"; do
			[ "$orig" != "$f" ] || continue
			cmp -s "$BUILD/linux-base/$orig" "$BUILD/linux-base/$f" 2>/dev/null || continue
			cmp -s "$BUILD/linux/$orig" "$BUILD/linux/$f" || echo "lint: $f and $orig were equal on base, and are not now"
		done
	done
}

case ${1:-} in
code)
	copies
	for arch in x86_64 arm64; do
		for kernel in base patched; do code "$kernel" "$arch"; done
		compare "$arch" "$BUILD/linux-base/o.lint-$arch/messages" "$BUILD/linux/o.lint-$arch/messages"
	done
	;;
docs)
	for kernel in base patched; do docs "$kernel"; done
	compare docs "$BUILD/linux-base/o.lint-docs/messages" "$BUILD/linux/o.lint-docs/messages"
	;;
*) die "usage: scripts/lint-code.sh code|docs" ;;
esac
