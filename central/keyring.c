#include "central/keyring.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"

#define UNTIL	".until-"

/* "20261130T120000Z" in the name of a file; -1 when it is none. */
static int
parse_until(const char *text, int64_t *ms)
{
	char full[CLOCK_TEXT_MAX];

	if (strlen(text) != 16 || text[8] != 'T' || text[15] != 'Z')
		return -1;
	snprintf(full, sizeof(full), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", text,
	    text + 4, text + 6, text + 9, text + 11, text + 13);
	return clock_parse(full, ms);
}

static char *
until_path(const char *path, int64_t ms)
{
	time_t s = (time_t)(ms / 1000);
	struct tm tm;
	char text[32];

	gmtime_r(&s, &tm);
	strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &tm);
	return xasprintf("%s" UNTIL "%s", path, text);
}

/* The present key had been put away when the change was cut short. */
static int
finish(const char *path)
{
	char *next = xasprintf("%s.next", path);
	int rc = 0;

	if (access(path, F_OK) == -1 && errno == ENOENT &&
	    access(next, F_OK) == 0) {
		log_info("keys", "%s: finishing the change of key", path);
		rc = secret_rename(next, path);
	}
	free(next);
	return rc;
}

/* Calls fn with each key of before; stops at -1. */
static int
each_old(const char *path, int (*fn)(void *arg, const char *file,
    int64_t until_ms), void *arg)
{
	const char *base = strrchr(path, '/');
	char *dir, *prefix, *file;
	struct dirent *entry;
	int64_t until;
	DIR *d;
	int rc = 0;

	dir = base == NULL ? xstrdup(".") : base == path ? xstrdup("/") :
	    xasprintf("%.*s", (int)(base - path), path);
	prefix = xasprintf("%s" UNTIL, base == NULL ? path : base + 1);
	if ((d = opendir(dir)) == NULL) {
		log_warn("keys", "%s", dir);
		rc = -1;
	}
	while (rc == 0 && (entry = readdir(d)) != NULL) {
		if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 ||
		    parse_until(entry->d_name + strlen(prefix), &until) == -1)
			continue;
		file = xasprintf("%s" UNTIL "%s", path,
		    entry->d_name + strlen(prefix));
		rc = fn(arg, file, until);
		free(file);
	}
	if (d != NULL)
		closedir(d);
	free(dir);
	free(prefix);
	return rc;
}

struct look {
	struct keyring	*ring;
	int64_t		 now_ms;
	size_t		 good;
};

static int
load_old(void *arg, const char *file, int64_t until_ms)
{
	struct look *look = arg;
	struct keyring *ring = look->ring;

	if (until_ms <= look->now_ms)
		return 0;
	if (ring->len == KEYRING_MAX) {
		log_warnx("keys", "%s is not used: there are more than %d old "
		    "keys", file, KEYRING_MAX - 1);
		return 0;
	}
	if (key_load(file, &ring->key[ring->len]) == -1)
		return -1;
	ring->until_ms[ring->len++] = until_ms;
	return 0;
}

int
keyring_load(const char *path, int64_t now_ms, struct keyring *ring)
{
	struct look look = { .ring = ring, .now_ms = now_ms };

	memset(ring, 0, sizeof(*ring));
	if (finish(path) == -1 || key_load(path, &ring->key[0]) == -1)
		return -1;
	ring->len = 1;
	if (each_old(path, load_old, &look) == 0)
		return 0;
	keyring_clear(ring);
	return -1;
}

void
keyring_clear(struct keyring *ring)
{
	while (ring->len > 0)
		key_wipe(&ring->key[--ring->len]);
}

static int
tidy_old(void *arg, const char *file, int64_t until_ms)
{
	struct look *look = arg;

	if (until_ms > look->now_ms) {
		look->good++;
		return 0;
	}
	if (unlink(file) == 0)
		return 0;
	log_warn("keys", "cannot remove %s", file);
	return -1;
}

/* The new key is on the disk before the present one is touched. */
static int
change(const char *path, int64_t until_ms)
{
	char *next = xasprintf("%s.next", path);
	char *old = until_path(path, until_ms);
	struct key key;
	int rc = -1;

	if (access(old, F_OK) == 0)
		log_warnx("keys", "%s is there already", old);
	else {
		/* Left behind by a try that never came to use it. */
		(void)unlink(next);
		key_make(&key);
		if (key_save(next, &key) == 0 &&
		    secret_rename(path, old) == 0 &&
		    secret_rename(next, path) == 0)
			rc = 0;
		key_wipe(&key);
	}
	free(next);
	free(old);
	return rc;
}

int
keyring_rotate(const char *path, int64_t now_ms, int64_t until_ms)
{
	struct look look = { .now_ms = now_ms };

	if (finish(path) == -1 || access(path, R_OK | W_OK) == -1) {
		log_warn("keys", "%s", path);
		return -1;
	}
	if (each_old(path, tidy_old, &look) == -1)
		return -1;
	if (look.good >= KEYRING_MAX - 1) {
		log_warnx("keys", "%zu old keys are still good: remove one "
		    "(%s" UNTIL "...) or wait until it has expired", look.good,
		    path);
		return -1;
	}
	return change(path, until_ms);
}
