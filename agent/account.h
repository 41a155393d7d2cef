/*
 * What a device has to account for: its row in the store, and what is told of
 * the printers that stand there.
 */
#ifndef AGENT_ACCOUNT_H
#define AGENT_ACCOUNT_H

#include <stdbool.h>

#include "agent/device.h"

/* Puts it into the store; it has an id then. */
void	 account_save(struct device *);
/* The image changed, or something is due: decodes it and tells. */
void	 account_tell(struct device *, bool levels_read);
/* What was held back is due. */
bool	 account_is_due(const struct device *);
/* Its printers do not answer any more. */
void	 account_unreachable(struct device *);

#endif
