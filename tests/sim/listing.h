/* What the simulator tells about its devices, as JSON. */
#ifndef SIM_LISTING_H
#define SIM_LISTING_H

#include "base/buf.h"
#include "tests/sim/lan.h"

/* An array with an object a device, in order of address. */
void	 listing_devices(const struct lan *, struct buf *out);
/* One object of counts: of one device, or (NULL) of all together. */
void	 listing_traffic(struct lan *, const struct device *one,
	    struct buf *out);
/* An array of the OIDs that a device was asked for. */
void	 listing_names(const struct device *, struct buf *out);

#endif
