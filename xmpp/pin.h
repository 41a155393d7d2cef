/*
 * Pins: the SHA-256 of a public key (its SubjectPublicKeyInfo) that the
 * server's certificate, or one of those that vouch for it, must have.
 * Written as RFC 7469 has it: sha256/BASE64.
 */
#ifndef XMPP_PIN_H
#define XMPP_PIN_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/x509.h>

#include "base/buf.h"

#define PIN_BYTES	32

struct pin {
	unsigned char	sha256[PIN_BYTES];
};

/* 0, or -1 when text is none. */
int	 pin_parse(const char *text, struct pin *);
/* Appends it as text. */
void	 pin_put(struct buf *, const struct pin *);
/* Of the certificate's key.  0 or -1. */
int	 pin_of(X509 *, struct pin *);
bool	 pin_same(const struct pin *, const struct pin *);

#endif
