/*
 * A thorough look at one device for `platen diagnose`: every credential is
 * tried, the device is read whole with the first that works, then its
 * heartbeat; everything asked and answered is kept.
 */
#ifndef AGENT_EXAMINE_H
#define AGENT_EXAMINE_H

#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>

#include "snmp/asker.h"
#include "snmp/bag.h"
#include "snmp/credential.h"
#include "snmp/reading.h"

#define EXAMINE_TRIES_MAX		72
#define EXAMINE_FAULTS_MAX	32
#define EXAMINE_RECORDINGS_MAX	4

struct examine_try {
	const char	*name;		/* of the credential */
	int		 version;
	char		 outcome[96];	/* "answers in 3 ms" */
	bool		 works;
};

/* The values of one context, as they came. */
struct examine_recording {
	char		 context[40];	/* "" is the default */
	struct bag	*bag;
};

/* One reading, summed up. */
struct examine_sum {
	int		 requests, varbinds, absent;
	int		 fastest_ms, median_ms, slowest_ms;
	int64_t		 took_ms;
	struct talk_traffic traffic;
};

struct examine {
	struct examine_try	 tried[EXAMINE_TRIES_MAX];
	size_t			 tries;
	const struct credential	*credential;	/* the first that works; NULL */
	struct reading_result	 all;		/* fresh is ours, covered gone */
	struct examine_sum	 whole, heartbeat;
	char			*fault[EXAMINE_FAULTS_MAX];
	size_t			 faults;
	struct examine_recording	 recording[EXAMINE_RECORDINGS_MAX];
	size_t			 recordings;
};

/* Runs its own loop until everything is known: some seconds. */
void	 examine_make(struct examine *, const struct sockaddr_in *,
	    const struct credential *const list[], size_t n, int timeout_ms,
	    int retries, bool standard_only);
void	 examine_clear(struct examine *);

#endif
