/*
 * Printer octets to UTF-8 (printers.md 10): valid UTF-8 with non-ASCII wins,
 * else the declared IANA MIBenum, else Latin-1.  Controls go, blanks at both
 * ends go, RECORD_TEXT_MAX octets at most, cut between characters.
 */
#ifndef SNMP_TEXT_H
#define SNMP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The caller frees; NULL when nothing is left. */
char	*text_decode(const uint8_t *octets, size_t len, int64_t mibenum);
/* The same after taking off a PML symbol-set prefix (01 15: Roman-8). */
char	*text_decode_pml(const uint8_t *octets, size_t len, int64_t mibenum);
/* A KEY:value; list (IEEE 1284): the value of key (exactly that spelling, in
 * any case), or NULL.  The caller frees. */
char	*text_1284(const char *id, const char *key);

/* Where word starts in text, ASCII letters in any case, or NULL; word
 * stands alone: no ASCII letter or digit touches it. */
const char	*text_find_word(const char *text, const char *word);
/* True when text starts with prefix, ASCII letters in any case. */
bool	 text_starts(const char *text, const char *prefix);
/* Takes off ASCII blanks at both ends, on the spot; returns text. */
char	*text_trim(char *text);

#endif
