// SPDX-License-Identifier: GPL-2.0-only
/*
 * hold-vm - run a program that has a VM open for as long as it or one of its
 * children lives.
 * Arch: arm64
 *
 * Usage: hold-vm PROGRAM [ARG]...
 *
 * KVM patches the scheduler's code when the first VM comes, and when the last
 * one goes. On arm64 guest/init runs under this, or each test of a bed would do
 * so, which QEMU 7.2 doesn't survive each time (docs/beds.md). Without KVM the
 * program runs without a VM.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define VM_FD	100	/* out of the way of a shell's */

int main(int argc, char **argv)
{
	int kvm, vm;

	if (argc < 2) {
		fprintf(stderr, "usage: hold-vm PROGRAM [ARG]...\n");
		return 2;
	}

	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	vm = kvm < 0 ? -1 : ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm >= 0)
		dup2(vm, VM_FD);	/* without O_CLOEXEC, which KVM sets */

	execvp(argv[1], argv + 1);
	fprintf(stderr, "hold-vm: %s: %s\n", argv[1], strerror(errno));
	return 127;
}
