/*
 * An SNMPv3 message (RFC 3412 section 6) with the parameters of the
 * User-based Security Model (RFC 3414 section 2.4): taken apart, and put
 * together.  Whose keys, whose clock and what is believed is decided in
 * usm.c for requests and in usm_notice.c for notifications.
 */
#ifndef SNMP_USMMSG_H
#define SNMP_USMMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snmp/ber.h"
#include "snmp/usm.h"
#include "snmp/usmkey.h"

#define USMMSG_AUTH		0x01	/* msgFlags */
#define USMMSG_PRIVACY		0x02
#define USMMSG_REPORTABLE	0x04
#define USMMSG_LEVEL		(USMMSG_AUTH | USMMSG_PRIVACY)

#define USMMSG_ENGINE_MIN	5	/* RFC 3411 SnmpEngineID */
#define USMMSG_ENGINE_MAX	32
#define USMMSG_USER_MAX		32	/* RFC 3414 section 5, usmUserName */
#define USMMSG_BOOTS_MAX	INT32_MAX /* boots that no longer count */
#define USMMSG_WINDOW_S		150	/* RFC 3414 section 2.2.3 */

struct usmmsg_octets {
	const uint8_t	*at;
	size_t		 len;
};

struct usmmsg {
	struct usmmsg_octets	 whole;
	int32_t			 msg_id;
	uint8_t			 flags;
	struct usmmsg_octets	 engine;
	int32_t			 boots, time;
	struct usmmsg_octets	 user;
	struct usmmsg_octets	 mac, salt;
	struct ber_in		 data;		/* plain or encrypted */
	/* After usmmsg_open(): */
	struct usmmsg_octets	 context_engine, context;
	struct ber_in		 pdu;
};

struct usm_user {
	char			*name;
	size_t			 name_len;
	enum usm_auth		 auth;
	enum usm_privacy	 privacy;
	uint64_t		 serial;	/* no two users ever have one */
	struct usmkey		 key;
};

/* Level of the user's messages, as flags. */
uint8_t	 usmmsg_user_level(const struct usm_user *);

/* Everything but what is encrypted; lends from the message.  False: it is no
 * v3 message under this security model, or its flags make no sense. */
bool	 usmmsg_parse(struct usmmsg *, const void *, size_t);
/* The digest is that of this key. */
bool	 usmmsg_authentic(const struct usmmsg *, enum usm_auth,
	    const uint8_t *key);
/* Decrypts where the flags say so (keys may be NULL otherwise), and steps
 * into the scoped PDU.  False: that is no scoped PDU. */
bool	 usmmsg_open(struct usmmsg *, enum usm_privacy,
	    const struct usmkey_local *, uint8_t *scratch);

/* Puts a message around the PDU in out: msg_id, flags, engine, boots, time,
 * user and both contexts are taken from it.  Out is full when it cannot. */
void	 usmmsg_put(struct ber_out *, const struct usmmsg *, enum usm_auth,
	    enum usm_privacy, const struct usmkey_local *);

/* True when both are the same octets. */
bool	 usmmsg_same(struct usmmsg_octets, const void *, size_t len);

#endif
