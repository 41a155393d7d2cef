#include "snmp/counters.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "snmp/standard.h"

static void
total_put(struct asset *a, int64_t value, int64_t unit, char *oid)
{
	struct counter	*c = asset_counter_add(a, "total");

	c->value = value;
	c->unit = unit;
	c->oid = oid;
	c->check = CHECK_NONE;
}

/* The first marker that counts: further rows are further engines or the
 * units of one, and their numbers are no colour counters. */
static int64_t
total_decode(const struct subject *s, struct asset *a)
{
	static const char *const	 columns[] = { STD_MARKER_LIFE, NULL };
	struct row			 rows[8];
	size_t				 len, i;
	int64_t				 value, sampled;

	len = subject_rows(s, columns, rows, 8);
	for (i = 0; i < len; i++) {
		value = subject_number(s, STD_MARKER_LIFE, rows[i]);
		if (value == ABSENT || value < 0)
			continue;
		total_put(a, value, subject_enum(s, STD_MARKER_UNIT,
		    rows[i]), rows[i].bare ?
		    xasprintf("%s.%" PRIu32, STD_MARKER_LIFE, s->device) :
		    xasprintf("%s.%" PRIu32 ".%" PRIu32, STD_MARKER_LIFE,
		    s->device, rows[i].number));
		sampled = subject_number(s, STD_LIFE_SAMPLED, rows[i]);
		return sampled;
	}
	return ABSENT;
}

void
counters_decode(const struct subject *s, struct asset *a)
{
	const struct counter	*vendor;
	int64_t			 sampled = total_decode(s, a);

	vendor_counters(s->vendor, s->bag, sampled, a);
	if (asset_counter(a, "total") == NULL &&
	    (vendor = asset_counter(a, "vendor-total")) != NULL)
		total_put(a, vendor->value, vendor->unit,
		    xstrdup(vendor->oid));
}
