/*
 * How the fleet database is laid out, and in which version.  The columns of
 * asset, counter, consumable, alert and agent_report follow the field
 * descriptions of schema/field.h by name; columns of fields that a newer
 * program has are added when it opens the file.
 */
#ifndef CENTRAL_LAYOUT_H
#define CENTRAL_LAYOUT_H

#include <stdbool.h>

#include "central/fleet.h"

#define LAYOUT_VERSION	1

/* Checks the version; mend makes what is missing.  0, or -1, logged. */
int	 layout_check(struct fleet *, bool mend);

#endif
