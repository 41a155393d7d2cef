/*
 * Brands as people write them, and model names without what does not belong
 * there (printers.md 3: the brand comes from the text, the maker of the
 * engine from the enterprise number).
 */
#ifndef SNMP_BRAND_H
#define SNMP_BRAND_H

#include <stddef.h>

/* The brand with which text begins, in its usual spelling, or NULL. */
const char	*brand_at_start(const char *text);
/* The same anywhere in text, as a word of its own. */
const char	*brand_in(const char *text);
/*
 * The model in text, or NULL when nothing is left: no brand in front, no
 * "series" behind, nor a firmware version and the machine's own serial
 * (Lexmark: "Lexmark X1 35ABCDE LW1.AB2.P345").  The caller frees.
 */
char	*brand_model(const char *text, const char *serial);
/*
 * The part of sysDescr in which a model stands: up to the first ';', ',',
 * " /", " version ", " Rev." and the like.  What looks like a version at its
 * end goes into *version (the caller frees; NULL when there is none).
 */
char	*brand_sysdescr(const char *sysdescr, char **version);

#endif
