#include "tests/sim/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/sim/ber.h"
#include "tests/sim/oid.h"

static int
nibble(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ?
	    c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int
parse_hex(const char *text, size_t len, struct buf *body)
{
	size_t i;

	if (len % 2 != 0)
		return -1;
	for (i = 0; i < len; i += 2) {
		if (nibble(text[i]) < 0 || nibble(text[i + 1]) < 0)
			return -1;
		buf_putc(body, (char)(nibble(text[i]) << 4 |
		    nibble(text[i + 1])));
	}
	return 0;
}

static int
parse_ip(const char *text, struct buf *body)
{
	struct oid parts;
	size_t i;

	if (oid_parse(text, &parts) < 0 || parts.len != 4)
		return -1;
	for (i = 0; i < 4; i++) {
		if (parts.sub[i] > 255)
			return -1;
		buf_putc(body, (char)parts.sub[i]);
	}
	return 0;
}

static int
parse_oid(const char *text, struct buf *body)
{
	uint8_t out[BER_OID_MAX];
	struct oid id;

	if (oid_parse(text, &id) < 0)
		return -1;
	buf_put(body, out, ber_make_oid(id.sub, id.len, out));
	return 0;
}

static int
parse_signed(const char *text, struct buf *body)
{
	uint8_t out[BER_INT_MAX];
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || n < INT32_MIN ||
	    n > INT32_MAX)
		return -1;
	buf_put(body, out, ber_make_signed(n, out));
	return 0;
}

static int
parse_unsigned(const char *text, uint64_t max, struct buf *body)
{
	uint8_t out[BER_INT_MAX];
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || n > max)
		return -1;
	buf_put(body, out, ber_make_unsigned(n, out));
	return 0;
}

int
value_parse(const char *tag, const char *text, size_t len, uint8_t *ber_tag,
    struct buf *body)
{
	char *end, *copy;
	long n;
	int rc;

	n = strtol(tag, &end, 10);
	if (*tag < '0' || *tag > '9' || n < 1 || n > 255 ||
	    len > VALUE_BODY_MAX)
		return -1;
	*ber_tag = (uint8_t)n;
	if (strcmp(end, "x") == 0)
		return parse_hex(text, len, body);
	if (*end != '\0')
		return -1;
	if (*ber_tag == BER_OCTETS || *ber_tag == BER_OPAQUE) {
		buf_put(body, text, len);
		return 0;
	}
	if (*ber_tag == BER_NULL)
		return 0;
	copy = xstrndup(text, len);
	switch (*ber_tag) {
	case BER_INTEGER:
		rc = parse_signed(copy, body);
		break;
	case BER_OID:
		rc = parse_oid(copy, body);
		break;
	case BER_IPADDRESS:
		rc = parse_ip(copy, body);
		break;
	case BER_COUNTER32:
	case BER_GAUGE32:
	case BER_TIMETICKS:
		rc = parse_unsigned(copy, UINT32_MAX, body);
		break;
	case BER_COUNTER64:
		rc = parse_unsigned(copy, UINT64_MAX, body);
		break;
	default:
		rc = -1;
	}
	free(copy);
	return rc;
}

/* Whether the octets survive as text on one line. */
static bool
plain(const uint8_t *body, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (body[i] < 0x20 || body[i] >= 0x7f)
			return false;
	return true;
}

static bool
needs_hex(const struct value *v)
{
	struct ber body = { v->body, v->body_len };
	uint32_t sub[OID_MAX];
	int64_t n;

	switch (v->tag) {
	case BER_OCTETS:
	case BER_OPAQUE:
		return !plain(v->body, v->body_len);
	case BER_OID:
		return ber_oid(body, sub, OID_MAX) < 0;
	case BER_IPADDRESS:
		return v->body_len != 4;
	case BER_NULL:
		return v->body_len != 0;
	default:
		return v->tag != BER_COUNTER64 && value_number(v, &n) < 0;
	}
}

void
value_text(const struct value *v, struct buf *out)
{
	struct ber body = { v->body, v->body_len };
	char text[OID_TEXT_MAX];
	uint32_t sub[OID_MAX];
	uint64_t big;
	int64_t n;
	size_t i;
	int len;

	if (needs_hex(v)) {
		for (i = 0; i < v->body_len; i++)
			buf_printf(out, "%02X", v->body[i]);
		return;
	}
	switch (v->tag) {
	case BER_OCTETS:
	case BER_OPAQUE:
		buf_put(out, v->body, v->body_len);
		break;
	case BER_NULL:
		break;
	case BER_OID:
		len = ber_oid(body, sub, OID_MAX);
		buf_puts(out, oid_format(sub, len < 0 ? 0 : (size_t)len, text));
		break;
	case BER_IPADDRESS:
		buf_printf(out, "%u.%u.%u.%u", v->body[0], v->body[1],
		    v->body[2], v->body[3]);
		break;
	case BER_COUNTER64:
		if (ber_unsigned(body, &big) == 0)
			buf_printf(out, "%llu", (unsigned long long)big);
		break;
	default:
		if (value_number(v, &n) == 0)
			buf_printf(out, "%lld", (long long)n);
	}
}

void
value_format(const struct value *v, struct buf *out)
{
	buf_printf(out, "%u%s|", v->tag, needs_hex(v) ? "x" : "");
	value_text(v, out);
}

int
value_number(const struct value *v, int64_t *number)
{
	struct ber body = { v->body, v->body_len };
	uint64_t big;

	switch (v->tag) {
	case BER_INTEGER:
		return ber_signed(body, number);
	case BER_COUNTER32:
	case BER_GAUGE32:
	case BER_TIMETICKS:
	case BER_COUNTER64:
		if (ber_unsigned(body, &big) < 0 || big > INT64_MAX)
			return -1;
		*number = (int64_t)big;
		return 0;
	default:
		return -1;
	}
}

size_t
value_make(uint8_t tag, int64_t number, uint8_t out[9])
{
	if (tag == BER_INTEGER)
		return ber_make_signed(number, out);
	if (tag != BER_COUNTER64)	/* counters wrap at 32 bits */
		number &= UINT32_MAX;
	return ber_make_unsigned((uint64_t)number, out);
}
