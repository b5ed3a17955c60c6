# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Sourced by the tests of the driver: a copy of this repository in build/scratch-NAME, whose build/linux borrows the real
# one's objects and holds only the files that the patches touch. Whatever a test does there, the real trees stay.

# scratch NAME: makes it, with build/linux at base, and prints its path.
scratch() {
	local dir=$BUILD/scratch-$1
	rm -rf "$dir"
	mkdir -p "$dir/build"
	cp -R "$ROOT/Makefile" "$ROOT/kernel" "$ROOT/scripts" "$ROOT/patches" "$ROOT/beds" "$ROOT/t" "$dir/"
	git clone --quiet --shared --no-checkout "$BUILD/linux" "$dir/build/linux" 2>"$dir/log"
	git -C "$dir/build/linux" config user.name "driver test"
	git -C "$dir/build/linux" config user.email driver-test@localhost
	{
		printf '%s\n' /Makefile /.gitattributes
		find "$ROOT/patches" -name '*.patch' -exec sed -n 's|^--- a/|/|p; s|^+++ b/|/|p' {} +
	} | sort -u | git -C "$dir/build/linux" sparse-checkout set --no-cone --stdin
	git -C "$dir/build/linux" checkout --quiet -B all base^0
	echo "$dir"
}
