/*
 * What a device shows while it is asleep and not while it is awake: many
 * printers leave SNMP to a part that knows little of the rest.
 */
#ifndef SIM_DOZE_H
#define SIM_DOZE_H

#include "tests/sim/device.h"

/* A value for the night, whatever it is by day; no body: there is none (a
 * whole subtree with tree). */
void	 doze_add(struct device *, const struct oid *, uint8_t tag,
	    const void *body, size_t len, bool gone, bool tree);
/* Shows them, and shows what was there before again. */
void	 doze_start(struct device *, struct truth *);
void	 doze_end(struct device *, struct truth *);
/* Forgets them; what is shown stays so until the device wakes up. */
void	 doze_forget(struct device *);
void	 doze_free(struct doze *);

#endif
