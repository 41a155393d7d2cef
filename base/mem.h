/*
 * Memory that is always there: these exit through fatal() when the system
 * has none, because everything that matters is already in the store.  A size
 * that a stranger controls is bounded before it comes here.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void	*xmalloc(size_t size);
void	*xcalloc(size_t count, size_t size);
void	*xrealloc(void *old, size_t size);
/* Grows an array to count members of size each, checked for overflow. */
void	*xreallocarray(void *old, size_t count, size_t size);
char	*xstrdup(const char *text);
/* xstrdup(), or NULL for NULL. */
char	*xstrdup_null(const char *text);
char	*xstrndup(const char *text, size_t len);
char	*xasprintf(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2)));
/* strcmp() that orders NULL before everything. */
int	 strcmp_null(const char *a, const char *b);

#endif
