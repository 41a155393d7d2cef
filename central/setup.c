#include "central/setup.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "central/fleet.h"

/*
 * The store belongs to the user that run becomes.  The key stays with who
 * starts run, and reads it before.
 */
static int
give_to_user(const struct settings *s, const char *path)
{
	const struct passwd	*user;

	if (geteuid() != 0 || s == NULL || s->user == NULL)
		return 0;
	if ((user = getpwnam(s->user)) != NULL &&
	    lchown(path, user->pw_uid, user->pw_gid) == 0)
		return 0;
	log_warn("init", "cannot give %s to %s", path, s->user);
	return -1;
}

/* The last directory of path, ours with s NULL; those above must be there. */
static int
make_directory(const struct settings *s, const char *path)
{
	char	*dir, *slash;
	int	 rc = 0;

	dir = xstrdup(path);
	slash = strrchr(dir, '/');
	if (slash != NULL && slash != dir) {
		*slash = '\0';
		if (mkdir(dir, 0750) == 0)
			rc = give_to_user(s, dir);
		else if (errno != EEXIST) {
			log_warn("init", "cannot make %s", dir);
			rc = -1;
		}
	}
	free(dir);
	return rc;
}

int
setup_key(const struct settings *s, struct key *key)
{
	if (access(s->key_file, F_OK) == 0)
		return key_load(s->key_file, key);
	key_make(key);
	if (make_directory(NULL, s->key_file) == 0 &&
	    key_save(s->key_file, key) == 0)
		return 0;
	key_wipe(key);
	return -1;
}

int
setup_store(const struct settings *s)
{
	static const char *const	 ends[] = { "", "-wal", "-shm" };
	struct fleet			*fleet;
	char				*path;
	size_t				 i;
	int				 rc = 0;

	if (s->store_url == NULL && make_directory(s, s->store_path) != 0)
		return -1;
	if ((fleet = fleet_open(&s->store, FLEET_CREATE)) == NULL)
		return -1;
	if (s->store_url != NULL) {
		fleet_close(fleet);
		return 0;
	}
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]) && rc == 0; i++) {
		path = xasprintf("%s%s", s->store_path, ends[i]);
		if (access(path, F_OK) == 0)
			rc = give_to_user(s, path);
		free(path);
	}
	fleet_close(fleet);
	return rc;
}
