/*
 * The devices that the patrol visits, found by address, by IP and by their id
 * in the store.  A device is an address that answered; which asset stands
 * there is the asset book's business.
 *
 * There may be ten thousand, so one is small: what only few need (several
 * printer rows, suspected cartridges, a probe) is allocated when it is needed.
 */
#ifndef AGENT_DEVICE_H
#define AGENT_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>

#include "agent/config.h"
#include "agent/patrol.h"
#include "agent/recall.h"
#include "agent/tiers.h"
#include "base/loop.h"
#include "schema/record.h"
#include "snmp/printer.h"
#include "snmp/reading.h"

/* As what a device is counted. */
enum device_class {
	DEVICE_NOTHING,		/* not known yet; told from elsewhere */
	DEVICE_ONLINE, DEVICE_ASLEEP, DEVICE_UNREACHABLE,
	DEVICE_OTHER,		/* no printer of ours */
	DEVICE_CLASSES
};

/* While it is found out whether a printer stands there. */
struct device_probe {
	size_t		 rung;		/* of the ladder, being tried */
	enum patrol_find find;		/* the best so far */
	int		 weight;	/* of it */
	char		*why;		/* which says why it is no printer */
	const struct config_snmp *snmp;	/* that it was found with */
	struct device_memo	 memo;
	void		(*done)(void *, enum patrol_find);
	void		*done_arg;
};

struct device {
	struct device		*next_there;	/* in its buckets */
	struct device		*next_id;
	struct patrol		*patrol;	/* whose it is */
	int64_t			 id;		/* in the store; 0 not yet */
	struct sockaddr_in	 addr;
	const char		*zone;		/* the table's, or NULL */
	const struct config_snmp *snmp;
	struct usm_engine	*engine;	/* while SNMPv3 is used */
	struct bag		*image;
	struct reading		*reading;
	struct device_probe	*probe;		/* NULL: none */
	int64_t			*rows;		/* hrDeviceIndexes, and what is */
	struct recall		*recalls;	/* kept of each; of one: */
	int64_t			 only_row;
	struct recall		 only_recall;
	char			*why;		/* last complaint */
	struct timer		 timer;
	struct tiers		 tiers;
	int64_t			 due_ms;	/* wall: held back until */
	int64_t			 seen_ms;	/* wall: last answer */
	int64_t			 saved_ms;	/* seen_ms in the store */
	int64_t			 said_ms;	/* mono: the last complaint,
						 * said or not */
	int64_t			 wake_ms;	/* mono: look at once; 0 no */
	int64_t			 woken_ms;	/* mono: the last such look */
	int32_t			 misses;
	struct device_memo	 memo, saved_memo;	/* now, in the store */
	uint8_t			 rows_len;
	uint8_t			 what;		/* being read */
	uint8_t			 strange, odd;
	uint8_t			 said;		/* a bit each reading_status */
	uint8_t			 rung;		/* of the ladder, tried last */
	uint8_t			 climb;		/* more of them in this visit */
	uint8_t			 state;		/* enum asset_state */
	uint8_t			 class;		/* enum device_class */

	bool			 printer : 1;	/* taken up */
	bool			 told : 1;	/* once since we started */
	bool			 dirty : 1;	/* must be told again */
	bool			 elsewhere : 1;	/* told from another address */
	bool			 asked : 1;	/* since we started */
	bool			 unwanted : 1;	/* no longer configured */
	bool			 climbing : 1;	/* rung is asked with, not snmp */
};

struct device_table {
	struct device	**there, **by_id;	/* buckets */
	size_t		 size;			/* a power of two */
	size_t		 count;
	size_t		 of_class[DEVICE_CLASSES];
	char		**zone;			/* each label once */
	size_t		 zone_len;
};

void		 device_table_clear(struct device_table *);	/* is empty */

/* NULL when there is none at that address. */
struct device	*device_find(const struct device_table *,
		    const struct sockaddr_in *);
/* The next at that IP, whatever its port; NULL begins and ends. */
struct device	*device_at(const struct device_table *, struct in_addr,
		    const struct device *after);
struct device	*device_by_id(const struct device_table *, int64_t id);
/* Each in turn; fn may free the one that it gets, and no other. */
void		 device_each(struct device_table *, void (*fn)(void *arg,
		    struct device *), void *arg);

/* Puts a new one into the table; zone is copied, NULL is fine. */
struct device	*device_new(struct device_table *,
		    const struct sockaddr_in *, const char *zone);
/* Takes it out; its timer is no longer set, its reading over. */
void		 device_free(struct device_table *, struct device *);
void		 device_set_id(struct device_table *, struct device *,
		    int64_t id);
/* Counts it as what it is now.  After every change of what device_class
 * goes by. */
void		 device_count(struct device_table *, struct device *);

/* The rows of its printers. */
const int64_t	*device_rows(const struct device *);
void		 device_note_rows(struct device *, const int64_t *rows,
		    size_t n);
/* What is kept of its n-th row; lost when the rows are others. */
struct recall	*device_recall(struct device *, size_t n);

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
