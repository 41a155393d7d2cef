/*
 * SNMP as an agent speaks it: one message in, one message out.  v1 (RFC 1157)
 * and v2c (RFC 1901) here, v3 in v3.h.
 */
#ifndef SIM_ANSWER_H
#define SIM_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "tests/sim/lan.h"
#include "tests/sim/pdu.h"

/*
 * The answer of device d to a request, in out; its length, or 0 when this
 * device says nothing to it (another community, another version, no SNMP).
 * now_ms is monotonic.
 */
size_t	 answer_make(struct lan *, struct device *d, const uint8_t *request,
	    size_t len, int64_t now_ms, uint8_t out[ANSWER_ROOM]);

#endif
