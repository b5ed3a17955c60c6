# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
#
# guest-arm64: as bed guest, on arm64 without EL2. With 64K pages a free block of the default order is 512 MiB
# (make check-full builds such a kernel; this bed has whatever kernel/arm64.config says).
#   reporting  the kernel's defaults
#   kunit      no device that reports; KUnit's suites run at boot

bed_arch=arm64
bed_variants=(reporting kunit)
bed_limit=900

bed_params() { # VARIANT -> kernel parameters
	echo "console=ttyAMA0 nokaslr$([ "$1" != kunit ] || echo " kunit.enable=1")"
}

bed_verify() { # VARIANT -> a command that succeeds in the guest when the variant is in force
	local order="/sys/module/page_reporting/parameters/page_reporting_order"
	case $1 in
	reporting) echo "! grep -e -1 $order" ;; # it is -1 until a device that reports is there
	kunit) echo "grep -w kunit.enable=1 /proc/cmdline" ;;
	esac
}

bed_version() { qemu-system-aarch64 --version | sed -n 's/.* version \([0-9.]*\).*/QEMU \1/p'; }

bed_start() { # run|shell IMAGE INITRD PARAMS LOG
	qemu_start "$1" "$5" qemu-system-aarch64 -accel tcg -M virt,gic-version=3 -cpu max,pauth=off \
		-smp "${SMP:-2}" -m "${MEM:-4G}" -kernel "$2" -initrd "$3" -append "$4" \
		-device "virtio-balloon-pci,free-page-reporting=$([ "$variant" = kunit ] && echo off || echo on)"
}
