#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Bad input to the verbs: one line that says what is wrong, exit 2, and nothing of the user's work is lost.
set -euo pipefail
cd "$(dirname "$0")/.."
. t/lib.sh
. t/scratch.sh

dir=$(scratch driver)
tree=$dir/build/linux
unset T BED KERNEL SET KERNEL_SRC FORCE NO_INSTALL KVM_DENSE_ROOT

# dies NAME PATTERN CMD...: exits 2 with one line "kvm-dense: ..." that matches PATTERN, and says nothing else.
dies() {
	local name=$1 pattern=$2 rc=0 text
	shift 2
	text=$(cd "$dir" && env "$@" 2>&1 </dev/null) || rc=$?
	if [ "$rc" -ne 2 ]; then
		tap fail "$name" "exit $rc: $text"
	elif [ "$(grep -c '' <<<"$text")" -ne 1 ] || [[ $text != "kvm-dense: "* ]] || ! grep -qE -- "$pattern" <<<"$text"; then
		tap fail "$name" "said: ${text//$'\n'/ | }"
	else
		tap pass "$name"
	fi
}

check "make tree in a scratch copy" sh -c "cd '$dir' && make tree >log 2>&1"

# -- names
for verb in tree bisect test; do dies "$verb: an unknown SET" "no set 'nope'" SET=nope "scripts/$verb.sh"; done
dies "export: an unknown SET" "no set 'nope'" SET=nope scripts/export.sh
dies "export: no SET" "SET= says" scripts/export.sh
dies "refresh: a SET that is no name" "no set's name" SET='No Set' scripts/refresh.sh
dies "test: an unknown T" "no test 'nope'" T=nope scripts/test.sh
dies "test: an unknown BED" "no bed 'nope'" BED=nope scripts/test.sh
dies "test: an unknown variant" "no variant 'nope'|nope" BED=x86-svm:nope scripts/test.sh
dies "test: an unknown KERNEL" "no kernel 'nope'" KERNEL=nope scripts/test.sh
dies "boot: an unknown BED" "no bed 'nope'" BED=nope scripts/boot.sh shell
dies "boot: an unknown KERNEL" "no kernel 'nope'" BED=x86-svm KERNEL=nope scripts/boot.sh shell
dies "kernel: an unknown kernel" "no kernel 'nope'" scripts/kernel.sh nope x86_64
dies "kernel: an unknown architecture" "no architecture 'nope'" scripts/kernel.sh base nope
dies "deps: an unknown verb" "no verb or need 'nope'" scripts/deps.sh nope
rc=0
text=$(cd "$dir" && make export SET=nope 2>&1) || rc=$?
check "through make: exit 2, our line, and make's own" test "$rc" -eq 2 -a "$(grep -c '' <<<"$text")" -eq 2

# -- sources that are not 6.12
mv "$tree" "$dir/linux.kept"
mv "$dir/build/linux-base" "$dir/base.kept"
mkdir -p "$dir/old" "$dir/empty"
printf '# SPDX-License-Identifier: GPL-2.0\nVERSION = 6\nPATCHLEVEL = 11\nSUBLEVEL = 5\nEXTRAVERSION =\n' >"$dir/old/Makefile"
tar -C "$dir" -cJf "$dir/old.tar.xz" old
echo "not a tarball" >"$dir/nothing.tar.xz"
dies "a tree that is not 6.12" "is Linux 6.11.5, not 6.12" "KERNEL_SRC=$dir/old" scripts/tree.sh
dies "a tarball that is not 6.12" "is Linux 6.11.5, not 6.12" "KERNEL_SRC=$dir/old.tar.xz" scripts/tree.sh
dies "a file that is no tarball" "not 6.12" "KERNEL_SRC=$dir/nothing.tar.xz" scripts/tree.sh
dies "a directory without a kernel" "holds no kernel source" "KERNEL_SRC=$dir/empty" scripts/tree.sh
dies "a KERNEL_SRC that is not there" "does not exist" "KERNEL_SRC=$dir/nowhere" scripts/tree.sh
dies "no disk space" "GB free" MIN_DISK_GB=1000000 "KERNEL_SRC=$dir/old" scripts/tree.sh
check "none of these left a tree" test ! -e "$tree"

# -- packages: a machine (of stubs) that has nothing installed
stub() { printf '#!/bin/sh\n%s\n' "$2" >"$dir/stub/$1"; chmod +x "$dir/stub/$1"; }
mkdir "$dir/stub"
stub dpkg-query 'exit 1'
stub id 'echo 0'
stub apt-get 'exit 0'
stub apt-cache 'echo "  Candidate: (none)"'
# lacks NAME PATTERN NEED: exits 2 with two lines, the list of what is missing and one that matches PATTERN.
lacks() {
	local rc=0 text
	text=$(cd "$dir" && PATH=$dir/stub:$PATH scripts/deps.sh "$3" 2>&1 </dev/null) || rc=$?
	if [ "$rc" -ne 2 ] || [ "$(grep -c '' <<<"$text")" -ne 2 ] ||
		! sed -n 1p <<<"$text" | grep -q 'packages are needed' || ! sed -n 2p <<<"$text" | grep -qE -- "^kvm-dense: $2"; then
		tap fail "$1" "exit $rc: ${text//$'\n'/ | }"
	else
		tap pass "$1"
	fi
}
lacks "a package that is not to be had" "apt knows no package .*qemu-system-x86" qemu
lacks "the source package is not to be had" "apt knows no package .*linux-source-6.12.*KERNEL_SRC=" source
dies "NO_INSTALL=1 names them" "these Debian packages are needed.* shellcheck" NO_INSTALL=1 "PATH=$dir/stub:$PATH" scripts/deps.sh lint
stub apt-get 'echo "Err:1 Temporary failure resolving"; echo "E: Failed to fetch" >&2; exit 100'
lacks "no network" "apt knows no package .*is there a network" source
stub apt-cache 'echo "  Candidate: 1.0"'
lacks "a download that fails" "apt-get could not install \(apt-get update failed" lint

# -- a patch that does not apply, and work that is not in patches/
mv "$dir/linux.kept" "$tree"
mv "$dir/base.kept" "$dir/build/linux-base"
all=$(git -C "$tree" rev-parse all)
last=$(grep -v -e '^#' -e '^$' patches/series | tail -n 1)
cp "$dir/patches/$last" "$dir/good.patch"
sed -i 's/^ \(.*[a-z].*\)$/ \1 and more/' "$dir/patches/$last"
dies "a patch that does not apply" "patches/$last does not apply" scripts/tree.sh
check "... the tree is as before" test "$(git -C "$tree" rev-parse HEAD all | sort -u)" = "$all"
check "... no git am is in progress" test ! -e "$tree/.git/rebase-apply" -a -z "$(git -C "$tree" status --porcelain)"
printf 'no such line\n' >>"$dir/patches/series"
dies "a series that names no file" "names patches/no such line" scripts/tree.sh
cp patches/series "$dir/patches/series"

sed 's/^Signed-off-by: /Changed: yes\n&/' "$dir/good.patch" >"$dir/patches/$last"
echo "# work" >>"$tree/Makefile"
dies "patches/ and the tree have both changed" "make refresh to keep the work, or FORCE=1" scripts/tree.sh
dies "refresh: changes that are not committed" "not committed" scripts/refresh.sh
git -C "$tree" commit --quiet --all --message "work"
dies "patches/ and branch all have both changed" "make refresh to keep the work, or FORCE=1" scripts/tree.sh
work=$(git -C "$tree" rev-parse all)
check "FORCE=1 puts the work aside" sh -c "cd '$dir' && FORCE=1 make tree >log 2>&1"
check "... on a branch old/..." sh -c "git -C '$tree' branch --list 'old/*' --contains $work | grep -q old/"
check "... and takes the patches" sh -c "git -C '$tree' log -1 --format=%B all | grep -q 'Changed: yes'"
done_testing
[ -n "${KEEP:-}" ] || rm -rf "$dir"
