#include "tests/sim/ber.h"

#include <string.h>

int
ber_take(struct ber *in, uint8_t *tag, struct ber *body)
{
	size_t len, octets, used = 2, i;

	/* Tags of several octets (low five bits all set) are not SNMP's. */
	if (in->left < 2 || (in->at[0] & 0x1f) == 0x1f)
		return -1;
	*tag = in->at[0];
	len = in->at[1];
	if (len & 0x80) {
		octets = len & 0x7f;
		/* 0x80 is the indefinite form, which RFC 3417 section 8 bars */
		if (octets == 0 || octets > 4 || octets > in->left - 2)
			return -1;
		for (len = 0, i = 0; i < octets; i++)
			len = len << 8 | in->at[2 + i];
		used += octets;
	}
	if (len > in->left - used)
		return -1;
	body->at = in->at + used;
	body->left = len;
	in->at += used + len;
	in->left -= used + len;
	return 0;
}

int
ber_take_tag(struct ber *in, uint8_t tag, struct ber *body)
{
	uint8_t found;

	return ber_take(in, &found, body) == 0 && found == tag ? 0 : -1;
}

int
ber_take_int(struct ber *in, int32_t *value)
{
	struct ber body;
	int64_t wide;

	if (ber_take_tag(in, BER_INTEGER, &body) < 0 ||
	    ber_signed(body, &wide) < 0 || wide < INT32_MIN ||
	    wide > INT32_MAX)
		return -1;
	*value = (int32_t)wide;
	return 0;
}

int
ber_oid(struct ber body, uint32_t *sub, size_t max)
{
	uint64_t n = 0;
	size_t len = 0;
	bool inside = false;

	if (body.left == 0) {		/* some write 0.0 like this */
		if (max < 2)
			return -1;
		sub[0] = sub[1] = 0;
		return 2;
	}
	for (; body.left > 0; body.at++, body.left--) {
		n = n << 7 | (*body.at & 0x7f);
		inside = *body.at & 0x80;
		if (n > (uint64_t)UINT32_MAX + (len == 0 ? 80 : 0))
			return -1;
		if (inside)
			continue;
		if (len == 0) {
			/* X.690 8.19.4: the first two share one */
			if (max < 2)
				return -1;
			sub[0] = n < 40 ? 0 : n < 80 ? 1 : 2;
			sub[1] = (uint32_t)(n - 40 * sub[0]);
			len = 2;
		} else {
			if (len == max)
				return -1;
			sub[len++] = (uint32_t)n;
		}
		n = 0;
	}
	return inside ? -1 : (int)len;
}

int
ber_signed(struct ber body, int64_t *value)
{
	uint64_t n;

	if (body.left == 0 || body.left > 8)
		return -1;
	n = body.at[0] & 0x80 ? UINT64_MAX : 0;
	for (; body.left > 0; body.at++, body.left--)
		n = n << 8 | *body.at;
	*value = (int64_t)n;
	return 0;
}

int
ber_unsigned(struct ber body, uint64_t *value)
{
	uint64_t n = 0;

	/* nine octets when the first is the zero that keeps it positive */
	if (body.left == 0 || body.left > 9 ||
	    (body.left == 9 && body.at[0] != 0))
		return -1;
	for (; body.left > 0; body.at++, body.left--)
		n = n << 8 | *body.at;
	*value = n;
	return 0;
}

static size_t
length_octets(size_t len)
{
	return len < 0x80 ? 1 : len < 0x100 ? 2 : len < 0x10000 ? 3 :
	    len < 0x1000000 ? 4 : 5;
}

size_t
ber_size(size_t len)
{
	return 1 + length_octets(len) + len;
}

size_t
ber_head_size(size_t len)
{
	return 1 + length_octets(len);
}

void
ber_put_head(struct ber_out *out, uint8_t tag, size_t len)
{
	size_t octets = length_octets(len), i;

	if (out->full || out->room - out->len < 1 + octets) {
		out->full = true;
		return;
	}
	out->at[out->len++] = tag;
	if (octets == 1) {
		out->at[out->len++] = (uint8_t)len;
		return;
	}
	out->at[out->len++] = (uint8_t)(0x80 | (octets - 1));
	for (i = octets - 1; i > 0; i--)
		out->at[out->len++] = (uint8_t)(len >> 8 * (i - 1));
}

void
ber_put(struct ber_out *out, uint8_t tag, const void *body, size_t len)
{
	if (out->full || out->room - out->len < ber_size(len)) {
		out->full = true;
		return;
	}
	ber_put_head(out, tag, len);
	if (len > 0)
		memcpy(out->at + out->len, body, len);
	out->len += len;
}

void
ber_put_int(struct ber_out *out, uint8_t tag, int64_t value)
{
	uint8_t body[BER_INT_MAX];

	ber_put(out, tag, body, ber_make_signed(value, body));
}

void
ber_put_oid(struct ber_out *out, const uint32_t *sub, size_t len)
{
	uint8_t body[BER_OID_MAX];

	ber_put(out, BER_OID, body, ber_make_oid(sub, len, body));
}

size_t
ber_make_signed(int64_t value, uint8_t out[BER_INT_MAX])
{
	size_t octets = 1, i;

	while (octets < 8 && value >> (8 * octets - 1) != 0 &&
	    value >> (8 * octets - 1) != -1)
		octets++;
	for (i = 0; i < octets; i++)
		out[i] = (uint8_t)((uint64_t)value >> 8 * (octets - 1 - i));
	return octets;
}

size_t
ber_make_unsigned(uint64_t value, uint8_t out[BER_INT_MAX])
{
	if (value <= INT64_MAX)
		return ber_make_signed((int64_t)value, out);
	out[0] = 0;
	for (size_t i = 0; i < 8; i++)
		out[1 + i] = (uint8_t)(value >> 8 * (7 - i));
	return 9;
}

static size_t
make_sub(uint64_t n, uint8_t *out)
{
	size_t octets = 1, i;

	while (octets < 5 && n >> 7 * octets != 0)
		octets++;
	for (i = 0; i < octets; i++)
		out[i] = (uint8_t)((n >> 7 * (octets - 1 - i) & 0x7f) |
		    (i + 1 < octets ? 0x80 : 0));
	return octets;
}

size_t
ber_make_oid(const uint32_t *sub, size_t len, uint8_t out[BER_OID_MAX])
{
	size_t at, i;

	at = make_sub((len > 0 ? (uint64_t)(sub[0] % 3) * 40 : 0) +
	    (len > 1 ? sub[1] : 0), out);
	for (i = 2; i < len && at + 5 <= BER_OID_MAX; i++)
		at += make_sub(sub[i], out + at);
	return at;
}
