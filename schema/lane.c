#include "schema/lane.h"

#include <string.h>

static const char *const names[LANES] = { "bulk", "urgent" };

const char *
lane_name(enum lane lane)
{
	return names[lane];
}

int
lane_parse(const char *name, enum lane *out)
{
	int i;

	for (i = 0; i < LANES; i++)
		if (strcmp(name, names[i]) == 0) {
			*out = (enum lane)i;
			return 0;
		}
	return -1;
}
