/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An ager that still holds the INVALID copy of a memslot while KVM_MR_MOVE
 * publishes the moved one (set 1, "KVM: Ignore invalid memslots when aging
 * without mmu_lock"). Without mmu_lock only kvm->srcu ties the slot in hand to
 * the page tables, and the second publication does not wait before vCPUs use
 * it. It shows that an ager touches only SPTEs of the page that it was asked
 * about, whose PTE lock its caller holds.
 *
 * The slot has two pages, at host pages 0 and 1; it moves from gfn 0 to gfn 1.
 *
 *	spin -a stale-memslot.pml && gcc -O2 -DSAFETY -DCOLLAPSE -o pan pan.c && ./pan -m400000
 *
 * spin -DBUG_... plants a fault, which must be reported; t/models.t runs all.
 */
#define NONE	9

byte base_gfn;		/* of the published slot */
bool invalid;		/* it has KVM_MEMSLOT_INVALID */
byte page[3] = NONE;	/* the host page that gfn's SPTE maps */
byte period = 1;	/* of SRCU */
byte reading[2];	/* the period in which a reader came, or 0 */

inline srcu_lock(me)	{ atomic { reading[me] = period } }
inline srcu_unlock(me)	{ reading[me] = 0 }
inline synchronize_srcu()
{
	period++;
	(reading[0] == 0 || reading[0] == period) && (reading[1] == 0 || reading[1] == period)
}

proctype Move()			/* kvm_set_memslot(), slots_lock held */
{
	invalid = true;
	synchronize_srcu();
	page[0] = NONE;		/* kvm_arch_flush_shadow_memslot() */
	page[1] = NONE;
	atomic { base_gfn = 1; invalid = false }
	synchronize_srcu()
}

proctype Vcpu(byte n)
{
	byte gfn, b;
	bool i;

	do
	:: n > 0 ->
		n--;
		srcu_lock(0);
		atomic { b = base_gfn; i = invalid }
		if :: gfn = b :: gfn = b + 1 fi;
		if
		:: !i -> page[gfn] = gfn - b
		:: else			/* KVM_EXIT_MMIO */
		fi;
		srcu_unlock(0)
	:: else -> break
	od
}

proctype Ager(byte n)
{
	byte hva, b;
	bool i;

	do
	:: n > 0 ->
		n--;
		if :: hva = 0 :: hva = 1 fi;
#ifndef BUG_NO_SRCU
		srcu_lock(1);
#endif
		atomic { b = base_gfn; i = invalid }
#ifdef BUG_AGE_INVALID
		i = false;
#endif
		if
		:: !i -> assert(page[b + hva] == NONE || page[b + hva] == hva)
		:: else
		fi;
		srcu_unlock(1)
	:: else -> break
	od
}

init { atomic { run Move(); run Vcpu(4); run Ager(4) } }
