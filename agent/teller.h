/*
 * Puts what a device said into the store: finds the asset, finds what
 * changed, and writes the told state and the reports in one transaction.
 * Several devices share a transaction: it is committed at the end of the
 * loop's turn, and only then the uplink is woken.
 */
#ifndef AGENT_TELLER_H
#define AGENT_TELLER_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/change.h"
#include "agent/config.h"
#include "agent/store.h"
#include "base/loop.h"
#include "snmp/printer.h"

struct teller;

/* written is called after every commit that put something into the outbox;
 * settled for each token once its part is durable (ok) or lost (!ok: tell
 * it again). */
struct teller	*teller_new(struct loop *, struct store *,
		    const struct config *, void (*written)(void *arg),
		    void (*settled)(void *arg, void *token, bool ok),
		    bool (*alive)(void *arg, int64_t device), void *arg);
void		 teller_free(struct teller *);	/* commits what is open */

struct teller_result {
	int64_t	 due_ms;	/* wall: tell again then; 0 none */
	bool	 read_again;	/* read supplies again soon */
	bool	 elsewhere;	/* told from another address: nothing done */
};
/*
 * printer is what was decoded; its asset's ip is set here from ip, zone from
 * zone.  token is remembered until settled.  0, or -1 when the store failed
 * (settled follows all the same).
 */
int		 teller_printer(struct teller *, void *token, int64_t device,
		    const char *ip, const char *zone, struct printer *,
		    bool levels_read, struct change_suspects *,
		    struct teller_result *);
/* The assets of a device do not answer any more. */
int		 teller_unreachable(struct teller *, void *token,
		    int64_t device, const int64_t *rows, size_t rows_len);
int		 teller_agent(struct teller *, struct agent *);
/* Appends everything that was told once more, whole, a part with each turn of
 * the loop, and then takes back the note "whole". */
void		 teller_whole(struct teller *);
/* The store, inside the shared transaction (begun if need be); NULL when it
 * cannot be begun. */
struct store	*teller_store(struct teller *);
/* What was put there has a token too, which settled will be called with. */
void		 teller_remember(struct teller *, void *token);
/* Not any more: the token has gone.  NULL as the teller is fine. */
void		 teller_forget(struct teller *, const void *token);

#endif
