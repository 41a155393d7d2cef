/*
 * Words for colours and kinds of supplies in the languages that printers
 * speak, for rows whose columns do not say it (printers.md 5).
 */
#ifndef SNMP_LEXICON_H
#define SNMP_LEXICON_H

#include <stdbool.h>
#include <stdint.h>

/* The colour that text names, in lower case English ("black", "light cyan";
 * "colour" for several in one), or NULL when it names none or two. */
const char	*lexicon_colour(const char *text);
/* The same for the letters K, C, M, Y alone ("Toner (K)"). */
const char	*lexicon_colour_letter(const char *text);
/* The same where a toner's number ends in them (Kyocera "TK-1234K", Konica
 * "TN-123Y", Brother "TN-123BK"). */
const char	*lexicon_colour_part(const char *text);
/* PrtMarkerSuppliesTypeTC by the words in text, or ABSENT. */
int64_t		 lexicon_kind(const char *text);

#endif
