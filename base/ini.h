/*
 * INI files through inih, with every complaint naming file, line, section
 * and key.  A program gives a table of what it knows; an unknown section or
 * key, a value out of range, a key said twice are errors.
 */
#ifndef BASE_INI_H
#define BASE_INI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ini_kind {
	INI_STRING,	/* char **; replaced, the old one freed */
	INI_LIST,	/* struct ini_list *: split at commas and blanks, but
			 * not inside "quotes", which stay */
	INI_BOOL,	/* bool *: yes no true false on off 1 0 */
	INI_INT,	/* int64_t *, min..max */
	INI_DURATION,	/* int64_t * in milliseconds: 500ms 30s 15m 6h 1d */
	INI_SIZE	/* int64_t * in bytes: 64M 1G 10K 512 */
};

struct ini_list {
	char	**item;
	size_t	  count;
};

struct ini_key {
	const char	*section;	/* "snmp *" takes any [snmp NAME] */
	const char	*name;
	enum ini_kind	 kind;
	size_t		 offset;	/* into the section's struct */
	int64_t		 min, max;	/* INT, DURATION (ms), SIZE; both 0:
					 * anything (not negative) */
	const char	*allowed;	/* STRING: "1|2c|3", NULL is anything */
};

/*
 * Called for each section met (name as written, blanks tidied); returns the
 * struct that the section's keys are stored in, or NULL when there is no such
 * section.
 */
typedef void	*ini_section_fn(void *arg, const char *section);

/* Reads path.  0, or -1 when anything was wrong: each error has been logged
 * with file and line, and what is allowed.  keys ends with a NULL section. */
int	 ini_read(const char *path, const struct ini_key *keys,
	    ini_section_fn *, void *arg);
/* The same for text in memory; name stands for the file in messages. */
int	 ini_read_text(const char *name, const char *text,
	    const struct ini_key *keys, ini_section_fn *, void *arg);

/* The pieces, also used elsewhere.  0 or -1, silent. */
int	 ini_parse_duration(const char *text, int64_t *ms);
int	 ini_parse_size(const char *text, int64_t *bytes);
void	 ini_list_free(struct ini_list *);

#endif
