/*
 * Memory for key material: zeroed, locked against swapping, left out of core
 * dumps, wiped when given back.  Small cells of one size, many to a locked
 * page, so that thousands of sessions cost half a KiB each and not the pages
 * that sodium_malloc() takes for every one.
 */
#ifndef CRYPTO_VAULT_H
#define CRYPTO_VAULT_H

#include <stddef.h>

#define VAULT_CELL	512

/* size is at most VAULT_CELL.  Exits when there is no memory, as xmalloc(). */
void	*vault_take(size_t size);
void	 vault_give(void *);		/* NULL is fine */
/* How many cells are out: tests look for leaks with it. */
size_t	 vault_used(void);

#endif
