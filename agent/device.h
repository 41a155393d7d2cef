/*
 * The devices that the patrol visits, by address.  A device is an address
 * that answered; which asset stands there is the asset book's business.
 */
#ifndef AGENT_DEVICE_H
#define AGENT_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>

#include "agent/change.h"
#include "agent/config.h"
#include "agent/patrol.h"
#include "base/loop.h"
#include "schema/record.h"
#include "snmp/printer.h"
#include "snmp/reading.h"

#define DEVICE_BUCKETS	1024

struct device {
	struct device		*next;		/* in its bucket */
	struct patrol		*patrol;	/* whose it is */
	int64_t			 id;		/* in the store; 0 not yet */
	struct sockaddr_in	 addr;
	char			*zone;
	const struct config_snmp *snmp;
	size_t			 snmp_nth;	/* while credentials are tried */
	struct device_memo	 memo;
	struct bag		*image;
	struct reading		*reading;
	unsigned		 what;		/* being read */
	struct timer		 timer;

	bool			 printer;	/* taken up */
	bool			 told;		/* once since we started */
	bool			 dirty;		/* must be told again */
	bool			 read_all;
	bool			 elsewhere;	/* told from another address */
	bool			 asked;		/* since we started */
	bool			 unwanted;	/* no longer configured */
	enum asset_state	 state;
	int			 misses, strange, odd;
	int64_t			 supplies_at, counters_at, assets_at; /* mono */
	int64_t			 due_ms;	/* wall: held back until */
	int64_t			 seen_ms;
	int64_t			 rows[PRINTER_ROWS_MAX];
	size_t			 rows_len;
	struct change_suspects	*suspects;	/* one a row */
	char			*why;		/* last complaint */
	unsigned		 said;		/* a bit each reading_status */
	int64_t			 said_ms;	/* mono: the last one, said or
						 * not */

	void			(*done)(void *, enum patrol_find); /* a probe's */
	enum patrol_find	 find;		/* until something better */
	void			*done_arg;
};

struct device_table {
	struct device	*bucket[DEVICE_BUCKETS];
};

/* NULL when there is none at that address. */
struct device	*device_find(const struct device_table *,
		    const struct sockaddr_in *);
/* Puts a new one into the table; zone is copied, NULL is fine. */
struct device	*device_new(struct device_table *,
		    const struct sockaddr_in *, const char *zone);
/* Takes it out; its timer is no longer set, its reading over. */
void		 device_free(struct device_table *, struct device *);
/* "10.0.0.5:161", in one of 4 static buffers in turn. */
const char	*device_name(const struct device *);

/* One line for each way of failing, however often it comes and goes: what is
 * wrong with a printer shows in many requests. */
void		 device_complain(struct device *, enum reading_status,
		    const char *why);
/* A whole reading without fault.  Readings of a part know nothing of what is
 * wrong with the others. */
void		 device_content(struct device *);

#endif
