#include "agent/storekey.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

#define CREDENTIAL	"platen-store.key"
#define PURPOSE		"[agent] store_key_file"

static bool
is_there(const char *path)
{
	return access(path, F_OK) == 0 || errno != ENOENT;
}

/* NULL when systemd gave none. */
static char *
credential_path(void)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char *path;

	if (dir == NULL || *dir != '/')
		return NULL;
	path = xasprintf("%s/" CREDENTIAL, dir);
	if (is_there(path))
		return path;
	free(path);
	return NULL;
}

char *
storekey_path(const struct config *conf)
{
	char *path = credential_path();

	if (path == NULL && conf->store_key_file != NULL)
		path = xstrdup(conf->store_key_file);
	return path != NULL ? path : config_state_path(conf, "store.key");
}

bool
storekey_is_early(const struct config *conf)
{
	char *path = credential_path();
	bool early = path != NULL || conf->store_key_file != NULL;

	free(path);
	return early;
}

bool
storekey_is_there(const struct config *conf)
{
	char *path = storekey_path(conf);
	bool there = is_there(path);

	free(path);
	return there;
}

/* The operator is root, and the key the agent's user's: read as that one,
 * whose directory it is, since nobody trusts files of somebody else. */
static bool
become_owner(const struct config *conf)
{
	struct stat sb;

	return geteuid() == 0 && !storekey_is_early(conf) &&
	    stat(conf->state_dir, &sb) == 0 && sb.st_uid != 0 &&
	    seteuid(sb.st_uid) == 0;
}

struct lock *
storekey_load(const struct config *conf)
{
	char *path = storekey_path(conf);
	bool became = become_owner(conf);
	struct lock *lock = lock_load(path, PURPOSE);

	if (became && seteuid(0) == -1)
		fatal("store", "seteuid");
	free(path);
	return lock;
}

struct lock *
storekey_load_or_make(const struct config *conf)
{
	struct lock *lock;
	char *path;

	if (storekey_is_there(conf))
		return storekey_load(conf);
	path = storekey_path(conf);
	if ((lock = lock_make(path)) != NULL)
		log_info("store", "a new key for the store: %s",
		    log_safe(path));
	free(path);
	return lock;
}

struct store *
storekey_open(const struct config *conf, struct lock *early, bool *damaged)
{
	struct lock *lock = early;

	*damaged = false;
	if (lock == NULL && !storekey_is_early(conf))
		lock = storekey_load_or_make(conf);
	return store_open_locked(conf->state_dir, lock, damaged);
}

struct store *
storekey_look(const struct config *conf)
{
	struct store *st = store_look(conf->state_dir, storekey_load(conf));

	if (st == NULL)
		log_warnx("platen", "no store in %s: has platend run, and may "
		    "you read it and its key?", conf->state_dir);
	return st;
}
