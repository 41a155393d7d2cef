/*
 * The one way to say something to the operator.  Lines go to stderr in the
 * foreground and to syslog otherwise, as "component: text": lower case, no
 * full stop, foreign text through log_safe() first, never a secret.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum log_level {
	LOG_LEVEL_ERROR,	/* somebody must act */
	LOG_LEVEL_WARN,		/* something failed, we go on */
	LOG_LEVEL_INFO,		/* a change of state worth a line */
	LOG_LEVEL_DEBUG		/* only with -v */
};

/* ident names the program; foreground sends lines to stderr. */
void	 log_init(const char *ident, bool foreground, bool verbose);
/* Names the process in front of every line: "collector", "uplink". */
void	 log_role(const char *role);

/* log_warn() appends strerror(errno); the x forms do not. */
void	 log_warn(const char *component, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
void	 log_warnx(const char *component, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
void	 log_info(const char *component, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
void	 log_debug(const char *component, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* Logs and exits with status 1: start-up, out of memory, our own broken
 * promises.  Never for anything a stranger sent. */
void	 fatal(const char *component, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3), noreturn));
void	 fatalx(const char *component, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3), noreturn));

/* Makes foreign bytes fit for a log line: controls and non-UTF-8 become '?',
 * cut at 120 characters.  Returns one of 8 static buffers in turn. */
const char	*log_safe(const char *text);
const char	*log_safe_n(const void *bytes, size_t len);

/* Tests see every line here; NULL restores the default. */
void	 log_hook(void (*sink)(void *arg, enum log_level, const char *line),
	    void *arg);

#endif
