#include "agent/collector.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/outbox.h"
#include "agent/patrol.h"
#include "agent/store.h"
#include "agent/storekey.h"
#include "agent/supervisor.h"
#include "agent/sweep.h"
#include "agent/traps.h"
#include "base/clock.h"
#include "base/drop.h"
#include "base/log.h"
#include "base/loop.h"
#include "schema/report.h"

#define STATUS_MS	1000		/* how often counts are looked at */
#define AGENT_MIN_MS	5000		/* the agent's record, at most */
#define AGENT_MAX_MS	(3600 * 1000)	/* and at least */
#define TRY_MS		5000		/* whether the store can be written */

struct collector {
	struct config		*conf;
	struct loop		*loop;
	struct store		*store;
	struct patrol		*patrol;
	struct sweep		*sweep;
	struct traps		*traps;		/* NULL: nobody listens */
	int			 wake_fd;
	struct timer		 status;
	struct patrol_counts	 told;
	int64_t			 told_ms;	/* mono; 0 never */
	int64_t			 told_scan_ms;
	int64_t			 start_ms;
	int64_t			 tried_ms;	/* mono: store_try() */
};

static void
wake_uplink(void *arg)
{
	struct collector *c = arg;
	char byte = WAKE_MORE;

	/* Full means that it has been woken already. */
	if (write(c->wake_fd, &byte, 1) == -1 && errno != EAGAIN)
		log_debug("collector", "the uplink cannot be woken");
}

static void
on_wake(void *arg, int fd, unsigned events)
{
	struct collector *c = arg;
	char bytes[64];
	ssize_t n;

	n = read(fd, bytes, sizeof(bytes));
	if (n <= 0)
		return;
	if (memchr(bytes, WAKE_WHOLE, (size_t)n) != NULL)
		patrol_whole(c->patrol);
	if (memchr(bytes, WAKE_SCAN, (size_t)n) != NULL)
		sweep_scan(c->sweep);
}

static bool
knows(void *arg, struct in_addr from)
{
	struct collector *c = arg;

	return patrol_knows(c->patrol, from);
}

static bool
wake(void *arg, struct in_addr from)
{
	struct collector *c = arg;

	return patrol_wake(c->patrol, from);
}

static void
tell_agent(struct collector *c, const struct patrol_counts *counts,
    const struct progress *progress)
{
	struct outbox_count box;
	struct agent agent;

	agent_init(&agent);
	agent.name = c->conf->name;
	agent.version = (char *)(uintptr_t)PLATEN_VERSION;
	agent.uptime = (clock_mono_ms() - c->start_ms) / 1000;
	agent.online = counts->online;
	agent.asleep = counts->asleep;
	agent.unreachable = counts->unreachable;
	if (outbox_count(c->store, &box) == 0) {
		agent.queue_depth = box.depth;
		agent.lost_detail = box.lost_detail;
	}
	if (progress->finished_ms != 0)
		agent.last_scan = progress->finished_ms;
	agent.bytes_sent = counts->bytes_out;
	agent.bytes_received = counts->bytes_in;
	agent.time = clock_wall_ms();
	patrol_tell_agent(c->patrol, &agent);
}

static bool
worth_telling(const struct collector *c, const struct patrol_counts *counts,
    const struct progress *progress, int64_t now)
{
	if (c->told_ms == 0 || now - c->told_ms >= AGENT_MAX_MS)
		return true;
	return now - c->told_ms >= AGENT_MIN_MS &&
	    (counts->online != c->told.online ||
	    counts->asleep != c->told.asleep ||
	    counts->unreachable != c->told.unreachable ||
	    progress->finished_ms != c->told_scan_ms);
}

/* --- the store's disk -------------------------------------------------------- */

/* The uplink says it to the centre. */
static void
tell_uplink(struct collector *c, enum store_state state)
{
	char byte = (char)(WAKE_STORE + (int)state);

	if (write(c->wake_fd, &byte, 1) == -1 && errno != EAGAIN)
		log_debug("collector", "the uplink cannot be woken");
}

static void
on_store(void *arg, enum store_state state, const char *why)
{
	struct collector *c = arg;

	if (state == STORE_DAMAGED) {
		loop_stop(c->loop);
		return;
	}
	if (state == STORE_FINE)
		log_info("collector", "the store's disk is well again");
	else if (state == STORE_SLOW)
		log_warnx("collector", "%s: %s", store_state_text(state), why);
	else
		log_warnx("collector", "%s (%s): printers are read on, and "
		    "what they say is written when that has changed",
		    store_state_text(state), why);
	tell_uplink(c, state);
}

/* While nothing else is written, whether it can be is tried; and an uplink
 * that was started since then wants to know too. */
static void
look_at_store(struct collector *c, int64_t now)
{
	enum store_state state = store_state(c->store);

	if (state == STORE_FINE || now - c->tried_ms < TRY_MS)
		return;
	c->tried_ms = now;
	tell_uplink(c, state);
	store_try(c->store);
}

/* The agent's own record, when something in it changed. */
static void
on_status(void *arg)
{
	struct collector *c = arg;
	struct progress progress;
	struct patrol_counts counts;
	int64_t now = clock_mono_ms();

	patrol_count(c->patrol, &counts);
	sweep_progress(c->sweep, &progress);
	if (worth_telling(c, &counts, &progress, now)) {
		tell_agent(c, &counts, &progress);
		c->told = counts;
		c->told_ms = now;
		c->told_scan_ms = progress.finished_ms;
	}
	look_at_store(c, now);
	timer_after(c->loop, &c->status, STATUS_MS, on_status, c);
}

static void
on_signal(void *arg, int signo)
{
	struct collector *c = arg;

	loop_stop(c->loop);
}

int
collector_run(const char *config_path, int wake_fd)
{
	struct collector c = { .wake_fd = wake_fd };
	struct lock *early = NULL;
	bool damaged = false;
	int rc = 1;

	log_role("collector");
	if ((c.conf = config_read(config_path, CONFIG_COLLECTOR)) == NULL)
		return 1;
	c.traps = traps_open(c.conf);
	if (storekey_is_early(c.conf))
		early = storekey_load(c.conf);
	if (drop_privileges(c.conf->user) == -1 || supervisor_follow(0) == -1)
		goto out;
	report_schema_load();
	c.store = storekey_open(c.conf, early, &damaged);
	early = NULL;
	if (c.store == NULL)
		goto out;
	c.start_ms = clock_mono_ms();
	srandom((unsigned)(clock_wall_ms() ^ getpid()));
	c.loop = loop_new();
	c.patrol = patrol_new(c.loop, c.conf, c.store, wake_uplink, &c);
	c.sweep = sweep_new(c.loop, c.conf, c.store, c.patrol);
	loop_signal(c.loop, SIGTERM, on_signal, &c);
	loop_signal(c.loop, SIGINT, on_signal, &c);
	loop_watch(c.loop, wake_fd, LOOP_READ, on_wake, &c);
	patrol_start(c.patrol);
	if (store_note_int(c.store, "whole", 0) != 0)
		patrol_whole(c.patrol);
	sweep_start(c.sweep);
	if (c.traps != NULL)
		traps_start(c.traps, c.loop, c.store, knows, wake, &c);
	else
		(void)store_set_note(c.store, "traps", NULL);
	timer_after(c.loop, &c.status, STATUS_MS, on_status, &c);
	store_watch(c.store, on_store, &c);
	loop_run(c.loop);
	damaged = store_state(c.store) == STORE_DAMAGED;
	rc = 0;
out:
	lock_free(early);
	if (c.store != NULL)
		store_watch(c.store, NULL, NULL);
	if (c.loop != NULL) {
		loop_watch(c.loop, wake_fd, 0, NULL, NULL);
		timer_clear(c.loop, &c.status);
	}
	traps_free(c.traps);
	sweep_free(c.sweep);
	patrol_free(c.patrol);
	loop_free(c.loop);
	store_close(c.store);
	config_free(c.conf);
	return damaged ? SUPERVISOR_DAMAGED : rc;
}
