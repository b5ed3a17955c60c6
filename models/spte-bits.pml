/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * No Accessed bit and no dirty page is lost while one leaf SPTE is used by a
 * guest, aged without mmu_lock, write-protected, zapped with its memslot and
 * reclaimed by the host (set 1, design 4.2-4.5), with hardware A/D bits and
 * without. Accesses that were seen twice are fine: young may be reported too
 * often, never too rarely.
 *
 *	spin -a spte-bits.pml && gcc -O2 -DSAFETY -DCOLLAPSE -o pan pan.c && ./pan -m400000
 *
 * spin -DBUG_... plants a fault, which must be reported; t/models.t runs all.
 * -DBASE_VOLATILITY leaves out "KVM: x86/mmu: Treat A/D-disabled leaf SPTEs as
 * always volatile"; no error is found, see there.
 */
#define PRESENT	1	/* to KVM */
#define READ	2	/* to the CPU; A/D-disabled SPTEs lose it when they are aged */
#define WRITE	4
#define ACC	8
#define DIRTY	16

bool ad;		/* the SPTE has hardware A/D bits */
byte spte;
bool mmu_lock;		/* as a writer */
bool ptl;		/* the lock of the host's own PTE of the page */
bool blocked;		/* between invalidate_range_start and _end */
bool gone;		/* the host has taken the page away */
bool page_dirty;
bool touched;		/* since the Accessed state was last reported or folded */
bool written;

#define accessed(s)	((s) & PRESENT && (ad -> (s) & ACC : (s) & READ))
#define dirty(s)	((s) & PRESENT && (ad -> (s) & DIRTY : (s) & WRITE))

/* spte_has_volatile_bits(): may the SPTE change under mmu_lock's holder? */
#ifdef BUG_ACCESSED_NOT_VOLATILE
#define volatile_ad(s)	(!((s) & WRITE) || !((s) & DIRTY))
#else
#define volatile_ad(s)	(!((s) & ACC) || !((s) & WRITE) || !((s) & DIRTY))
#endif
#ifdef BASE_VOLATILITY
#define volatile_noad(s) (!((s) & READ) || !((s) & WRITE))
#else
#define volatile_noad(s) true
#endif
#define is_volatile(s)	(ad -> volatile_ad(s) : volatile_noad(s))

proctype Guest(byte n)
{
	byte v;
	bool wr;

	do
	:: n > 0 && !gone ->
		n--;
		if :: wr = false :: wr = true fi;
again:		atomic {
			if
			:: (spte & PRESENT) && (spte & READ) && (!wr || (spte & WRITE)) ->
				if :: ad -> spte = spte | ACC | (wr -> DIRTY : 0) :: else fi;
				touched = true;
				if :: wr -> written = true :: else fi;
				goto next
			:: else -> v = spte
			fi
		}
		if
		:: v & PRESENT ->		/* fast page fault */
			atomic {
				if
				:: spte == v -> spte = v | READ | (wr -> WRITE : 0)
				:: else
				fi
			}
			goto again
		:: else ->
			atomic { !mmu_lock -> mmu_lock = true }
			if
			:: !blocked && !gone ->
				spte = PRESENT | READ | (wr -> WRITE : 0);
				mmu_lock = false;
				goto again
			:: else -> mmu_lock = false
			fi
		fi;
next:		v = 0
	:: else -> break
	od
}

proctype Ager(byte n)
{
	byte v;

	do
	:: n > 0 ->
		n--;
#ifndef BUG_NO_PTL
		atomic { !ptl -> ptl = true }
#endif
		v = (gone -> 0 : spte);
		if
		:: accessed(v) && ad ->
			atomic {
				if :: accessed(spte) -> touched = false :: else fi;
				spte = spte & ~ACC
			}
		:: accessed(v) && !ad ->
#ifndef BUG_DIRTY_NOT_CAPTURED
			if
			:: v & WRITE -> assert(!gone); page_dirty = true
			:: else
			fi;
#endif
			atomic {
				if
#ifdef BUG_PLAIN_STORE
				:: true ->
#else
				:: spte == v ->
#endif
					spte = v & ~(READ | WRITE);
					touched = false
				:: else		/* lost the race: young, and left as it is */
				fi
			}
		:: else
		fi;
		v = 0;
		ptl = false
	:: else -> break
	od
}

/* Replace v, read before, by new; fold the state that disappears into the page. */
inline update(v, new)
{
	atomic {
		if :: is_volatile(v) -> v = spte :: else fi;	/* xchg, or a plain store */
		if :: accessed(v) && !accessed(new) -> touched = false :: else fi;
		spte = new
	}
	if :: dirty(v) && !dirty(new) -> assert(!gone); page_dirty = true :: else fi
}

proctype Writer(byte n)		/* KVM, for reasons of its own */
{
	byte v, new;

	do
	:: n > 0 ->
		n--;
		atomic { !mmu_lock -> mmu_lock = true }
		v = spte;
		if
		:: v & PRESENT ->
			if
			:: new = 0				/* the memslot goes */
			:: v & WRITE -> new = v & ~(WRITE | DIRTY)	/* dirty logging */
			fi;
			update(v, new)
		:: else
		fi;
		v = 0;
		new = 0;
		mmu_lock = false
	:: else -> break
	od
}

proctype Reclaim()
{
	byte v;

	blocked = true;			/* invalidate_range_start */
	atomic { !mmu_lock -> mmu_lock = true }
	v = spte;
	if
	:: v & PRESENT -> update(v, 0)
	:: else
	fi;
	mmu_lock = false;
	atomic { !ptl -> ptl = true }
	assert(!written || page_dirty);	/* else it is dropped, not written back */
	gone = true;
	ptl = false;
	blocked = false
}

init {
	if :: ad = true :: ad = false fi;
	atomic { run Guest(3); run Ager(1); run Ager(1); run Writer(2); if :: run Reclaim() :: skip fi }
	_nr_pr == 1;
	assert(!touched || accessed(spte));
	assert(gone || !written || page_dirty || dirty(spte))
}
