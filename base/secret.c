#include "base/secret.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

/*
 * Ours or root's, a plain file, and nobody else's business.  root may give
 * it to a group (root:platen 0640 is how packages install such files),
 * because then it is root's decision who is in that group.
 */
static int
secret_check(const char *path, const char *purpose, const struct stat *st)
{
	mode_t others = st->st_uid == 0 ? 037 : 077;

	if (!S_ISREG(st->st_mode)) {
		log_warnx("secret", "%s: %s is not a plain file", purpose,
		    log_safe(path));
		return -1;
	}
	if (st->st_uid != 0 && st->st_uid != geteuid()) {
		log_warnx("secret", "%s: %s belongs to another user (uid %u): "
		    "chown it to root or to uid %u", purpose, log_safe(path),
		    (unsigned)st->st_uid, (unsigned)geteuid());
		return -1;
	}
	if ((st->st_mode & others) != 0) {
		log_warnx("secret", "%s: %s is open to others (mode %04o): "
		    "chmod 600 %s", purpose, log_safe(path),
		    (unsigned)st->st_mode & 07777, log_safe(path));
		return -1;
	}
	return 0;
}

static ssize_t
read_all(int fd, char *out, size_t size)
{
	size_t at = 0;
	ssize_t n;

	while (at < size) {
		if ((n = read(fd, out + at, size - at)) == -1) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		if (n == 0)
			break;
		at += (size_t)n;
	}
	return (ssize_t)at;
}

/* Fills text, ends it with a NUL; how many octets, or -1, logged. */
static ssize_t
read_checked(const char *path, const char *purpose, char *text, size_t size)
{
	struct stat st;
	ssize_t got = -1;
	int fd;

	/* O_NONBLOCK: a FIFO in its place must not stop the start. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1) {
		log_warn("secret", "%s: %s", purpose, log_safe(path));
		return -1;
	}
	if (fstat(fd, &st) == -1)
		log_warn("secret", "%s: %s", purpose, log_safe(path));
	else if (secret_check(path, purpose, &st) == 0 &&
	    (got = read_all(fd, text, size - 1)) == -1)
		log_warn("secret", "%s: %s", purpose, log_safe(path));
	if (got != -1)
		text[got] = '\0';
	close(fd);
	return got;
}

int
secret_read(const char *path, const char *purpose, char *out, size_t out_size)
{
	char text[SECRET_MAX + 2];
	ssize_t got;
	size_t len;
	int rc = -1;

	if ((got = read_checked(path, purpose, text, sizeof text)) == -1)
		goto out;
	len = strcspn(text, "\r\n");
	if (len == 0) {
		log_warnx("secret", "%s: %s: the first line is empty", purpose,
		    log_safe(path));
	} else if (len < (size_t)got && text[len] == '\0') {
		log_warnx("secret", "%s: %s: the first line is not text",
		    purpose, log_safe(path));
	} else if (len > SECRET_MAX || len >= out_size) {
		log_warnx("secret", "%s: %s: the first line is longer than %zu "
		    "octets", purpose, log_safe(path),
		    out_size <= SECRET_MAX ? out_size - 1 :
		    (size_t)SECRET_MAX);
	} else {
		memcpy(out, text, len);
		out[len] = '\0';
		rc = 0;
	}
out:
	secret_wipe(text, sizeof text);
	return rc;
}

char *
secret_load(const char *path, const char *purpose, size_t max)
{
	char *text;
	ssize_t got;

	text = xmalloc(max + 2);
	got = read_checked(path, purpose, text, max + 2);
	if (got > 0 && (size_t)got <= max &&
	    memchr(text, '\0', (size_t)got) == NULL)
		return text;
	if (got != -1)
		log_warnx("secret", "%s: %s: %s", purpose, log_safe(path),
		    got == 0 ? "the file is empty" : (size_t)got > max ?
		    "the file is too long" : "the file is not text");
	secret_wipe(text, max + 2);
	free(text);
	return NULL;
}

static int
write_all(int fd, const char *p, size_t len)
{
	ssize_t n;

	while (len > 0) {
		if ((n = write(fd, p, len)) == -1) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* A name is on the disk when its directory is. */
static int
sync_directory(const char *path)
{
	char dir[PATH_MAX], *slash;
	int fd, rc;

	if (snprintf(dir, sizeof(dir), "%s", path) >= (int)sizeof(dir)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if ((slash = strrchr(dir, '/')) == NULL)
		snprintf(dir, sizeof(dir), ".");
	else
		slash[slash == dir] = '\0';
	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

/* Where a file is written before it has its name. */
static int
part_name(char part[PATH_MAX], const char *path)
{
	if (snprintf(part, PATH_MAX, "%s.%d", path, (int)getpid()) <
	    PATH_MAX)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

static int
write_part(const char *part, const char *text)
{
	int fd, rc = -1;

	/* Left behind by one of that number that was cut short. */
	if (unlink(part) == -1 && errno != ENOENT)
		return -1;
	fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	if (fchmod(fd, 0600) == 0 &&
	    write_all(fd, text, strlen(text)) == 0 &&
	    write_all(fd, "\n", 1) == 0)
		rc = fsync(fd);
	close(fd);
	return rc;
}

/* It gets its name when it is whole: half a key would be in the way of the
 * next one. */
int
secret_write(const char *path, const char *text)
{
	char part[PATH_MAX];
	int rc = -1;

	if (part_name(part, path) == 0 && write_part(part, text) == 0 &&
	    link(part, path) == 0)
		rc = 0;
	if (rc == -1)
		log_warn("secret", "%s", log_safe(path));
	(void)unlink(part);
	if (rc == 0 && (rc = sync_directory(path)) == -1)
		log_warn("secret", "%s: the directory", log_safe(path));
	return rc;
}

int
secret_rename(const char *from, const char *to)
{
	if (rename(from, to) == 0 && sync_directory(to) == 0)
		return 0;
	log_warn("secret", "cannot make %s of %s", log_safe(to), from);
	return -1;
}

int
secret_replace(const char *path, const char *text)
{
	char part[PATH_MAX];

	if (part_name(part, path) == -1 || write_part(part, text) == -1) {
		log_warn("secret", "%s", log_safe(path));
		return -1;
	}
	return secret_rename(part, path);
}

void
secret_wipe(void *bytes, size_t len)
{
	explicit_bzero(bytes, len);
}

void
secret_free(char *text)
{
	if (text == NULL)
		return;
	secret_wipe(text, strlen(text));
	free(text);
}
