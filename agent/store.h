/*
 * The store: one SQLite file (WAL, synchronous FULL) where the collector and
 * the uplink meet.  What is known about devices and assets, what was last
 * told, and what is still to be sent.  Both sides of a change, the new "last
 * told" and the report, are one transaction.
 *
 * The collector writes devices, assets, told records and appends reports; the
 * uplink takes reports out when the centre has acknowledged them.  seq counts
 * from 1 within an epoch, without gaps.
 */
#ifndef AGENT_STORE_H
#define AGENT_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/uuid.h"
#include "schema/report.h"

struct store;

/* The uplink never has more reports under way: those with the lowest
 * numbers, which store_squeeze() leaves alone. */
#define STORE_IN_FLIGHT_MAX	64
/* A centre that refuses everything must not fill the disk. */
#define STORE_REFUSED_MAX	1000

/* Opens or creates dir/store.db.  NULL on failure, which is logged. */
struct store	*store_open(const char *dir);
/* For the operator's tool: never writes, never creates. */
struct store	*store_open_readonly(const char *dir);
void		 store_close(struct store *);		/* NULL is fine */

/* Transactions do not nest.  0 or -1 (logged; rolled back). */
int		 store_begin(struct store *);
int		 store_commit(struct store *);
void		 store_rollback(struct store *);
bool		 store_in_transaction(const struct store *);

/* --- the epoch and small facts ------------------------------------------- */

/* The epoch's UUID as text; changes only by store_new_epoch(). */
int		 store_epoch(struct store *, char out[UUID_TEXT_MAX]);
/* A note that both processes may read: "" when there is none. */
char		*store_note(struct store *, const char *key);
int64_t		 store_note_int(struct store *, const char *key,
		    int64_t otherwise);
int		 store_set_note(struct store *, const char *key,
		    const char *value);		/* NULL removes */
int		 store_set_note_int(struct store *, const char *key, int64_t);

/* --- devices: addresses that have answered -------------------------------- */

struct store_device {
	int64_t		 id;		/* 0: not stored yet */
	char		*address;	/* "10.0.0.5:161" */
	char		*zone;		/* label of the range, or NULL */
	char		*credentials;	/* name of the [snmp] section */
	int64_t		 version;	/* 1 or 2 */
	int64_t		 varbinds;
	int64_t		 jetdirect;
	int64_t		 printer;	/* 1; 0: refused, why says why */
	char		*why;
	int64_t		 seen_ms;	/* last answer, wall */
};
void		 store_device_clear(struct store_device *);
/* Inserts or replaces by address; sets id. */
int		 store_put_device(struct store *, struct store_device *);
int		 store_drop_device(struct store *, int64_t id);
/* Each device in turn, the most recently seen first. */
int		 store_each_device(struct store *, void (*fn)(void *arg,
		    const struct store_device *), void *arg);

/* --- assets and what was told of them ------------------------------------- */

struct store_asset {
	char		 id[UUID_TEXT_MAX];
	int64_t		 device;	/* 0: at no device now */
	int64_t		 row;		/* hrDeviceIndex there */
	char		*key;
	int64_t		 strength;
	int64_t		 counters_ms;	/* wall: counters were last told */
	int64_t		 levels_ms;
};
void		 store_asset_clear(struct store_asset *);
/* 1 found, 0 not, -1 failed. */
int		 store_asset_at(struct store *, int64_t device, int64_t row,
		    struct store_asset *);
int		 store_asset_by_key(struct store *, const char *key,
		    struct store_asset *);
int		 store_put_asset(struct store *, const struct store_asset *);
/* Every asset leaves these devices' hands but keeps its row. */
int		 store_each_asset(struct store *, void (*fn)(void *arg,
		    const struct store_asset *), void *arg);

/* What was last told of an asset: its asset record, consumables, active
 * alerts, appended to out.  An unknown asset gives an empty report. */
int		 store_told(struct store *, const char *asset,
		    struct report *out);
int		 store_tell_asset(struct store *, const struct asset *);
int		 store_tell_consumable(struct store *,
		    const struct consumable *);
int		 store_tell_alert(struct store *, const struct alert *);
int		 store_forget(struct store *, const char *record_id);
/* Renames an asset and what was told of it: the centre knew it by another
 * id.  Unknown assets are fine.  What waits in the outbox stays as it is. */
int		 store_rename_asset(struct store *, const char *from,
		    const char *to);

/* --- the outbox ------------------------------------------------------------ */

enum store_lane {
	STORE_DETAIL,		/* counters and levels: may be merged */
	STORE_EVENT		/* never dropped, never merged */
};
/*
 * Appends a report (inside the caller's transaction): validates its XML and
 * gives it the next seq.  Splits it when it is too long for one message.
 * asset may be NULL.  Returns how many reports it became, or -1.
 */
int		 store_append(struct store *, const struct report *,
		    enum store_lane, const char *asset);
/* The oldest report with a seq greater than after.  1 when there is one (xml
 * complete with epoch and seq, appended), 0, -1. */
int		 store_next(struct store *, int64_t after, int64_t *seq,
		    struct buf *xml);
/* The centre has committed everything up to seq. */
int		 store_ack(struct store *, int64_t seq);
/* The centre will never take seq: aside with it.  The newest
 * STORE_REFUSED_MAX are kept. */
int		 store_refuse(struct store *, int64_t seq, const char *why);

struct store_outbox {
	int64_t		 first_seq;	/* next_seq when empty */
	int64_t		 next_seq;
	int64_t		 acked_seq;
	int64_t		 depth;
	int64_t		 bytes;
	int64_t		 refused;
	int64_t		 lost_detail;	/* merged away so far */
};
int		 store_outbox(struct store *, struct store_outbox *);

struct store_report {
	int64_t		 seq;
	int64_t		 created_ms;
	enum store_lane	 lane;
	const char	*asset;		/* or NULL */
	const char	*body;		/* XML without epoch and seq */
	const char	*why;		/* refused ones */
};
int		 store_each_report(struct store *, bool refused,
		    void (*fn)(void *arg, const struct store_report *),
		    void *arg);

/*
 * Keeps the outbox below max_bytes: the oldest counter and level reports
 * give what only they say to the next report of the same asset and stay
 * behind as empty numbers; each counts as lost detail.  Cheap as long as
 * there is room; when there is none it makes some.  Returns how many, or -1.
 */
int		 store_squeeze(struct store *, int64_t max_bytes);

/* A new epoch: what waits keeps its order and is numbered from 1. */
int		 store_new_epoch(struct store *);

#endif
