/*
 * How the fleet database is laid out, and in which version.  The columns of
 * asset, counter, consumable, alert and agent_report follow the field
 * descriptions of schema/field.h by name; columns of fields that a newer
 * program has are added when it opens the store to write.  What else changes
 * makes a new version, and a way to it from the one before.
 */
#ifndef CENTRAL_LAYOUT_H
#define CENTRAL_LAYOUT_H

#include "central/fleet.h"

#define LAYOUT_VERSION	2

/* Checks the version and, but for FLEET_READ, brings the store up to it;
 * FLEET_CREATE also makes one.  0, or -1, logged. */
int	 layout_check(struct fleet *, enum fleet_mode);

#endif
