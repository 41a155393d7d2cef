/*
 * How a device misbehaves.  All zero is a device that works; one that never
 * had a fault has no struct at all.
 */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sim/oid.h"

/* How GETBULK answers wrongly. */
enum bulk_lie {
	LIE_NONE,
	LIE_ORDER,		/* column by column */
	LIE_SKIP,		/* every other row is left out */
	LIE_REPEAT		/* the first row again and again */
};

struct fault {
	bool		 silent;	/* answers nothing */
	bool		 v1_only;	/* ignores v2c */
	bool		 no_bulk;	/* ignores GETBULK */
	bool		 garbage;	/* random octets instead of an answer */
	bool		 wrong_id;	/* another request's id */
	bool		 wrong_source;	/* answers from another address */
	bool		 twice;		/* every answer two times */
	bool		 no_end;	/* after the last object the first */
	bool		 mute_privacy;	/* v3: drops what does not decrypt */
	enum bulk_lie	 bulk_lie;
	uint32_t	 slow_ms;
	uint32_t	 lose_percent;
	uint32_t	 wake_ms;	/* asleep: the first answer takes it */
	uint32_t	 too_big;	/* more variables: tooBig; 0 off */
	uint32_t	 cut;		/* answers end here; 0 off */
	uint32_t	 max_size;	/* largest answer; 0: ANSWER_MAX */
	struct oid	 loop;		/* GETNEXT past this goes back */
	struct oid	 endless;	/* a subtree that has no end */
	struct oid	 generr;	/* a subtree that gives genErr */
	struct oid	 poison;	/* a subtree that makes it restart */
	uint64_t	 random;	/* state; never 0 */
	int64_t		 heard_ms;	/* the last request */
};

struct fault	*fault_new(uint32_t seed);
uint32_t	 fault_random(struct fault *);
/* Sets one by its command's name ("slow", "nobulk" ...) and argument ("on",
 * "250", "off", an OID).  0; -1 when the argument is wrong; 1 when there is
 * no such fault. */
int		 fault_set(struct fault *, const char *name, const char *arg);
/* How long this request waits for its answer: slow and asleep. */
uint32_t	 fault_delay_ms(struct fault *, int64_t now_ms);
/* Whether this answer is lost. */
bool		 fault_loses(struct fault *);
/* Spoils a finished answer in place; its new length. */
size_t		 fault_spoil(struct fault *, uint8_t *bytes, size_t len,
		    size_t room);

#endif
