/*
 * What change.h wants to have back at the next comparison of a printer, kept
 * small: of ten thousand printers few have a cartridge or a counter that is
 * under suspicion.
 */
#ifndef AGENT_RECALL_H
#define AGENT_RECALL_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/change.h"

struct recall {
	struct change_suspects	*whole;		/* NULL: the rest is all */
	int64_t			 look_ms, uptime;
	uint8_t			 asset[16];	/* its UUID, 0 for none */
	uint8_t			 rows, bits;
	bool			 alerts;
};

/* Zero it before the first use. */
void	 recall_get(const struct recall *, struct change_suspects *out);
void	 recall_put(struct recall *, const struct change_suspects *);
void	 recall_clear(struct recall *);

#endif
