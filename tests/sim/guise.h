/*
 * Who a device says it is, and how one walk becomes many devices: the serial
 * number, the MAC address and the system name of the walk are replaced
 * wherever its values mention them, in whatever vendor's object.
 */
#ifndef SIM_GUISE_H
#define SIM_GUISE_H

#include <stdint.h>

#include "tests/sim/view.h"

struct guise {
	char	 serial[64];	/* "" leaves the walk's */
	char	 sys_name[64];
	uint8_t	 mac[6];
	bool	 has_mac;
};

/* Fills in what a walk says of itself. */
void	 guise_find(struct walk *);
/* Another device of the same kind, told apart by number (1...). */
void	 guise_number(const struct walk *, uint32_t number,
	    struct guise *);
/* Writes it over the walk's values. */
void	 guise_apply(const struct guise *, struct view *);
/*
 * Invented walks name their own address 192.0.2.1 (RFC 5737), in ipAddrTable
 * rows and in IpAddress values; every device has its own there instead.
 * Addresses are in host order; was is 0 the first time.
 */
void	 guise_address(struct view *, uint32_t was, uint32_t now);

#endif
