/*
 * The two lanes in which an agent's reports travel (design.md 5), each in
 * order with its own numbers: urgent ones first, the bulk when none of those
 * waits.
 */
#ifndef SCHEMA_LANE_H
#define SCHEMA_LANE_H

enum lane {
	LANE_BULK,		/* counters and levels, the agent's own record:
				 * may be merged */
	LANE_URGENT,		/* all else: never dropped, never merged */
	LANES
};

/* "bulk", "urgent". */
const char	*lane_name(enum lane);
/* The other way; -1 when it is none. */
int		 lane_parse(const char *name, enum lane *out);

#endif
