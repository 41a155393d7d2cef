#include "central/peers.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/clock.h"
#include "base/mem.h"

#define BUCKETS		4096		/* a power of two */
#define FORGET_MS	(60 * 1000)

/* A handshake costs about 0.3 ms of one core: 20 at once from one peer and
 * then one a second; 500 at once from all and then 500 a second. */
#define TRY_MS		1000
#define TRIES_MS	(20 * TRY_MS)
#define ALL_TRY_US	2000
#define ALL_TRIES_US	(500 * ALL_TRY_US)

/* Whoever comes and goes without end, or has every report refused, must not
 * fill the log.  What an agent on a bad line does in an hour is said. */
#define LINE_MS		10000
#define LINES_MS	(60 * LINE_MS)
#define ALL_LINE_MS	1000
#define ALL_LINES_MS	(1000 * ALL_LINE_MS)
#define LINE_MAX_LEN	480

struct peers {
	struct peer	*bucket[BUCKETS];
	size_t		 count;
	int		 sessions;
	int64_t		 tries_us;
	int64_t		 lines_ms;	/* about strangers */
	int64_t		 purged_ms;
	uint8_t		 seed[crypto_shorthash_KEYBYTES];
};

struct session *
session_new(struct seal *seal, const char *full)
{
	struct session	*s;

	s = xcalloc(1, sizeof(*s));
	s->refs = 1;
	s->seal = seal;
	s->full = xstrdup(full);
	return s;
}

struct session *
session_keep(struct session *s)
{
	s->refs++;
	return s;
}

void
session_drop(struct session *s)
{
	if (s == NULL || --s->refs > 0)
		return;
	seal_free(s->seal);
	free(s->full);
	free(s);
}

struct peers *
peers_new(void)
{
	struct peers	*peers;

	peers = xcalloc(1, sizeof(*peers));
	/* Strangers choose their JIDs: they must not choose the bucket. */
	randombytes_buf(peers->seed, sizeof(peers->seed));
	return peers;
}

static void
end_session(struct peers *peers, struct session **where)
{
	if (*where == NULL)
		return;
	(*where)->ended = true;
	session_drop(*where);
	*where = NULL;
	peers->sessions--;
}

static void
free_peer(struct peers *peers, struct peer *peer)
{
	end_session(peers, &peer->live);
	end_session(peers, &peer->fresh);
	free(peer->jid);
	free(peer->full);
	free(peer);
	peers->count--;
}

void
peers_free(struct peers *peers)
{
	struct peer	*peer;
	size_t		 i;

	if (peers == NULL)
		return;
	for (i = 0; i < BUCKETS; i++)
		while ((peer = peers->bucket[i]) != NULL) {
			peers->bucket[i] = peer->next;
			free_peer(peers, peer);
		}
	free(peers);
}

static struct peer **
bucket_of(struct peers *peers, const char *jid)
{
	uint64_t	hash;
	uint8_t		out[crypto_shorthash_BYTES];

	crypto_shorthash(out, (const uint8_t *)jid, strlen(jid), peers->seed);
	memcpy(&hash, out, sizeof(hash));
	return &peers->bucket[hash % BUCKETS];
}

struct peer *
peers_find(struct peers *peers, const char *jid)
{
	struct peer	*peer;

	for (peer = *bucket_of(peers, jid); peer != NULL; peer = peer->next)
		if (strcmp(peer->jid, jid) == 0)
			return peer;
	return NULL;
}

struct peer *
peers_get(struct peers *peers, const char *jid, int64_t mono_ms)
{
	struct peer	*peer, **bucket;

	if ((peer = peers_find(peers, jid)) != NULL)
		return peer;
	/* A flood of strangers must not make every one of them a search. */
	if (peers->count >= PEERS_MAX && mono_ms - peers->purged_ms > 1000)
		peers_purge(peers, mono_ms);
	if (peers->count >= PEERS_MAX)
		return NULL;
	bucket = bucket_of(peers, jid);
	peer = xcalloc(1, sizeof(*peer));
	peer->jid = xstrdup(jid);
	peer->heard_ms = mono_ms;
	peer->next = *bucket;
	*bucket = peer;
	peers->count++;
	return peer;
}

void
peers_each(struct peers *peers, void (*fn)(void *arg, struct peer *),
    void *arg)
{
	struct peer	*peer;
	size_t		 i;

	for (i = 0; i < BUCKETS; i++)
		for (peer = peers->bucket[i]; peer != NULL; peer = peer->next)
			fn(arg, peer);
}

/* What its buckets still hold is a reason to remember it. */
void
peers_purge(struct peers *peers, int64_t mono_ms)
{
	struct peer	*peer, **at;
	size_t		 i;

	peers->purged_ms = mono_ms;
	for (i = 0; i < BUCKETS; i++) {
		for (at = &peers->bucket[i]; (peer = *at) != NULL;) {
			if ((peer->full != NULL && peer->known) ||
			    peer->live != NULL || peer->fresh != NULL ||
			    peer->asked || peer->tries_ms > mono_ms ||
			    peer->lines_ms > mono_ms ||
			    mono_ms - peer->heard_ms < FORGET_MS) {
				at = &peer->next;
				continue;
			}
			*at = peer->next;
			free_peer(peers, peer);
		}
	}
}

/* Time as the bucket's level: it empties by itself. */
static bool
leak(int64_t *level, int64_t now, int64_t cost, int64_t most)
{
	if (*level < now)
		*level = now;
	if (*level + cost - now > most)
		return false;
	*level += cost;
	return true;
}

bool
peers_may_try(struct peers *peers, struct peer *peer, int64_t mono_ms)
{
	return leak(&peer->tries_ms, mono_ms, TRY_MS, TRIES_MS) &&
	    leak(&peers->tries_us, mono_ms * 1000, ALL_TRY_US, ALL_TRIES_US);
}

void
peers_say(struct peers *peers, struct peer *peer, enum log_level level,
    const char *fmt, ...)
{
	char	 line[LINE_MAX_LEN], before[60] = "";
	int64_t	 now = clock_mono_ms();
	va_list	 ap;

	if (!leak(&peer->lines_ms, now, LINE_MS, LINES_MS) || (!peer->known &&
	    !leak(&peers->lines_ms, now, ALL_LINE_MS, ALL_LINES_MS))) {
		peer->unsaid++;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (peer->unsaid > 0)
		snprintf(before, sizeof(before), " (and %u lines about it "
		    "before)", peer->unsaid);
	peer->unsaid = 0;
	if (level == LOG_LEVEL_INFO)
		log_info("agent", "%s%s", line, before);
	else
		log_warnx("agent", "%s%s", line, before);
}

int
peers_offer(struct peers *peers, struct peer *peer, struct session *session)
{
	end_session(peers, &peer->fresh);
	if (peers->sessions >= PEERS_SESSIONS_MAX && peer->live == NULL) {
		session->ended = true;
		session_drop(session);
		return -1;
	}
	peer->fresh = session;
	peers->sessions++;
	return 0;
}

void
peers_sweep(struct peers *peers)
{
	struct peer	*peer;
	size_t		 i;

	for (i = 0; i < BUCKETS; i++)
		for (peer = peers->bucket[i]; peer != NULL;
		    peer = peer->next) {
			if (peer->live != NULL && peer->live->ended)
				end_session(peers, &peer->live);
			if (peer->fresh != NULL && peer->fresh->ended)
				end_session(peers, &peer->fresh);
		}
}

void
peers_promote(struct peers *peers, struct peer *peer)
{
	end_session(peers, &peer->live);
	peer->live = peer->fresh;
	peer->fresh = NULL;
	peer->known = true;
}

static bool
belongs(const struct session *s, const char *full)
{
	return s != NULL && (full == NULL || strcmp(s->full, full) == 0);
}

bool
peers_end(struct peers *peers, struct peer *peer, const char *full)
{
	bool	any = false;

	if (belongs(peer->live, full)) {
		end_session(peers, &peer->live);
		any = true;
	}
	if (belongs(peer->fresh, full)) {
		end_session(peers, &peer->fresh);
		any = true;
	}
	return any;
}
