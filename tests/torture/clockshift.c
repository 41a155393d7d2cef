/*
 * For LD_PRELOAD: the wall clock is off by as many milliseconds as the file
 * CLOCKSHIFT says, and the host has been asleep for as many as it says next
 * (two int64_t as this machine has them), from the moment that they are
 * written.  CLOCK_MONOTONIC goes on as it is.
 */
#include <sys/mman.h>
#include <sys/time.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* libc declares that these are never called with NULL; we are what it calls. */
typedef int	 gettime_fn(clockid_t, struct timespec *);

static const volatile int64_t	*shift;	/* of the wall; asleep */

static void
find_shift(void)
{
	static const int64_t none[2];
	const char *path = getenv("CLOCKSHIFT");
	void *at = MAP_FAILED;
	int fd;

	fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		at = mmap(NULL, 2 * sizeof(*shift), PROT_READ, MAP_SHARED, fd, 0);
		close(fd);
	}
	shift = at == MAP_FAILED ? none : at;
}

static int
real_gettime(clockid_t id, struct timespec *ts)
{
	static gettime_fn *real;

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	return real(id, ts);
}

static void
shifted(clockid_t id, struct timespec *ts)
{
	int64_t ms;

	if (shift == NULL)
		find_shift();
	(void)real_gettime(id, ts);
	ms = (int64_t)ts->tv_sec * 1000 + ts->tv_nsec / 1000000 + shift[1];
	if (id != CLOCK_BOOTTIME)
		ms += shift[0];
	ts->tv_nsec = ts->tv_nsec % 1000000 + ms % 1000 * 1000000;
	ts->tv_sec = ms / 1000;
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	if (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE &&
	    id != CLOCK_BOOTTIME)
		return real_gettime(id, ts);
	shifted(id, ts);
	return 0;
}

int
gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec ts;

	shifted(CLOCK_REALTIME, &ts);
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = ts.tv_nsec / 1000;
	return 0;
}

time_t
time(time_t *out)
{
	struct timespec ts;

	shifted(CLOCK_REALTIME, &ts);
	if (out != NULL)
		*out = ts.tv_sec;
	return ts.tv_sec;
}
