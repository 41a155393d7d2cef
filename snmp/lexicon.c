#include "snmp/lexicon.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "schema/record.h"
#include "snmp/text.h"

/* In lower case.  A word that starts with '=' must stand alone; others may be
 * a part of a word, as in "Schwarztoner".  Capitals outside ASCII are said
 * separately. */
struct entry {
	const char	*meaning;
	const char	*words[32];
};

/* What is more special comes first and settles it. */
static const struct entry special[] = {
	{ "matte black", { "matte black", "matt black", "mattschwarz",
	    "noir mat", "negro mate", "nero opaco", "mat zwart", "matteblack",
	    "マットブラック", NULL } },
	{ "photo black", { "photo black", "fotoschwarz", "noir photo",
	    "negro foto", "nero foto", "photoblack", "フォトブラック",
	    NULL } },
	{ "light black", { "light black", "lightblack", "ライトブラック",
	    NULL } },
	{ "light cyan", { "light cyan", "lightcyan", "hellcyan", "cyan clair",
	    "cian claro", "ciano chiaro", "licht cyaan", "ライトシアン",
	    NULL } },
	{ "light magenta", { "light magenta", "lightmagenta", "hellmagenta",
	    "magenta clair", "magenta claro", "magenta chiaro",
	    "licht magenta", "ライトマゼンタ", NULL } },
	{ "light gray", { "light gray", "light grey", "lightgray",
	    "lightgrey", "hellgrau", "gris clair", "gris claro",
	    "grigio chiaro", "ライトグレー", NULL } },
	{ "colour", { "tri-colo", "tricolo", "tri colo", "three color",
	    "dreifarb", "trois couleurs", "3-colo", "cmy", "c/m/y",
	    "三色", "3色", NULL } },
};

static const struct entry colours[] = {
	{ "black", { "black", "schwarz", "=noir", "=noire", "=negro",
	    "=negra", "=nero", "=nera", "zwart", "=preto", "=preta", "czarn",
	    "=svart", "=sort", "černá", "černý", "Čern", "fekete",
	    "=musta", "=siyah", "=negru", "черн", "чёрн", "Черн", "Чёрн",
	    "黑", "黒", "ブラック", "검정", "블랙", "=bk", NULL } },
	{ "cyan", { "cyan", "=zyan", "=cian", "=ciano", "cyaan", "cyjan",
	    "błękit", "azurov", "azzurro", "=cián", "syaani", "camgöbeği",
	    "голуб", "Голуб", "青", "シアン", "시안", "청록", NULL } },
	{ "magenta", { "magenta", "purpur", "amarant", "bíbor", "пурпур",
	    "Пурпур", "洋紅", "洋红", "品红", "品紅", "マゼンタ", "마젠타",
	    "자홍", NULL } },
	{ "yellow", { "yellow", "gelb", "=jaune", "amarill", "amarel",
	    "giallo", "gialla", "=geel", "=gele", "żółt", "Żółt", "zolt",
	    "=gul", "=gult", "žlut", "Žlut", "sárga", "keltai", "=sarı",
	    "galben", "желт", "жёлт", "Желт", "Жёлт", "黃", "黄",
	    "イエロー", "노랑", "옐로", NULL } },
	{ "gray", { "=gray", "=grey", "=grau", "=gris", "=grigio", "=grijs",
	    "=szary", "グレー", NULL } },
	{ "white", { "=white", "=weiß", "=weiss", "=blanc", "=blanco",
	    "=bianco", "=wit", "=branco", "ホワイト", NULL } },
	{ "clear", { "=clear", "=transparent", "=klar", "クリア", NULL } },
	{ "red", { "=red", "=rot", "=rouge", "=rojo", "=rosso", "=rood",
	    "=vermelho", "レッド", NULL } },
	{ "green", { "=green", "=grün", "=vert", "=verde", "=groen",
	    "グリーン", NULL } },
	{ "blue", { "=blue", "=blau", "=bleu", "=azul", "=blu", "=blauw",
	    "ブルー", NULL } },
	{ "orange", { "=orange", "=naranja", "=arancione", "オレンジ",
	    NULL } },
	{ "violet", { "=violet", "=violett", "バイオレット", NULL } },
	{ "gold", { "=gold", "ゴールド", NULL } },
	{ "silver", { "=silver", "=silber", "シルバー", NULL } },
	{ "pink", { "=pink", "=rosa", "ピンク", NULL } },
};

enum {
	WASTE, CLEANER, FUSER, TRANSFER, DEVELOPER, STAPLES, CORONA, OPC,
	TONER, INK, RIBBON, CARTRIDGE, STAPLER, KINDS
};

static const char *const kinds[KINDS][32] = {
	[WASTE] = { "waste", "resttoner", "alttoner", "abfall", "resttinte",
	    "récup", "recup", "usagé", "usé", "residu", "résidu", "scarto",
	    "esaust", "afval", "=usado", "=usada", "zużyt", "=spill",
	    "отработ", "Отработ", "廢", "废", "廃", "回収", "폐", NULL },
	[CLEANER] = { "cleaner", "cleaning", "=clean", "reinig", "nettoy",
	    "limpi", "limpeza", "pulizia", "czyszcz", "クリーニング", "清洁",
	    "清潔", NULL },
	[FUSER] = { "fuser", "fusing", "fixier", "fusor", "fusore",
	    "fusion", "fusione", "fixeer", "utrwal", "定着", "定影", "정착",
	    NULL },
	[TRANSFER] = { "transfer", "transfert", "trasferi", "übertrag",
	    "Übertrag", "overdracht", "=itb", "=belt", "転写", "转印", "轉印",
	    NULL },
	[DEVELOPER] = { "develop", "entwickl", "dévelop", "revelador",
	    "svilupp", "ontwikkel", "wywoł", "現像", "显影", "顯影", NULL },
	[STAPLES] = { "staples", "staple cart", "heftklam", "agrafe",
	    "grapas", "nietjes", "zszywk", "ステープル", "订书针", "釘書",
	    NULL },
	[STAPLER] = { "=stapler", "=staple", NULL },
	[CORONA] = { "corona", "korona", NULL },
	[OPC] = { "drum", "trommel", "tambour", "tambor", "tamburo",
	    "photoconduc", "fotoleiter", "imaging unit", "image unit",
	    "=opc", "bęben", "ドラム", "感光", "硒鼓", "드럼", NULL },
	[TONER] = { "toner", "tóner", "トナー", "碳粉", "墨粉", "토너",
	    "тонер", "Тонер", NULL },
	[INK] = { "=ink", "=inks", "tinte", "=encre", "=tinta",
	    "inchiostro", "inkt", "=tusz", "atrament", "インク", "墨水",
	    "墨盒", "чернил", "Чернил", "잉크", NULL },
	[RIBBON] = { "ribbon", "farbband", "ruban", "リボン", NULL },
	[CARTRIDGE] = { "cartridge", "kartusche", "kassette", "cartouche",
	    "cartucho", "cartuccia", "patrone", "wkład", "カートリッジ",
	    NULL },
};

/*
 * Text in lower case, and which pairs of octets occur in it: a word whose
 * first pair does not occur need not be looked for, and that is nearly all
 * of them.
 */
struct folded {
	char		 text[RECORD_TEXT_MAX + 1];
	uint64_t	 pairs[16];
};

static unsigned
pair_hash(const char *p)
{
	return ((unsigned char)p[0] * 33u ^ (unsigned char)p[1]) & 1023;
}

static void
fold(struct folded *f, const char *text)
{
	size_t	 i;

	memset(f->pairs, 0, sizeof(f->pairs));
	for (i = 0; text[i] != '\0' && i < RECORD_TEXT_MAX; i++) {
		f->text[i] = (char)tolower((unsigned char)text[i]);
		if (i > 0)
			f->pairs[pair_hash(f->text + i - 1) / 64] |=
			    (uint64_t)1 << pair_hash(f->text + i - 1) % 64;
	}
	f->text[i] = '\0';
}

static bool
says(const struct folded *f, const char *const *words)
{
	const char	*word;
	unsigned	 hash;
	bool		 alone;

	for (; *words != NULL; words++) {
		alone = **words == '=';
		word = *words + alone;
		hash = pair_hash(word);
		if (!(f->pairs[hash / 64] >> hash % 64 & 1))
			continue;
		if (alone ? text_find_word(f->text, word) != NULL :
		    strstr(f->text, word) != NULL)
			return true;
	}
	return false;
}

const char *
lexicon_colour(const char *text)
{
	struct folded	 f;
	const char	*found = NULL;
	size_t		 i;

	fold(&f, text);
	for (i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
		if (says(&f, special[i].words))
			return special[i].meaning;
	}
	for (i = 0; i < sizeof(colours) / sizeof(colours[0]); i++) {
		if (!says(&f, colours[i].words))
			continue;
		if (found != NULL)
			return NULL;
		found = colours[i].meaning;
	}
	return found;
}

const char *
lexicon_colour_letter(const char *text)
{
	static const struct {
		const char	*letter, *colour;
	} letters[] = {
		{ "K", "black" }, { "C", "cyan" }, { "M", "magenta" },
		{ "Y", "yellow" }
	};
	const char	*found = NULL, *at;
	size_t		 i;

	for (i = 0; i < 4; i++) {
		at = text_find_word(text, letters[i].letter);
		if (at == NULL || *at != letters[i].letter[0])
			continue;
		if (found != NULL)
			return NULL;
		found = letters[i].colour;
	}
	return found;
}

int64_t
lexicon_kind(const char *text)
{
	struct folded	 f;

	fold(&f, text);
	if (says(&f, kinds[WASTE]))
		return says(&f, kinds[INK]) ? 8 : 4;
	if (says(&f, kinds[CLEANER]))
		return 18;
	if (says(&f, kinds[FUSER]))
		return 15;
	if (says(&f, kinds[TRANSFER]))
		return 20;
	if (says(&f, kinds[DEVELOPER]))
		return 10;
	if (says(&f, kinds[STAPLES]) || says(&f, kinds[STAPLER]))
		return 32;
	if (says(&f, kinds[CORONA]))
		return 16;
	if (says(&f, kinds[OPC]))
		return 9;
	if (says(&f, kinds[RIBBON]))
		return 7;
	if (says(&f, kinds[TONER]))
		return says(&f, kinds[CARTRIDGE]) ? 21 : 3;
	if (says(&f, kinds[INK]))
		return says(&f, kinds[CARTRIDGE]) ? 6 : 5;
	return ABSENT;
}
