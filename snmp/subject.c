#include "snmp/subject.h"

#include <string.h>

#include "schema/record.h"
#include "snmp/standard.h"
#include "snmp/text.h"

static int64_t
in_range(int64_t number)
{
	return number < INT32_MIN || number > UINT32_MAX ? ABSENT : number;
}

static int64_t
device_number(const struct subject *s, const char *column)
{
	return s->printer ? in_range(bag_number(s->bag, column, 1,
	    s->device)) : ABSENT;
}

void
subject_init(struct subject *s, const struct bag *bag, int64_t device,
    bool several, int64_t now_ms)
{
	int64_t	 localization;

	*s = (struct subject){ .bag = bag, .vendor = vendor_match(bag),
	    .printer = device >= 0 && device <= UINT32_MAX,
	    .several = several, .charset = ABSENT, .now_ms = now_ms };
	s->device = s->printer ? (uint32_t)device : 0;
	if (!s->printer)
		return;
	localization = device_number(s, STD_LOCALIZATION);
	if (localization > 0 && localization <= UINT32_MAX)
		s->charset = bag_number(bag, STD_CHARACTER_SET, 2, s->device,
		    (uint32_t)localization);
}

/* Puts number into the sorted rows; false when they are full of lower ones. */
static bool
row_put(struct row *rows, size_t *count, size_t max, uint32_t number)
{
	size_t	 lo = 0, hi = *count, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (rows[mid].number < number)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < *count && rows[lo].number == number)
		return true;
	if (lo == max)
		return false;
	if (*count == max)
		(*count)--;
	memmove(rows + lo + 1, rows + lo, (*count - lo) * sizeof(rows[0]));
	rows[lo] = (struct row){ .number = number };
	(*count)++;
	return true;
}

size_t
subject_rows(const struct subject *s, const char *const *columns,
    struct row *out, size_t max)
{
	struct objid		 prefix, id;
	struct bag_value	 value;
	size_t			 count = 0, cursor;
	bool			 bare = false;

	for (; s->printer && *columns != NULL; columns++) {
		objid_parse(*columns, &prefix);
		objid_add(&prefix, s->device);
		cursor = 0;
		while (bag_next(s->bag, &prefix, &cursor, &id, &value)) {
			if (id.len == prefix.len)
				bare = true;
			else if (id.len == prefix.len + 1 && !row_put(out,
			    &count, max, id.sub[id.len - 1]))
				break;
		}
	}
	if (count == 0 && bare && max > 0)
		out[count++] = (struct row){ .number = 1, .bare = true };
	return count;
}

int64_t
subject_number(const struct subject *s, const char *column, struct row row)
{
	return in_range(row.bare ? bag_number(s->bag, column, 1, s->device) :
	    bag_number(s->bag, column, 2, s->device, row.number));
}

int64_t
subject_enum(const struct subject *s, const char *column, struct row row)
{
	int64_t	 number = subject_number(s, column, row);

	return number < 1 || number > INT32_MAX ? ABSENT : number;
}

int64_t
subject_device_enum(const struct subject *s, const char *column)
{
	int64_t	 number = device_number(s, column);

	return number < 1 || number > INT32_MAX ? ABSENT : number;
}

char *
subject_text(const struct subject *s, const char *column, struct row row)
{
	struct bag_value	 value;

	if (!(row.bare ? bag_octets(s->bag, &value, column, 1, s->device) :
	    bag_octets(s->bag, &value, column, 2, s->device, row.number)))
		return NULL;
	return text_decode(value.octets, value.octets_len, s->charset);
}

char *
subject_device_text(const struct subject *s, const char *column)
{
	return s->printer ? subject_text(s, column,
	    (struct row){ .bare = true }) : NULL;
}

char *
subject_scalar_text(const struct subject *s, const char *oid)
{
	struct bag_value	 value;

	return bag_octets(s->bag, &value, oid, 0) ? text_decode(value.octets,
	    value.octets_len, s->charset) : NULL;
}
