/*
 * Two clocks.  Wall time is milliseconds since 1970-01-01T00:00:00Z and is
 * what records carry; monotonic time is milliseconds since some start and is
 * what timers use, because wall time may jump.  It goes on while the host is
 * asleep (CLOCK_BOOTTIME): a line that was idle for hours is no fresh one.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t	 clock_wall_ms(void);
int64_t	 clock_mono_ms(void);

#define CLOCK_TEXT_MAX	32
/* "2026-11-20T19:30:00.000Z" (XEP-0082) into out; returns out. */
char	*clock_format(int64_t wall_ms, char out[CLOCK_TEXT_MAX]);
/* Accepts what clock_format() writes, with or without a fraction.  0, or -1
 * when text is no such time. */
int	 clock_parse(const char *text, int64_t *wall_ms);

#endif
