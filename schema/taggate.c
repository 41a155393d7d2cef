#include "schema/taggate.h"

enum {
	TEXT,		/* between tags */
	OPEN,		/* behind < */
	TAG,
	SINGLE,		/* in a tag, in '...' */
	DOUBLE,		/* in a tag, in "..." */
	BANG,		/* behind <!, count characters of [CDATA[ matched */
	CDATA		/* count is how many ] came last */
};

static int
next(struct taggate *g, char c)
{
	static const char cdata[] = "[CDATA[";

	switch (g->state) {
	case TEXT:
		return c == '<' ? OPEN : TEXT;
	case OPEN:
		g->count = 0;
		return c == '!' ? BANG : c == '>' ? TEXT : TAG;
	case TAG:
		g->count += c == '=';
		return c == '>' ? TEXT : c == '\'' ? SINGLE :
		    c == '"' ? DOUBLE : TAG;
	case SINGLE:
		return c == '\'' ? TAG : SINGLE;
	case DOUBLE:
		return c == '"' ? TAG : DOUBLE;
	case BANG:
		if (c != cdata[g->count])
			return TEXT;
		if (cdata[++g->count] != '\0')
			return BANG;
		g->count = 0;
		return CDATA;
	default:
		if (c == '>' && g->count >= 2)
			return TEXT;
		g->count = c != ']' ? 0 : g->count < 2 ? g->count + 1 : 2;
		return CDATA;
	}
}

int
taggate_feed(struct taggate *g, const char *bytes, size_t len)
{
	for (; len > 0; bytes++, len--) {
		g->state = next(g, *bytes);
		if (g->state == TAG && g->count > TAGGATE_ATTRIBUTES)
			return -1;
	}
	return 0;
}
