/*
 * Which alerts nobody wants to hear of: the rules of [alerts] ignore
 * (platen.ini(5), printers.md 7).
 *
 *   powerSaver       a code by its keyword; "subunit" or "printer" in front
 *                    may be left out, upper and lower case are alike
 *   31999            a code by its number
 *   input:jam        a code of one group only; either as keyword or number
 *   consoleLights:*  all of a group
 *   no-code          neither a code nor a text
 *   "Sleep*"         a description; * is anything, case does not count
 *   none             nothing is ignored (and nothing else may be said)
 */
#ifndef SNMP_IGNORE_H
#define SNMP_IGNORE_H

#include <stdbool.h>
#include <stddef.h>

#include "schema/record.h"

/* What holds when the INI says nothing. */
#define IGNORE_DEFAULT	{ "powerSaver", "warmingUp", "readyToPrint", "no-code" }
#define IGNORE_RULES_MAX	256

struct ignore;

/* Copies what it needs.  NULL when an item is no rule, with why. */
struct ignore	*ignore_new(char *const *items, size_t n, char *why,
		    size_t why_size);
/* The rules of IGNORE_DEFAULT. */
struct ignore	*ignore_new_default(void);
void		 ignore_free(struct ignore *);	/* NULL is fine */
/* NULL as rules: the alert is wanted. */
bool		 ignore_matches(const struct ignore *, const struct alert *);

#endif
