/*
 * The record model: asset, counter, consumable, alert, agent.  Plain open
 * structs that travel between the rooms.  schema/field.h describes every
 * member once, under one name that is at the same time its XML element, its
 * JSON key and its database column; writers, readers and comparers walk that
 * description instead of knowing members.
 *
 * Absent is absent.  A member that is NULL or ABSENT says nothing; in a
 * report that means "as before".  "" or CLEARED says that the value has gone.
 * Every string is owned by its record.
 */
#ifndef SCHEMA_RECORD_H
#define SCHEMA_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"

#define ABSENT		INT64_MIN
#define CLEARED		(INT64_MIN + 1)

/* Limits that readers enforce and writers keep. */
#define RECORD_TEXT_MAX		255	/* octets of UTF-8 in any string */
#define RECORD_COUNTERS_MAX	64	/* of an asset */
#define RECORD_CONSUMABLES_MAX	64
#define RECORD_ALERTS_MAX	64

enum asset_state { ASSET_ONLINE = 1, ASSET_ASLEEP, ASSET_UNREACHABLE };
/* printers.md 12: S serial, M MAC, U IPP uuid, I address + model */
enum key_strength { KEY_SERIAL = 1, KEY_MAC, KEY_UUID, KEY_ADDRESS };
/* What says that an alert stands: a row of prtAlertTable, or a bit of
 * hrPrinterDetectedErrorState that no row explains (printers.md 7). */
enum alert_source { ALERT_ROW = 1, ALERT_ERROR_BITS };
enum counter_check { CHECK_OK = 1, CHECK_MISMATCH, CHECK_NONE };
enum supply_class { CLASS_OTHER = 1, CLASS_CONSUMED = 3, CLASS_FILLED = 4 };
enum supply_state {
	SUPPLY_OK = 1,		/* a level, and it is enough */
	SUPPLY_LOW,
	SUPPLY_EMPTY,		/* a receptacle: full */
	SUPPLY_SOME,		/* -3 */
	SUPPLY_UNRESTRICTED,	/* -1 */
	SUPPLY_UNKNOWN,		/* -2 */
	SUPPLY_NOT_REPORTED	/* no level, or one that makes no sense */
};

/* Bit n of errors is bit n of hrPrinterDetectedErrorState (RFC 2790). */
#define ERROR_BITS		15

struct counter {
	char	*name;		/* "total", "mono", "copy-colour" ... */
	int64_t	 value;
	int64_t	 unit;		/* PrtMarkerSuppliesSupplyUnitTC number */
	char	*oid;		/* where it came from; '+' joins a sum */
	int64_t	 check;		/* enum counter_check */
	int64_t	 epoch;		/* how often it started anew; ABSENT: never.
				 * Values of two epochs are no difference */
	int64_t	 before;	/* the last value before it fell last */
};

struct asset {
	char	*id;		/* UUID; NULL only in a probe */
	char	*key;		/* "S:brother:B9J154306" */
	int64_t	 strength;	/* enum key_strength */
	char	*make;
	char	*model;
	char	*engine;	/* the maker by enterprise number */
	char	*serial;
	char	*mac;		/* 00:1b:a9:0b:a7:52 */
	char	*hostname;
	char	*ip;
	char	*location;
	char	*zone;
	char	*asset_tag;
	char	*firmware;
	int64_t	 state;		/* enum asset_state */
	int64_t	 device_status;	/* hrDeviceStatus */
	int64_t	 printer_status;/* hrPrinterStatus */
	int64_t	 errors;	/* bits; 0 is "none" */
	int64_t	 time;		/* when this was so, wall ms */
	struct counter	*counters;
	size_t	 counters_len;
};

struct consumable {
	char	*id;		/* UUID */
	char	*asset;		/* UUID of its asset */
	int64_t	 index;		/* prtMarkerSuppliesIndex */
	int64_t	 kind;		/* PrtMarkerSuppliesTypeTC number */
	char	*colour;	/* lower case English: "black" ... */
	int64_t	 class;		/* enum supply_class */
	char	*description;	/* without part and serial */
	char	*part_number;
	char	*serial;
	int64_t	 unit;		/* PrtMarkerSuppliesSupplyUnitTC number */
	int64_t	 level;		/* raw */
	int64_t	 capacity;	/* raw */
	int64_t	 percent;	/* of what is left (space, if filled) */
	int64_t	 state;		/* enum supply_state */
	int64_t	 pages;		/* of the asset at that moment */
	int64_t	 replaced;	/* when a new one was put in, wall ms */
	int64_t	 removed;	/* when the row went away, wall ms */
	int64_t	 time;
};

struct alert {
	char	*id;		/* UUID */
	char	*asset;
	int64_t	 index;		/* prtAlertIndex; ABSENT without a row */
	int64_t	 code;		/* PrtAlertCodeTC number */
	char	*code_name;	/* its keyword, absent when not known */
	char	*vendor_code;	/* the maker's own: "SC542", "50.2" */
	int64_t	 severity;	/* PrtAlertSeverityLevelTC number */
	int64_t	 group;		/* PrtAlertGroupTC number */
	int64_t	 group_index;
	int64_t	 training;	/* PrtAlertTrainingLevelTC number */
	char	*description;
	int64_t	 location;	/* prtAlertLocation, as is */
	int64_t	 source;	/* enum alert_source */
	int64_t	 time_ticks;	/* prtAlertTime; in a probe only */
	int64_t	 pages;
	int64_t	 raised;	/* wall ms */
	int64_t	 cleared;	/* wall ms; ABSENT while active */
};

struct agent {
	char	*name;
	char	*customer;
	char	*version;
	int64_t	 uptime;	/* s */
	int64_t	 online, asleep, unreachable;	/* devices by state */
	int64_t	 queue_depth;	/* reports waiting */
	int64_t	 lost_detail;	/* reports merged away for want of space */
	int64_t	 last_scan;	/* wall ms */
	int64_t	 bytes_sent, bytes_received;	/* SNMP, since start */
	int64_t	 time;
};

/* Each sets every member to NULL or ABSENT. */
void	 asset_init(struct asset *);
void	 consumable_init(struct consumable *);
void	 alert_init(struct alert *);
void	 agent_init(struct agent *);
void	 counter_init(struct counter *);

/* Frees what the record owns and leaves it as after init. */
void	 asset_clear(struct asset *);
void	 consumable_clear(struct consumable *);
void	 alert_clear(struct alert *);
void	 agent_clear(struct agent *);
void	 counter_clear(struct counter *);

/* The counter of that name, or NULL. */
struct counter	*asset_counter(const struct asset *, const char *name);
/* Appends an empty counter (initialised) and returns it; NULL when full. */
struct counter	*asset_counter_add(struct asset *, const char *name);
/* Makes the counters of to those of from; record_copy() and its like leave
 * them alone. */
void		 asset_copy_counters(struct asset *to,
		    const struct asset *from);

#endif
