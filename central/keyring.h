/*
 * The centre's keys: the one that it has now, and those that it had and that
 * agents who have not heard of the new one may still use for a while.
 *
 *   FILE             now
 *   FILE.until-TIME  before, good until then ("20261130T120000Z")
 *   FILE.next        a change that was cut short; it is finished at the next
 *                    look
 *
 * All are key files (crypto/key.h), so an old one ends early by rm.
 */
#ifndef CENTRAL_KEYRING_H
#define CENTRAL_KEYRING_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/key.h"

/* A stranger's handshake may cost a try with each. */
#define KEYRING_MAX	4

struct keyring {
	struct key	 key[KEYRING_MAX];	/* [0] is the present one */
	int64_t		 until_ms[KEYRING_MAX];	/* wall; of the others */
	size_t		 len;
};

/* Loads what is good at now_ms.  0, or -1, logged. */
int	 keyring_load(const char *path, int64_t now_ms, struct keyring *);
void	 keyring_clear(struct keyring *);	/* wipes */
/*
 * Makes a new key; the present one stays good until until_ms.  Those that
 * have expired are removed.  0, or -1, logged: also when KEYRING_MAX would
 * be exceeded.
 */
int	 keyring_rotate(const char *path, int64_t now_ms, int64_t until_ms);

#endif
