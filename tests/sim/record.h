/*
 * What is asked of the devices, packet by packet, for a replay: a file of
 * records, each the device's address (four octets), the length of what came
 * (two octets, both most significant first) and the octets themselves.
 */
#ifndef SIM_RECORD_H
#define SIM_RECORD_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct record {			/* zero: off */
	FILE	*out;
};

/* Begins the file anew.  0, or -1, logged. */
int	 record_start(struct record *, const char *path);
void	 record_stop(struct record *);
void	 record_put(struct record *, uint32_t addr, const void *bytes,
	    size_t len);

#endif
