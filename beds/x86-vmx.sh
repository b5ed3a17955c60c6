# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# x86-vmx: Bochs, whose Skylake-X model offers VMX with EPT accessed/dirty bits
# and PML to kvm_intel. Proves the Intel paths, with PML and without, those of CPUs
# without A/D bits in EPT, and shadow paging. It is slow, and has no way to share
# files with the host.
#
# Debian's Bochs has its debugger compiled in (hence the "c" command) and draws
# only on a real terminal (hence script(1)). It boots from a GRUB CD, the console
# is its first serial port. It ends when the guest powers off, but not when the
# guest hangs or panics: boot.sh sees to that.

bed_arch=x86_64
bed_variants=(pml=1 pml=0 eptad=0 ept=0)
bed_limit=1800
bed_hint="Loading takes a minute. If the guest hangs, end the process bochs-bin."

bed_params() { echo "console=ttyS0,115200 nokaslr tsc=unstable kvm_intel.$1"; }

bed_verify() { # VARIANT -> a command that succeeds in the guest when the variant is in force
	case $1 in
	pml=0) echo "grep Y /sys/module/kvm_intel/parameters/ept && grep N /sys/module/kvm_intel/parameters/pml" ;;
	eptad=0) echo "grep Y /sys/module/kvm_intel/parameters/ept && grep N /sys/module/kvm_intel/parameters/eptad" ;;
	ept=0) echo "grep N /sys/module/kvm_intel/parameters/ept" ;;
	pml=1) echo "grep Y /sys/module/kvm_intel/parameters/pml" ;;
	esac
}

bed_version() { bochs --help 2>&1 | grep -o 'Bochs x86 Emulator [0-9.]*' | head -n 1; }

bed_start() { # run|shell IMAGE INITRD PARAMS LOG
	local dir=$BED_TMP com1
	if [[ $1 == shell ]]; then
		com1="mode=term, dev=$(tty)"
	else
		com1="mode=file, dev=$5"
	fi
	mkdir -p "$dir/iso/boot/grub"
	cp "$2" "$dir/iso/boot/kernel"
	gzip -1 <"$3" >"$dir/iso/boot/initrd"
	cat >"$dir/iso/boot/grub/grub.cfg" <<-CFG
		set timeout=0
		menuentry bed { linux /boot/kernel $4
		initrd /boot/initrd
		}
	CFG
	grub-mkrescue -o "$dir/bed.iso" "$dir/iso" >"$dir/grub.log" 2>&1
	cat >"$dir/bochsrc" <<-RC
		megs: 1024
		cpu: model=corei7_skylake_x, count=${SMP:-1}, ips=100000000, reset_on_triple_fault=0
		romimage: file=/usr/share/bochs/BIOS-bochs-latest
		vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
		display_library: term
		clock: sync=none
		plugin_ctrl: voodoo=0, speaker=0
		sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
		ata0-master: type=cdrom, path=$dir/bed.iso, status=inserted
		boot: cdrom
		com1: enabled=1, $com1
		log: $dir/bochs.log
	RC
	echo c >"$dir/commands"
	exec script -qefc "echo \$\$ >'$dir/pid'; exec bochs -q -f '$dir/bochsrc' -rc '$dir/commands'" \
		/dev/null </dev/null >/dev/null 2>&1
}
