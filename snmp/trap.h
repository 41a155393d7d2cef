/*
 * Notifications (RFC 1157 4.1.6, RFC 3416 4.2.6 and 4.2.7) as far as Platen
 * needs them: that one came, which one, and what an inform is answered with.
 * A trap is a hint to look and never the record (printers.md 7): so of what
 * it carries only its name is read.  Pure: octets in, octets out.
 */
#ifndef SNMP_TRAP_H
#define SNMP_TRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snmp/ber.h"
#include "snmp/objid.h"
#include "snmp/usm.h"

enum trap_kind {
	TRAP_ALERT,		/* printerV2Alert, RFC 3805 */
	TRAP_START,		/* coldStart, warmStart: RFC 3418 */
	TRAP_OTHER
};

struct trap {
	int		 version;	/* 1, 2, 3 */
	bool		 inform;
	enum trap_kind	 kind;
	struct objid	 id;		/* snmpTrapOID; v1's by RFC 3584 3.1 */
};

/* What v3 needs.  v1 and v2c communities are not looked at: a trap only makes
 * us look, and whoever may send from the printer's address could make us do
 * that anyhow. */
struct trap_keys {
	struct usm_user		*const *users;
	size_t			 n;
	struct usm_local	 local;
	uint8_t			*scratch;	/* of USM_MESSAGE_MAX */
};

enum trap_verdict {
	TRAP_NONE,		/* none, or it does not verify: why */
	TRAP_TAKEN,
	TRAP_NOT_YET		/* part of an inform to come (discovery) */
};

/* answer, if anything was put into it, is to be sent to where it came from. */
enum trap_verdict	 trap_decode(const void *, size_t len,
			    const struct trap_keys *, struct trap *out,
			    struct ber_out *answer, char *why,
			    size_t why_size);

/* "printerV2Alert", "coldStart" ... or the OID; in a static buffer. */
const char		*trap_name(const struct trap *);

#endif
