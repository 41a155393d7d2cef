#include "xmpp/pool.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"

enum block_class {
	BLOCK_KEPT,		/* lent before the mark */
	BLOCK_IN,
	BLOCK_OUT
};

struct block {
	struct block	*prev, *next;
	size_t		 cap;		/* bytes behind the header */
	enum block_class class;
	/* The bytes that follow must suit any type. */
	_Alignas(max_align_t) unsigned char bytes[];
};

struct pool {
	xmpp_mem_t	 hooks;
	struct block	*first;
	size_t		 lent[3];
	enum block_class class;
};

static struct block *
block_of(void *p)
{
	return (struct block *)(void *)((unsigned char *)p -
	    offsetof(struct block, bytes));
}

static void *
lend(struct pool *pool, size_t size, enum block_class class)
{
	struct block	*b;

	/* More than the limits of link.c allow by far: a size gone wrong. */
	if (size > SIZE_MAX / 4)
		return NULL;
	b = xmalloc(sizeof(*b) + size);
	b->cap = size;
	b->class = class;
	b->prev = NULL;
	b->next = pool->first;
	if (b->next != NULL)
		b->next->prev = b;
	pool->first = b;
	pool->lent[class] += sizeof(*b) + size;
	return b->bytes;
}

static void
take(struct pool *pool, struct block *b)
{
	pool->lent[b->class] -= sizeof(*b) + b->cap;
	if (b->prev != NULL)
		b->prev->next = b->next;
	else
		pool->first = b->next;
	if (b->next != NULL)
		b->next->prev = b->prev;
	secret_wipe(b->bytes, b->cap);
	free(b);
}

static void *
hook_alloc(size_t size, void *arg)
{
	struct pool	*pool = arg;

	return lend(pool, size, pool->class);
}

static void
hook_free(void *p, void *arg)
{
	if (p != NULL)
		take(arg, block_of(p));
}

static void *
hook_realloc(void *p, size_t size, void *arg)
{
	struct block	*old;
	void		*grown;

	if (p == NULL)
		return hook_alloc(size, arg);
	if (size == 0) {
		hook_free(p, arg);
		return NULL;
	}
	old = block_of(p);
	if (size <= old->cap)
		return p;
	/* The library lets text grow by a few bytes at a time; half as much
	 * again keeps that from copying it all at every step. */
	grown = lend(arg, size < SIZE_MAX / 8 ? size + size / 2 : size,
	    old->class);
	if (grown == NULL)
		return NULL;
	memcpy(grown, p, old->cap);
	take(arg, old);
	return grown;
}

struct pool *
pool_new(void)
{
	struct pool	*pool = xcalloc(1, sizeof(*pool));

	pool->hooks.alloc = hook_alloc;
	pool->hooks.free = hook_free;
	pool->hooks.realloc = hook_realloc;
	pool->hooks.userdata = pool;
	pool->class = BLOCK_KEPT;
	return pool;
}

void
pool_free(struct pool *pool)
{
	if (pool == NULL)
		return;
	while (pool->first != NULL)
		take(pool, pool->first);
	free(pool);
}

const xmpp_mem_t *
pool_hooks(struct pool *pool)
{
	return &pool->hooks;
}

void
pool_mark(struct pool *pool)
{
	struct block	*b;

	for (b = pool->first; b != NULL; b = b->next) {
		pool->lent[b->class] -= sizeof(*b) + b->cap;
		b->class = BLOCK_KEPT;
		pool->lent[b->class] += sizeof(*b) + b->cap;
	}
	pool->class = BLOCK_IN;
}

void
pool_sweep(struct pool *pool)
{
	struct block	*b, *next;

	for (b = pool->first; b != NULL; b = next) {
		next = b->next;
		if (b->class != BLOCK_KEPT)
			take(pool, b);
	}
}

void
pool_outgoing(struct pool *pool, bool out)
{
	pool->class = out ? BLOCK_OUT : BLOCK_IN;
}

size_t
pool_in_bytes(const struct pool *pool)
{
	return pool->lent[BLOCK_IN];
}

size_t
pool_out_bytes(const struct pool *pool)
{
	return pool->lent[BLOCK_OUT];
}
