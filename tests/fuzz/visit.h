/*
 * A whole reading of a printer without a network: what the collector does
 * with the octets that come, down to the report that it would send.
 */
#ifndef FUZZ_VISIT_H
#define FUZZ_VISIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snmp/asker.h"
#include "snmp/bag.h"

#define VISIT_REQUESTS_MAX	400	/* as many as a reading has */

/* The answer to a question, a whole SNMP message that is lent until the next
 * call; NULL when nothing more comes. */
typedef const uint8_t	*visit_answer_fn(void *arg,
			    const struct talk_question *, size_t *len);

/* Asks as a reading does, window objects at once.  Returns what has come,
 * which the caller frees. */
struct bag	*visit(size_t window, bool bulk, visit_answer_fn *,
		    void *arg);
/* Decodes every printer in the bag, and reads back a report about it: aborts
 * when anything is not as the schema or the headers promise. */
void		 visit_decode(const struct bag *);

#endif
