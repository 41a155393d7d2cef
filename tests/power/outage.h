/*
 * What a power cut leaves of what oplog.h wrote down.  What was synced is
 * there.  Of what was written since, each sector (512 octets) of each write
 * is there, is not, or is there up to some octet, whatever became of those
 * before it; a change of size is there or not.  Names that were made,
 * removed or changed since the directory was synced are so up to some moment
 * and as before after it.
 */
#ifndef TESTS_POWER_OUTAGE_H
#define TESTS_POWER_OUTAGE_H

#include <stddef.h>
#include <stdint.h>

struct outage;

/* Reads a whole log.  Tests only: exits on failure. */
struct outage	*outage_load(const char *file);
void		 outage_free(struct outage *);		/* NULL is fine */
/* How many moments there are: before the first op, ... after the last. */
size_t		 outage_moments(const struct outage *);
/*
 * Makes the files in dir, an empty one, as a cut at that moment leaves them;
 * seed decides what was lost.  The number of the last mark until then, or -1.
 */
int64_t		 outage_leave(const struct outage *, size_t moment,
		    uint64_t seed, const char *dir);

/* Removes whatever is there and makes an empty directory. */
void	 outage_empty(const char *dir);

#endif
