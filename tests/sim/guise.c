#include "tests/sim/guise.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tests/sim/ber.h"

#define OWN_ADDRESS	0xc0000201u	/* 192.0.2.1 */

static const uint32_t sys_name_id[] = { 1, 3, 6, 1, 2, 1, 1, 5, 0 };
static const uint32_t phys_address_id[] = { 1, 3, 6, 1, 2, 1, 2, 2, 1, 6 };
static const uint32_t device_type_id[] = { 1, 3, 6, 1, 2, 1, 25, 3, 2, 1, 2 };
static const uint32_t printer_type_id[] = { 1, 3, 6, 1, 2, 1, 25, 3, 1, 5 };

/* Where a serial number may stand, the better places first. */
static const char *const serial_places[] = {
	"1.3.6.1.2.1.43.5.1.1.17",
	"1.3.6.1.4.1.11.2.3.9.4.2.1.1.3.3",	/* HP, after two octets */
	"1.3.6.1.4.1.2435.2.3.9.4.2.1.5.5.1",	/* Brother */
	"1.3.6.1.4.1.1347.43.5.1.1.28",		/* Kyocera */
	"1.3.6.1.4.1.367.3.2.1.2.1.4",		/* Ricoh */
	"1.3.6.1.4.1.253.8.53.3.2.1.3",		/* Xerox */
	"1.3.6.1.4.1.641.2.1.2.1.6",		/* Lexmark */
	"1.3.6.1.4.1.1248.1.2.2.1.1.1.5",	/* Epson */
	"1.3.6.1.4.1.10642.1.9",		/* Zebra */
	"1.3.6.1.4.1.10642.200.19.5",
	"1.3.6.1.4.1.683.1.5",
};

static void
take_text(const struct value *v, char *out, size_t room)
{
	size_t from = 0, len = v->body_len;

	if (v->tag != BER_OCTETS)
		return;
	/* HP's PML strings start with a symbol set */
	if (len >= 2 && v->body[0] == 0x01 && v->body[1] == 0x15)
		from = 2;
	while (len > from && (v->body[len - 1] == '\0' ||
	    v->body[len - 1] == ' '))
		len--;
	if (len - from < room)
		snprintf(out, room, "%.*s", (int)(len - from),
		    (const char *)v->body + from);
}

static void
find_serial(struct walk *walk)
{
	struct oid place;
	size_t i, at;

	for (i = 0; i < sizeof(serial_places) / sizeof(*serial_places) &&
	    walk->serial[0] == '\0'; i++) {
		if (oid_parse(serial_places[i], &place) < 0)
			continue;
		at = walk_first(walk, place.sub, place.len);
		if (at < walk->len)
			take_text(&walk->values[at], walk->serial,
			    sizeof(walk->serial));
	}
}

static void
find_mac(struct walk *walk)
{
	static const uint8_t zero[6];
	const struct value *v;
	size_t i;

	i = walk_first(walk, phys_address_id, 10);
	for (; i < walk->len; i++) {
		v = &walk->values[i];
		if (!oid_within(v->sub, v->sub_len, phys_address_id, 10))
			return;
		/* bit 1 of the first octet: made up by the device */
		if (v->body_len == 6 && memcmp(v->body, zero, 6) != 0 &&
		    (v->body[0] & 2) == 0) {
			memcpy(walk->mac, v->body, 6);
			walk->mac_len = 6;
			return;
		}
	}
}

static uint32_t
find_row(const struct walk *walk)
{
	static const char *const columns[] = { "1.3.6.1.2.1.43.5.1.1.1",
	    "1.3.6.1.2.1.43.10.2.1.4", "1.3.6.1.2.1.43.11.1.1.9",
	    "1.3.6.1.2.1.43.5.1.1.17" };
	uint32_t sub[OID_MAX];
	const struct value *v;
	struct oid column;
	size_t i, at;

	for (i = 0; i < sizeof(columns) / sizeof(*columns); i++) {
		if (oid_parse(columns[i], &column) < 0)
			continue;
		at = walk_first(walk, column.sub, column.len);
		if (at < walk->len && walk->values[at].sub_len > column.len)
			return walk->values[at].sub[column.len];
	}
	for (at = walk_first(walk, device_type_id, 11); at < walk->len; at++) {
		v = &walk->values[at];
		if (!oid_within(v->sub, v->sub_len, device_type_id, 11))
			break;
		if (v->tag == BER_OID && v->sub_len == 12 &&
		    ber_oid((struct ber){ v->body, v->body_len }, sub,
		    OID_MAX) == 10 && memcmp(sub, printer_type_id,
		    sizeof(printer_type_id)) == 0)
			return v->sub[11];
	}
	return 1;
}

static void
mac_text(const uint8_t mac[6], bool upper, char out[13])
{
	snprintf(out, 13, upper ? "%02X%02X%02X%02X%02X%02X" :
	    "%02x%02x%02x%02x%02x%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
	    mac[5]);
}

struct swap {
	const void	*from, *to;
	size_t		 from_len, to_len;
};

/* body with every from replaced; whether there was one. */
static bool
replace(const uint8_t *body, size_t len, const struct swap *swaps,
    size_t count, struct buf *out)
{
	const struct swap *s;
	bool any = false;
	size_t at = 0, i;

	while (at < len) {
		for (i = 0, s = swaps; i < count; i++, s++)
			if (s->from_len > 0 && s->from_len <= len - at &&
			    memcmp(body + at, s->from, s->from_len) == 0)
				break;
		if (i == count) {
			buf_putc(out, (char)body[at++]);
			continue;
		}
		buf_put(out, s->to, s->to_len);
		at += s->from_len;
		any = true;
	}
	return any;
}

#define SWAPS	5

static void
make_swaps(const struct walk *walk, const struct guise *id,
    char text[4][13], struct swap swaps[SWAPS])
{
	memset(swaps, 0, SWAPS * sizeof(*swaps));
	/* shorter ones would be found where they are not meant */
	if (id->serial[0] != '\0' && strlen(walk->serial) >= 4)
		swaps[0] = (struct swap){ walk->serial, id->serial,
		    strlen(walk->serial), strlen(id->serial) };
	if (id->sys_name[0] != '\0' && strlen(walk->sys_name) >= 4)
		swaps[1] = (struct swap){ walk->sys_name, id->sys_name,
		    strlen(walk->sys_name), strlen(id->sys_name) };
	if (!id->has_mac || walk->mac_len == 0)
		return;
	swaps[2] = (struct swap){ walk->mac, id->mac, 6, 6 };
	mac_text(walk->mac, true, text[0]);
	mac_text(id->mac, true, text[1]);
	mac_text(walk->mac, false, text[2]);
	mac_text(id->mac, false, text[3]);
	swaps[3] = (struct swap){ text[0], text[1], 12, 12 };
	swaps[4] = (struct swap){ text[2], text[3], 12, 12 };
}

void
guise_find(struct walk *walk)
{
	struct swap swaps[SWAPS];
	const struct value *v;
	struct guise any;
	struct buf out = { 0 };
	char text[4][13];
	size_t i;

	v = walk_find(walk, sys_name_id, 9);
	if (v != NULL)
		take_text(v, walk->sys_name, sizeof(walk->sys_name));
	find_serial(walk);
	find_mac(walk);
	walk->printer_row = find_row(walk);

	any = (struct guise){ .serial = "-", .sys_name = "-",
	    .has_mac = true };
	make_swaps(walk, &any, text, swaps);
	for (i = 0; i < walk->len; i++) {
		v = &walk->values[i];
		buf_reset(&out);
		if (v->tag != BER_OCTETS ||
		    !replace(v->body, v->body_len, swaps, SWAPS, &out))
			continue;
		walk->mentions = xreallocarray(walk->mentions,
		    walk->mentions_len + 1, sizeof(*walk->mentions));
		walk->mentions[walk->mentions_len++] = i;
	}
	buf_free(&out);
}

/* The same form, its last characters the number: VNC0K12345 -> VNC0K00007. */
static void
number_serial(const char *was, uint32_t number, char *out, size_t room)
{
	char digits[12];
	size_t len = strlen(was), i, left;

	snprintf(out, room, "%s", was);
	snprintf(digits, sizeof(digits), "%05u", number);
	left = strlen(digits);
	if (len < left + 2) {
		snprintf(out, room, "SIM%s", digits);
		return;
	}
	for (i = len; i > 0 && left > 0; i--)
		if (isalnum((unsigned char)out[i - 1]))
			out[i - 1] = digits[--left];
}

void
guise_number(const struct walk *walk, uint32_t number, struct guise *id)
{
	memset(id, 0, sizeof(*id));
	if (walk->serial[0] != '\0')
		number_serial(walk->serial, number, id->serial,
		    sizeof(id->serial));
	if (walk->sys_name[0] != '\0')
		snprintf(id->sys_name, sizeof(id->sys_name), "%.50s-%04u",
		    walk->sys_name, number);
	if (walk->mac_len == 6) {
		memcpy(id->mac, walk->mac, 3);
		id->mac[3] = (uint8_t)(0x10 + (number >> 16 & 0x0f));
		id->mac[4] = (uint8_t)(number >> 8);
		id->mac[5] = (uint8_t)number;
		id->has_mac = true;
	}
}

void
guise_apply(const struct guise *id, struct view *view)
{
	const struct walk *walk = view->walk;
	struct swap swaps[SWAPS];
	const struct value *v;
	struct buf out = { 0 };
	char text[4][13];
	size_t i;

	make_swaps(walk, id, text, swaps);
	for (i = 0; i < walk->mentions_len; i++) {
		v = &walk->values[walk->mentions[i]];
		buf_reset(&out);
		if (replace(v->body, v->body_len, swaps, SWAPS, &out))
			view_set(view, v->sub, v->sub_len, v->tag, out.data,
			    out.len);
	}
	buf_free(&out);
	if (id->sys_name[0] != '\0' && strlen(walk->sys_name) < 4 &&
	    walk_find(walk, sys_name_id, 9) != NULL)
		view_set(view, sys_name_id, 9, BER_OCTETS, id->sys_name,
		    strlen(id->sys_name));
}

static void
put_address(uint32_t addr, uint8_t out[4])
{
	out[0] = (uint8_t)(addr >> 24);
	out[1] = (uint8_t)(addr >> 16);
	out[2] = (uint8_t)(addr >> 8);
	out[3] = (uint8_t)addr;
}

static bool
names_address(const struct value *v)
{
	const uint32_t *last;

	if (v->sub_len < 8)
		return false;
	last = v->sub + v->sub_len - 4;
	return last[0] == 192 && last[1] == 0 && last[2] == 2 && last[3] == 1;
}

void
guise_address(struct view *view, uint32_t was, uint32_t now)
{
	const struct walk *walk = view->walk;
	uint8_t own[4], mine[4], octets[4];
	const struct value *v;
	uint32_t name[OID_MAX];
	size_t i, n;
	bool holds;
	int k;

	put_address(OWN_ADDRESS, own);
	put_address(now, mine);
	for (i = 0; i < walk->len; i++) {
		v = &walk->values[i];
		holds = v->tag == BER_IPADDRESS && v->body_len == 4 &&
		    memcmp(v->body, own, 4) == 0;
		if (!names_address(v)) {
			if (holds)
				view_set(view, v->sub, v->sub_len, v->tag,
				    mine, 4);
			continue;
		}
		view_unset(view, v->sub, v->sub_len);
		n = v->sub_len;
		memcpy(name, v->sub, n * sizeof(*name));
		if (was != 0) {
			put_address(was, octets);
			for (k = 0; k < 4; k++)
				name[n - 4 + (size_t)k] = octets[k];
			view_unset(view, name, n);
		}
		for (k = 0; k < 4; k++)
			name[n - 4 + (size_t)k] = mine[k];
		view_set(view, name, n, v->tag, holds ? mine : v->body,
		    holds ? 4 : v->body_len);
	}
}
