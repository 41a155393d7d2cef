/*
 * Which names somebody asked for.  The names of all devices are numbered
 * together, so that a device remembers one bit a name.
 */
#ifndef SIM_ASKED_H
#define SIM_ASKED_H

#include <stddef.h>
#include <stdint.h>

struct asked {			/* zero to start */
	uint64_t	*bits;
	size_t		 words;
};

/* Past 65536 different names new ones are not remembered. */
#define ASKED_NAMES_MAX	65536
/* The number of a name, given at first sight; ASKED_NAMES_MAX: too many. */
size_t	 asked_number(const uint32_t *sub, size_t len);
/* Numbers are good until asked_forget_all(). */
void	 asked_note(struct asked *, size_t number);
size_t	 asked_count(const struct asked *);
/* Calls back for each name, in the order of their first sight. */
void	 asked_each(const struct asked *,
	    void (*fn)(void *arg, const uint32_t *sub, size_t len), void *arg);
/* Keeps the memory. */
void	 asked_clear(struct asked *);
void	 asked_free(struct asked *);
/* Forgets the numbering itself; no struct asked may be in use any more. */
void	 asked_forget_all(void);

#endif
