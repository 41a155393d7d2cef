/* All devices by address, the walks that they share, and who may ask. */
#ifndef SIM_LAN_H
#define SIM_LAN_H

#include "base/buf.h"
#include "tests/sim/device.h"
#include "tests/sim/record.h"

struct lan;

/* strict: a walk with a bad line is refused. */
struct lan	*lan_new(const char *community, bool strict);
void		 lan_free(struct lan *);

/*
 * Adds "ADDRESS=FILE.snmprec[,key=value...]" or "ADDRESS=@NAME[,...]"; the
 * keys are serial, mac, name, community, number.  0, or -1 with the reason
 * in why.
 */
int		 lan_add(struct lan *, const char *spec, struct buf *why);
/* count devices from base on (addresses ending in .0 and .255 left out), in
 * turn over the built-in printers, or over every walk in dir. */
int		 lan_many(struct lan *, uint32_t base, size_t count,
		    const char *dir, struct buf *why);
/* count devices at addresses of base's network that seed chooses. */
int		 lan_scatter(struct lan *, uint32_t base, int prefix,
		    size_t count, uint32_t seed, const char *dir,
		    struct buf *why);
/* How many addresses there are to choose from. */
size_t		 lan_places(uint32_t base, int prefix);
void		 lan_remove(struct lan *, struct device *);
/* 0, or -1 when to is taken (or no loopback address). */
int		 lan_move(struct lan *, struct device *, uint32_t to);

struct device	*lan_find(const struct lan *, uint32_t addr);
size_t		 lan_count(const struct lan *);
/* In order of address: the first one at or after addr, or NULL. */
struct device	*lan_from(const struct lan *, uint32_t addr);

const char	*lan_community(const struct lan *);
struct users	*lan_users(struct lan *);
struct record	*lan_record(struct lan *);
/* How long an answer takes, of devices that have no time of their own. */
uint32_t	 lan_latency(const struct lan *, const struct device *);
void		 lan_set_latency(struct lan *, uint32_t ms);
struct truth	*lan_truth(struct lan *);
/* What came for addresses where no device is. */
struct traffic	*lan_stray(struct lan *);

/* Sends from a device's address and the devices' port, with what serve.h
 * gave.  0, or -1 with errno. */
struct sockaddr_in;
typedef int	 lan_send_fn(void *arg, uint32_t from,
		    const struct sockaddr_in *to, const void *, size_t);
void		 lan_on_send(struct lan *, lan_send_fn *, void *arg);
int		 lan_send(struct lan *, uint32_t from,
		    const struct sockaddr_in *to, const void *, size_t);

/* Forgets traffic and names asked, of all devices. */
void		 lan_reset(struct lan *);

#endif
