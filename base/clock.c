#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#define DAY_MS		INT64_C(86400000)
/* 0001-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z: four digits of year
 * are what XEP-0082 and XML Schema have room for. */
#define FIRST_MS	(-INT64_C(62135596800000))
#define LAST_MS		INT64_C(253402300799999)

static int64_t
clock_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
clock_wall_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

int64_t
clock_mono_ms(void)
{
	return clock_ms(CLOCK_BOOTTIME);
}

/*
 * Days since 1970-01-01 of a date and back, by eras of 400 years that begin
 * on the first of March, so that the leap day is the last of its year.
 */
static int64_t
days_of(int y, int m, int d)
{
	int era, yoe, doy;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return (int64_t)era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy -
	    719468;
}

static void
date_of(int64_t days, int *y, int *m, int *d)
{
	int64_t era;
	int doe, yoe, doy, mp;

	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	doe = (int)(days - era * 146097);
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = doy - (153 * mp + 2) / 5 + 1;
	*m = mp < 10 ? mp + 3 : mp - 9;
	*y = (int)(yoe + era * 400) + (*m <= 2);
}

char *
clock_format(int64_t wall_ms, char out[CLOCK_TEXT_MAX])
{
	int64_t days, ms;
	int y, m, d;

	if (wall_ms < FIRST_MS)
		wall_ms = FIRST_MS;
	if (wall_ms > LAST_MS)
		wall_ms = LAST_MS;
	days = wall_ms / DAY_MS;
	ms = wall_ms % DAY_MS;
	if (ms < 0) {
		ms += DAY_MS;
		days--;
	}
	date_of(days, &y, &m, &d);
	snprintf(out, CLOCK_TEXT_MAX, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
	    (unsigned)y % 10000, (unsigned)m % 100, (unsigned)d % 100,
	    (unsigned)(ms / 3600000) % 100, (unsigned)(ms / 60000 % 60),
	    (unsigned)(ms / 1000 % 60), (unsigned)(ms % 1000));
	return out;
}

/* Takes exactly count digits and the character behind them, if there is to
 * be one. */
static bool
digits(const char **p, int count, char behind, int *value)
{
	*value = 0;
	while (count-- > 0) {
		if (**p < '0' || **p > '9')
			return false;
		*value = *value * 10 + (*(*p)++ - '0');
	}
	if (behind == '\0')
		return true;
	return *(*p)++ == behind;
}

static bool
date_ok(int y, int m, int d)
{
	static const int length[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
	    30, 31 };
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return y >= 1 && m >= 1 && m <= 12 && d >= 1 &&
	    d <= length[m - 1] + (m == 2 && leap);
}

int
clock_parse(const char *text, int64_t *wall_ms)
{
	const char *p = text;
	int y, mon, d, h, min, s, ms = 0, scale = 100;

	if (!digits(&p, 4, '-', &y) || !digits(&p, 2, '-', &mon) ||
	    !digits(&p, 2, 'T', &d) || !digits(&p, 2, ':', &h) ||
	    !digits(&p, 2, ':', &min) || !digits(&p, 2, '\0', &s))
		return -1;
	if (!date_ok(y, mon, d) || h > 23 || min > 59 || s > 59)
		return -1;
	if (*p == '.') {
		if (*++p < '0' || *p > '9')
			return -1;
		for (; *p >= '0' && *p <= '9'; p++, scale /= 10) {
			/* Nobody needs more, and it bounds the reading. */
			if (p - text > CLOCK_TEXT_MAX)
				return -1;
			ms += (*p - '0') * scale;
		}
	}
	if (p[0] != 'Z' || p[1] != '\0')
		return -1;
	*wall_ms = days_of(y, mon, d) * DAY_MS + h * INT64_C(3600000) +
	    min * INT64_C(60000) + s * INT64_C(1000) + ms;
	return 0;
}
