/*
 * What a centre may say under the seal to a report, and what the agent makes
 * of it: only what was sent can be acknowledged or refused, and no report is
 * lost that was not.  Several contents, one after the other, with NULs
 * between; one that begins with "<envelope" is the whole envelope.
 */
#include "agent/delivery.h"

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/known.h"
#include "agent/storedb.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "schema/envelope.h"
#include "tests/fuzz/must.h"

#define AGENT	"a@agents.test"
#define CENTRE	"centre.test"
#define ASSET	"00000000-0000-4000-8000-000000000001"
#define REPORTS	4
#define SENT	3		/* of them */

/* ---- The connection, in place of xmpp/uplink.c. ---- */

struct uplink *
uplink_new(struct loop *loop, const struct uplink_config *config,
    const struct uplink_events *events, void *arg)
{
	return NULL;
}

void
uplink_free(struct uplink *u)
{
}

void
uplink_start(struct uplink *u)
{
}

void
uplink_stop(struct uplink *u)
{
}

enum uplink_state
uplink_state(const struct uplink *u)
{
	return UPLINK_READY;
}

int64_t
uplink_backoff_ms(int attempt, int64_t min_ms, int64_t max_ms, double dice)
{
	return min_ms;
}

int
uplink_ask(struct uplink *u, const char *payload, size_t len, int timeout_ms,
    uplink_answer_fn *fn, void *arg)
{
	return -1;
}

void
uplink_refuse(struct uplink *u, const char *id, const char *condition,
    const char *text)
{
}

void
uplink_status(struct uplink *u, const char *text)
{
}

bool
uplink_sent_too_much(const struct uplink *u)
{
	return false;
}

/* ---- A courier with reports under way. ---- */

static struct config	conf = { .jid = AGENT, .central = CENTRE };
static struct courier	c = { .conf = &conf, .wake_fd = -1 };
static char		dir[64];

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static void
clean(void)
{
	store_close(c.store);
	c.store = NULL;
	if (dir[0] != '\0')
		(void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void
fill(void)
{
	struct report	 report;
	int		 i;

	must((c.store = store_open(dir)) != NULL);
	report_init(&report);
	report_asset(&report)->id = xstrdup(ASSET);
	must(store_begin(c.store) == 0);
	for (i = 0; i < REPORTS; i++)
		must(outbox_append(c.store, &report, LANE_URGENT,
		    ASSET) == 1);
	must(known_tell(c.store, &report) == 0);
	must(store_commit(c.store) == 0);
	report_clear(&report);
}

/* An answer that the store keeps is not there for the next input. */
static void
prepare(void)
{
	static int	 changes;

	if (c.store != NULL && sqlite3_total_changes(c.store->db) == changes)
		return;
	if (c.loop == NULL) {
		log_hook(must_be_quiet, NULL);
		c.loop = loop_new();
		atexit(clean);
	} else
		clean();
	snprintf(dir, sizeof(dir), "%s/platen-fuzz-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	must(mkdtemp(dir) != NULL);
	fill();
	changes = sqlite3_total_changes(c.store->db);
}

static void
take(const char *content, size_t len)
{
	struct ticket	 ticket = { .courier = &c, .lane = LANE_URGENT,
			    .last = SENT };
	struct envelope	 envelope;
	struct buf	 plain = { 0 };
	char		 why[160] = "";

	if (len >= 9 && memcmp(content, "<envelope", 9) == 0)
		buf_put(&plain, content, len);
	else
		envelope_write(&plain, content, len, CENTRE, AGENT,
		    clock_wall_ms());
	if (envelope_read(plain.data, plain.len, CENTRE, AGENT, &envelope,
	    why, sizeof(why)) == 0) {
		receipt_take(&c, &ticket, envelope.content);
		envelope_clear(&envelope);
	} else
		must(why[0] != '\0');
	buf_free(&plain);
}

static void
must_be_kept(void)
{
	struct outbox_count	 box;
	int64_t			 acked = c.way[LANE_URGENT].acked;

	must(acked >= 0 && acked <= SENT && c.way[LANE_BULK].acked == 0);
	must(outbox_ack(c.store, LANE_URGENT, acked) == 0);
	must(outbox_count(c.store, &box) == 0);
	must(box.lane[LANE_URGENT].next_seq == REPORTS + 1);
	must(box.depth >= REPORTS - SENT);
	must(box.depth + box.refused >= REPORTS - acked);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char	*at = (const char *)data, *end = at + size, *nul;

	if (size == 0)
		return 0;
	prepare();
	c.up = true;
	c.way[LANE_URGENT].sent = SENT;
	c.way[LANE_URGENT].acked = c.way[LANE_BULK].acked = 0;
	for (; at < end && c.up; at = nul + 1) {
		nul = memchr(at, '\0', (size_t)(end - at));
		if (nul == NULL)
			nul = end;
		take(at, (size_t)(nul - at));
	}
	must_be_kept();
	timer_clear(c.loop, &c.retry);
	timer_clear(c.loop, &c.outbox_ack);
	return 0;
}
