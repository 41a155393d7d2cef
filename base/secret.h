/*
 * Secrets live in files of their own.  A file that others than its owner (or
 * root) could read or write is refused with a text that says how to mend it.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stddef.h>

#define SECRET_MAX	1024

/*
 * Reads the file's first line (without line end) into out as a string.
 * purpose names it in messages ("[xmpp] password_file").  0, or -1 when the
 * file is missing, empty, too long, or open to others: logged.
 */
int	 secret_read(const char *path, const char *purpose, char *out,
	    size_t out_size);
/* The whole file, up to max octets of text, to be given to secret_free().
 * NULL when secret_read() would say -1: logged. */
char	*secret_load(const char *path, const char *purpose, size_t max);
/* Creates path with mode 0600 and writes text and a newline; fails when it
 * exists.  0 when it will be there even after a power cut, which leaves all of
 * it or nothing before that; -1, logged. */
int	 secret_write(const char *path, const char *text);
/*
 * The same where a file may be there already: afterwards, whatever happens
 * meanwhile, either all of the old or all of the new one is.  0 when the new
 * one will be there even after a power cut; -1, logged.
 */
int	 secret_replace(const char *path, const char *text);
/* Gives the file another name, replacing what has it, for good.  0, or -1,
 * logged. */
int	 secret_rename(const char *from, const char *to);
/* Overwrites so that the compiler cannot leave it out. */
void	 secret_wipe(void *bytes, size_t len);
/* Wipes a string that was allocated, and frees it; NULL is fine. */
void	 secret_free(char *text);

#endif
