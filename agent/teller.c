#include "agent/teller.h"

#include <stdlib.h>
#include <string.h>

#include "agent/assetbook.h"
#include "agent/hold.h"
#include "agent/known.h"
#include "agent/outbox.h"
#include "agent/squeeze.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "schema/field.h"

struct teller {
	struct loop		*loop;
	struct store		*store;
	struct change_policy	 policy;
	struct ignore		*ignore;	/* the policy's */
	const struct ini_list	*omit;
	int64_t			 max_size;
	void			(*written)(void *);
	void			(*settled)(void *, void *, bool);
	bool			(*alive)(void *, int64_t);
	void			*arg;

	struct timer		 commit;
	int64_t			 committed_ms;	/* mono: the last time */
	void			**token;	/* of the open transaction */
	size_t			 token_len, token_cap;
	int			 appended;	/* reports in it */
	bool			 failed;	/* it must be rolled back */
	bool			 locked;	/* it cannot be begun in this
						 * turn */
	bool			 store_down;	/* said so already */
	struct hold		 hold;		/* written, not durable */

	/* Everything is being told once more, some with each turn. */
	struct timer		 whole;
	char			(*whole_id)[UUID_TEXT_MAX];
	size_t			 whole_len, whole_at;
};

#define COMMIT_EVERY_MS	20	/* while much happens */
#define COMMIT_DOWN_MS	1000	/* while the disk takes nothing */
#define WHOLE_AT_ONCE	100	/* assets a turn */
#define WHOLE_AGAIN_MS	1000	/* after the store failed */

static void	 on_whole(void *);

/* The configuration has been checked. */
static struct ignore *
ignore_rules(const struct config *conf)
{
	char why[120];

	if (conf->ignore.count == 0)
		return ignore_new_default();
	return ignore_new(conf->ignore.item, conf->ignore.count, why,
	    sizeof(why));
}

struct teller *
teller_new(struct loop *loop, struct store *store, const struct config *conf,
    void (*written)(void *), void (*settled)(void *, void *, bool),
    bool (*alive)(void *, int64_t), void *arg)
{
	struct teller *t;

	t = xcalloc(1, sizeof(*t));
	t->loop = loop;
	t->store = store;
	store_hurry(store);
	t->policy.counters_ms = conf->counters_ms;
	t->policy.levels_ms = conf->supplies_ms;
	t->policy.ignore = t->ignore = ignore_rules(conf);
	t->omit = &conf->omit;
	t->max_size = conf->max_size;
	t->written = written;
	t->settled = settled;
	t->alive = alive;
	t->arg = arg;
	return t;
}

static void
settle(struct teller *t, bool ok)
{
	size_t i, n = t->token_len;

	t->token_len = 0;
	for (i = 0; i < n; i++)
		if (t->token[i] != NULL)
			t->settled(t->arg, t->token[i], ok);
}

/* A part of the whole is durable, and perhaps all of it.  What was lost is
 * told again from the beginning: twice is no harm. */
static void
whole_goes_on(struct teller *t, bool ok)
{
	if (t->whole_id == NULL)
		return;
	if (!ok) {
		t->whole_at = 0;
		timer_after(t->loop, &t->whole, WHOLE_AGAIN_MS, on_whole, t);
	} else if (t->whole_at > t->whole_len) {
		log_info("teller", "%zu printers are told whole again",
		    t->whole_len);
		free(t->whole_id);
		t->whole_id = NULL;
	}
}

/* Once for each change; what the disk does is said where its state is
 * watched. */
static void
say_store(struct teller *t, bool ok)
{
	if (ok != t->store_down || (!ok &&
	    store_state(t->store) > STORE_SLOW))
		return;
	if (ok)
		log_info("teller", "the store takes changes again");
	else
		log_warnx("teller", "the store does not take changes; they "
		    "are kept at the printers and tried again");
	t->store_down = !ok;
}

static bool
is_disk_down(const struct teller *t)
{
	return store_state(t->store) > STORE_SLOW;
}

static void
commit(void *arg)
{
	struct teller *t = arg;
	int appended = t->appended;
	bool ok;

	t->locked = false;
	if (!store_in_transaction(t->store)) {
		say_store(t, false);
		settle(t, false);
		whole_goes_on(t, false);
		return;
	}
	if (!t->failed && appended > 0 &&
	    squeeze_outbox(t->store, t->max_size) == -1)
		t->failed = true;
	if (t->failed)
		store_rollback(t->store);
	ok = !t->failed && store_commit(t->store) == 0;
	t->committed_ms = clock_mono_ms();
	if (!ok && is_disk_down(t))
		hold_keep(&t->hold);
	else
		hold_clear(&t->hold);
	say_store(t, ok);
	t->failed = false;
	t->appended = 0;
	settle(t, ok);
	whole_goes_on(t, ok);
	if (ok && appended > 0)
		t->written(t->arg);
}

void
teller_free(struct teller *t)
{
	if (t == NULL)
		return;
	timer_clear(t->loop, &t->commit);
	timer_clear(t->loop, &t->whole);
	if (store_in_transaction(t->store))
		commit(t);
	timer_clear(t->loop, &t->whole);
	if (t->hold.len > 0)
		log_warnx("teller", "%zu changes that the store's disk did "
		    "not take are lost: how all stands now is told after the "
		    "next start, what came and went is not", t->hold.len);
	hold_clear(&t->hold);
	free(t->whole_id);
	free(t->token);
	ignore_free(t->ignore);
	free(t);
}

static int
write_change(struct teller *t, struct store *st, const char *asset,
    const struct change *c)
{
	size_t i;
	int n;

	if ((n = outbox_append(st, &c->event, LANE_URGENT, asset)) == -1)
		return -1;
	t->appended += n;
	if ((n = outbox_append(st, &c->detail, LANE_BULK, asset)) == -1)
		return -1;
	t->appended += n;
	if (known_tell(st, &c->told) == -1)
		return -1;
	for (i = 0; i < c->forget_len; i++)
		if (known_forget(st, asset, c->forget[i]) == -1)
			return -1;
	return 0;
}

/* What the last transactions lost with the disk comes first in this one.  An
 * asset that was new in one of those is none yet: it gets another id, and is
 * told whole. */
static void
write_held(struct teller *t)
{
	struct held **at = &t->hold.first;
	int known;

	while (*at != NULL && !t->failed) {
		known = known_has_asset(t->store, (*at)->asset);
		if (known == 0) {
			hold_drop(&t->hold, at);
			continue;
		}
		if (known == -1 || write_change(t, t->store, (*at)->asset,
		    &(*at)->change) == -1)
			t->failed = true;
		at = &(*at)->next;
	}
}

struct store *
teller_store(struct teller *t)
{
	int64_t now = clock_mono_ms(), pause = COMMIT_EVERY_MS;
	int64_t at;

	/* At once when nothing was committed a moment ago: an alert waits for
	 * nobody.  When much happens the disk is asked less often, and a slow
	 * one has half of the time at most. */
	if (is_disk_down(t))
		pause = COMMIT_DOWN_MS;
	else if (store_pause_ms(t->store) > pause)
		pause = store_pause_ms(t->store);
	at = t->committed_ms + pause;
	if (!timer_pending(&t->commit))
		timer_set(t->loop, &t->commit, t->locked || now > at ? now :
		    at, commit, t);
	if (store_in_transaction(t->store))
		return t->store;
	/* Somebody holds it: waiting for him once a turn is enough. */
	if (t->locked || store_begin(t->store) == -1) {
		t->locked = true;
		return NULL;
	}
	write_held(t);
	return t->store;
}

void
teller_remember(struct teller *t, void *token)
{
	if (token == NULL)
		return;
	if (t->token_len == t->token_cap) {
		t->token_cap = t->token_cap == 0 ? 64 : t->token_cap * 2;
		t->token = xreallocarray(t->token, t->token_cap,
		    sizeof(*t->token));
	}
	t->token[t->token_len++] = token;
}

void
teller_forget(struct teller *t, const void *token)
{
	size_t i;

	for (i = 0; t != NULL && i < t->token_len; i++)
		if (t->token[i] == token)
			t->token[i] = NULL;
}

static void
omit_fields(const struct ini_list *omit, struct asset *asset)
{
	const struct field *f;
	size_t i;

	for (i = 0; i < omit->count; i++)
		if ((f = field_find(asset_fields, omit->item[i])) != NULL)
			field_set_text(f, asset, NULL);
	/* Without a serial and a MAC the key is made of the address. */
	if (asset->ip == NULL && asset->strength == KEY_ADDRESS)
		field_set_text(field_find(asset_fields, "key"), asset, "I:");
}

static void
say_verdict(enum assetbook_verdict verdict, const struct asset *asset,
    const char *ip)
{
	static const char *const words[] = {
		[ASSETBOOK_NEW] = "new printer",
		[ASSETBOOK_MOVED] = "printer moved here",
		[ASSETBOOK_REKEYED] = "a stronger key is known now",
		[ASSETBOOK_REPLACED] = "another printer stands here now",
	};

	if (verdict != ASSETBOOK_SAME)
		log_info("printer", "%s: %s: %s %s, serial %s", ip,
		    words[verdict], asset->make == NULL ? "-" :
		    log_safe(asset->make), asset->model == NULL ? "-" :
		    log_safe(asset->model), asset->serial == NULL ? "-" :
		    log_safe(asset->serial));
}

static int
tell_found(struct teller *t, struct store *st, struct known_asset *row,
    struct printer *p, bool levels_read, struct change_suspects *suspects,
    struct teller_result *result)
{
	struct change_policy policy = t->policy;
	struct change_state state = { row->counters_ms, row->levels_ms,
	    suspects };
	struct report told;
	struct change c;
	int rc = -1;

	policy.levels_read = levels_read;
	report_init(&told);
	change_init(&c);
	if (known_told(st, row->id, &told) == 0) {
		change_find(&told, p, &state, &policy, clock_wall_ms(), &c);
		rc = write_change(t, st, row->id, &c);
	}
	if (rc == 0 && (state.counters_ms != row->counters_ms ||
	    state.levels_ms != row->levels_ms)) {
		row->counters_ms = state.counters_ms;
		row->levels_ms = state.levels_ms;
		rc = known_put_asset(st, row);
	}
	result->due_ms = c.due_ms;
	result->read_again = c.again;
	if (rc == 0)
		hold_add(&t->hold, row->id, &c);
	change_clear(&c);
	report_clear(&told);
	return rc;
}

/* Tells that an asset does not answer any more. */
static int
tell_gone(struct teller *t, struct store *st, const char *id)
{
	struct report told;
	struct change c;
	int rc;

	report_init(&told);
	change_init(&c);
	rc = known_told(st, id, &told);
	if (rc == 0) {
		change_unreachable(&told, clock_wall_ms(), &c);
		rc = write_change(t, st, id, &c);
	}
	if (rc == 0)
		hold_add(&t->hold, id, &c);
	change_clear(&c);
	report_clear(&told);
	return rc;
}

int
teller_printer(struct teller *t, void *token, int64_t device, const char *ip,
    const char *zone, struct printer *p, bool levels_read,
    struct change_suspects *suspects, struct teller_result *result)
{
	char displaced[UUID_TEXT_MAX];
	struct known_asset row;
	enum assetbook_verdict verdict;
	struct store *st;
	int rc = -1;

	memset(result, 0, sizeof(*result));
	teller_remember(t, token);
	if ((st = teller_store(t)) == NULL || t->failed)
		return -1;
	field_set_text(field_find(asset_fields, "ip"), &p->asset, ip);
	field_set_text(field_find(asset_fields, "zone"), &p->asset, zone);
	verdict = assetbook_find(st, device, p->index, &p->asset, t->alive,
	    t->arg, &row, displaced);
	if (verdict == ASSETBOOK_ELSEWHERE) {
		result->elsewhere = true;
		rc = 0;
	} else if (verdict != ASSETBOOK_FAILED) {
		say_verdict(verdict, &p->asset, ip);
		omit_fields(t->omit, &p->asset);
		rc = tell_found(t, st, &row, p, levels_read, suspects,
		    result);
		if (rc == 0 && displaced[0] != '\0')
			rc = tell_gone(t, st, displaced);
	}
	known_asset_clear(&row);
	if (rc == -1)
		t->failed = true;
	return rc;
}

int
teller_unreachable(struct teller *t, void *token, int64_t device,
    const int64_t *rows, size_t rows_len)
{
	struct known_asset row;
	struct store *st;
	int rc = 0;
	size_t i;

	teller_remember(t, token);
	if ((st = teller_store(t)) == NULL || t->failed)
		return -1;
	for (i = 0; i < rows_len && rc == 0; i++) {
		if ((rc = known_asset_at(st, device, rows[i], &row)) != 1)
			continue;
		rc = tell_gone(t, st, row.id);
		known_asset_clear(&row);
	}
	if (rc == -1)
		t->failed = true;
	return rc == -1 ? -1 : 0;
}

int
teller_agent(struct teller *t, struct agent *agent)
{
	struct buf xml = { 0 };
	struct report one;
	struct store *st;
	int n;

	if ((st = teller_store(t)) == NULL || t->failed)
		return -1;
	report_init(&one);
	one.agents = agent;
	one.agents_len = 1;
	n = outbox_append(st, &one, LANE_BULK, NULL);
	/* The same, for `platen status`. */
	report_write(&one, &xml);
	if (n == -1 || store_set_note_sealed(st, "agent", xml.data) == -1)
		t->failed = true;
	else
		t->appended += n;
	buf_free(&xml);
	return t->failed ? -1 : 0;
}

static void
note_id(void *arg, const struct known_asset *asset)
{
	struct teller *t = arg;

	/* A power of two is when there is no more room. */
	if ((t->whole_len & (t->whole_len - 1)) == 0)
		t->whole_id = xreallocarray(t->whole_id, t->whole_len == 0 ?
		    1 : 2 * t->whole_len, sizeof(*t->whole_id));
	memcpy(t->whole_id[t->whole_len++], asset->id, sizeof(asset->id));
}

static int
tell_whole(struct teller *t, struct store *st, const char *id)
{
	struct report told;
	int n;

	report_init(&told);
	n = known_told(st, id, &told);
	if (n == 0)
		n = outbox_append(st, &told, LANE_URGENT, id);
	report_clear(&told);
	if (n == -1)
		return -1;
	t->appended += n;
	return 0;
}

/* The next part.  Past the last asset whole_at stands one further, with the
 * wish taken back in that same transaction. */
static void
on_whole(void *arg)
{
	struct teller *t = arg;
	struct store *st = teller_store(t);
	size_t end = t->whole_at + WHOLE_AT_ONCE;

	if (st == NULL || t->failed) {
		timer_after(t->loop, &t->whole, WHOLE_AGAIN_MS, on_whole, t);
		return;
	}
	while (t->whole_at < t->whole_len && t->whole_at < end && !t->failed)
		if (tell_whole(t, st, t->whole_id[t->whole_at++]) == -1)
			t->failed = true;
	if (t->whole_at < t->whole_len) {
		/* In a transaction of its own. */
		timer_after(t->loop, &t->whole, COMMIT_EVERY_MS, on_whole, t);
		return;
	}
	t->whole_at = t->whole_len + 1;
	if (store_set_note(st, "whole", NULL) == -1)
		t->failed = true;
}

void
teller_whole(struct teller *t)
{
	free(t->whole_id);
	t->whole_id = xmalloc(sizeof(*t->whole_id));
	t->whole_len = t->whole_at = 0;
	/* What cannot be read is wished for again at the next start. */
	if (known_each_asset(t->store, note_id, t) == -1) {
		free(t->whole_id);
		t->whole_id = NULL;
		return;
	}
	timer_after(t->loop, &t->whole, 0, on_whole, t);
}
