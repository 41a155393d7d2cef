/*
 * Which asset is the printer that answers here (printers.md 12)?  An asset
 * keeps its id for life: an address change moves it, a stronger key learnt
 * later re-keys it, another serial at the same address is another asset.
 */
#ifndef AGENT_ASSETBOOK_H
#define AGENT_ASSETBOOK_H

#include <stdbool.h>

#include "agent/known.h"
#include "agent/store.h"
#include "schema/record.h"

enum assetbook_verdict {
	ASSETBOOK_SAME,
	ASSETBOOK_NEW,		/* never seen before */
	ASSETBOOK_MOVED,		/* it was at another address */
	ASSETBOOK_REKEYED,	/* a stronger key was learnt */
	ASSETBOOK_REPLACED,	/* another asset stood here before */
	ASSETBOOK_ELSEWHERE,	/* it answers at another address as well, and
				 * is told from there; out is empty */
	ASSETBOOK_FAILED		/* the store did not answer */
};

/* Tells whether that device answered lately: two machines with one serial
 * are then two machines. */
typedef bool	 assetbook_alive_fn(void *arg, int64_t device);

/*
 * Inside a transaction.  now has key, strength, mac and model; its id is set,
 * and where the known key is stronger than the one read today, its key and
 * strength too, with the serial and MAC behind it.  out is stored as bound
 * to (device, row).  displaced gets the id of the asset that was there
 * before, "" when there was none.
 */
enum assetbook_verdict	 assetbook_find(struct store *, int64_t device,
			    int64_t row, struct asset *now,
			    assetbook_alive_fn *, void *arg,
			    struct known_asset *out,
			    char displaced[UUID_TEXT_MAX]);

#endif
