#include "tests/sim/builtin.h"

#include <string.h>

#include "base/mem.h"

/*
 * .incbin takes the files in as they are, so that the binary alone is
 * enough.  Paths are those of the source tree's root, where make runs.
 */
#define EMBED(id, file)							\
	__asm__(".section .rodata\n"					\
	    ".global sim_walk_" #id "\nsim_walk_" #id ":\n"		\
	    ".incbin \"tests/sim/printers/" file ".snmprec\"\n"		\
	    ".global sim_walk_" #id "_end\nsim_walk_" #id "_end:\n"	\
	    ".byte 0\n.previous\n");					\
	extern const char sim_walk_##id[], sim_walk_##id##_end[]

EMBED(hp_mono, "hp-mono");
EMBED(hp_colour, "hp-colour");
EMBED(brother, "brother");
EMBED(kyocera, "kyocera");
EMBED(ricoh, "ricoh");
EMBED(xerox, "xerox");
EMBED(sharp, "sharp");
EMBED(canon, "canon");
EMBED(konica, "konica");
EMBED(lexmark, "lexmark");
EMBED(samsung, "samsung");
EMBED(epson, "epson");
EMBED(oki, "oki");
EMBED(fujifilm, "fujifilm");
EMBED(zebra, "zebra");
EMBED(pantum, "pantum");
EMBED(hp_context, "hp-context");
EMBED(hp_context_jetdirect, "hp-context@Jetdirect");
EMBED(utax, "utax");
EMBED(toshiba, "toshiba");
EMBED(dell, "dell");
EMBED(hp_laser, "hp-laser");
EMBED(pc, "pc");
EMBED(switch, "switch");

#define ENTRY(name, id) { name, sim_walk_##id, sim_walk_##id##_end }

static const struct builtin {
	const char	*name, *text, *end;
} builtins[] = {
	ENTRY("hp-mono", hp_mono),
	ENTRY("hp-colour", hp_colour),
	ENTRY("brother", brother),
	ENTRY("kyocera", kyocera),
	ENTRY("ricoh", ricoh),
	ENTRY("xerox", xerox),
	ENTRY("sharp", sharp),
	ENTRY("canon", canon),
	ENTRY("konica", konica),
	ENTRY("lexmark", lexmark),
	ENTRY("samsung", samsung),
	ENTRY("epson", epson),
	ENTRY("oki", oki),
	ENTRY("fujifilm", fujifilm),
	ENTRY("zebra", zebra),
	ENTRY("pantum", pantum),
	ENTRY("hp-context", hp_context),
	ENTRY("hp-context@Jetdirect", hp_context_jetdirect),
	ENTRY("utax", utax),
	ENTRY("toshiba", toshiba),
	ENTRY("dell", dell),
	ENTRY("hp-laser", hp_laser),
	ENTRY("pc", pc),
	ENTRY("switch", switch),
};
#define COUNT	(sizeof(builtins) / sizeof(*builtins))

const char *
builtin_name(size_t n)
{
	return n < COUNT ? builtins[n].name : NULL;
}

struct walk *
builtin_read(const char *name)
{
	const struct builtin *b;
	struct walk *walk = NULL, *other;
	size_t len = strlen(name);

	for (b = builtins; b < builtins + COUNT; b++)
		if (strcmp(b->name, name) == 0)
			walk = walk_parse(name, b->text,
			    (size_t)(b->end - b->text), true);
	for (b = builtins; walk != NULL && b < builtins + COUNT; b++) {
		if (strncmp(b->name, name, len) != 0 || b->name[len] != '@')
			continue;
		other = walk_parse(b->name, b->text,
		    (size_t)(b->end - b->text), true);
		if (other == NULL)
			continue;
		other->context = xstrdup(b->name + len + 1);
		other->next_context = walk->next_context;
		walk->next_context = other;
	}
	return walk;
}
