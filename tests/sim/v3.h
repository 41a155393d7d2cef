/*
 * SNMPv3 messages (RFC 3412) under the User-based Security Model (RFC 3414),
 * written apart from the agent's own, so that a mistake in one of them shows
 * in the other.
 */
#ifndef SIM_V3_H
#define SIM_V3_H

#include "tests/sim/pdu.h"

/* The answer or the report to a message whose version has been taken out of
 * in; its length, or 0.  request is all of the message. */
size_t	 v3_answer(struct question *, const uint8_t *request, size_t len,
	    struct ber in, uint8_t out[ANSWER_ROOM]);

#endif
