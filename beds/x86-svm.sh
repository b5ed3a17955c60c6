# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# x86-svm: QEMU without hardware virtualisation; its CPU offers SVM with nested
# paging to kvm_amd. Proves the TDP MMU, the direct shadow MMU (tdp_mmu=N),
# shadow paging (npt=0) and nested SVM.
#
# A kernel with jump labels patches the scheduler whenever the first VM appears
# or the last one goes. QEMU 7.2's CPU threads may keep a translation of what was
# half patched (Oops: int3), so such a kernel runs on one thread. The beds' own
# configuration has none; the virtual PMU, which needs them too, stays off.

bed_arch=x86_64
bed_variants=(tdp_mmu=Y tdp_mmu=N npt=0)
bed_limit=900

bed_params() { # VARIANT -> kernel parameters
	case $1 in
	npt=*) echo "console=ttyS0,115200 nokaslr kvm.enable_pmu=0 kvm_amd.$1" ;;
	*) echo "console=ttyS0,115200 nokaslr kvm.enable_pmu=0 kvm.$1" ;;
	esac
}

bed_verify() { # VARIANT -> a command that succeeds in the guest when the variant is in force
	case $1 in
	npt=0) echo "grep N /sys/module/kvm_amd/parameters/npt" ;;
	tdp_mmu=*) echo "grep Y /sys/module/kvm_amd/parameters/npt && grep ${1#*=} /sys/module/kvm/parameters/tdp_mmu" ;;
	esac
}

bed_version() { qemu-system-x86_64 --version | sed -n 's/.* version \([0-9.]*\).*/QEMU \1/p'; }

bed_start() { # run|shell IMAGE INITRD PARAMS LOG
	local accel=tcg
	! grep -qx CONFIG_JUMP_LABEL=y "${2%/arch/*}/.config" || accel=tcg,thread=single
	qemu_start "$1" "$5" qemu-system-x86_64 -accel $accel -cpu max \
		-smp "${SMP:-4}" -m "${MEM:-4G}" -kernel "$2" -initrd "$3" -append "$4"
}
