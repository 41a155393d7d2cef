#include "agent/keeper.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/config.h"
#include "agent/salvage.h"
#include "agent/storedb.h"
#include "agent/storekey.h"
#include "agent/supervisor.h"
#include "base/clock.h"
#include "base/drop.h"
#include "base/log.h"
#include "base/mem.h"

/* A big store is checked for so long at the start, and the rest of it while
 * the agent runs (agent/audit.h). */
#define CHECK_MS	10000
#define CHECK_STEPS	20000	/* of SQLite's machine, between looks at the
				 * clock */
#define ASIDE		"store.db.damaged-"
#define NAMES_MAX	64

/* --- is it damaged? -------------------------------------------------------- */

/* What can be seen from outside: NULL when it may be a store. */
static const char *
look_at(const char *path)
{
	struct stat sb;

	if (lstat(path, &sb) == -1)
		return NULL;	/* not there, or opening it will tell */
	if (!S_ISREG(sb.st_mode))
		return "it is not a plain file";
	if (sb.st_size == 0)
		return "it is empty";
	return NULL;
}

static int
is_time_over(void *arg)
{
	const int64_t *end = arg;

	return clock_mono_ms() > *end;
}

/* The first fault that SQLite finds in the time, "" for none. */
static void
quick_check(struct store *st, char *why, size_t why_size)
{
	int64_t end = clock_mono_ms() + CHECK_MS;
	const char *said;
	sqlite3_stmt *stmt;
	int rc = SQLITE_ERROR;

	why[0] = '\0';
	sqlite3_progress_handler(st->db, CHECK_STEPS, is_time_over, &end);
	if (sqlite3_prepare_v2(st->db, "PRAGMA quick_check(1)", -1, &stmt,
	    NULL) == SQLITE_OK)
		rc = sqlite3_step(stmt);
	sqlite3_progress_handler(st->db, 0, NULL, NULL);
	if (rc == SQLITE_ROW) {
		said = (const char *)sqlite3_column_text(stmt, 0);
		if (said != NULL && strcmp(said, "ok") != 0)
			snprintf(why, why_size, "%.120s", said);
	} else if ((rc & 0xff) == SQLITE_INTERRUPT)
		log_info("keeper", "the store is too big to be checked in %d "
		    "s: the rest is checked while the agent runs",
		    CHECK_MS / 1000);
	else if (storedb_failed(st, "store.db") == -1 &&
	    st->state == STORE_DAMAGED)
		snprintf(why, why_size, "%s", st->why);
	sqlite3_finalize(stmt);
	why[strcspn(why, "\r\n")] = '\0';
}

/* 0 when it can be used, 1 when it is damaged and why, -1 when it cannot be
 * opened for another reason. */
static int
check(const char *dir, const struct lock *lock, char *why, size_t why_size)
{
	char *path = xasprintf("%s/store.db", dir);
	bool damaged, open = access(path, R_OK | W_OK) == 0 ||
	    errno == ENOENT || (errno == EROFS && access(path, R_OK) == 0);
	struct store *st;

	if (!open)
		log_warn("keeper", "%s cannot be read and written by this "
		    "user (uid %u), whose it must be", path,
		    (unsigned)geteuid());
	free(path);
	if (!open)
		return -1;
	st = store_open_locked(dir, lock_copy(lock), &damaged);
	if (st == NULL) {
		snprintf(why, why_size, "it cannot be read as a store");
		return damaged ? 1 : -1;
	}
	quick_check(st, why, why_size);
	store_close(st);
	return why[0] == '\0' ? 0 : 1;
}

/* --- setting aside ----------------------------------------------------------- */

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
drop_set(const char *dir, const char *name)
{
	static const char *const parts[] = { "", "-wal", "-shm", "-journal" };
	char *path;
	size_t i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		path = xasprintf("%s/%s%s", dir, name, parts[i]);
		(void)remove(path);
		free(path);
	}
}

/* The names begin with their times: the first are the oldest. */
static void
drop_oldest(const char *dir, size_t keep)
{
	char *name[NAMES_MAX];
	size_t len = 0, i;
	struct dirent *entry;
	DIR *d;

	if ((d = opendir(dir)) == NULL)
		return;
	while (len < NAMES_MAX && (entry = readdir(d)) != NULL)
		if (strncmp(entry->d_name, ASIDE, sizeof(ASIDE) - 1) == 0 &&
		    strchr(entry->d_name + sizeof(ASIDE) - 1, '-') == NULL)
			name[len++] = xstrdup(entry->d_name);
	closedir(d);
	qsort(name, len, sizeof(name[0]), compare);
	for (i = 0; i < len; i++) {
		if (len - i > keep)
			drop_set(dir, name[i]);
		free(name[i]);
	}
}

/* A name that is free, and behind all that there are; the caller frees. */
static char *
name_aside(const char *dir)
{
	int64_t now = clock_wall_ms();
	time_t seconds;
	char stamp[32], *path = NULL;
	struct stat sb;
	struct tm tm;

	do {
		free(path);
		seconds = (time_t)(now / 1000);
		gmtime_r(&seconds, &tm);
		strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%S", &tm);
		path = xasprintf("%s/" ASIDE "%s.%03dZ", dir, stamp,
		    (int)(now++ % 1000));
	} while (lstat(path, &sb) == 0);
	return path;
}

static void
sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1)
		return;
	(void)fsync(fd);
	close(fd);
}

/* Moves the store with its log; where to, or NULL. */
static char *
set_aside(const char *dir)
{
	char *from = xasprintf("%s/store.db", dir), *to, *from_log, *to_log;

	drop_oldest(dir, KEEPER_KEPT - 1);
	to = name_aside(dir);
	from_log = xasprintf("%s-wal", from);
	to_log = xasprintf("%s-wal", to);
	if (rename(from, to) == -1) {
		log_warn("keeper", "cannot set the damaged store %s aside",
		    from);
		free(to);
		to = NULL;
	} else {
		(void)rename(from_log, to_log);
		/* An index of the log, made anew from it. */
		free(from_log);
		from_log = xasprintf("%s-shm", from);
		(void)unlink(from_log);
		sync_dir(dir);
	}
	free(from);
	free(from_log);
	free(to_log);
	return to;
}

/* --- a new one ------------------------------------------------------------- */

static int
note_loss(struct store *st, const struct salvage *s, const char *why)
{
	if (store_set_note_int(st, "damaged_at", clock_wall_ms()) == -1 ||
	    store_set_note_int(st, "damaged_saved", s->saved) == -1 ||
	    store_set_note_int(st, "damaged_lost", s->lost) == -1 ||
	    store_set_note(st, "damaged_why", why) == -1)
		return -1;
	return store_set_note(st, "salvage", NULL);
}

void
keeper_loss(struct store *st, struct keeper_loss *loss)
{
	loss->at_ms = store_note_int(st, "damaged_at", 0);
	loss->saved = store_note_int(st, "damaged_saved", 0);
	loss->lost = store_note_int(st, "damaged_lost", -1);
	loss->why = store_note(st, "damaged_why");
}

void
keeper_loss_clear(struct keeper_loss *loss)
{
	free(loss->why);
	loss->why = NULL;
}

static void
say_loss(const struct salvage *s, const char *aside)
{
	char lost[48] = "how many were not is not known";

	if (s->lost >= 0)
		snprintf(lost, sizeof(lost), "%lld are lost",
		    (long long)s->lost);
	log_warnx("keeper", "the damaged store is %s now, and a new one "
	    "begins: of the reports that waited %lld are in it, %s; what was "
	    "told is told anew, %lld printers are asked at once", aside,
	    (long long)s->saved, lost, (long long)s->devices);
}

/* All of it or none; the note says that it is still to be done. */
static int
fill(struct store *st, const struct lock *lock, const char *aside,
    const char *why)
{
	struct salvage s;

	if (store_begin(st) == -1)
		return -1;
	if (salvage_store(st, lock, aside, &s) == -1 ||
	    note_loss(st, &s, why) == -1) {
		store_rollback(st);
		return -1;
	}
	if (store_commit(st) == -1)
		return -1;
	say_loss(&s, aside);
	return 0;
}

static int
begin_anew(const char *dir, const struct lock *lock, const char *aside,
    const char *why)
{
	struct store *st;
	int rc = -1;

	st = store_open_locked(dir, lock_copy(lock), NULL);
	if (st != NULL && store_set_note(st, "salvage", aside) == 0)
		rc = fill(st, lock, aside, why);
	store_close(st);
	return rc;
}

/* One that was killed at it has left a note. */
static int
finish_salvage(const char *dir, const struct lock *lock)
{
	struct store *st;
	char *aside;
	int rc = 0;

	st = store_open_locked(dir, lock_copy(lock), NULL);
	if (st == NULL)
		return -1;
	aside = store_note(st, "salvage");
	if (*aside != '\0')
		rc = fill(st, lock, aside, "it was damaged");
	free(aside);
	store_close(st);
	return rc;
}

int
keeper_prepare(const char *dir, const struct lock *lock, const char *damaged)
{
	char *path = xasprintf("%s/store.db", dir), *aside;
	char why[160] = "";
	int rc;

	if (damaged == NULL)
		damaged = look_at(path);
	if (damaged != NULL) {
		snprintf(why, sizeof(why), "%s", damaged);
		rc = access(path, F_OK) == 0 ? 1 : 0;
	} else
		rc = check(dir, lock, why, sizeof(why));
	if (rc == 1) {
		log_warnx("keeper", "%s is damaged: %s", path, why);
		rc = -1;
		if ((aside = set_aside(dir)) != NULL)
			rc = begin_anew(dir, lock, aside, why);
		free(aside);
	} else if (rc == 0)
		rc = finish_salvage(dir, lock);
	free(path);
	return rc;
}

/* --- the process ------------------------------------------------------------- */

int
keeper_run(const char *config_path, bool damaged)
{
	struct lock *lock = NULL;
	struct config *conf;
	bool early;
	int rc = 1;

	log_role("keeper");
	if ((conf = config_read(config_path, 0)) == NULL)
		return 1;
	early = storekey_is_early(conf);
	if (early && (lock = storekey_load_or_make(conf)) == NULL)
		goto out;
	if (drop_privileges(conf->user) == -1 || supervisor_follow(0) == -1)
		goto out;
	if (!early && (lock = storekey_load_or_make(conf)) == NULL)
		goto out;
	if (keeper_prepare(conf->state_dir, lock, damaged ?
	    "it was found while the agent ran" : NULL) == 0)
		rc = 0;
out:
	lock_free(lock);
	config_free(conf);
	return rc;
}
