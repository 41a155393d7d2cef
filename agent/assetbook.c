#include "agent/assetbook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

static void
set_text(char **to, const char *value)
{
	char *copy = xstrdup_null(value);

	free(*to);
	*to = copy;
}

/* The MAC that was last told of an asset; the caller frees. */
static char *
told_mac(struct store *st, const char *asset)
{
	struct report told;
	char *mac = NULL;

	report_init(&told);
	if (known_told(st, asset, &told) == 0 && told.assets_len > 0)
		mac = xstrdup_null(told.assets[0].mac);
	report_clear(&told);
	return mac;
}

/* It does not say today what its key rests on: that is not gone for that. */
static void
keep_identity(struct store *st, const char *asset, struct asset *now)
{
	struct report told;

	report_init(&told);
	if (known_told(st, asset, &told) == 0 && told.assets_len > 0) {
		if (now->serial == NULL)
			set_text(&now->serial, told.assets[0].serial);
		if (now->mac == NULL)
			set_text(&now->mac, told.assets[0].mac);
	}
	report_clear(&told);
}

/* False only when both are known and differ. */
static bool
mac_fits(struct store *st, const char *asset, const char *mac)
{
	char *known = told_mac(st, asset);
	bool fits;

	fits = known == NULL || mac == NULL || strcmp(known, mac) == 0;
	free(known);
	return fits;
}

/*
 * The same serial on two machines that answer at the same time, with
 * different MACs: a cloned board (printers.md 12, 13.24).  The serial is worth
 * nothing then; the MAC takes its place.
 */
static bool
is_clone(struct store *st, const struct known_asset *known, int64_t device,
    const struct asset *now, assetbook_alive_fn *alive, void *arg)
{
	return known->device != 0 && known->device != device &&
	    known->strength == KEY_SERIAL && now->mac != NULL &&
	    !mac_fits(st, known->id, now->mac) && alive(arg, known->device);
}

static void
key_by_mac(struct asset *now)
{
	char *key = xasprintf("M:%s", now->mac);

	free(now->key);
	now->key = key;
	now->strength = KEY_MAC;
}

static int
by_key(struct store *st, const struct asset *now, struct known_asset *out)
{
	if (now->key == NULL || now->strength == KEY_ADDRESS) {
		memset(out, 0, sizeof(*out));
		return 0;
	}
	return known_asset_by_key(st, now->key, out);
}

/* Does the asset that stood here go on, although no key says so? */
static bool
goes_on(struct store *st, const struct known_asset *here,
    const struct asset *now)
{
	if (here->strength == now->strength)
		return strcmp_null(here->key, now->key) == 0;
	/* Another strength: what was readable has changed, perhaps because
	 * it sleeps, perhaps because a serial was learnt at last. */
	return mac_fits(st, here->id, now->mac);
}

static int
unbind(struct store *st, struct known_asset *asset,
    char displaced[UUID_TEXT_MAX])
{
	memcpy(displaced, asset->id, UUID_TEXT_MAX);
	asset->device = 0;
	return known_put_asset(st, asset);
}

enum assetbook_verdict
assetbook_find(struct store *st, int64_t device, int64_t row,
    struct asset *now, assetbook_alive_fn *alive, void *arg,
    struct known_asset *out, char displaced[UUID_TEXT_MAX])
{
	struct known_asset here, known;
	enum assetbook_verdict verdict = ASSETBOOK_FAILED;
	bool moved;
	int at, by;

	displaced[0] = '\0';
	memset(out, 0, sizeof(*out));
	memset(&known, 0, sizeof(known));
	if ((at = known_asset_at(st, device, row, &here)) == -1 ||
	    (by = by_key(st, now, &known)) == -1)
		goto out;
	if (by == 1 && is_clone(st, &known, device, now, alive, arg)) {
		key_by_mac(now);
		known_asset_clear(&known);
		if ((by = by_key(st, now, &known)) == -1)
			goto out;
		if (by == 0)
			log_warnx("assetbook", "%s: the serial %s answers at "
			    "two addresses with different MACs; this one goes "
			    "by its MAC %s", now->ip == NULL ? "-" : now->ip,
			    now->serial == NULL ? "-" : log_safe(now->serial),
			    now->mac);
	}
	if (by == 1 && known.device != 0 && known.device != device &&
	    alive(arg, known.device)) {
		verdict = ASSETBOOK_ELSEWHERE;
		goto out;
	}
	if (by == 1) {
		verdict = known.device == device ? ASSETBOOK_SAME :
		    ASSETBOOK_MOVED;
		if (at == 1 && strcmp(here.id, known.id) != 0 &&
		    unbind(st, &here, displaced) == -1) {
			verdict = ASSETBOOK_FAILED;
			goto out;
		}
		*out = known;
		memset(&known, 0, sizeof(known));
	} else if (at == 1 && goes_on(st, &here, now)) {
		verdict = ASSETBOOK_SAME;
		*out = here;
		memset(&here, 0, sizeof(here));
		if (now->strength < out->strength) {
			verdict = ASSETBOOK_REKEYED;
			set_text(&out->key, now->key);
			out->strength = now->strength;
		} else if (now->strength > out->strength)
			keep_identity(st, out->id, now);
	} else {
		verdict = at == 1 ? ASSETBOOK_REPLACED : ASSETBOOK_NEW;
		if (at == 1 && unbind(st, &here, displaced) == -1) {
			verdict = ASSETBOOK_FAILED;
			goto out;
		}
		uuid_make(out->id);
		set_text(&out->key, now->key);
		out->strength = now->strength;
	}
	moved = out->device != device || out->row != row;
	out->device = device;
	out->row = row;
	/* Never let a weaker source replace a stronger one. */
	set_text(&now->key, out->key);
	now->strength = out->strength;
	set_text(&now->id, out->id);
	if ((verdict != ASSETBOOK_SAME || moved) &&
	    known_put_asset(st, out) == -1)
		verdict = ASSETBOOK_FAILED;
out:
	known_asset_clear(&here);
	known_asset_clear(&known);
	return verdict;
}
