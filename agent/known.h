/*
 * What the store knows: devices that answered, assets, and what was last
 * told of them.  The collector's side; all within the caller's transaction.
 */
#ifndef AGENT_KNOWN_H
#define AGENT_KNOWN_H

#include <stddef.h>
#include <stdint.h>

#include "agent/store.h"
#include "base/uuid.h"
#include "schema/report.h"

/* --- devices: addresses that have answered -------------------------------- */

struct known_device {
	int64_t		 id;		/* 0: not stored yet */
	char		*address;	/* "10.0.0.5:161" */
	char		*zone;		/* label of the range, or NULL */
	char		*credentials;	/* name of the [snmp] section */
	char		*memo;		/* memo_format() of snmp/reading.h */
	int64_t		 printer;	/* 1; 0: refused, why says why */
	char		*why;
	int64_t		 seen_ms;	/* last answer, wall */
};
void		 known_device_clear(struct known_device *);
/* Inserts or replaces by address; sets id. */
int		 known_put_device(struct store *, struct known_device *);
int		 known_drop_device(struct store *, int64_t id);
/* Each device in turn, the most recently seen first. */
int		 known_each_device(struct store *, void (*fn)(void *arg,
		    const struct known_device *), void *arg);

/* --- assets and what was told of them ------------------------------------- */

struct known_asset {
	char		 id[UUID_TEXT_MAX];
	int64_t		 device;	/* 0: at no device now */
	int64_t		 row;		/* hrDeviceIndex there */
	char		*key;
	int64_t		 strength;
	int64_t		 counters_ms;	/* wall: counters were last told */
	int64_t		 levels_ms;
};
void		 known_asset_clear(struct known_asset *);
/* 1 found, 0 not, -1 failed. */
int		 known_asset_at(struct store *, int64_t device, int64_t row,
		    struct known_asset *);
int		 known_asset_by_key(struct store *, const char *key,
		    struct known_asset *);
int		 known_has_asset(struct store *, const char *id);
int		 known_put_asset(struct store *, const struct known_asset *);
/* Every asset leaves these devices' hands but keeps its row. */
int		 known_each_asset(struct store *, void (*fn)(void *arg,
		    const struct known_asset *), void *arg);

/* What was last told of an asset: its asset record, consumables, active
 * alerts, appended to out.  An unknown asset gives an empty report. */
int		 known_told(struct store *, const char *asset,
		    struct report *out);
int		 known_tell_asset(struct store *, const struct asset *);
int		 known_tell_consumable(struct store *,
		    const struct consumable *);
int		 known_tell_alert(struct store *, const struct alert *);
/* All of a report's assets, consumables and alerts. */
int		 known_tell(struct store *, const struct report *);
int		 known_forget(struct store *, const char *asset,
		    const char *record_id);
/* Renames an asset and what was told of it: the centre knew it by another
 * id.  Unknown assets are fine.  What waits in the outbox stays as it is. */
int		 known_rename_asset(struct store *, const char *from,
		    const char *to);

#endif
