#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"

#define LINE_MAX_LEN	2048
#define SAFE_CHARS	120
#define SAFE_SLOTS	8

static const char	*log_ident;	/* NULL before log_init() */
static const char	*log_part;
static bool		 log_front = true;
static bool		 log_chatty;
static void		(*log_sink)(void *, enum log_level, const char *);
static void		*log_sink_arg;

void
log_init(const char *ident, bool foreground, bool verbose)
{
	log_ident = ident;
	log_front = foreground;
	log_chatty = verbose;
	if (!foreground)
		openlog(ident, LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

void
log_role(const char *role)
{
	log_part = role;
}

void
log_hook(void (*sink)(void *arg, enum log_level, const char *line), void *arg)
{
	log_sink = sink;
	log_sink_arg = arg;
}

static int
priority(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return LOG_ERR;
	case LOG_LEVEL_WARN:
		return LOG_WARNING;
	case LOG_LEVEL_INFO:
		return LOG_INFO;
	default:
		return LOG_DEBUG;
	}
}

/*
 * Several processes share one stderr: a line is one write(), so that lines
 * never mix.  A tool that has not called log_init() is talking to a person,
 * who needs no time.
 */
static void
to_stderr(const char *line)
{
	char out[LINE_MAX_LEN + 256], when[CLOCK_TEXT_MAX];
	ssize_t n;
	int len;

	if (log_ident == NULL)
		len = snprintf(out, sizeof out, "%s: %s\n",
		    program_invocation_short_name, line);
	else
		len = snprintf(out, sizeof out, "%s %s%s%s%s %s\n",
		    clock_format(clock_wall_ms(), when), log_ident,
		    log_part != NULL ? "[" : "",
		    log_part != NULL ? log_part : "",
		    log_part != NULL ? "]" : ":", line);
	if (len < 0)
		return;
	if ((size_t)len >= sizeof out) {
		len = (int)sizeof out - 1;
		out[len - 1] = '\n';
	}
	n = write(STDERR_FILENO, out, (size_t)len);
	(void)n;
}

static void	 emit(enum log_level, int, const char *, const char *, va_list)
		    __attribute__((format(printf, 4, 0)));

static void
emit(enum log_level level, int error, const char *component, const char *fmt,
    va_list ap)
{
	char line[LINE_MAX_LEN];
	int at, saved = errno;

	if (level == LOG_LEVEL_DEBUG && !log_chatty && log_sink == NULL)
		return;
	at = snprintf(line, sizeof line, "%s: ", component);
	if (at < 0 || (size_t)at >= sizeof line)
		at = 0;
	at += vsnprintf(line + at, sizeof line - (size_t)at, fmt, ap);
	if (error != 0 && at > 0 && (size_t)at < sizeof line)
		snprintf(line + at, sizeof line - (size_t)at, ": %s",
		    strerror(error));
	if (log_sink != NULL)
		log_sink(log_sink_arg, level, line);
	else if (log_front)
		to_stderr(line);
	else
		syslog(priority(level), "%s%s%s%s", log_part != NULL ? "[" : "",
		    log_part != NULL ? log_part : "",
		    log_part != NULL ? "] " : "", line);
	errno = saved;
}

void
log_warn(const char *component, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_LEVEL_WARN, errno, component, fmt, ap);
	va_end(ap);
}

void
log_warnx(const char *component, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_LEVEL_WARN, 0, component, fmt, ap);
	va_end(ap);
}

void
log_info(const char *component, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_LEVEL_INFO, 0, component, fmt, ap);
	va_end(ap);
}

void
log_debug(const char *component, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_LEVEL_DEBUG, 0, component, fmt, ap);
	va_end(ap);
}

void
fatal(const char *component, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_LEVEL_ERROR, errno, component, fmt, ap);
	va_end(ap);
	exit(1);
}

void
fatalx(const char *component, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_LEVEL_ERROR, 0, component, fmt, ap);
	va_end(ap);
	exit(1);
}

const char *
log_safe(const char *text)
{
	if (text == NULL)
		return "(none)";
	/* No more than could be shown: text may be long. */
	return log_safe_n(text, strnlen(text, 4 * SAFE_CHARS + 4));
}

const char *
log_safe_n(const void *bytes, size_t len)
{
	static char slots[SAFE_SLOTS][4 * SAFE_CHARS + 4];
	static unsigned next;
	const char *p = bytes;
	char *out = slots[next++ % SAFE_SLOTS];
	size_t at = 0, n;
	uint32_t c;
	int chars;

	for (chars = 0; len != 0; chars++, p += n, len -= n) {
		if (chars == SAFE_CHARS) {
			memcpy(out + at, "...", 3);
			at += 3;
			break;
		}
		n = utf8_decode(p, len, &c);
		if (n == 0 || utf8_control(c)) {
			out[at++] = '?';
			n = n != 0 ? n : 1;
			continue;
		}
		memcpy(out + at, p, n);
		at += n;
	}
	out[at] = '\0';
	return out;
}
