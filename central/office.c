#include "central/office.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/secret.h"
#include "central/keyring.h"
#include "central/roster.h"
#include "xmpp/jid.h"

static void
print_snippet(const struct settings *s, const char *name, const char *jid,
    const uint8_t public[KEY_LEN], const char *token, int64_t until_ms)
{
	char	text[KEY_TEXT_MAX], time[CLOCK_TEXT_MAX];

	key_format_public(public, text);
	printf("# For the agent's platen.ini.  The token works once, until "
	    "%s.\n"
	    "[agent]\nname = %s\n\n"
	    "[xmpp]\njid = %s\ncentral = %s\n\n"
	    "[crypto]\ncentral_key = %s\ntoken = %s\n",
	    clock_format(until_ms, time), name, jid, s->jid, text, token);
}

int
office_enrol(const struct settings *s, const struct key *key,
    const char *name, const char *jid, const char *customer,
    int64_t valid_ms)
{
	struct fleet	*fleet;
	char		 token[ROSTER_TOKEN_MAX], why[120];
	int64_t		 now = clock_wall_ms();
	int		 rc;

	if ((fleet = fleet_open(&s->store, FLEET_WRITE)) == NULL)
		return -1;
	rc = roster_enrol(fleet, name, jid, customer, valid_ms, now,
	    token, why, sizeof(why));
	if (rc != 0)
		log_warnx("enrol", "%s: %s", name, why);
	else if ((rc = fleet_commit(fleet)) == 0)
		print_snippet(s, name, jid, key->public, token,
		    now + valid_ms);
	fleet_rollback(fleet);
	fleet_close(fleet);
	secret_wipe(token, sizeof(token));
	return rc;
}

/* Approves or revokes, whichever was asked for. */
int
office_decide(struct fleet *fleet, const char *approve, const char *revoke)
{
	const char	*text = approve != NULL ? approve : revoke;
	char		 jid[JID_MAX], why[120] = "no JID", print[48];
	uint8_t		 key[KEY_LEN];
	int		 rc = -1;

	if (roster_jid(text, jid, sizeof(jid)) == 0) {
		if (approve != NULL)
			rc = roster_approve(fleet, jid, key, why,
			    sizeof(why));
		else
			rc = roster_revoke(fleet, jid, why, sizeof(why));
	}
	if (rc == 0 && (rc = fleet_commit(fleet)) != 0)
		snprintf(why, sizeof(why), "the store failed");
	fleet_rollback(fleet);
	if (rc != 0) {
		log_warnx("agents", "%s: %s", log_safe(text), why);
		return 1;
	}
	if (approve != NULL) {
		key_fingerprint(key, print);
		printf("%s is approved with the key %s\n", jid, print);
	} else
		printf("%s is revoked\n", jid);
	return 0;
}

static void
keys_json(const struct keyring *ring, FILE *out)
{
	char	public[KEY_TEXT_MAX], print[48], time[CLOCK_TEXT_MAX];
	struct buf	text = { 0 };
	struct json	js;
	size_t		i;

	json_start(&js, &text);
	json_array(&js, NULL);
	for (i = 0; i < ring->len; i++) {
		key_format_public(ring->key[i].public, public);
		key_fingerprint(ring->key[i].public, print);
		json_object(&js, NULL);
		json_string(&js, "fingerprint", print);
		json_string(&js, "public", public);
		json_bool(&js, "current", i == 0);
		json_string(&js, "until", i == 0 ? NULL :
		    clock_format(ring->until_ms[i], time));
		json_object_end(&js);
	}
	json_array_end(&js);
	fputs(text.data, out);
	buf_free(&text);
}

static void
keys_table(const struct keyring *ring, FILE *out)
{
	char	public[KEY_TEXT_MAX], print[48], time[CLOCK_TEXT_MAX];
	size_t	i;

	for (i = 0; i < ring->len; i++) {
		key_format_public(ring->key[i].public, public);
		key_fingerprint(ring->key[i].public, print);
		fprintf(out, "%s  %s  %s%s\n", print, public,
		    i == 0 ? "now" : "good until ", i == 0 ? "" :
		    clock_format(ring->until_ms[i], time));
	}
}

int
office_keys(const struct settings *s, bool json, FILE *out)
{
	struct keyring	ring;

	if (keyring_load(s->key_file, clock_wall_ms(), &ring) != 0)
		return -1;
	if (json)
		keys_json(&ring, out);
	else
		keys_table(&ring, out);
	keyring_clear(&ring);
	return 0;
}

int
office_rotate(const struct settings *s, int64_t keep_ms)
{
	int64_t	now = clock_wall_ms();

	if (keyring_rotate(s->key_file, now, now + keep_ms) != 0 ||
	    office_keys(s, false, stdout) != 0)
		return -1;
	printf("Restart platen-central to use it.  Agents that come while the "
	    "old one is good\nlearn of it by themselves; later ones want "
	    "enrol again.\n");
	return 0;
}
