/*
 * The octets of SNMP: BER as RFC 3417 section 8 restricts it, the PDUs of
 * RFC 3416, the messages of v1 and v2c (RFC 1157, RFC 1901).  Writes requests
 * and reads what anybody sent: no length is believed before it was compared
 * with what is there, nothing is copied, nothing is kept.
 */
#ifndef SNMP_BER_H
#define SNMP_BER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snmp/bag.h"
#include "snmp/objid.h"

/* Tags that are no value of a bag (enum bag_type has those). */
#define BER_NULL		0x05
#define BER_SEQUENCE		0x30
#define BER_NO_SUCH_OBJECT	0x80
#define BER_NO_SUCH_INSTANCE	0x81
#define BER_END_OF_MIB_VIEW	0x82

enum ber_pdu_type {
	BER_GET		= 0xa0,
	BER_GETNEXT	= 0xa1,
	BER_RESPONSE	= 0xa2,
	BER_TRAP_V1	= 0xa4,		/* another shape: trap.c's */
	BER_GETBULK	= 0xa5,
	BER_INFORM	= 0xa6,
	BER_TRAP	= 0xa7,
	BER_REPORT	= 0xa8
};

/* RFC 3416 section 3: of error-status, what somebody looks at. */
#define BER_TOO_BIG		1
#define BER_NO_SUCH_NAME	2
#define BER_GEN_ERR		5
#define BER_NO_ACCESS		6
#define BER_AUTHORIZATION_ERROR	16

/* --- writing ------------------------------------------------------------------
 * From the end of a buffer towards its start, so that each length is known
 * when its turn comes.  Parts are put in reverse order; wrap() puts tag and
 * length before all that was put since the mark.  Once it did not fit, full
 * stays set and nothing is written any more.
 */
struct ber_out {
	uint8_t	*start;		/* of the buffer */
	uint8_t	*at;		/* the first octet written */
	uint8_t	*end;
	bool	 full;
};

void	 ber_out_init(struct ber_out *, void *buffer, size_t size);
size_t	 ber_out_len(const struct ber_out *);	/* octets from at to end */
void	 ber_put_int(struct ber_out *, uint8_t tag, int64_t);
void	 ber_put_octets(struct ber_out *, uint8_t tag, const void *, size_t);
void	 ber_put_objid(struct ber_out *, const uint32_t *sub, size_t len);
void	 ber_put_raw(struct ber_out *, const void *, size_t);
/* mark is ber_out_len() from before its content was put. */
void	 ber_wrap(struct ber_out *, uint8_t tag, size_t mark);

/* A whole PDU of varbinds that are NULL.  ids: packed, a length and then that
 * many sub-identifiers, n times.  a and b: error-status and error-index (0),
 * or non-repeaters and max-repetitions. */
#define BER_REQUEST_MAX	256		/* n; more counts as full */
void	 ber_put_request(struct ber_out *, enum ber_pdu_type,
	    int32_t request_id, int32_t a, int32_t b, const uint32_t *ids,
	    size_t n);
/* Message header of v1 (version 1) and v2c (2) around what is in out. */
void	 ber_put_message(struct ber_out *, int version,
	    const char *community);

/* --- reading ------------------------------------------------------------------
 * All return false when that is not what stands there; what was read is then
 * undefined, and the reader is of no further use.
 */
struct ber_in {
	const uint8_t	*at, *end;
};

void	 ber_in_init(struct ber_in *, const void *, size_t);
/* Tag and content of what comes next, which is stepped over. */
bool	 ber_get(struct ber_in *, uint8_t *tag, struct ber_in *content);
/* The same, when the tag is this one. */
bool	 ber_enter(struct ber_in *, uint8_t tag, struct ber_in *content);
/* A number of that tag.  What is longer than Counter64 is refused; unsigned
 * types come out not negative, Counter64 cut at INT64_MAX. */
bool	 ber_get_int(struct ber_in *, uint8_t tag, int64_t *);
bool	 ber_get_octets(struct ber_in *, uint8_t tag, const uint8_t **,
	    size_t *len);
/* Sub-identifiers over 2^32-1, or more than OBJID_MAX, are refused. */
bool	 ber_get_objid(struct ber_in *, struct objid *);

struct ber_pdu {
	uint8_t		 type;
	int32_t		 request_id;
	int32_t		 error_status, error_index;
	struct ber_in	 varbinds;
};
/* Any PDU but BER_TRAP_V1. */
bool	 ber_get_pdu(struct ber_in *, struct ber_pdu *);
/* The next of pdu.varbinds, where at < end.  missing: NULL, one of v2c's
 * exceptions, or contents that are none of their type (a number of no octets);
 * value is then not set.  Types that a bag does not know come as BAG_OCTETS.
 * Octets are lent from the message. */
bool	 ber_get_varbind(struct ber_in *varbinds, struct objid *id,
	    struct bag_value *value, bool *missing);

/* A v1 or v2c message: version 1 or 2, the community (lent), and in the PDU.
 * A v3 message is refused here, ber_message_version() tells. */
bool	 ber_get_message(const void *, size_t, int *version,
	    const uint8_t **community, size_t *community_len,
	    struct ber_in *pdu);
/* 1, 2, 3, or 0 when this is no SNMP. */
int	 ber_message_version(const void *, size_t);

#endif
