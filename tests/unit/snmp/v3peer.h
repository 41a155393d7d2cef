/*
 * The other side of SNMPv3 in unit tests: a device with an engine and one
 * user, which takes requests apart and answers them as it is told.
 */
#ifndef V3PEER_H
#define V3PEER_H

#include <stdlib.h>
#include <string.h>

#include "snmp/usmmsg.h"

#define V3_MESSAGE	2000

struct v3peer {
	uint8_t			 id[USMMSG_ENGINE_MAX];
	size_t			 id_len;
	int32_t			 boots, time;
	const struct usm_user	*user;
	struct usmkey_local	 keys;
};

struct v3message {
	uint8_t		 bytes[V3_MESSAGE];
	struct ber_out	 out;
};

static inline void
v3peer_init(struct v3peer *p, const char *id, const struct usm_user *user)
{
	memset(p, 0, sizeof(*p));
	p->id_len = strlen(id);
	memcpy(p->id, id, p->id_len);
	p->boots = 7;
	p->time = 1000;
	p->user = user;
	usmkey_localise(user->auth, user->privacy, &user->key, p->id,
	    p->id_len, &p->keys);
}

static inline struct ber_out *
v3message_start(struct v3message *m)
{
	ber_out_init(&m->out, m->bytes, sizeof(m->bytes));
	return &m->out;
}

/* Puts a message of that level and engine around what is in out. */
static inline void
v3peer_wrap(const struct v3peer *p, struct ber_out *out, int32_t msg_id,
    uint8_t flags)
{
	struct usmmsg	 m = { .msg_id = msg_id, .flags = flags,
	    .engine = { p->id, p->id_len }, .boots = p->boots,
	    .time = p->time, .user = { (uint8_t *)p->user->name,
	    p->user->name_len } };

	m.context_engine = m.engine;
	usmmsg_put(out, &m, p->user->auth, p->user->privacy, &p->keys);
}

/* A PDU with one varbind, a number. */
static inline void
v3_put_pdu(struct ber_out *out, uint8_t type, int32_t request_id,
    const uint32_t *sub, size_t len, int64_t value)
{
	ber_put_int(out, BAG_INTEGER, value);
	ber_put_objid(out, sub, len);
	ber_wrap(out, BER_SEQUENCE, 0);
	ber_wrap(out, BER_SEQUENCE, 0);
	ber_put_int(out, BAG_INTEGER, 0);
	ber_put_int(out, BAG_INTEGER, 0);
	ber_put_int(out, BAG_INTEGER, request_id);
	ber_wrap(out, type, 0);
}

static const uint32_t	 v3_uptime[] = { 1, 3, 6, 1, 2, 1, 1, 3, 0 };
#define V3_UPTIME	v3_uptime, 9

#endif
