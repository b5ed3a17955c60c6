# SPDX-License-Identifier: GPL-2.0-only
# The front door. A target is one line that calls one script; `make help` lists them.

export T BED KERNEL SET V NO_INSTALL KERNEL_SRC FORCE TRIM JOBS VCPUS BYTES CONFIG_EXTRA SECS

MAKEFLAGS += --no-print-directory
.PHONY: help run check test boot tree refresh lint bisect export deb qemu check-full check-debug bench clean
.NOTPARALLEL:

help: ## this list
	@awk -F': ## ' '/^[a-z-]+: ## / {printf "make %-11s %s\n", $$1, $$2}' Makefile

run: ## boot base and patched host kernel under QEMU, run each set's showcase on both, print one table
	@scripts/run.sh

check: ## the tests: lint, apply, build x86_64 and arm64, every selftest on every bed, sense check
	@scripts/check.sh

test: ## a part of check: T=dirty-quota BED=x86-svm[:npt=0] KERNEL=base|patched SET=3-dirty-quota
	@scripts/test.sh

boot: ## a root shell in a booted kernel: BED=x86-svm KERNEL=base|patched
	@scripts/boot.sh shell

tree: ## build/linux: a git tree with a commit per patch on branch all; SET= adds branch alone/SET; KERNEL_SRC= takes any 6.12.y
	@scripts/tree.sh

refresh: ## write branch all of build/linux back into patches/; SET= names the set of new commits
	@scripts/refresh.sh

lint: ## checkpatch, sparse and W=1 on what the patches touch, shellcheck, series, cover letters, documentation
	@scripts/lint.sh

bisect: ## build every single patch on both architectures, or those of SET= (hours; goes on where it stopped)
	@scripts/bisect.sh

export: ## out/export/SET/, ready for git send-email: SET=3-dirty-quota
	@scripts/export.sh

deb: ## installable linux-image packages of the patched kernel, from Debian's config (hours); TRIM=1: with few modules
	@scripts/deb.sh

qemu: ## build/qemu-bed: Debian 12's QEMU with patches/qemu, which migrates with dirty quota; x86_64, KVM only, static
	@scripts/qemu.sh

bench: ## on hardware with KVM, as root: times on the running kernel, recorded beside those of other kernels; SET= VCPUS=64 BYTES=64M
	@scripts/bench.sh

check-full: ## what check cannot hold: the whole stock selftest run, PREEMPT, each set alone, mutants (hours)
	@scripts/check-full.sh

check-debug: ## selftests that race, on KASAN+lockdep, KCSAN and PREEMPT_RT kernels (hours); CONFIG_EXTRA=debug|kcsan|rt
	@scripts/check-debug.sh

clean: ## remove out/ and the kernels' object directories; build/linux and your commits stay
	@rm -rf out build/linux/o.* build/linux-base/o.* build/selftests build/guest build/initramfs build/qemu-obj build/qemu-bed
