#include "agent/keyfiles.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"

#define PIN_TAG		"platen-pin-1"

static char *
path_of(const struct keyfiles *k, const char *name)
{
	return xasprintf("%s/%s", k->dir, name);
}

static bool
missing(const char *path)
{
	return access(path, F_OK) == -1 && errno == ENOENT;
}

/* The agent's own key, made at the first start. */
static int
load_own(struct keyfiles *k)
{
	char *path = path_of(k, "agent.key");
	int rc;

	if (missing(path)) {
		key_make(&k->own);
		rc = key_save(path, &k->own);
	} else
		rc = key_load(path, &k->own);
	free(path);
	return rc;
}

/*
 * One that cannot be read was not finished, or is damaged: the centre may
 * know it, but nobody can use it.  The own one still works then, unless a
 * session had stood on this one, and then agent.key had been replaced.
 */
static void
load_next(struct keyfiles *k)
{
	char *path = path_of(k, "agent.key.next");

	if (!missing(path)) {
		k->has_next = key_load(path, &k->next) == 0;
		if (!k->has_next && unlink(path) == -1)
			log_warn("courier", "%s", path);
	}
	free(path);
}

static int
save_pin(struct keyfiles *k)
{
	char under[KEY_TEXT_MAX], learned[KEY_TEXT_MAX], *path, *line;
	int rc;

	key_format_public(k->configured, under);
	key_format_public(k->learned, learned);
	line = xasprintf("%s %s %s %s", PIN_TAG, under, learned,
	    k->proven ? "proven" : "told");
	path = path_of(k, "central.pin");
	rc = secret_replace(path, line);
	free(path);
	free(line);
	return rc;
}

static bool
parse_pin(struct keyfiles *k, char *line, bool *other)
{
	uint8_t under[KEY_LEN];
	char *word[4], *at = line;
	size_t i;

	for (i = 0; i < 4; i++)
		if ((word[i] = strsep(&at, " ")) == NULL)
			return false;
	if (at != NULL || strcmp(word[0], PIN_TAG) != 0 ||
	    key_parse_public(word[1], under) == -1 ||
	    key_parse_public(word[2], k->learned) == -1)
		return false;
	k->proven = strcmp(word[3], "proven") == 0;
	*other = memcmp(under, k->configured, KEY_LEN) != 0;
	return k->proven || strcmp(word[3], "told") == 0;
}

/* A pin that makes no sense is an error: to fall back to a key that may have
 * been given up is the operator's decision. */
static int
load_pin(struct keyfiles *k)
{
	char *path = path_of(k, "central.pin"), line[SECRET_MAX];
	bool other = false;
	int rc = 0;

	if (missing(path))
		;
	else if (secret_read(path, "the centre's key", line,
	    sizeof(line)) == -1)
		rc = -1;
	else if (!parse_pin(k, line, &other)) {
		log_warnx("courier", "%s is damaged: remove it to go by [crypto] "
		    "central_key, after comparing that with platen-central "
		    "keys", path);
		rc = -1;
	} else if (other)
		log_info("courier", "[crypto] central_key is another one now: "
		    "what the centre said before does not count");
	else
		k->has_learned = true;
	if (!k->has_learned)
		k->proven = false;
	free(path);
	return rc;
}

int
keyfiles_load(struct keyfiles *k, const char *dir,
    const uint8_t configured[KEY_LEN])
{
	memset(k, 0, sizeof(*k));
	k->dir = xstrdup(dir);
	memcpy(k->configured, configured, KEY_LEN);
	if (load_own(k) == -1 || load_pin(k) == -1) {
		keyfiles_clear(k);
		return -1;
	}
	load_next(k);
	return 0;
}

void
keyfiles_clear(struct keyfiles *k)
{
	key_wipe(&k->own);
	key_wipe(&k->next);
	free(k->dir);
	memset(k, 0, sizeof(*k));
}

int
keyfiles_begin(struct keyfiles *k)
{
	char *path;
	int rc;

	if (k->has_next)
		return 0;
	path = path_of(k, "agent.key.next");
	key_make(&k->next);
	if ((rc = key_save(path, &k->next)) == 0)
		k->has_next = true;
	else
		key_wipe(&k->next);
	free(path);
	return rc;
}

int
keyfiles_settle(struct keyfiles *k)
{
	char *from, *to;
	int rc;

	if (!k->has_next)
		return 0;
	from = path_of(k, "agent.key.next");
	to = path_of(k, "agent.key");
	if ((rc = secret_rename(from, to)) == 0) {
		k->own = k->next;
		key_wipe(&k->next);
		k->has_next = false;
	}
	free(from);
	free(to);
	return rc;
}

int
keyfiles_learn(struct keyfiles *k, const uint8_t public[KEY_LEN])
{
	if (k->has_learned && memcmp(k->learned, public, KEY_LEN) == 0)
		return 0;
	memcpy(k->learned, public, KEY_LEN);
	k->has_learned = true;
	k->proven = false;
	return save_pin(k);
}

int
keyfiles_prove(struct keyfiles *k)
{
	if (!k->has_learned || k->proven)
		return 0;
	k->proven = true;
	return save_pin(k);
}

const struct key *
keyfiles_own(struct keyfiles *k)
{
	k->used_next = k->has_next && !k->next_unknown;
	return k->used_next ? &k->next : &k->own;
}

const uint8_t *
keyfiles_central(struct keyfiles *k)
{
	k->used_learned = k->has_learned && (k->proven ||
	    !k->learned_unknown);
	return k->used_learned ? k->learned : k->configured;
}

/*
 * Until a session has stood on it, what was told may have been lost at the
 * other end (the centre came back from a copy that is older): the configured
 * key takes turns with it.
 */
bool
keyfiles_refused(struct keyfiles *k, const char *condition)
{
	if (k->used_next && strcmp(condition, "not-authorized") == 0) {
		k->next_unknown = true;
		return true;
	}
	if (*condition != '\0' && strcmp(condition, "bad-request") != 0)
		return false;
	if (k->used_learned && !k->proven) {
		k->learned_unknown = true;
		return true;
	}
	k->learned_unknown = false;
	return false;
}

enum keyfiles_next
keyfiles_welcomed(struct keyfiles *k, const uint8_t *told)
{
	char print[48];

	bool taken = k->used_next;

	if (taken && keyfiles_settle(k) == 0) {
		key_fingerprint(k->own.public, print);
		log_info("courier", "the agent's key is %s now", print);
	}
	if (k->used_learned && keyfiles_prove(k) == -1)
		log_debug("courier", "the centre's key is proven again later");
	if (told == NULL)
		k->switched = false;
	else if (keyfiles_learn(k, told) == 0 && !k->switched) {
		key_fingerprint(told, print);
		log_info("courier", "the centre's key is %s now", print);
		/* Once: a centre that says so each time is not followed. */
		k->switched = true;
		k->learned_unknown = false;
		return KEYFILES_ANEW;
	}
	return k->has_next || taken ? KEYFILES_OFFER : KEYFILES_STAY;
}

void
keyfiles_offered(struct keyfiles *k)
{
	k->next_unknown = false;
}
