/*
 * A disk that goes bad: preloaded into platend by test_store_faults.py.  What
 * BADDISK names is read at every call that writes to a file store.db*:
 * "slow MS" makes syncs so long, "eio", "enospc", "erofs" refuse them and
 * writes; anything else is a good disk.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
is_store(int fd)
{
	char link[64], path[512];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if ((n = readlink(link, path, sizeof(path) - 1)) <= 0)
		return 0;
	path[n] = '\0';
	return strstr(path, "/store.db") != NULL;
}

/* The errno that a write has; ms how long a sync takes. */
static int
mood(int fd, int *ms)
{
	const char *name = getenv("BADDISK");
	char text[32] = "";
	int saved = errno, in;
	ssize_t n;

	*ms = 0;
	if (name == NULL || !is_store(fd) ||
	    (in = open(name, O_RDONLY | O_CLOEXEC)) == -1) {
		errno = saved;
		return 0;
	}
	n = syscall(SYS_read, in, text, sizeof(text) - 1);
	close(in);
	errno = saved;
	if (n <= 0)
		return 0;
	if (strncmp(text, "slow ", 5) == 0)
		*ms = atoi(text + 5);
	return strncmp(text, "eio", 3) == 0 ? EIO :
	    strncmp(text, "enospc", 6) == 0 ? ENOSPC :
	    strncmp(text, "erofs", 5) == 0 ? EROFS : 0;
}

#define REAL(type, name, ...)						\
	static type (*real)(__VA_ARGS__);				\
	int ms, error = mood(fd, &ms);					\
	if (real == NULL)						\
		*(void **)&real = dlsym(RTLD_NEXT, name);		\
	if (error != 0) {						\
		errno = error;						\
		return -1;						\
	}

int
fsync(int fd)
{
	REAL(int, "fsync", int)
	usleep((useconds_t)ms * 1000);
	return real(fd);
}

int
fdatasync(int fd)
{
	REAL(int, "fdatasync", int)
	usleep((useconds_t)ms * 1000);
	return real(fd);
}

ssize_t
pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	REAL(ssize_t, "pwrite", int, const void *, size_t, off_t)
	return real(fd, bytes, len, at);
}

ssize_t
pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
	REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t)
	return real(fd, bytes, len, at);
}

ssize_t
write(int fd, const void *bytes, size_t len)
{
	REAL(ssize_t, "write", int, const void *, size_t)
	return real(fd, bytes, len);
}

int
ftruncate(int fd, off_t len)
{
	REAL(int, "ftruncate", int, off_t)
	return real(fd, len);
}

int
ftruncate64(int fd, off64_t len)
{
	REAL(int, "ftruncate64", int, off64_t)
	return real(fd, len);
}
