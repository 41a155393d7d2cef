/* The functions are ours: no inline ones with the same names. */
#undef _FORTIFY_SOURCE
#define _FORTIFY_SOURCE 0
#include "tests/power/oplog.h"

#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FDS	1024

enum what { NOTHING, A_FILE, THE_DIR };

static struct {
	enum what	 what;
	uint64_t	 file;
	bool		 append;
} fds[FDS];
static char	 dir[PATH_MAX];
static int	 out = -1;

/* The real one, found at its first use. */
#define REAL(name, type)						\
	static type real_;						\
	if (real_ == NULL)						\
		*(void **)&real_ = dlsym(RTLD_NEXT, name)

typedef int	 open_fn(const char *, int, ...);
typedef int	 fd_fn(int);
typedef ssize_t	 write_fn(int, const void *, size_t);
typedef ssize_t	 pwrite_fn(int, const void *, size_t, off_t);
typedef int	 size_fn(int, off_t);
typedef int	 name_fn(const char *);
typedef int	 names_fn(const char *, const char *);

static int
real_open(const char *path, int flags, mode_t mode)
{
	REAL("open64", open_fn *);
	return real_(path, flags, mode);
}

static void
put(enum oplog_kind kind, uint64_t file, int64_t at, const void *bytes,
    size_t len)
{
	struct oplog_op op = { .kind = kind, .len = (uint32_t)len,
	    .file = file, .at = at };
	struct iovec parts[2] = { { &op, sizeof(op) },
	    { (void *)(uintptr_t)bytes, len } };

	/* One call: no other process's op can come in between. */
	if (writev(out, parts, 2) != (ssize_t)(sizeof(op) + len)) {
		fprintf(stderr, "oplog: %s\n", strerror(errno));
		abort();
	}
}

/* The environment's directory, once. */
static void
look_around(void)
{
	static bool done;
	const char *where = getenv("OPLOG_DIR"), *file = getenv("OPLOG_FILE");

	if (done)
		return;
	done = true;
	if (out != -1 || where == NULL || file == NULL)
		return;
	snprintf(dir, sizeof(dir), "%s", where);
	out = real_open(file, O_WRONLY | O_APPEND | O_CLOEXEC, 0);
}

/* The name of a file in the directory, "" for itself, NULL elsewhere. */
static const char *
name_of(const char *path)
{
	size_t len = strlen(dir);
	const char *name;

	look_around();
	if (out == -1 || strncmp(path, dir, len) != 0)
		return NULL;
	if (path[len] == '\0')
		return path + len;
	if (path[len] != '/')
		return NULL;
	name = path + len + 1;
	len = strlen(name);
	if (strchr(name, '/') != NULL || (len > 4 &&
	    strcmp(name + len - 4, "-shm") == 0))
		return NULL;
	return name;
}

static uint64_t
inode_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? (uint64_t)st.st_ino : 0;
}

static void
remember(int fd, const char *name, int flags)
{
	if (fd < 0 || fd >= FDS)
		return;
	if (name[0] == '\0') {
		fds[fd].what = THE_DIR;
		return;
	}
	fds[fd].what = A_FILE;
	fds[fd].file = inode_of(fd);
	fds[fd].append = (flags & O_APPEND) != 0;
	/* Whoever made it may have died before it said so. */
	put(OPLOG_OPEN, fds[fd].file, 0, name, strlen(name));
	if ((flags & O_TRUNC) != 0)
		put(OPLOG_SIZE, fds[fd].file, 0, NULL, 0);
}

static int
open_and_tell(const char *path, int flags, mode_t mode)
{
	const char *name = name_of(path);
	int fd = real_open(path, flags, mode);

	if (name != NULL)
		remember(fd, name, flags);
	return fd;
}

static enum what
what_of(int fd)
{
	return out == -1 || fd < 0 || fd >= FDS ? NOTHING : fds[fd].what;
}

/* --- in place of libc's ------------------------------------------------------ */

int
open64(const char *path, int flags, ...)
{
	mode_t mode;
	va_list ap;

	va_start(ap, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	return open_and_tell(path, flags, mode);
}

extern __typeof__(open64) open __attribute__((alias("open64")));

/* What the others are compiled to where their length or mode is known. */
int	__open_2(const char *, int);
int	__open64_2(const char *, int);

int
__open_2(const char *path, int flags)
{
	return open_and_tell(path, flags, 0);
}

int
__open64_2(const char *path, int flags)
{
	return open_and_tell(path, flags, 0);
}

int
close(int fd)
{
	REAL("close", fd_fn *);
	if (fd >= 0 && fd < FDS)
		fds[fd].what = NOTHING;
	return real_(fd);
}

ssize_t
write(int fd, const void *bytes, size_t len)
{
	ssize_t n;
	off_t at = 0;

	REAL("write", write_fn *);
	if (what_of(fd) == A_FILE)
		at = lseek(fd, 0, fds[fd].append ? SEEK_END : SEEK_CUR);
	n = real_(fd, bytes, len);
	if (what_of(fd) == A_FILE && n > 0)
		put(OPLOG_WRITE, fds[fd].file, at, bytes, (size_t)n);
	return n;
}

static ssize_t
write_at(int fd, const void *bytes, size_t len, off_t at)
{
	ssize_t n;

	REAL("pwrite64", pwrite_fn *);
	n = real_(fd, bytes, len, at);
	if (what_of(fd) == A_FILE && n > 0)
		put(OPLOG_WRITE, fds[fd].file, at, bytes, (size_t)n);
	return n;
}

ssize_t
pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	return write_at(fd, bytes, len, at);
}

ssize_t
pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
	return write_at(fd, bytes, len, at);
}

static int
set_size(int fd, off_t size)
{
	int rc;

	REAL("ftruncate64", size_fn *);
	rc = real_(fd, size);
	if (what_of(fd) == A_FILE && rc == 0)
		put(OPLOG_SIZE, fds[fd].file, size, NULL, 0);
	return rc;
}

int
ftruncate(int fd, off_t size)
{
	return set_size(fd, size);
}

int
ftruncate64(int fd, off64_t size)
{
	return set_size(fd, size);
}

static int
synced(int fd, int rc)
{
	if (rc == 0 && what_of(fd) == A_FILE)
		put(OPLOG_SYNC, fds[fd].file, 0, NULL, 0);
	if (rc == 0 && what_of(fd) == THE_DIR)
		put(OPLOG_SYNC_DIR, 0, 0, NULL, 0);
	return rc;
}

/* Whether the disk really has it is what this is instead of: the tests would
 * wait for it thousands of times. */
int
fsync(int fd)
{
	REAL("fsync", fd_fn *);
	return what_of(fd) != NOTHING ? synced(fd, 0) : real_(fd);
}

int
fdatasync(int fd)
{
	REAL("fdatasync", fd_fn *);
	return what_of(fd) != NOTHING ? synced(fd, 0) : real_(fd);
}

int
unlink(const char *path)
{
	const char *name = name_of(path);
	int rc;

	REAL("unlink", name_fn *);
	rc = real_(path);
	if (rc == 0 && name != NULL)
		put(OPLOG_UNLINK, 0, 0, name, strlen(name));
	return rc;
}

static void
put_names(enum oplog_kind kind, const char *from, const char *to)
{
	const char *a = name_of(from), *b = name_of(to);
	char names[2 * NAME_MAX + 2];
	int len;

	if (a == NULL && b == NULL)
		return;
	if (a == NULL || b == NULL) {
		fprintf(stderr, "oplog: %s: moved in or out\n", from);
		abort();
	}
	len = snprintf(names, sizeof(names), "%s%c%s", a, '\0', b);
	put(kind, 0, 0, names, (size_t)len);
}

int
rename(const char *from, const char *to)
{
	int rc;

	REAL("rename", names_fn *);
	rc = real_(from, to);
	if (rc == 0)
		put_names(OPLOG_RENAME, from, to);
	return rc;
}

int
link(const char *from, const char *to)
{
	int rc;

	REAL("link", names_fn *);
	rc = real_(from, to);
	if (rc == 0)
		put_names(OPLOG_LINK, from, to);
	return rc;
}

/* --- for tests --------------------------------------------------------------- */

static void
put_present(const char *name)
{
	char path[PATH_MAX + NAME_MAX + 2], bytes[65536];
	uint64_t file;
	ssize_t n;
	off_t at = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (name_of(path) == NULL || (fd = real_open(path, O_RDONLY |
	    O_CLOEXEC, 0)) == -1)
		return;
	file = inode_of(fd);
	put(OPLOG_IS, file, 0, name, strlen(name));
	for (; (n = read(fd, bytes, sizeof(bytes))) > 0; at += n)
		put(OPLOG_WRITE, file, at, bytes, (size_t)n);
	put(OPLOG_SYNC, file, 0, NULL, 0);
	close(fd);
}

void
oplog_begin(const char *where, const char *file)
{
	struct dirent *entry;
	DIR *list;

	oplog_end();
	out = real_open(file, O_WRONLY | O_APPEND | O_CREAT | O_TRUNC |
	    O_CLOEXEC, 0600);
	snprintf(dir, sizeof(dir), "%s", where);
	if (out == -1 || (list = opendir(dir)) == NULL) {
		fprintf(stderr, "oplog: %s: %s\n", dir, strerror(errno));
		abort();
	}
	while ((entry = readdir(list)) != NULL)
		if (entry->d_type == DT_REG)
			put_present(entry->d_name);
	closedir(list);
	put(OPLOG_BEGUN, 0, 0, NULL, 0);
}

void
oplog_end(void)
{
	if (out != -1)
		close(out);
	out = -1;
	memset(fds, 0, sizeof(fds));
}

void
oplog_mark(int64_t number)
{
	put(OPLOG_MARK, 0, number, NULL, 0);
}
