/*
 * What a conversation has asked for, as the octets that are sent: 64 OIDs as
 * structs would be 33 KB.  Writes it as a PDU, and lays the answer out as the
 * question was.
 */
#ifndef SNMP_QUESTION_H
#define SNMP_QUESTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snmp/asker.h"
#include "snmp/ber.h"

/* Zeroed is empty. */
struct question {
	enum talk_op	 op;
	unsigned	 non_repeaters, repetitions;
	size_t		 n;
	uint64_t	 left_out;	/* bits: said to be missing */
	uint8_t		*list;		/* n varbinds */
	size_t		 list_len, list_size;
	bool		 unfit;		/* an OID has no octets */
};

void	 question_set(struct question *, const struct talk_question *);
void	 question_clear(struct question *);	/* frees what it has */
/* The OIDs as they were asked. */
void	 question_ids(const struct question *, struct objid *);

void	 question_put(const struct question *, struct ber_out *,
	    int32_t request_id);
/*
 * The error index counts the varbinds that were sent; takes that one out.
 * False when it points nowhere.
 */
bool	 question_leave_out(struct question *, int32_t error_index);
bool	 question_all_left_out(const struct question *);
/*
 * GET and GETNEXT: the answer in the order of the question, what was left out
 * as missing.  GETBULK: as it came.  At most TALK_ANSWER_MAX; false when the
 * varbinds cannot be read.
 */
bool	 question_lay_out(const struct question *, struct ber_in varbinds,
	    struct talk_varbind *, size_t *n);

#endif
