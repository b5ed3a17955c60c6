/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bit lock of a shadow-MMU rmap (set 1, "KVM: x86/mmu: Add a per-rmap bit
 * lock"): chains of SPTEs, descriptors and SPTE pages that mmu_lock's holder
 * changes and frees while agers walk them with the bit lock alone.
 *
 * It shows that an ager never follows a freed or half-written descriptor, never
 * touches a freed SPTE page or a slot that already means something else, that
 * nobody but an ager of an rmap's own chain waits for it, and that nothing gets
 * stuck. It is sequentially consistent; lock-*.litmus show that acquire and
 * release are order enough.
 *
 * head word: 0 empty | 1..2 a lone SPTE, 0..1 | 3..4 descriptor 0..1 | +8 locked
 *
 *	spin -a rmap-lock.pml && gcc -O2 -DSAFETY -DCOLLAPSE -o pan pan.c && ./pan -m400000
 *
 * spin -DBUG_... plants a fault, which must be reported; t/models.t runs all.
 */
#define EMPTY	0
#define LOCKED	8

/* What is at an SPTE's address. */
#define FREED	0	/* the page that holds it is back in the slab */
#define CLEARED	1	/* non-present, but still in the chain */
#define MAPPED	2
#define REUSED	3	/* an MMIO SPTE, or another page's */

byte head = EMPTY;
bool mmu_lock;
byte desc[2];		/* bit i: SPTE i is in this descriptor */
bool allocated[2];	/* the descriptor is */
byte spte[2];
bool inrmap[2];		/* what mmu_lock's holder knows */
byte walkers;		/* agers inside the bit lock */

inline lock_nonempty(v)
{
	do
	:: atomic { head != EMPTY && !(head & LOCKED) -> v = head; head = v | LOCKED; break }
	od
}

#define an_rmaps(s)	(spte[s] == MAPPED || spte[s] == CLEARED)

/* Follow chain v: every SPTE in it is what an rmap may lead to. */
inline walk(v, m)
{
	assert(v <= 4);
	if
	:: v <= 2 -> m = 1 << (v - 1)
	:: else -> assert(allocated[v - 3]); m = desc[v - 3]
	fi;
	assert(!(m & 1) || an_rmaps(0));
	assert(!(m & 2) || an_rmaps(1));
	m = 0
}

proctype Writer(byte rounds)	/* takes mmu_lock for write */
{
	byte v, s, n, d, freed;

	do
	:: rounds > 0 ->
		rounds--;
		atomic { !mmu_lock -> mmu_lock = true }
		if :: s = 0 :: s = 1 fi;
		if
		:: !inrmap[s] ->	/* a fault maps SPTE s */
			spte[s] = MAPPED;
#ifdef BUG_ADD_NOLOCK
			v = head & 7;
#else
			if
			:: atomic { head == EMPTY -> v = EMPTY }	/* elided */
			:: else -> lock_nonempty(v)
			fi;
#endif
			if
			:: v == EMPTY -> n = 1 + s
			:: v == 1 || v == 2 ->
				d = (allocated[0] -> 1 : 0);
				assert(!allocated[d]);
#ifndef BUG_PUBLISH_EARLY
				desc[d] = (1 << (v - 1)) | (1 << s);
				allocated[d] = true;
#endif
				n = 3 + d
			:: v >= 3 -> desc[v - 3] = desc[v - 3] | (1 << s); n = v
			fi;
			assert(walkers == 0 || v == EMPTY);
			inrmap[s] = true;
			head = n;			/* release */
#ifdef BUG_PUBLISH_EARLY
			if
			:: v == 1 || v == 2 ->
				desc[d] = (1 << (v - 1)) | (1 << s);
				allocated[d] = true
			:: else
			fi
#endif
		:: inrmap[s] ->		/* drop_spte(), then free its page */
			freed = 9;
			spte[s] = CLEARED;
#ifdef BUG_REUSE_EARLY
			spte[s] = REUSED;
#endif
#ifdef BUG_FREE_PAGE_EARLY
			spte[s] = FREED;
#endif
#ifdef BUG_REMOVE_NOLOCK
			v = head & 7;
#else
			lock_nonempty(v);
			assert(walkers == 0);
#endif
			if
			:: v == 1 + s -> n = EMPTY
			:: v >= 3 ->
				desc[v - 3] = desc[v - 3] & ~(1 << s);
				if :: desc[v - 3] == 0 -> n = EMPTY; freed = v - 3 :: else -> n = v fi
			fi;
			inrmap[s] = false;
			head = n;
			if :: freed != 9 -> allocated[freed] = false :: else fi;
			if :: spte[s] = REUSED :: spte[s] = FREED fi
		:: inrmap[0] || inrmap[1] ->	/* zap all: detach the chain, then free it */
			lock_nonempty(v);
			assert(walkers == 0);
			head = EMPTY;
			inrmap[0] = false;
			inrmap[1] = false;
			if :: v >= 3 -> allocated[v - 3] = false :: else fi;
			spte[0] = FREED;
			spte[1] = FREED
		:: inrmap[0] || inrmap[1] ->	/* write-protect: only reads the chain, unlocked */
#ifdef BUG_LOCKED_NOT_MASKED
			v = head;
#else
			v = head & 7;
#endif
			walk(v, d)
		fi;
		d_step { v = 0; n = 0; d = 0; s = 0; freed = 0; mmu_lock = false }
	:: else -> break
	od
}

proctype Ager(byte rounds)
{
	byte v, m;

	do
	:: rounds > 0 ->
		rounds--;
		v = head;
		do
		:: v == EMPTY -> goto next
		:: v & LOCKED -> v = head	/* spin */
		:: v != EMPTY && !(v & LOCKED) ->
#ifdef BUG_AGE_NOLOCK
			break
#else
			if
			:: atomic { head == v -> head = v | LOCKED; break }
			:: atomic { head != v -> v = head }
			fi
#endif
		od;
#ifdef BUG_AGE_NOLOCK
		walk(v, m);
#else
		walkers++;
		walk(v, m);
		walkers--;
		assert(head == (v | LOCKED));
		head = v;			/* release */
#endif
next:		v = 0
	:: else -> break
	od
}

init { atomic { run Writer(3); run Writer(2); run Ager(2); run Ager(2) } }
