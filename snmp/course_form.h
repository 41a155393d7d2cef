/* What the files that are the course share; nobody else's business. */
#ifndef SNMP_COURSE_FORM_H
#define SNMP_COURSE_FORM_H

#include "snmp/course.h"

/* Standard objects that are looked for by name. */
enum course_known {
	UPTIME, OBJECT_ID, LIFE, UNIT, SUPPLY_DESCR, SUPPLY_LEVEL, ALERT_CODE,
	SUPPLIES, COLORANTS, ALERT_TABLE, KNOWN
};

const struct objid	*course_oid(enum course_known);

#define COURSE_VENDOR_ROWS	128	/* of a column of a maker's table */

void	 course_begin(struct course *, unsigned what, const struct bag *image);
struct errand	*course_errand(const struct course *);	/* a new one */
/* Whose objects may be asked for; NULL where only the standard's may. */
const struct vendor	*course_maker(const struct course *,
			    const struct bag *);
/* From here on the maker's may, as far as anything that is not standard. */
void	 course_open_private(struct course *, const struct bag *);
void	 course_want_private(struct course *, enum plan_sort);
/* The same for the maker's tables alone. */
void	 course_open_tables(struct course *);
bool	 course_is_supply(const struct plan_item *);

/* --- course_again.c --- */
void	 course_start_again(struct course *, const struct bag *image);

#endif
