/* Peers and their sessions: bounds, and what replaces what. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "central/peers.h"

static struct session *
make(const char *full)
{
	return session_new(NULL, full);
}

static void
replacing(void **state)
{
	struct peers	*peers = peers_new();
	struct peer	*peer;
	struct session	*old, *new;

	peer = peers_get(peers, "a@b", 1000);
	old = session_keep(make("a@b/1"));
	assert_int_equal(peers_offer(peers, peer, old), 0);
	peers_promote(peers, peer);
	assert_ptr_equal(peer->live, old);
	/* Answered is not proven. */
	assert_int_equal(peers_offer(peers, peer, make("a@b/2")), 0);
	new = session_keep(make("a@b/3"));
	assert_int_equal(peers_offer(peers, peer, new), 0);
	assert_ptr_equal(peer->live, old);
	assert_false(old->ended);
	assert_true(peers_end(peers, peer, "a@b/3"));
	assert_true(new->ended);
	assert_false(peers_end(peers, peer, "a@b/3"));
	assert_ptr_equal(peer->live, old);
	old->ended = true;
	peers_sweep(peers);
	assert_null(peer->live);
	session_drop(old);
	session_drop(new);
	peers_free(peers);
}

static void
tries(void **state)
{
	struct peers	*peers = peers_new();
	struct peer	*peer;
	int		 i, n;

	peer = peers_get(peers, "a@b", 1000000);
	for (i = n = 0; i < 100; i++)
		n += peers_may_try(peers, peer, 1000000);
	assert_int_equal(n, 20);
	assert_true(peers_may_try(peers, peer, 1001000));
	assert_false(peers_may_try(peers, peer, 1001000));
	peers_free(peers);
}

static void
count_line(void *arg, enum log_level level, const char *line)
{
	unsigned	*lines = arg;

	lines[0]++;
	if (strstr(line, "about it before") != NULL)
		lines[1]++;
}

/* Whatever a peer does, the log has so many lines about it, and says so. */
static void
lines(void **state)
{
	struct peers	*peers = peers_new();
	struct peer	*peer;
	char		 jid[40];
	unsigned	 said[2] = { 0 };
	int		 i;

	log_hook(count_line, said);
	peer = peers_get(peers, "a@b", 1000);
	for (i = 0; i < 1000; i++)
		peers_say(peers, peer, LOG_LEVEL_WARN, "a@b does %d", i);
	assert_in_range(said[0], 60, 62);
	assert_int_equal(said[1], 0);
	peer->lines_ms -= 20000;		/* a while later */
	peers_say(peers, peer, LOG_LEVEL_WARN, "a@b again");
	assert_int_equal(said[1], 1);
	/* Many strangers are no better than one. */
	for (i = 0; i < 5000; i++) {
		snprintf(jid, sizeof(jid), "a%d@b", i);
		peer = peers_get(peers, jid, 1000);
		peers_say(peers, peer, LOG_LEVEL_INFO, "%s is here", jid);
	}
	assert_in_range(said[0], 900, 1100);
	/* One that had a session is none. */
	peer->known = true;
	said[0] = 0;
	peers_say(peers, peer, LOG_LEVEL_INFO, "%s is here", jid);
	assert_int_equal(said[0], 1);
	log_hook(NULL, NULL);
	peers_free(peers);
}

/* Who says that it is there is remembered while it had a session, others for
 * a minute. */
static void
strangers(void **state)
{
	struct peers	*peers = peers_new();
	struct peer	*peer;
	char		 jid[40];
	int		 i;

	for (i = 0; i < PEERS_MAX; i++) {
		snprintf(jid, sizeof(jid), "a%d@b", i);
		peer = peers_get(peers, jid, 1000);
		peer->full = strdup(jid);
		peer->known = i == 7;
	}
	assert_null(peers_get(peers, "late@b", 2500));
	assert_non_null(peers_get(peers, "late@b", 62000));
	assert_non_null(peers_find(peers, "a7@b"));
	assert_null(peers_find(peers, "a8@b"));
	peers_free(peers);
}

static void
bounded(void **state)
{
	struct peers	*peers = peers_new();
	struct peer	*peer;
	char		 jid[40];
	int		 i;

	for (i = 0; i < PEERS_MAX; i++) {
		snprintf(jid, sizeof(jid), "a%d@b", i);
		peer = peers_get(peers, jid, 1000);
		assert_non_null(peer);
		if (i < PEERS_SESSIONS_MAX)
			assert_int_equal(peers_offer(peers, peer,
			    make(jid)), 0);
		else if (i < PEERS_SESSIONS_MAX + 10)
			assert_int_equal(peers_offer(peers, peer,
			    make(jid)), -1);
	}
	assert_null(peers_get(peers, "one@more", 2000));
	assert_non_null(peers_find(peers, "a7@b"));
	/* Those without a session are forgotten for it, after a while. */
	assert_non_null(peers_get(peers, "one@more", 100000));
	assert_null(peers_find(peers, "a15000@b"));
	assert_non_null(peers_find(peers, "a7@b"));
	peers_free(peers);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replacing), cmocka_unit_test(tries),
		cmocka_unit_test(lines), cmocka_unit_test(strangers),
		cmocka_unit_test(bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
