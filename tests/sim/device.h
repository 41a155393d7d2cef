/* One simulated device: an address, what it answers, how it feels. */
#ifndef SIM_DEVICE_H
#define SIM_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sim/asked.h"
#include "tests/sim/engine.h"
#include "tests/sim/fault.h"
#include "tests/sim/guise.h"
#include "tests/sim/truth.h"
#include "tests/sim/view.h"

struct traffic {
	uint64_t	 requests, gets, nexts, bulks, sets, v1, v2c, v3;
	uint64_t	 varbinds, answers, bytes_in, bytes_out;
	uint64_t	 denied;	/* community */
	uint64_t	 reports;	/* v3: what was wrong with a message */
	uint64_t	 acknowledged;	/* informs */
	uint64_t	 malformed;
};

struct context {
	const char	*name;		/* the walk's */
	struct view	 view;
};

/* An alert that stands, with what it did to the status. */
struct raised {
	uint32_t	 index;
	uint16_t	 bits;		/* hrPrinterDetectedErrorState */
	uint8_t		 severity;
};

struct device {
	uint32_t	 addr;		/* host order */
	uint32_t	 number;	/* in its fleet; 0: the walk itself */
	char		*spec;
	char		*community;	/* NULL: the fleet's */
	struct view	 view;
	struct context	*contexts;
	size_t		 contexts_len;
	int64_t		 since_ms;	/* monotonic, at which these stood: */
	uint32_t	 ticks;		/* sysUpTime */
	uint32_t	 host_ticks;	/* hrSystemUptime */
	uint32_t	 next_alert;	/* index; 0 until the first is raised */
	struct raised	*raised;
	size_t		 raised_len;
	uint32_t	 cartridges;	/* how many were replaced */
	struct fault	*fault;		/* NULL: never had one */
	struct engine	*engine;	/* NULL: v3 was never spoken */
	uint32_t	 latency_ms;
	bool		 has_latency;	/* else the fleet's */
	struct doze	*doze;		/* NULL: the same data asleep */
	struct traffic	 traffic;
	struct asked	 asked;
	struct device	*next;		/* the fleet's chain */
};

/* The walk must outlive the device.  guise may be NULL. */
struct device	*device_new(const struct walk *, uint32_t addr,
		    uint32_t number, const struct guise *, int64_t now_ms);
void		 device_free(struct device *);

/* The view for "" or a context; NULL when it has no such context. */
struct view	*device_view(struct device *, const char *context, size_t len);
/* The view that has this name: the main one if none has. */
struct view	*device_view_of(struct device *, const uint32_t *sub,
		    size_t len);

/* sysUpTime and hrSystemUptime run; every other value stands.  True when it
 * is one of the two, with what it is now. */
bool		 device_clock(const struct device *, const uint32_t *sub,
		    size_t len, int64_t now_ms, uint32_t *ticks);
uint32_t	 device_uptime(const struct device *, int64_t now_ms);
/* sysUpTime runs on from there, wherever it was (and wraps at 2^32). */
void		 device_set_uptime(struct device *, uint32_t ticks,
		    int64_t now_ms);

/* Changes that are noted in the truth under what. */
void		 device_set(struct device *, struct truth *, const char *what,
		    const struct oid *, uint8_t tag, const void *body,
		    size_t len);
void		 device_set_number(struct device *, struct truth *,
		    const char *what, const struct oid *, uint8_t tag,
		    int64_t);
size_t		 device_unset(struct device *, struct truth *,
		    const char *what, const struct oid *, bool tree);
/* Adds to a number (at offset, if not -1, inside an octet string).  0, or -1
 * when there is none. */
int		 device_bump(struct device *, struct truth *, const char *what,
		    const struct oid *, int offset, int64_t delta);
/* 0, or -1 when there is no such number. */
int		 device_number(struct device *, const struct oid *, int64_t *);
void		 device_move(struct device *, uint32_t addr);
struct fault	*device_fault(struct device *);
struct engine	*device_engine(struct device *);

#endif
