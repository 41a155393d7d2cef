/*
 * What lies inside every version's message: a request PDU in, a response PDU
 * out (RFC 3416; RFC 1157 for v1).  GET, GETNEXT, GETBULK; SET is refused.
 * Names that the walk has are looked up as they came and sent as they lie
 * there, without decoding: a fleet is asked the same again and again.
 */
#ifndef SIM_PDU_H
#define SIM_PDU_H

#include <stddef.h>
#include <stdint.h>

#include "tests/sim/ber.h"
#include "tests/sim/lan.h"

#define ANSWER_MAX	1472		/* octets, unless "maxsize" says more */
#define ANSWER_ROOM	65507		/* the most that UDP carries */

/* As they stand in a message. */
enum { VERSION_1 = 0, VERSION_2C = 1, VERSION_3 = 3 };

enum {
	PDU_GET = 0xa0, PDU_NEXT = 0xa1, PDU_RESPONSE = 0xa2, PDU_SET = 0xa3,
	PDU_BULK = 0xa5, PDU_REPORT = 0xa8
};

struct question {
	/* set before pdu_take() */
	struct lan	*lan;
	struct device	*device;
	struct view	*view;		/* NULL: it is not let in */
	int64_t		 now_ms;
	int32_t		 version;
	bool		 refused;	/* authorizationError, whatever it is */
	/* what it takes from the PDU */
	uint8_t		 type;
	int32_t		 id;
	int32_t		 first, second;	/* non-repeaters, repetitions */
	struct ber	 list;		/* the variables as they came */
	size_t		 count;
};

/* Takes a PDU and counts it as the device's.  0; 1: it wants no answer; -1:
 * malformed.  Only one
 * question is looked at at a time. */
int	 pdu_take(struct question *, struct ber *message);
/* The most recent question's answer of at most max octets with its message's
 * heads; the length of the PDU, 0: none. */
size_t	 pdu_answer(struct question *, size_t max, uint8_t out[ANSWER_ROOM]);
/* The largest message that this device sends. */
size_t	 pdu_size_max(const struct device *);

#endif
