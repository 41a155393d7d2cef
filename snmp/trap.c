#include "snmp/trap.h"

#include <stdio.h>
#include <string.h>

#define COMMUNITY_MAX	255	/* of an inform that is answered */
#define VARBINDS_MAX	16	/* looked at for the name: it is the second */
#define GENERIC_OTHER	6	/* enterpriseSpecific, RFC 1157 */

static const struct objid snmp_traps = { 9, { 1, 3, 6, 1, 6, 3, 1, 1, 5 } };
static const struct objid trap_oid =
    { 11, { 1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0 } };
static const struct objid printer_alert =
    { 11, { 1, 3, 6, 1, 2, 1, 43, 18, 2, 0, 1 } };

static bool
same(const struct objid *a, const struct objid *b)
{
	return a->len == b->len && objid_within(a, b);
}

static bool
append(struct objid *id, uint32_t sub)
{
	if (id->len >= OBJID_MAX)
		return false;
	id->sub[id->len++] = sub;
	return true;
}

/* snmpTraps.1 to .6 */
static uint32_t
generic_of(const struct objid *id)
{
	return id->len == snmp_traps.len + 1 && objid_within(id,
	    &snmp_traps) ? id->sub[snmp_traps.len] : 0;
}

static void
take(struct trap *out)
{
	uint32_t	 generic = generic_of(&out->id);

	out->kind = same(&out->id, &printer_alert) ? TRAP_ALERT :
	    generic == 1 || generic == 2 ? TRAP_START : TRAP_OTHER;
}

/*
 * RFC 1157 4.1.6, and RFC 3584 section 3.1 for its name.  The address inside
 * is not looked at: what the printer thinks of itself behind NAT is no source.
 */
static bool
get_v1(struct ber_in *in, struct trap *out)
{
	struct ber_in	 pdu;
	const uint8_t	*address;
	size_t		 address_len;
	int64_t		 generic, specific, time;

	if (!ber_enter(in, BER_TRAP_V1, &pdu) ||
	    !ber_get_objid(&pdu, &out->id) ||
	    !ber_get_octets(&pdu, BAG_IPADDRESS, &address, &address_len) ||
	    !ber_get_int(&pdu, BAG_INTEGER, &generic) ||
	    !ber_get_int(&pdu, BAG_INTEGER, &specific) ||
	    !ber_get_int(&pdu, BAG_TICKS, &time) ||
	    generic < 0 || generic > GENERIC_OTHER || specific < 0 ||
	    specific > INT32_MAX)
		return false;
	if (generic != GENERIC_OTHER) {
		out->id = snmp_traps;
		return append(&out->id, (uint32_t)generic + 1);
	}
	return append(&out->id, 0) && append(&out->id, (uint32_t)specific);
}

/* Any other, once its PDU is there. */
static bool
get_pdu(struct ber_in *in, struct ber_pdu *pdu, struct trap *out)
{
	struct ber_in		 varbinds;
	struct bag_value	 value;
	struct objid		 id;
	bool			 missing;
	int			 i;

	if (!ber_get_pdu(in, pdu) ||
	    (pdu->type != BER_TRAP && pdu->type != BER_INFORM))
		return false;
	out->inform = pdu->type == BER_INFORM;
	varbinds = pdu->varbinds;
	for (i = 0; i < VARBINDS_MAX && varbinds.at < varbinds.end; i++) {
		if (!ber_get_varbind(&varbinds, &id, &value, &missing))
			return false;
		if (!missing && same(&id, &trap_oid) &&
		    value.type == BAG_OBJID) {
			out->id = value.objid;
			return true;
		}
	}
	return false;
}

/* RFC 3416 section 4.2.7: the same varbinds come back.  One that we have no
 * room for goes without, and its sender tries in vain. */
static void
confirm(const struct ber_pdu *pdu, const uint8_t *community, size_t len,
    struct ber_out *answer)
{
	char	 text[COMMUNITY_MAX + 1];

	if (len > COMMUNITY_MAX || memchr(community, '\0', len) != NULL)
		return;
	memcpy(text, community, len);
	text[len] = '\0';
	ber_put_raw(answer, pdu->varbinds.at,
	    (size_t)(pdu->varbinds.end - pdu->varbinds.at));
	ber_wrap(answer, BER_SEQUENCE, 0);
	ber_put_int(answer, BAG_INTEGER, 0);
	ber_put_int(answer, BAG_INTEGER, 0);
	ber_put_int(answer, BAG_INTEGER, pdu->request_id);
	ber_wrap(answer, BER_RESPONSE, 0);
	ber_put_message(answer, 2, text);
}

static enum trap_verdict
decode_plain(const void *bytes, size_t len, struct trap *out,
    struct ber_out *answer, char *why, size_t why_size)
{
	const uint8_t	*community;
	size_t		 community_len;
	struct ber_in	 in;
	struct ber_pdu	 pdu;

	if (!ber_get_message(bytes, len, &out->version, &community,
	    &community_len, &in) || !(out->version == 1 ?
	    get_v1(&in, out) : get_pdu(&in, &pdu, out))) {
		snprintf(why, why_size, "no notification");
		return TRAP_NONE;
	}
	if (out->inform)
		confirm(&pdu, community, community_len, answer);
	take(out);
	return TRAP_TAKEN;
}

static enum trap_verdict
decode_v3(const void *bytes, size_t len, const struct trap_keys *keys,
    struct trap *out, struct ber_out *answer, char *why, size_t why_size)
{
	struct ber_pdu	 pdu;
	struct ber_in	 in;

	out->version = 3;
	switch (usm_get_notice(bytes, len, keys->users, keys->n, &keys->local,
	    keys->scratch, &in, answer, why, why_size)) {
	case USM_NOTICE_TRAP:
	case USM_NOTICE_INFORM:
		break;
	case USM_NOTICE_REPORT:
		return why[0] == '\0' ? TRAP_NOT_YET : TRAP_NONE;
	default:
		return TRAP_NONE;
	}
	if (!get_pdu(&in, &pdu, out)) {
		snprintf(why, why_size, "no notification");
		return TRAP_NONE;
	}
	take(out);
	return TRAP_TAKEN;
}

enum trap_verdict
trap_decode(const void *bytes, size_t len, const struct trap_keys *keys,
    struct trap *out, struct ber_out *answer, char *why, size_t why_size)
{
	memset(out, 0, sizeof(*out));
	why[0] = '\0';
	switch (ber_message_version(bytes, len)) {
	case 1:
	case 2:
		return decode_plain(bytes, len, out, answer, why, why_size);
	case 3:
		return decode_v3(bytes, len, keys, out, answer, why,
		    why_size);
	default:
		snprintf(why, why_size, "no SNMP");
		return TRAP_NONE;
	}
}

const char *
trap_name(const struct trap *trap)
{
	static const char *const generic[] = { "coldStart", "warmStart",
		"linkDown", "linkUp", "authenticationFailure",
		"egpNeighborLoss" };
	static char	 text[OBJID_TEXT_MAX];
	uint32_t	 n = generic_of(&trap->id);

	if (trap->kind == TRAP_ALERT)
		return "printerV2Alert";
	if (n >= 1 && n <= sizeof(generic) / sizeof(generic[0]))
		return generic[n - 1];
	return objid_format(&trap->id, text);
}
