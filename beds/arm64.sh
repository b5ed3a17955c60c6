# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# arm64: QEMU's "virt" machine with EL2, where KVM starts (VHE), and a GICv3.
# Proves stage 2 with 4K pages. QEMU 7.2 never traps WFE.

bed_arch=arm64
bed_variants=(4k)
bed_limit=900

bed_params() { echo "console=ttyAMA0 nokaslr"; }

bed_verify() { echo "[ -c /dev/kvm ]"; } # a command that succeeds in the guest when KVM is there

bed_version() { qemu-system-aarch64 --version | sed -n 's/.* version \([0-9.]*\).*/QEMU \1/p'; }

bed_start() { # run|shell IMAGE INITRD PARAMS LOG
	qemu_start "$1" "$5" qemu-system-aarch64 -accel tcg \
		-M virt,virtualization=on,gic-version=3 -cpu max,pauth=off \
		-smp "${SMP:-2}" -m "${MEM:-4G}" -kernel "$2" -initrd "$3" -append "$4"
}
