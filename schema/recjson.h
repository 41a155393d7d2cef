/* Records as JSON, under the names of schema/field.h. */
#ifndef SCHEMA_RECJSON_H
#define SCHEMA_RECJSON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "schema/field.h"

/* One member: text, number, keyword (the number if it has none), time as
 * text, bits as an array of keywords; null when absent or gone. */
void	 recjson_field(struct json *, const struct field *,
	    const void *record);
/* All members of a record into an open object; in a probe those without
 * report_only, else those without probe_only. */
void	 recjson_fields(struct json *, const struct field *,
	    const void *record, bool probe);
/* An array of len objects, each of size octets in memory. */
void	 recjson_array(struct json *, const char *key,
	    const struct field *, const void *records, size_t len,
	    size_t size, bool probe);

#endif
