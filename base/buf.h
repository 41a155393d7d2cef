/*
 * A growing run of bytes, always followed by a NUL that does not count.
 * Zero-initialise to start; buf_free() to end.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>

struct buf {
	char	*data;		/* NULL while empty */
	size_t	 len;
	size_t	 cap;
};

void	 buf_put(struct buf *, const void *bytes, size_t len);
void	 buf_puts(struct buf *, const char *text);
void	 buf_putc(struct buf *, char c);
void	 buf_printf(struct buf *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
/* Forgets the contents, keeps the memory. */
void	 buf_reset(struct buf *);
/* Drops the first n bytes. */
void	 buf_drop(struct buf *, size_t n);
void	 buf_free(struct buf *);
/* Hands the bytes (never NULL) to the caller, who frees them. */
char	*buf_take(struct buf *);

#endif
