/*
 * What a reading says against what was known before it: whether the device
 * restarted, whether there is news of alerts or supplies, whether it sleeps.
 */
#ifndef SNMP_CONTRAST_H
#define SNMP_CONTRAST_H

#include <stdbool.h>

#include "snmp/bag.h"

/* Into before goes what the rest needs of the image: for contrast_asleep()
 * CONTRAST_SLEEP, for the others CONTRAST_NEWS, and CONTRAST_ALERTS with the
 * codes of the known rows, if these are going to be asked for. */
enum contrast_extent { CONTRAST_SLEEP, CONTRAST_NEWS, CONTRAST_ALERTS };
void	 contrast_keep(struct bag *before, const struct bag *image,
	    enum contrast_extent);

/* sysUpTime fell, or the configuration changed. */
bool	 contrast_restarted(const struct bag *before, const struct bag *fresh);
/* An alert counter moved or an alert row has gone; or there are no counters,
 * so that nobody knows. */
bool	 contrast_alerts_moved(const struct bag *before,
	    const struct bag *fresh);
/* The life count moved, or an error bit that is about supplies turned. */
bool	 contrast_supplies_moved(const struct bag *before,
	    const struct bag *fresh);

/* Whether the printer sleeps: what it does not show then may be there. */
bool	 contrast_asleep(const struct bag *before, const struct bag *fresh);
/* Whether its alert table is worth belief all the same. */
bool	 contrast_alerts_believed(const struct bag *before,
	    const struct bag *fresh);

#endif
