#include "crypto/vault.h"

#include <sys/mman.h>

#include <sodium.h>

#include "base/log.h"

#define CHUNK	(16 * 1024)

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(bytes, len)	((void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(bytes, len)	((void)(bytes))
#endif

union cell {
	union cell	*next;		/* while free */
	unsigned char	 bytes[VAULT_CELL];
};

static union cell	*spare;
static size_t		 used;

/* A free cell is out of bounds for the address sanitizer, but for its link. */
static void
put(union cell *cell)
{
	cell->next = spare;
	spare = cell;
	ASAN_POISON_MEMORY_REGION(cell->bytes + sizeof(cell->next),
	    sizeof(*cell) - sizeof(cell->next));
}

/*
 * Chunks are kept for ever: sessions come and go, their number does not.
 * RLIMIT_MEMLOCK may be small or nothing, so a lock that fails is lived with;
 * swap is then the administrator's business.
 */
static void
more(void)
{
	union cell	*chunk;
	size_t		 i;

	chunk = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (chunk == MAP_FAILED)
		fatal("vault", "out of memory");
	if (sodium_mlock(chunk, CHUNK) == -1)
		log_debug("vault", "cannot lock memory, keys may be swapped");
	for (i = 0; i < CHUNK / sizeof(*chunk); i++)
		put(&chunk[i]);
}

void *
vault_take(size_t size)
{
	union cell	*cell;

	if (size > VAULT_CELL)
		fatalx("vault", "%zu bytes do not fit a cell", size);
	if (spare == NULL)
		more();
	cell = spare;
	spare = cell->next;
	cell->next = NULL;
	ASAN_UNPOISON_MEMORY_REGION(cell->bytes, sizeof(*cell));
	used++;
	return cell;
}

void
vault_give(void *bytes)
{
	union cell	*cell = bytes;

	if (cell == NULL)
		return;
	sodium_memzero(cell, sizeof(*cell));
	put(cell);
	used--;
}

size_t
vault_used(void)
{
	return used;
}
