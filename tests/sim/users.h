/* SNMPv3 users, whom every device of the fleet knows. */
#ifndef SIM_USERS_H
#define SIM_USERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "tests/sim/cipher.h"

struct user {
	char		*name;
	enum auth	 auth;
	enum priv	 priv;
	/* The keys of RFC 3414 A.2, before they are localised. */
	uint8_t		 auth_key[CIPHER_KEY_MAX];
	uint8_t		 priv_key[CIPHER_KEY_MAX];
};

struct users {			/* zero to start */
	struct user	*user;
	size_t		 len;
};

/* "NAME:AUTH:PASSWORD:PRIV:PASSWORD", the end of it left out where there is
 * none.  0, or -1 with the reason in why. */
int	 users_add(struct users *, const char *spec, struct buf *why);
/* The same, one a line; '#' starts a comment. */
int	 users_read(struct users *, const char *path, struct buf *why);
/* Its number, or -1. */
int	 users_find(const struct users *, const void *name, size_t len);
void	 users_clear(struct users *);

#endif
