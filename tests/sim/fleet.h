/* All devices by address, the walks that they share, and who may ask. */
#ifndef SIM_FLEET_H
#define SIM_FLEET_H

#include "base/buf.h"
#include "tests/sim/device.h"

struct fleet;

/* strict: a walk with a bad line is refused. */
struct fleet	*fleet_new(const char *community, bool strict);
void		 fleet_free(struct fleet *);

/*
 * Adds "ADDRESS=FILE.snmprec[,key=value...]" or "ADDRESS=@NAME[,...]"; the
 * keys are serial, mac, name, community, number.  0, or -1 with the reason
 * in why.
 */
int		 fleet_add(struct fleet *, const char *spec, struct buf *why);
/* count devices from base on (addresses ending in .0 and .255 left out), in
 * turn over the built-in printers, or over every walk in dir. */
int		 fleet_many(struct fleet *, uint32_t base, size_t count,
		    const char *dir, struct buf *why);
void		 fleet_remove(struct fleet *, struct device *);
/* 0, or -1 when to is taken (or no loopback address). */
int		 fleet_move(struct fleet *, struct device *, uint32_t to);

struct device	*fleet_find(const struct fleet *, uint32_t addr);
size_t		 fleet_count(const struct fleet *);
/* In order of address: the first one at or after addr, or NULL. */
struct device	*fleet_from(const struct fleet *, uint32_t addr);

const char	*fleet_community(const struct fleet *);
struct truth	*fleet_truth(struct fleet *);
/* What came for addresses where no device is. */
struct traffic	*fleet_stray(struct fleet *);

/* Remembers that a name was asked for. */
void		 fleet_asked(struct fleet *, struct device *,
		    const uint32_t *sub, size_t len);
size_t		 fleet_asked_count(const struct device *);
/* Calls back for each name asked, in no order. */
void		 fleet_asked_each(const struct fleet *, const struct device *,
		    void (*fn)(void *arg, const uint32_t *sub, size_t len),
		    void *arg);
/* Forgets traffic and names asked, of all devices. */
void		 fleet_reset(struct fleet *);

#endif
