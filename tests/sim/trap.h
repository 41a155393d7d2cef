/* Notifications of printerV2Alert (RFC 3805), for a device's newest alert. */
#ifndef SIM_TRAP_H
#define SIM_TRAP_H

#include <netinet/in.h>

#include "base/buf.h"
#include "tests/sim/lan.h"

enum trap_kind { TRAP_V1, TRAP_V2C, TRAP_INFORM };

/* Sends one from the device's own address.  What answers an inform comes to
 * that address and the devices' port, and is counted as "acknowledged".  0, or
 * -1 with the reason in why. */
int	 trap_send(struct lan *, struct device *, enum trap_kind,
	    const struct sockaddr_in *to, const char *community,
	    int64_t now_ms, struct buf *why);

#endif
