/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A leaf SPTE of the TDP MMU that is aged with one atomic AND while another
 * task freezes it, flushes, and zaps it with a plain store (set 1, "KVM:
 * x86/mmu: Keep Accessed and Dirty bits out of FROZEN_SPTE"). It shows that
 * every mapping that was counted is in the table at the end, and none twice.
 *
 *	spin -a frozen-spte.pml && gcc -O2 -DSAFETY -o pan pan.c && ./pan
 *
 * spin -DBUG_... plants a fault, which must be reported; t/models.t runs all.
 */
#define PRESENT		1
#define ACCESSED	2
#ifdef BUG_ACCESSED_IN_FROZEN
#define FROZEN		(4 | ACCESSED)	/* as 0x5a0 of the base */
#else
#define FROZEN		4
#endif

byte spte = PRESENT | ACCESSED;
short mapped = 1;		/* leaf SPTEs, as KVM's statistics count them */

proctype Zapper()		/* mmu_lock held for read */
{
	byte v;

	do
	:: v = spte;
		if
		:: v & PRESENT ->
			if
			:: atomic { spte == v -> spte = FROZEN }; break
			:: atomic { spte != v -> skip }
			fi
		:: else -> goto out
		fi
	od;
	skip;			/* remote TLB flush */
	spte = 0;		/* plain: nobody else may write a frozen SPTE */
	mapped--;
out:	skip
}

proctype Fault()		/* mmu_lock held for read */
{
	byte v, n = 2;

	do
	:: n > 0 ->
		n--;
		v = spte;
		if
		:: v == FROZEN || (v & PRESENT)
		:: else ->
			if
			:: atomic { spte == v -> spte = PRESENT | ACCESSED; mapped++ }
			:: atomic { spte != v -> skip }
			fi
		fi
	:: else -> break
	od
}

proctype Ager()			/* no lock */
{
	byte v;

	v = spte;
	if
	:: (v & PRESENT) && (v & ACCESSED) ->
#ifdef BUG_PLAIN_AND
		v = spte;
		spte = v & ~ACCESSED
#else
		atomic { spte = spte & ~ACCESSED }
#endif
	:: else
	fi
}

init {
	atomic { run Zapper(); run Fault(); run Ager(); run Ager() }
	_nr_pr == 1;
	assert((spte & PRESENT) == mapped)
}
