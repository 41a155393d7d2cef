#include "snmp/ber.h"

#include <string.h>

/* --- writing ------------------------------------------------------------------ */

void
ber_out_init(struct ber_out *out, void *buffer, size_t size)
{
	out->start = buffer;
	out->end = out->start + size;
	out->at = out->end;
	out->full = false;
}

size_t
ber_out_len(const struct ber_out *out)
{
	return (size_t)(out->end - out->at);
}

/* Makes room for len octets before what is there; NULL when full. */
static uint8_t *
room(struct ber_out *out, size_t len)
{
	if (out->full || (size_t)(out->at - out->start) < len) {
		out->full = true;
		return NULL;
	}
	out->at -= len;
	return out->at;
}

/* The shortest length that says len, as X.690 8.1.3 has it. */
static void
put_head(struct ber_out *out, uint8_t tag, size_t len)
{
	uint8_t *p;
	unsigned n = 1;

	if (len < 0x80) {
		if ((p = room(out, 2)) != NULL) {
			p[0] = tag;
			p[1] = (uint8_t)len;
		}
		return;
	}
	while (n < sizeof(len) && len >> (8 * n) != 0)
		n++;
	if ((p = room(out, 2 + n)) == NULL)
		return;
	*p++ = tag;
	*p++ = (uint8_t)(0x80 | n);
	while (n > 0)
		*p++ = (uint8_t)(len >> (8 * --n));
}

/* Two's complement in the fewest octets: X.690 8.3.2. */
void
ber_put_int(struct ber_out *out, uint8_t tag, int64_t value)
{
	uint64_t bits = (uint64_t)value;
	uint64_t size = value < 0 ? ~bits : bits;
	uint8_t *p;
	unsigned n = 1;

	while (n < 8 && size >> (8 * n - 1) != 0)
		n++;
	if ((p = room(out, 2 + n)) == NULL)
		return;
	*p++ = tag;
	*p++ = (uint8_t)n;
	while (n > 0)
		*p++ = (uint8_t)(bits >> (8 * --n));
}

void
ber_put_raw(struct ber_out *out, const void *bytes, size_t len)
{
	uint8_t *p = room(out, len);

	if (p != NULL && len > 0)
		memcpy(p, bytes, len);
}

void
ber_put_octets(struct ber_out *out, uint8_t tag, const void *bytes,
    size_t len)
{
	ber_put_raw(out, bytes, len);
	put_head(out, tag, len);
}

/* Seven bits an octet, all but the last marked: X.690 8.19.2. */
static uint8_t *
put_sub(uint8_t *p, uint64_t sub)
{
	*--p = sub & 0x7f;
	while ((sub >>= 7) != 0)
		*--p = (uint8_t)(0x80 | (sub & 0x7f));
	return p;
}

/* The first two share a number; what has fewer gets zeros, as 0.0 is the null
 * identifier (RFC 2578 section 7.1.2: zeroDotZero). */
void
ber_put_objid(struct ber_out *out, const uint32_t *sub, size_t len)
{
	uint8_t bytes[OBJID_MAX * 5], *end = bytes + sizeof(bytes), *p = end;
	uint64_t first = (len > 0 ? sub[0] * UINT64_C(40) : 0) +
	    (len > 1 ? sub[1] : 0);
	size_t i;

	if (len > OBJID_MAX || first >> 35 != 0) {
		out->full = true;
		return;
	}
	for (i = len; i > 2; i--) {
		if (sub[i - 1] < 0x80)
			*--p = (uint8_t)sub[i - 1];
		else
			p = put_sub(p, sub[i - 1]);
	}
	p = put_sub(p, first);
	ber_put_octets(out, BAG_OBJID, p, (size_t)(end - p));
}

void
ber_wrap(struct ber_out *out, uint8_t tag, size_t mark)
{
	put_head(out, tag, ber_out_len(out) - mark);
}

void
ber_put_request(struct ber_out *out, enum ber_pdu_type type,
    int32_t request_id, int32_t a, int32_t b, const uint32_t *ids, size_t n)
{
	const uint32_t *at[BER_REQUEST_MAX];
	size_t mark = ber_out_len(out), varbind, i;

	if (n > BER_REQUEST_MAX) {
		out->full = true;
		return;
	}
	for (i = 0; i < n; i++) {
		at[i] = ids;
		ids += 1 + ids[0];
	}
	for (i = n; i > 0; i--) {
		varbind = ber_out_len(out);
		ber_put_octets(out, BER_NULL, NULL, 0);
		ber_put_objid(out, at[i - 1] + 1, at[i - 1][0]);
		ber_wrap(out, BER_SEQUENCE, varbind);
	}
	ber_wrap(out, BER_SEQUENCE, mark);
	ber_put_int(out, BAG_INTEGER, b);
	ber_put_int(out, BAG_INTEGER, a);
	ber_put_int(out, BAG_INTEGER, request_id);
	ber_wrap(out, (uint8_t)type, mark);
}

void
ber_put_message(struct ber_out *out, int version, const char *community)
{
	ber_put_octets(out, BAG_OCTETS, community, strlen(community));
	ber_put_int(out, BAG_INTEGER, version - 1);
	ber_wrap(out, BER_SEQUENCE, 0);
}

/* --- reading ------------------------------------------------------------------ */

void
ber_in_init(struct ber_in *in, const void *bytes, size_t len)
{
	in->at = bytes;
	in->end = in->at + len;
}

/*
 * SNMP has no tag above 30 and no indefinite length (RFC 3417 section 8).
 * Lengths that are longer than they need be are allowed: much firmware
 * reserves 3 or 5 octets for a length and fills it in afterwards.
 */
bool
ber_get(struct ber_in *in, uint8_t *tag, struct ber_in *content)
{
	const uint8_t *p = in->at;
	size_t len, left = (size_t)(in->end - p), n;

	if (left < 2 || (p[0] & 0x1f) == 0x1f)
		return false;
	*tag = p[0];
	len = p[1];
	p += 2;
	left -= 2;
	if (len >= 0x80) {
		n = len & 0x7f;
		if (n == 0 || n > 4 || n > left)
			return false;
		left -= n;
		for (len = 0; n > 0; n--)
			len = len << 8 | *p++;
	}
	if (len > left)
		return false;
	content->at = p;
	content->end = p + len;
	in->at = p + len;
	return true;
}

bool
ber_enter(struct ber_in *in, uint8_t tag, struct ber_in *content)
{
	uint8_t found;

	return ber_get(in, &found, content) && found == tag;
}

/*
 * Two's complement of 1 to 9 octets.  A Counter64 above INT64_MAX needs nine,
 * the first of them 0; some write it in eight.  Unsigned types that come out
 * negative were written by somebody who forgot that 0: they mean the 32 bits.
 */
static bool
take_int(const struct ber_in *content, uint8_t tag, int64_t *value)
{
	const uint8_t *p = content->at;
	size_t len = (size_t)(content->end - p);
	bool negative;
	uint64_t bits;

	if (len == 0 || len > 9)
		return false;
	negative = (*p & 0x80) != 0;
	if (len == 9 && *p != (negative ? 0xff : 0))
		return false;
	for (bits = negative ? UINT64_MAX : 0; p < content->end; p++)
		bits = bits << 8 | *p;
	if (tag == BAG_COUNTER64 || !negative)
		*value = bits > INT64_MAX ? INT64_MAX : (int64_t)bits;
	else if (tag == BAG_INTEGER)
		*value = bits <= INT64_MAX ? INT64_MIN :
		    -(int64_t)~bits - 1;
	else
		*value = (uint32_t)bits;
	return true;
}

bool
ber_get_int(struct ber_in *in, uint8_t tag, int64_t *value)
{
	struct ber_in content;

	return ber_enter(in, tag, &content) && take_int(&content, tag, value);
}

bool
ber_get_octets(struct ber_in *in, uint8_t tag, const uint8_t **bytes,
    size_t *len)
{
	struct ber_in content;

	if (!ber_enter(in, tag, &content))
		return false;
	*bytes = content.at;
	*len = (size_t)(content.end - content.at);
	return true;
}

/* The first number is 40 times the first sub-identifier (0, 1 or 2) and the
 * second. */
static void
split_first(struct objid *id, uint64_t first)
{
	id->sub[0] = first < 80 ? (uint32_t)first / 40 : 2;
	id->sub[1] = (uint32_t)(first - id->sub[0] * UINT64_C(40));
	id->len = 2;
}

/* An empty one is taken for 0.0, as everybody else does. */
static bool
take_objid(const struct ber_in *content, struct objid *id)
{
	const uint8_t *p = content->at, *end = content->end;
	uint64_t sub, limit = UINT32_MAX + UINT64_C(80);
	size_t n = 1;

	if (p == end)
		split_first(id, 0);
	else if ((end[-1] & 0x80) != 0)
		return false;
	while (p < end) {
		/* Ends at the last octet at the latest. */
		sub = *p & 0x7f;
		while ((*p++ & 0x80) != 0) {
			sub = sub << 7 | (*p & 0x7f);
			if (sub > limit)
				return false;
		}
		if (n == 1) {
			split_first(id, sub);
			limit = UINT32_MAX;
			n = 2;
			continue;
		}
		if (n == OBJID_MAX)
			return false;
		id->sub[n++] = (uint32_t)sub;
		id->len = n;
	}
	return true;
}

bool
ber_get_objid(struct ber_in *in, struct objid *id)
{
	struct ber_in content;

	return ber_enter(in, BAG_OBJID, &content) && take_objid(&content, id);
}

/* Integer32, which some echo as if it had no sign. */
static bool
get_int32(struct ber_in *in, int32_t *out)
{
	int64_t value;

	if (!ber_get_int(in, BAG_INTEGER, &value) || value < INT32_MIN ||
	    value > UINT32_MAX)
		return false;
	*out = value > INT32_MAX ? (int32_t)(value - UINT32_MAX - 1) :
	    (int32_t)value;
	return true;
}

bool
ber_get_pdu(struct ber_in *in, struct ber_pdu *pdu)
{
	struct ber_in content;

	if (!ber_get(in, &pdu->type, &content) || pdu->type < BER_GET ||
	    pdu->type > BER_REPORT || pdu->type == BER_TRAP_V1)
		return false;
	return get_int32(&content, &pdu->request_id) &&
	    get_int32(&content, &pdu->error_status) &&
	    get_int32(&content, &pdu->error_index) &&
	    ber_enter(&content, BER_SEQUENCE, &pdu->varbinds);
}

/* What a bag cannot name: Opaque, BIT STRING and the like go as octets,
 * UInteger32 (RFC 1442) is a gauge by today's name. */
static bool
take_value(uint8_t tag, const struct ber_in *content,
    struct bag_value *value)
{
	value->number = 0;
	value->octets = NULL;
	value->octets_len = 0;
	value->objid.len = 0;
	switch (tag) {
	case BAG_INTEGER:
	case BAG_COUNTER:
	case BAG_GAUGE:
	case BAG_TICKS:
	case BAG_COUNTER64:
	case 0x47:
		value->type = tag == 0x47 ? BAG_GAUGE : (enum bag_type)tag;
		return take_int(content, tag, &value->number);
	case BAG_OBJID:
		value->type = BAG_OBJID;
		return take_objid(content, &value->objid);
	case BER_NULL:
	case BER_NO_SUCH_OBJECT:
	case BER_NO_SUCH_INSTANCE:
	case BER_END_OF_MIB_VIEW:
		return false;
	default:
		value->type = tag == BAG_IPADDRESS ? BAG_IPADDRESS :
		    BAG_OCTETS;
		value->octets = content->at;
		value->octets_len = (size_t)(content->end - content->at);
		return true;
	}
}

bool
ber_get_varbind(struct ber_in *varbinds, struct objid *id,
    struct bag_value *value, bool *missing)
{
	struct ber_in varbind, content;
	uint8_t tag;

	if (!ber_enter(varbinds, BER_SEQUENCE, &varbind) ||
	    !ber_get_objid(&varbind, id) ||
	    !ber_get(&varbind, &tag, &content))
		return false;
	*missing = !take_value(tag, &content, value);
	return true;
}

/* 1, 2, 3, 0 for anything else; what follows the version in rest. */
static int
enter_message(const void *bytes, size_t len, struct ber_in *rest)
{
	struct ber_in in;
	int64_t version;

	ber_in_init(&in, bytes, len);
	if (!ber_enter(&in, BER_SEQUENCE, rest) ||
	    !ber_get_int(rest, BAG_INTEGER, &version))
		return 0;
	return version == 0 ? 1 : version == 1 ? 2 : version == 3 ? 3 : 0;
}

bool
ber_get_message(const void *bytes, size_t len, int *version,
    const uint8_t **community, size_t *community_len, struct ber_in *pdu)
{
	*version = enter_message(bytes, len, pdu);
	return (*version == 1 || *version == 2) &&
	    ber_get_octets(pdu, BAG_OCTETS, community, community_len);
}

int
ber_message_version(const void *bytes, size_t len)
{
	struct ber_in rest;

	return enter_message(bytes, len, &rest);
}
