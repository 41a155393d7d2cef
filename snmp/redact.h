/*
 * Makes a recording of a device fit to be shown to others: serial numbers,
 * MAC and IP addresses, names, places and whatever else tells one device or
 * its owner from another are replaced.  The same thing becomes the same
 * replacement wherever it stands, inside of other texts too, so that what
 * agreed before still does; lengths and kinds of characters stay.
 */
#ifndef SNMP_REDACT_H
#define SNMP_REDACT_H

#include <stddef.h>
#include <stdint.h>

#include "snmp/bag.h"

#define REDACT_WORDS_MAX	256

struct redact;

/* key: random, one for all recordings that shall agree with one another. */
struct redact	*redact_new(const uint8_t key[32]);
void		 redact_free(struct redact *);

/* A text that must not be seen.  Shorter than 4 characters it is no word that
 * could be found inside of others, and is ignored. */
void		 redact_word(struct redact *, const char *);

/*
 * Learns the words of a bag by where they stand: serial numbers (the
 * standard's, and behind SN:, S/N, CRUM- in texts), sysName, sysLocation,
 * ifPhysAddress.  What only the decoded model knows is told by redact_word().
 */
void		 redact_learn(struct redact *, const struct bag *);

/* A copy with everything replaced.  Texts that are names themselves (sysName,
 * sysLocation) are replaced whole, however short; dotted IPv4 addresses and
 * e-mail addresses in texts too; addresses in OIDs and of type IpAddress
 * become ones of 192.0.2.0/24. */
struct bag	*redact_bag(struct redact *, const struct bag *);

#endif
