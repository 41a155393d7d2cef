/*
 * What one recorded or invented device answers, in OID order.  Read once and
 * shared by every device that is made from it; never changed afterwards.
 *
 * A walk is a text of lines OID|TAG|VALUE.  Lines that start with '#' are
 * comments, and among those
 *	#: count KIND OID [@OFFSET]	a counter of KIND (total, mono, colour):
 *					it moves when pages are printed and
 *					differs between devices of a fleet.
 *					@OFFSET: four octets, most significant
 *					first, inside an octet string
 *	#: level ROW OID		repeats the level of supply ROW
 *	#: alert INDEX BITS		this row of prtAlertTable stands for
 *					these error bits (hex or keywords) as
 *					long as it is there
 *	#: special			not for a fleet of ordinary printers
 * say how the values hang together.
 */
#ifndef SIM_WALK_H
#define SIM_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sim/oid.h"
#include "tests/sim/value.h"

enum tally_kind { TALLY_TOTAL, TALLY_MONO, TALLY_COLOUR };

struct tally {
	enum tally_kind	 kind;
	struct oid	 id;
	int		 offset;	/* -1: the value is the number */
};

struct level_copy {
	uint32_t	 row;
	struct oid	 id;
};

struct standing {
	uint32_t	 index;
	char		 bits[64];
};

struct walk {
	char			*name;		/* as asked for */
	char			*context;	/* NULL for the main one */
	struct walk		*next_context;
	struct value		*values;
	size_t			 len;
	uint32_t		*slots;		/* by encoded name: place + 1 */
	size_t			 slots_len;	/* a power of two */
	uint32_t		*numbers;	/* of asked.h + 1; 0 not yet */
	struct tally		*tallies;
	size_t			 tallies_len;
	struct level_copy	*copies;
	size_t			 copies_len;
	struct standing		*alerts;
	size_t			 alerts_len;
	bool			 special;
	uint32_t		 printer_row;	/* hrDeviceIndex */
	/* Who it says it is, each "" (mac_len 0) when it does not say. */
	char			 serial[64];
	char			 sys_name[64];
	uint8_t			 mac[6];
	size_t			 mac_len;
	/* The values that hold one of these, by position. */
	size_t			*mentions;
	size_t			 mentions_len;
	struct walk_chunk	*chunks;	/* where the values live */
};

/*
 * Reads a walk from text.  A line that makes no sense is skipped with one
 * warning a walk; with strict it makes the walk NULL.
 */
struct walk	*walk_parse(const char *name, const char *text, size_t len,
		    bool strict);
/* Reads FILE.snmprec and the FILE@CONTEXT.snmprec beside it.  NULL, logged. */
struct walk	*walk_read(const char *path, bool strict);
/* Frees its contexts, too. */
void		 walk_free(struct walk *);

/* Position of the first value whose name is not below (or, with after, is
 * beyond) this one; len when there is none. */
size_t		 values_seek(const struct value *, size_t len,
		    const uint32_t *sub, size_t sub_len, bool after);
/* The value of this name, or NULL. */
const struct value *walk_find(const struct walk *, const uint32_t *sub,
		    size_t len);
/* The position of the value whose name has these BER contents, or walk->len.
 * What a manager asks for again and again is found without decoding it. */
size_t		 walk_locate(const struct walk *, const uint8_t *name,
		    size_t len);
/* The position of the first value within the subtree, or walk->len. */
size_t		 walk_first(const struct walk *, const uint32_t *sub,
		    size_t len);

#endif
