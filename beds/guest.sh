# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
#
# guest: the kernel as a guest whose QEMU has a balloon with free page reporting. Proves page reporting; what the
# guest returns is seen from outside, in QEMU's VmRSS (boot.sh writes it to the file that RSS names).
#   reporting     the kernel's defaults
#   init_on_free  pages are cleared when they are freed; the host's are clear, too
#   page_poison   free pages hold a pattern, which QEMU 7.2 keeps by ignoring what is reported
#   off           the same balloon without free page reporting
#   kunit         as off; KUnit's suites run at boot

bed_arch=x86_64
bed_variants=(reporting init_on_free page_poison off kunit)
bed_limit=900

bed_params() { # VARIANT -> kernel parameters
	local params="console=ttyS0,115200 nokaslr cma=64M"
	case $1 in
	init_on_free | page_poison) echo "$params $1=1" ;;
	kunit) echo "$params kunit.enable=1" ;;
	*) echo "$params" ;;
	esac
}

bed_verify() { # VARIANT -> a command that succeeds in the guest when the variant is in force
	# -1 until a device that reports is there
	local order="/sys/module/page_reporting/parameters/page_reporting_order"
	case $1 in
	reporting) echo "! grep -e -1 $order && ! grep -e init_on_free -e page_poison -e kunit /proc/cmdline" ;;
	init_on_free | page_poison) echo "! grep -e -1 $order && grep -w $1=1 /proc/cmdline" ;;
	off) echo "grep -e -1 $order && ls /sys/bus/virtio/drivers/virtio_balloon/virtio*" ;;
	kunit) echo "grep -w kunit.enable=1 /proc/cmdline && ls /sys/bus/virtio/drivers/virtio_balloon/virtio*" ;;
	esac
}

bed_version() { qemu-system-x86_64 --version | sed -n 's/.* version \([0-9.]*\).*/QEMU \1/p'; }

bed_start() { # run|shell IMAGE INITRD PARAMS LOG
	qemu_start "$1" "$5" qemu-system-x86_64 -accel tcg -cpu max -smp "${SMP:-4}" -m "${MEM:-4G}" \
		-kernel "$2" -initrd "$3" -append "$4" \
		-device "virtio-balloon-pci,free-page-reporting=$(case $variant in off | kunit) echo off ;; *) echo on ;; esac)"
}
