#include "agent/traps.h"

#include <sys/random.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "snmp/trap.h"

#define BATCH		32	/* datagrams from a socket in one turn */
#define TICK_MS		100
#define TICK_TOKENS	(TRAPS_RATE * TICK_MS / 1000)
#define TOKENS_MAX	TRAPS_RATE
#define DATAGRAM_MAX	8192	/* the largest that is read; RFC 3416 wants
				 * 484, and alerts are some 200 */
#define NOTE_MS		5000	/* counts are written so often at most */
#define SAY_MS		(60 * 60 * 1000)
#define RANDOM_LEN	12

struct line {			/* not more often than once an hour */
	int64_t	 said_ms;	/* mono; 0 never */
	int64_t	 since;		/* how many since then */
};

struct traps {
	struct loop		*loop;
	struct store		*store;
	int			*fd;
	size_t			 fd_len;
	bool			(*knows)(void *, struct in_addr);
	bool			(*wake)(void *, struct in_addr);
	void			*arg;
	struct trap_keys	 keys;
	struct usm_user		**users;
	uint8_t			 datagram[DATAGRAM_MAX + 1];
	uint8_t			 answer[DATAGRAM_MAX];
	int64_t			 tokens, tick_ms;
	struct timer		 resume, note;
	struct traps_count	 count;
	struct line		 unknown, refused;
};

static void	 on_datagrams(void *, int, unsigned);

/* --- opening --------------------------------------------------------------------- */

static int
open_one(const char *text)
{
	struct sockaddr_in addr;
	int fd;

	if (!traps_address(text, &addr))
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd != -1 && bind(fd, (struct sockaddr *)&addr,
	    sizeof(addr)) == 0) {
		log_info("traps", "listens on %s", text);
		return fd;
	}
	log_warn("traps", "cannot listen on %s; printers are watched all the "
	    "same", text);
	if (fd != -1)
		close(fd);
	return -1;
}

/* All users of the INI: which is which, the digest tells. */
static void
take_users(struct traps *t, const struct config *conf)
{
	size_t i;

	t->users = xcalloc(conf->snmp_len + 1, sizeof(*t->users));
	for (i = 0; i < conf->snmp_len; i++)
		if (conf->snmp[i].credential.user != NULL)
			t->users[t->keys.n++] = conf->snmp[i].credential.user;
	t->keys.users = t->users;
}

struct traps *
traps_open(const struct config *conf)
{
	struct traps *t;
	size_t i;
	int fd;

	if (conf->traps_listen.count == 0)
		return NULL;
	t = xcalloc(1, sizeof(*t));
	t->fd = xcalloc(conf->traps_listen.count, sizeof(*t->fd));
	for (i = 0; i < conf->traps_listen.count; i++)
		if ((fd = open_one(conf->traps_listen.item[i])) != -1)
			t->fd[t->fd_len++] = fd;
	if (t->fd_len == 0) {
		traps_free(t);
		return NULL;
	}
	take_users(t, conf);
	t->keys.scratch = xmalloc(USM_MESSAGE_MAX);
	return t;
}

/* --- our own engine --------------------------------------------------------------- */

/*
 * RFC 3411 SnmpEngineID, form 5: octets of our own choice, random, made once.
 * The enterprise number in front is 0, which is nobody's: Platen has none.
 */
static char *
make_id(void)
{
	uint8_t bytes[RANDOM_LEN];
	char *hex = xstrdup("8000000005");
	size_t i;

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		fatal("traps", "no random numbers");
	hex = xrealloc(hex, 10 + 2 * RANDOM_LEN + 1);
	for (i = 0; i < RANDOM_LEN; i++)
		snprintf(hex + 10 + 2 * i, 3, "%02x", bytes[i]);
	return hex;
}

static bool
parse_id(const char *hex, struct usm_local *local)
{
	unsigned octet;
	size_t i, len = strlen(hex) / 2;

	if (len < 5 || len > sizeof(local->id) || strlen(hex) % 2 != 0 ||
	    strspn(hex, "0123456789abcdef") != 2 * len)
		return false;
	for (i = 0; i < len; i++) {
		sscanf(hex + 2 * i, "%2x", &octet);
		local->id[i] = (uint8_t)octet;
	}
	local->id_len = len;
	return true;
}

/* RFC 3414 section 2.2.2: boots grow with each start, and with them what was
 * sent before is out of time. */
static void
start_engine(struct traps *t)
{
	struct usm_local *local = &t->keys.local;
	char *hex = store_note(t->store, "engine_id");

	local->start_ms = clock_mono_ms();
	local->boots = store_note_int(t->store, "engine_boots", 0) + 1;
	if (!parse_id(hex, local)) {
		free(hex);
		hex = make_id();
		(void)parse_id(hex, local);
		local->boots = 1;
	}
	if (store_set_note(t->store, "engine_id", hex) == -1 ||
	    store_set_note_int(t->store, "engine_boots", local->boots) == -1)
		log_warnx("traps", "informs of SNMPv3 may be refused after "
		    "the next start");
	free(hex);
}

/* --- counting and saying ------------------------------------------------------------ */

static void
write_note(void *arg)
{
	struct traps *t = arg;
	char text[128];

	snprintf(text, sizeof(text), "%" PRId64 " %" PRId64 " %" PRId64 " %"
	    PRId64, t->count.received, t->count.woke, t->count.unknown,
	    t->count.refused);
	(void)store_set_note(t->store, "traps", text);
}

static void
note_later(struct traps *t)
{
	if (!timer_pending(&t->note))
		timer_after(t->loop, &t->note, NOTE_MS, write_note, t);
}

void
traps_count(const struct traps *t, struct traps_count *out)
{
	*out = t->count;
}

bool
traps_count_parse(const char *note, struct traps_count *out)
{
	return sscanf(note, "%" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64,
	    &out->received, &out->woke, &out->unknown, &out->refused) == 4;
}

static bool
may_say(struct line *line)
{
	int64_t now = clock_mono_ms();

	line->since++;
	if (line->said_ms != 0 && now - line->said_ms < SAY_MS)
		return false;
	line->said_ms = now;
	return true;
}

static void
say(struct line *line, struct in_addr from, const char *why)
{
	char ip[INET_ADDRSTRLEN];

	if (!may_say(line))
		return;
	inet_ntop(AF_INET, &from, ip, sizeof(ip));
	log_info("traps", "%s: %s (%" PRId64 " ignored for such a reason; "
	    "said once an hour)", ip, why, line->since);
	line->since = 0;
}

/* --- what comes ------------------------------------------------------------------ */

static void
take_one(struct traps *t, int fd, const struct sockaddr_in *from, size_t len)
{
	struct ber_out answer;
	struct trap trap;
	enum trap_verdict verdict;
	char why[120], ip[INET_ADDRSTRLEN];

	t->count.received++;
	note_later(t);
	if (!t->knows(t->arg, from->sin_addr)) {
		t->count.unknown++;
		say(&t->unknown, from->sin_addr, "sends traps and is no "
		    "printer that is known here");
		return;
	}
	ber_out_init(&answer, t->answer, sizeof(t->answer));
	verdict = len > DATAGRAM_MAX ? TRAP_NONE : trap_decode(t->datagram,
	    len, &t->keys, &trap, &answer, why, sizeof(why));
	/* Lost, it comes again; the answer is no longer than what came. */
	if (!answer.full && ber_out_len(&answer) > 0)
		(void)sendto(fd, answer.at, ber_out_len(&answer),
		    MSG_DONTWAIT, (const struct sockaddr *)from,
		    sizeof(*from));
	if (verdict == TRAP_NONE) {
		t->count.refused++;
		say(&t->refused, from->sin_addr, len > DATAGRAM_MAX ?
		    "a trap too large" : why);
	} else if (verdict == TRAP_TAKEN) {
		inet_ntop(AF_INET, &from->sin_addr, ip, sizeof(ip));
		log_debug("traps", "%s: %s", ip, trap_name(&trap));
		if (t->wake(t->arg, from->sin_addr))
			t->count.woke++;
	}
}

static void
watch(struct traps *t, bool on)
{
	size_t i;

	for (i = 0; i < t->fd_len; i++)
		loop_watch(t->loop, t->fd[i], on ? LOOP_READ : 0,
		    on ? on_datagrams : NULL, t);
}

static void
refill(struct traps *t)
{
	int64_t ticks = (clock_mono_ms() - t->tick_ms) / TICK_MS;

	if (ticks <= 0)
		return;
	t->tick_ms += ticks * TICK_MS;
	t->tokens = ticks > TOKENS_MAX / TICK_TOKENS ||
	    t->tokens + ticks * TICK_TOKENS > TOKENS_MAX ? TOKENS_MAX :
	    t->tokens + ticks * TICK_TOKENS;
}

static void
on_resume(void *arg)
{
	watch(arg, true);
}

static void
on_datagrams(void *arg, int fd, unsigned events)
{
	struct traps *t = arg;
	struct sockaddr_in from;
	socklen_t from_len;
	ssize_t n;
	int i;

	refill(t);
	for (i = 0; i < BATCH && t->tokens > 0; i++) {
		from_len = sizeof(from);
		n = recvfrom(fd, t->datagram, sizeof(t->datagram),
		    MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);
		if (n == -1)
			return;		/* no more, or an ICMP error */
		t->tokens--;
		if (from_len == sizeof(from) && from.sin_family == AF_INET)
			take_one(t, fd, &from, (size_t)n);
	}
	if (t->tokens == 0) {
		watch(t, false);
		timer_after(t->loop, &t->resume, TICK_MS, on_resume, t);
	}
}

/* --- start, stop ------------------------------------------------------------------ */

void
traps_start(struct traps *t, struct loop *loop, struct store *store,
    bool (*knows)(void *, struct in_addr),
    bool (*wake)(void *, struct in_addr), void *arg)
{
	t->loop = loop;
	t->store = store;
	t->knows = knows;
	t->wake = wake;
	t->arg = arg;
	t->tokens = TOKENS_MAX;
	t->tick_ms = clock_mono_ms();
	start_engine(t);
	write_note(t);
	watch(t, true);
}

void
traps_free(struct traps *t)
{
	size_t i;

	if (t == NULL)
		return;
	if (t->loop != NULL) {
		watch(t, false);
		timer_clear(t->loop, &t->resume);
		timer_clear(t->loop, &t->note);
		write_note(t);
	}
	for (i = 0; i < t->fd_len; i++)
		close(t->fd[i]);
	free(t->fd);
	free(t->users);
	free(t->keys.scratch);
	free(t);
}
