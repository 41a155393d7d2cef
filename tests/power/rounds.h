/*
 * Power cuts for a store: somebody works with it while oplog.h writes down
 * what reaches the disk; then the current fails at moments that a seed
 * chooses, the store is opened again by the code that it belongs to, and must
 * hold what was promised until then and nothing half.  One of the disks that
 * such a cut leaves is where the work goes on.
 */
#ifndef TESTS_POWER_ROUNDS_H
#define TESTS_POWER_ROUNDS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct rounds;

struct rounds_store {
	/* Opens or creates the store in dir; NULL when that fails. */
	void	*(*open)(const char *dir);
	void	 (*close)(void *);
	sqlite3	*(*database)(void *);
	/* Does something to it, and says rounds_promise() after each commit. */
	void	 (*work)(void *, struct rounds *);
	/* What else must hold: asserts. */
	void	 (*check)(void *);
};

struct rounds_result {
	uint64_t seed;
	int	 transactions, cuts, kept;	/* kept: all of it and more */
	int	 lost, unopened;		/* must be 0 */
	char	 first[256];			/* the first of these, in words */
};

/* So many lives of a store with so many calls of work() and cuts each. */
void	 rounds_run(const struct rounds_store *, uint64_t seed, int lives,
	    int works, int cuts, struct rounds_result *);
/* NULL when nothing was lost or damaged; else what, until the next call. */
const char *rounds_verdict(const struct rounds_result *);
/* 0 to limit - 1; for work(). */
unsigned rounds_roll(struct rounds *, unsigned limit);
/* Everything that was done to the store until now is on the disk. */
void	 rounds_promise(struct rounds *, void *store);
/* How many promises there were. */
int	 rounds_number(const struct rounds *);
/* PLATEN_SEED, or one of its own. */
uint64_t rounds_seed(void);

#endif
