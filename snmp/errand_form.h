/* What the files that are the errand share; nobody else's business. */
#ifndef SNMP_ERRAND_FORM_H
#define SNMP_ERRAND_FORM_H

#include "snmp/errand.h"

enum state {
	WANTED,
	GOT,		/* object: has a value */
	MISSING,	/* object: is not there */
	ENDED,		/* stretch: walked to its end */
	GIVEN_UP	/* no word about it */
};

struct object {
	uint32_t	 key;		/* in keys: see there */
	uint8_t		 state;
};

struct column {
	uint32_t	 at;
	const char	*name;
	unsigned	 rows, rows_max;
};

/* From one row of a column to another; 0 in words is an index of length 0. */
struct stretch {
	uint32_t	 column;
	uint32_t	 from;		/* in words: the index it has come to */
	uint32_t	 until;		/* a row that is known; 0: the end */
	uint16_t	 expect;	/* rows and an end; 0: not known */
	uint16_t	 put_off, asked;	/* in that round, if ever */
	uint8_t		 state;
	bool		 tried;
};

struct errand {
	uint32_t	*words;
	size_t		 words_len, words_cap;
	uint8_t		*keys;		/* objkey.h's, behind two octets that
					 * say how long */
	size_t		 keys_len, keys_cap;
	struct object	*objects;
	size_t		 objects_len, objects_cap;
	struct column	*columns;
	size_t		 columns_len, columns_cap;
	struct stretch	*stretches;
	size_t		 stretches_len, stretches_cap;
	size_t		 objects_done;	/* so many at the front are */
	size_t		 stretches_done;
	bool		 bulk, known;
	uint16_t	 round;		/* of questions, from 1 */

	enum talk_op	 op;		/* what was asked last */
	size_t		 singles, repetitions;	/* GETBULK's */
	uint32_t	 asked[TALK_VARBINDS_MAX];
	size_t		 asked_len;
	char		 why[ERRAND_WHY_MAX];
};

/* --- errand.c --- */
uint32_t	 errand_pack(struct errand *, const uint32_t *sub, size_t len);
void		 errand_unpack(const struct errand *, uint32_t at,
		    struct objid *);
bool		 errand_store(struct errand *, struct bag *into,
		    const struct talk_varbind *);

/* --- errand_walk.c --- */
/* Where the walk has come to, which is asked for the next of. */
void	 walk_position(const struct errand *, const struct stretch *,
	    struct objid *);
void	 walk_complain(struct errand *, const struct stretch *,
	    const char *what);
/* Fills asked, singles and repetitions. */
void	 walk_pick(struct errand *, size_t limit);
/* Whether each column goes forward until it leaves itself, as RFC 3416
 * section 4.2.3 lays it out: row by row, and in each all columns. */
bool	 walk_sane(const struct errand *, const struct talk_varbind *,
	    size_t n);
void	 walk_take(struct errand *, const struct talk_varbind *, size_t n,
	    struct bag *into, bool *full);

#endif
