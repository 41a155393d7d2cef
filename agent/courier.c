#include "agent/courier.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/audit.h"
#include "agent/collector.h"
#include "agent/delivery.h"
#include "agent/loginconf.h"
#include "agent/proxyconf.h"
#include "agent/storekey.h"
#include "agent/supervisor.h"
#include "base/clock.h"
#include "base/drop.h"
#include "base/log.h"
#include "crypto/key.h"
#include "schema/report.h"

#define REQUEST_MS	60000		/* one line in the log */

static void
on_state(void *arg, enum uplink_state state, const char *why)
{
	struct courier *c = arg;

	switch (state) {
	case UPLINK_READY:
		/* Also when the centre announces itself anew. */
		c->asking = false;
		c->failures = 0;
		session_begin(c);
		break;
	case UPLINK_ONLINE:
		session_end(c, NULL);
		bulletin_state(c, "centre absent", why);
		break;
	case UPLINK_CONNECTING:
		session_end(c, NULL);
		break;
	case UPLINK_DOWN:
		session_end(c, NULL);
		if (uplink_sent_too_much(c->uplink))
			dispatch_less(c);
		bulletin_state(c, "not connected", why);
		break;
	}
}

/* This version takes no commands. */
static void
on_request(void *arg, const char *id, const struct uplink_element *element)
{
	struct courier *c = arg;

	if (c->asked_ms == 0 || clock_mono_ms() - c->asked_ms >= REQUEST_MS) {
		log_warnx("courier", "a request from the centre is refused: "
		    "this version takes no commands");
		c->asked_ms = clock_mono_ms();
	}
	uplink_refuse(c->uplink, id, "feature-not-implemented", NULL);
}

static void
on_wake(void *arg, int fd, unsigned events)
{
	struct courier *c = arg;
	char bytes[64];
	ssize_t n;

	if ((n = read(fd, bytes, sizeof(bytes))) <= 0)
		return;
	bulletin_store_news(c, bytes, (size_t)n);
	if (memchr(bytes, WAKE_REKEY, (size_t)n) != NULL &&
	    keyfiles_begin(&c->keys) == 0 && c->up)
		session_offer_key(c);
	dispatch_pump(c);
}

static void
on_poll(void *arg)
{
	struct courier *c = arg;

	if (c->store_here != STORE_FINE)
		store_try(c->store);
	if (c->seen.unwritten)
		bulletin_write(c);
	bulletin_store(c);
	dispatch_pump(c);
	timer_after(c->loop, &c->poll, DELIVERY_POLL_MS, on_poll, c);
}

static void
on_signal(void *arg, int signo)
{
	struct courier *c = arg;

	loop_stop(c->loop);
}

/* --- start -------------------------------------------------------------------- */

/*
 * Read while we may.  It is told at every start, for as long as it is there:
 * the centre goes by the key that it knows, and a new token counts when the
 * agent has been enrolled anew.
 */
static int
load_token(struct courier *c)
{
	const char *path = c->conf->token_file;

	if (c->conf->token != NULL)
		snprintf(c->token, sizeof(c->token), "%s", c->conf->token);
	else if (path != NULL && access(path, F_OK) == -1 && errno == ENOENT)
		log_info("courier", "%s is not there any more: going on "
		    "without a token", path);
	else if (path != NULL)
		return secret_read(path, "[crypto] token_file", c->token,
		    sizeof(c->token));
	return 0;
}

static int
start(struct courier *c)
{
	struct uplink_config uc = { 0 };
	static const struct uplink_events events = { on_state, on_request };
	char proxy_password[PROXY_SECRET_MAX + 1];
	struct loginconf login = { 0 };
	struct proxy proxy;
	struct lock *early = NULL;
	uint8_t configured[KEY_LEN];
	int rc = -1, proxied;

	if (key_library_init() == -1 ||
	    key_parse_public(c->conf->central_key, configured) == -1)
		return -1;
	if (loginconf_load(c->conf, &login) == -1 || load_token(c) == -1 ||
	    (proxied = proxyconf_load(c->conf, &proxy,
	    proxy_password)) == -1)
		goto out;
	if (storekey_is_early(c->conf))
		early = storekey_load(c->conf);
	if (drop_privileges(c->conf->user) == -1 || supervisor_follow(0) == -1)
		goto out;
	report_schema_load();
	c->store = storekey_open(c->conf, early, &c->damaged);
	early = NULL;
	if (c->store == NULL || keyfiles_load(&c->keys, c->conf->state_dir,
	    configured) == -1)
		goto out;
	bulletin_keys(c);
	c->loop = loop_new();
	uc.jid = c->conf->jid;
	uc.password = login.password;
	uc.client_cert = login.cert;
	uc.client_key = login.key;
	uc.allow_plain = c->conf->allow_plain;
	uc.pins = c->conf->pins.item;
	uc.pin_count = c->conf->pins.count;
	uc.host = c->conf->host;
	uc.port = (int)c->conf->port;
	uc.fallback_port = (int)c->conf->fallback_port;
	uc.proxy = proxied ? &proxy : NULL;
	uc.ca_file = c->conf->ca_file;
	uc.central = c->conf->central;
	uc.version = PLATEN_VERSION;
	c->uplink = uplink_new(c->loop, &uc, &events, c);
	rc = c->uplink == NULL ? -1 : 0;
out:
	loginconf_free(&login);
	secret_wipe(proxy_password, sizeof(proxy_password));
	lock_free(early);
	return rc;
}

int
courier_run(const char *config_path, int wake_fd)
{
	struct courier c = { .wake_fd = wake_fd, .batch_most = DELIVERY_BATCH_MOST };
	int rc = 1;

	log_role("uplink");
	if ((c.conf = config_read(config_path, CONFIG_UPLINK)) == NULL)
		return 1;
	srandom((unsigned)(clock_wall_ms() ^ getpid()));
	if (start(&c) == 0) {
		c.audit = audit_new(c.loop, c.store);
		c.lost_ms = store_note_int(c.store, "damaged_at", 0);
		bulletin_store(&c);
		store_watch(c.store, bulletin_on_store, &c);
		loop_signal(c.loop, SIGTERM, on_signal, &c);
		loop_signal(c.loop, SIGINT, on_signal, &c);
		loop_watch(c.loop, wake_fd, LOOP_READ, on_wake, &c);
		timer_after(c.loop, &c.poll, DELIVERY_POLL_MS, on_poll, &c);
		uplink_start(c.uplink);
		loop_run(c.loop);
		uplink_stop(c.uplink);
		bulletin_state(&c, "stopped", NULL);
		c.damaged = store_state(c.store) == STORE_DAMAGED;
		store_watch(c.store, NULL, NULL);
		rc = 0;
	}
	session_end(&c, NULL);
	if (c.loop != NULL) {
		timer_clear(c.loop, &c.retry);
		timer_clear(c.loop, &c.poll);
		timer_clear(c.loop, &c.outbox_ack);
		timer_clear(c.loop, &c.news);
		timer_clear(c.loop, &c.hold);
		loop_watch(c.loop, wake_fd, 0, NULL, NULL);
	}
	uplink_free(c.uplink);
	audit_free(c.audit);
	receipt_forget(&c);
	loop_free(c.loop);
	store_close(c.store);
	secret_wipe(c.token, sizeof(c.token));
	keyfiles_clear(&c.keys);
	config_free(c.conf);
	return c.damaged ? SUPERVISOR_DAMAGED : rc;
}
