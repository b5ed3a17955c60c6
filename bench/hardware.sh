# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Sourced by bench/N-set.sh, for "hardware": on this machine's own KVM.

# load TDP_MMU NESTED: KVM with these parameters; fails when it is built in or in use, and has others.
load() {
	local params=/sys/module/$vendor/parameters
	if [ -e "/sys/module/$vendor/initstate" ]; then
		modprobe -r "$vendor" kvm && modprobe kvm "tdp_mmu=$1" && modprobe "$vendor" "$nested=$2" || return
	fi
	grep -qx "$1" /sys/module/kvm/parameters/tdp_mmu && grep -qx "[$2$(tr 01 NY <<<"$2")]" "$params/$nested"
}
# each_mmu COMMAND: runs "COMMAND MODE" with each of KVM's MMUs; sets arch.
each_mmu() {
	arch=$(uname -m | sed s/aarch64/arm64/)
	if [ "$arch" = arm64 ]; then "$1" stage2; return; fi
	vendor=kvm_intel nested=ept
	if grep -qw svm /proc/cpuinfo; then vendor=kvm_amd nested=npt; fi
	# shellcheck disable=SC2064
	[ ! -e "/sys/module/$vendor/initstate" ] || trap "modprobe -r $vendor kvm; modprobe $vendor" EXIT
	local mode tdp_mmu on
	while read -r tdp_mmu on mode; do
		if load "$tdp_mmu" "$on"; then "$1" "$mode"; else note "$mode: not measured, KVM is built in or in use"; fi
	done <<-END
		Y 1 TDP MMU
		N 1 direct shadow MMU
		N 0 shadow paging
	END
}
