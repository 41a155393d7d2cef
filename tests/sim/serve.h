/* One UDP socket for every address of 127.0.0.0/8, in and out in batches. */
#ifndef SIM_SERVE_H
#define SIM_SERVE_H

#include <stdbool.h>

#include "base/loop.h"
#include "tests/sim/lan.h"

struct serve;

/*
 * Binds the port (0: any free one) and answers from the loop.  What does not
 * come from and go to 127.0.0.0/8 is dropped unread.  refuse answers for
 * addresses without a device with "port unreachable" (needs root).  NULL on
 * failure, logged.
 */
struct serve	*serve_start(struct loop *, struct lan *, int port,
		    bool refuse);
int		 serve_port(const struct serve *);
void		 serve_stop(struct serve *);

#endif
