/*
 * Where in an INI file something is said: for complaints that arise after
 * the file was read, when two keys exclude each other or a word makes no
 * sense.
 */
#ifndef AGENT_INISPOT_H
#define AGENT_INISPOT_H

/* "FILE:LINE" of the key, else of the section, else "FILE"; one of 4 static
 * buffers in turn.  key may be NULL. */
const char	*inispot(const char *path, const char *section,
		    const char *key);

#endif
