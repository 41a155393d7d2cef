/* UTF-8 (RFC 3629), one character at a time. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads the character that the len bytes start with.  Returns how many bytes
 * it takes (1..4), or 0 when they are no UTF-8 or len is 0; overlong forms,
 * surrogates and what lies above U+10FFFF are none. */
size_t	 utf8_decode(const void *bytes, size_t len, uint32_t *character);
bool	 utf8_valid(const void *bytes, size_t len);
/* How many bytes of text to keep so that it is no longer than max and ends
 * between two characters. */
size_t	 utf8_cut(const char *text, size_t len, size_t max);
/* Controls (C0, DEL, C1), line separators and what turns the direction of
 * writing: nothing that foreign text may do to a terminal. */
bool	 utf8_control(uint32_t character);

#endif
