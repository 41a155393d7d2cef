#include "snmp/usmmsg.h"

#include <string.h>

#include <openssl/crypto.h>

#define VERSION_3	3
#define SECURITY_USM	3	/* RFC 3411 SnmpSecurityModel */
#define TAG_INTEGER	0x02
#define TAG_OCTETS	0x04

uint8_t
usmmsg_user_level(const struct usm_user *user)
{
	return (uint8_t)((user->auth != USM_NOAUTH ? USMMSG_AUTH : 0) |
	    (user->privacy != USM_NOPRIV ? USMMSG_PRIVACY : 0));
}

bool
usmmsg_same(struct usmmsg_octets a, const void *b, size_t len)
{
	return a.len == len && (len == 0 || memcmp(a.at, b, len) == 0);
}

/* --- reading ---------------------------------------------------------------- */

/* The protocol's numbers are all of 0..2147483647. */
static bool
get_number(struct ber_in *in, int32_t *out)
{
	int64_t	 n;

	if (!ber_get_int(in, TAG_INTEGER, &n) || n < 0 || n > INT32_MAX)
		return false;
	*out = (int32_t)n;
	return true;
}

static bool
get_octets(struct ber_in *in, struct usmmsg_octets *out, size_t max)
{
	return ber_get_octets(in, TAG_OCTETS, &out->at, &out->len) &&
	    out->len <= max;
}

/* RFC 3412 section 7.2, steps 2 to 5. */
static bool
get_header(struct ber_in *in, struct usmmsg *m)
{
	struct ber_in		 header;
	struct usmmsg_octets	 flags;
	int32_t			 max_size, model;

	if (!ber_enter(in, BER_SEQUENCE, &header) ||
	    !get_number(&header, &m->msg_id) ||
	    !get_number(&header, &max_size) ||
	    !get_octets(&header, &flags, 1) || flags.len != 1 ||
	    !get_number(&header, &model) || model != SECURITY_USM)
		return false;
	m->flags = flags.at[0];
	return (m->flags & USMMSG_LEVEL) != USMMSG_PRIVACY;
}

/* RFC 3414 section 3.2, step 1. */
static bool
get_security(struct ber_in *in, struct usmmsg *m)
{
	struct usmmsg_octets	 wrapped;
	struct ber_in		 all, fields;

	if (!get_octets(in, &wrapped, SIZE_MAX))
		return false;
	ber_in_init(&all, wrapped.at, wrapped.len);
	return ber_enter(&all, BER_SEQUENCE, &fields) &&
	    get_octets(&fields, &m->engine, USMMSG_ENGINE_MAX) &&
	    get_number(&fields, &m->boots) &&
	    get_number(&fields, &m->time) &&
	    get_octets(&fields, &m->user, USMMSG_USER_MAX) &&
	    get_octets(&fields, &m->mac, USMKEY_MAC_MAX) &&
	    get_octets(&fields, &m->salt, SIZE_MAX);
}

bool
usmmsg_parse(struct usmmsg *m, const void *bytes, size_t len)
{
	struct ber_in	 in, message;
	int32_t		 version;

	memset(m, 0, sizeof(*m));
	if (len > USM_MESSAGE_MAX)
		return false;
	ber_in_init(&in, bytes, len);
	if (!ber_enter(&in, BER_SEQUENCE, &message))
		return false;
	/* What stands behind the message is not under its digest. */
	m->whole.at = bytes;
	m->whole.len = (size_t)(message.end - m->whole.at);
	if (!get_number(&message, &version) || version != VERSION_3 ||
	    !get_header(&message, m) || !get_security(&message, m))
		return false;
	m->data = message;
	return true;
}

bool
usmmsg_authentic(const struct usmmsg *m, enum usm_auth auth,
    const uint8_t *key)
{
	uint8_t	 mac[USMKEY_MAX];

	return auth != USM_NOAUTH && m->mac.len == usmkey_mac_len(auth) &&
	    usmkey_mac(auth, key, m->whole.at, m->whole.len,
	    (size_t)(m->mac.at - m->whole.at), mac) &&
	    CRYPTO_memcmp(mac, m->mac.at, m->mac.len) == 0;
}

static bool
decrypt(struct usmmsg *m, enum usm_privacy privacy,
    const struct usmkey_local *keys, uint8_t *scratch)
{
	struct usmmsg_octets	 data;

	if (privacy == USM_NOPRIV || keys == NULL ||
	    m->salt.len != USMKEY_SALT ||
	    !get_octets(&m->data, &data, USM_MESSAGE_MAX) ||
	    !usmkey_decrypt(privacy, keys->privacy, m->boots, m->time,
	    m->salt.at, data.at, data.len, scratch))
		return false;
	ber_in_init(&m->data, scratch, data.len);
	return true;
}

bool
usmmsg_open(struct usmmsg *m, enum usm_privacy privacy,
    const struct usmkey_local *keys, uint8_t *scratch)
{
	/* Behind the scoped PDU there may be DES's padding. */
	return ((m->flags & USMMSG_PRIVACY) == 0 ||
	    decrypt(m, privacy, keys, scratch)) &&
	    ber_enter(&m->data, BER_SEQUENCE, &m->pdu) &&
	    get_octets(&m->pdu, &m->context_engine, SIZE_MAX) &&
	    get_octets(&m->pdu, &m->context, SIZE_MAX);
}

/* --- writing ---------------------------------------------------------------- */

static void
put_octets(struct ber_out *out, struct usmmsg_octets o)
{
	ber_put_octets(out, TAG_OCTETS, o.at, o.len);
}

/* DES takes whole blocks (RFC 3414 section 8.1.1.2).  What is there ends
 * where the buffer ends, so it has to move for the padding. */
static void
pad(struct ber_out *out)
{
	static const uint8_t zero[8];
	size_t	 len = ber_out_len(out), n = (8 - len % 8) % 8;

	ber_put_raw(out, zero, n);
	if (out->full)
		return;
	memmove(out->at, out->at + n, len);
	memset(out->end - n, 0, n);
}

static void
put_scoped(struct ber_out *out, const struct usmmsg *m)
{
	put_octets(out, m->context);
	put_octets(out, m->context_engine);
	ber_wrap(out, BER_SEQUENCE, 0);
}

static void
encrypt(struct ber_out *out, const struct usmmsg *m,
    enum usm_privacy privacy, const struct usmkey_local *keys,
    const uint8_t *salt)
{
	if (privacy == USM_DES)
		pad(out);
	if (!out->full && !usmkey_encrypt(privacy, keys->privacy, m->boots,
	    m->time, salt, out->at, ber_out_len(out), out->at))
		out->full = true;
	ber_wrap(out, TAG_OCTETS, 0);
}

/* mac gets how far from the end the digest is to stand. */
static void
put_security(struct ber_out *out, const struct usmmsg *m, size_t mac_len,
    const uint8_t *salt, size_t salt_len, size_t *mac)
{
	static const uint8_t zero[USMKEY_MAC_MAX];
	size_t	 mark = ber_out_len(out);

	ber_put_octets(out, TAG_OCTETS, salt, salt_len);
	ber_put_octets(out, TAG_OCTETS, zero, mac_len);
	/* The digest's octets were put before its tag and length were. */
	*mac = ber_out_len(out) - 2;
	put_octets(out, m->user);
	ber_put_int(out, TAG_INTEGER, m->time);
	ber_put_int(out, TAG_INTEGER, m->boots);
	put_octets(out, m->engine);
	ber_wrap(out, BER_SEQUENCE, mark);
	ber_wrap(out, TAG_OCTETS, mark);
}

static void
put_header(struct ber_out *out, const struct usmmsg *m)
{
	size_t	 mark = ber_out_len(out);

	ber_put_int(out, TAG_INTEGER, SECURITY_USM);
	ber_put_octets(out, TAG_OCTETS, &m->flags, 1);
	ber_put_int(out, TAG_INTEGER, USM_MESSAGE_MAX);
	ber_put_int(out, TAG_INTEGER, m->msg_id);
	ber_wrap(out, BER_SEQUENCE, mark);
	ber_put_int(out, TAG_INTEGER, VERSION_3);
}

void
usmmsg_put(struct ber_out *out, const struct usmmsg *m, enum usm_auth auth,
    enum usm_privacy privacy, const struct usmkey_local *keys)
{
	uint8_t	 salt[USMKEY_SALT], mac[USMKEY_MAX];
	size_t	 mac_len = 0, salt_len = 0, mac_end, len;

	put_scoped(out, m);
	if (m->flags & USMMSG_AUTH)
		mac_len = usmkey_mac_len(auth);
	if (m->flags & USMMSG_PRIVACY) {
		salt_len = sizeof(salt);
		usmkey_salt(salt);
		encrypt(out, m, privacy, keys, salt);
	}
	put_security(out, m, mac_len, salt, salt_len, &mac_end);
	put_header(out, m);
	ber_wrap(out, BER_SEQUENCE, 0);
	if (out->full || mac_len == 0)
		return;
	len = ber_out_len(out);
	if (usmkey_mac(auth, keys->auth, out->at, len, len - mac_end, mac))
		memcpy(out->end - mac_end, mac, mac_len);
	else
		out->full = true;
}
