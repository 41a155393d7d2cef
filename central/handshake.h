/*
 * The centre's half of a handshake (urn:platen:session:1): opens message 1,
 * asks the roster, and answers with how far the centre has come.
 */
#ifndef CENTRAL_HANDSHAKE_H
#define CENTRAL_HANDSHAKE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "central/fleet.h"
#include "central/keyring.h"
#include "central/peers.h"

#define HANDSHAKE_NS	"urn:platen:session:1"
#define HANDSHAKE_MAX	(8 * 1024)	/* octets of message 1 in BASE64 */

struct handshake {
	const char	*condition;	/* the refusal, or NULL */
	char		 text[160];	/* and what to tell */
	struct session	*session;	/* else the session, the caller's */
	struct buf	 reply;		/* and the answer's payload */
};

/*
 * Any key of the ring opens message 1; who used an old one is told the present
 * one.  from is the full JID, message the BASE64 text.  What the roster notes is
 * committed before this returns; no transaction may be open.
 */
void	 handshake_take(struct fleet *, const struct keyring *,
	    const char *centre, const char *from, const char *message,
	    int64_t wall_ms, int64_t mono_ms, struct handshake *out);

#endif
