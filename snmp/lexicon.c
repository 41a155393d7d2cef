#include "snmp/lexicon.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "schema/record.h"
#include "snmp/text.h"

/* In lower case.  A word that starts with '=' must stand alone; others may be
 * a part of a word, as in "Schwarztoner". */
struct entry {
	const char	*meaning;
	const char	*words[40];
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
	    "=svart", "=svarta", "=sort", "=sorte", "čern", "=cerna",
	    "=cerny", "fekete", "=musta", "mustan", "mustaväri", "=siyah",
	    "=negru", "черн", "чёрн", "黑", "黒", "ブラック", "ﾌﾞﾗｯｸ", "검정",
	    "블랙", "=bk", NULL } },
	{ "cyan", { "cyan", "=zyan", "=cian", "=ciano", "cyaan", "cyjan",
	    "błękit", "azurov", "azzurro", "=cián", "syaani",
	    "camgöbeği", "=camgobegi", "голуб", "青", "シアン", "ｼｱﾝ", "시안",
	    "청록", NULL } },
	{ "magenta", { "magenta", "macenta", "purpur", "amarant", "bíbor",
	    "пурпур", "маджент", "洋紅", "洋红", "品红", "品紅", "マゼンタ",
	    "ﾏｾﾞﾝﾀ", "마젠타", "자홍", NULL } },
	{ "yellow", { "yellow", "gelb", "=jaune", "amarill", "amarel",
	    "giallo", "gialla", "=geel", "=gele", "żółt", "zolt", "=gul",
	    "=gult", "=gula", "=gule", "žlut", "zlut", "sárga", "keltai",
	    "=sarı", "=sari", "galben", "желт", "жёлт", "黃",
	    "黄", "イエロー", "ｲｴﾛｰ", "노랑", "옐로", NULL } },
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

static const char *const kinds[KINDS][48] = {
	[WASTE] = { "waste", "toner collection", "resttoner", "alttoner",
	    "abfall", "resttinte", "récup", "recup", "usagé", "usé", "residu",
	    "résidu", "resíduo", "scarto", "esaust", "afval", "avfall",
	    "=usado", "=usada", "zużyt", "=spill", "spilltoner", "spildtoner",
	    "uppsamling", "hukka", "jäte", "odpadn", "=atık", "отработ",
	    "廢", "废", "廃", "回収", "폐", NULL },
	[CLEANER] = { "cleaner", "cleaning", "=clean", "reinig", "nettoy",
	    "limpi", "limpeza", "pulizia", "czyszcz", "クリーニング", "清洁",
	    "清潔", NULL },
	[FUSER] = { "fuser", "fusing", "fixier", "fixer", "fikser", "fusor",
	    "fusore", "fusion", "fusione", "fixeer", "utrwal", "kiinnity",
	    "zapék", "fixačn", "термоблок", "фьюзер", "定着", "定影",
	    "정착", NULL },
	[TRANSFER] = { "transfer", "transfert", "trasferi", "übertrag",
	    "overdracht", "överför", "overfør", "siirto", "přenos", "aktarım",
	    "перенос", "=itb", "=belt", "転写", "转印", "轉印", NULL },
	[DEVELOPER] = { "develop", "entwickl", "dévelop", "revelador",
	    "svilupp", "ontwikkel", "wywoł", "framkall", "fremkal", "kehite",
	    "vývojn", "geliştir", "проявит", "девелопер", "現像", "显影",
	    "顯影", NULL },
	[STAPLES] = { "staples", "staple cart", "heftklam", "agrafe",
	    "grapas", "nietjes", "zszywk", "ステープル", "订书针", "釘書",
	    NULL },
	[STAPLER] = { "=stapler", "=staple", NULL },
	[CORONA] = { "corona", "korona", NULL },
	[OPC] = { "drum", "trommel", "tambour", "tambor", "tamburo", "tambur",
	    "photoconduc", "fotoleiter", "imaging unit", "image unit",
	    "=opc", "bęben", "trumma", "tromle", "rumpu", "=válec",
	    "fotoválec", "барабан", "ドラム", "感光", "硒鼓", "드럼", NULL },
	[TONER] = { "toner", "tóner", "värikasetti", "トナー", "ﾄﾅｰ", "碳粉",
	    "墨粉", "토너", "тонер", NULL },
	[INK] = { "=ink", "=inks", "tinte", "=encre", "=tinta",
	    "inchiostro", "inkt", "=tusz", "atrament", "bläck", "blæk",
	    "blekk", "=muste", "mustekaset", "inkoust", "mürekkep", "インク",
	    "墨水", "墨盒", "чернил", "잉크", NULL },
	[RIBBON] = { "ribbon", "farbband", "ruban", "リボン", NULL },
	[CARTRIDGE] = { "cartridge", "kartusche", "kassette", "cartouche",
	    "cartucho", "cartuccia", "patron", "wkład", "kasetti", "=kaseta",
	    "=kazeta", "kartuş", "картридж", "カートリッジ", NULL },
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

/*
 * The capitals of two octets in UTF-8 that the languages above need: Latin-1
 * and Latin Extended-A, where case is the lowest bit, and Cyrillic.
 */
static void
fold_pair(char *p)
{
	unsigned	 code = ((unsigned char)p[0] & 31u) << 6 |
			    ((unsigned char)p[1] & 63u);

	if ((code >= 0xc0 && code < 0xdf && code != 0xd7) ||
	    (code >= 0x410 && code < 0x430))
		code += 32;
	else if (code == 0x401)		/* Ё */
		code = 0x451;
	else if ((code >= 0x100 && code < 0x138) ||
	    (code >= 0x14a && code < 0x178))
		code |= 1;
	else if ((code >= 0x139 && code < 0x149) ||
	    (code >= 0x179 && code < 0x17f))
		code += code & 1;
	p[0] = (char)(0xc0 | code >> 6);
	p[1] = (char)(0x80 | (code & 63));
}

static void
fold(struct folded *f, const char *text)
{
	size_t	 i;

	memset(f->pairs, 0, sizeof(f->pairs));
	for (i = 0; text[i] != '\0' && i < RECORD_TEXT_MAX; i++)
		f->text[i] = (char)tolower((unsigned char)text[i]);
	f->text[i] = '\0';
	for (i = 0; f->text[i] != '\0'; i++) {
		if (((unsigned char)f->text[i] & 0xe0) == 0xc0 &&
		    ((unsigned char)f->text[i + 1] & 0xc0) == 0x80)
			fold_pair(f->text + i);
		if (i > 0)
			f->pairs[pair_hash(f->text + i - 1) / 64] |=
			    (uint64_t)1 << pair_hash(f->text + i - 1) % 64;
	}
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
		/* "C-EXV 51" and "M C250" name a part and a machine. */
		if (at == NULL || *at != letters[i].letter[0] ||
		    (at[1] == '-' && isupper((unsigned char)at[2]) &&
		    isupper((unsigned char)at[3])) || (at[1] == ' ' &&
		    at[2] == 'C' && isdigit((unsigned char)at[3])))
			continue;
		if (found != NULL)
			return NULL;
		found = letters[i].colour;
	}
	return found;
}

/* The colour of a part's number that begins at p, or NULL. */
static const char *
part_colour(const char *p)
{
	static const char *const	 makers[] = { "TK", "PK", "CK", "TNP",
		"TN", NULL };
	static const struct {
		const char	*end, *colour;
	} ends[] = {
		{ "K", "black" }, { "BK", "black" }, { "C", "cyan" },
		{ "M", "magenta" }, { "Y", "yellow" }, { NULL, NULL }
	};
	size_t				 i, len, digits;

	for (i = 0; makers[i] != NULL; i++) {
		len = strlen(makers[i]);
		if (strncmp(p, makers[i], len) == 0)
			break;
	}
	if (makers[i] == NULL)
		return NULL;
	p += len;
	p += *p == '-' || *p == ' ';
	digits = strspn(p, "0123456789");
	p += digits;
	len = strspn(p, "BCKMY");
	if (digits < 2 || isalnum((unsigned char)p[len]))
		return NULL;
	for (i = 0; ends[i].end != NULL; i++) {
		if (strlen(ends[i].end) == len &&
		    strncmp(p, ends[i].end, len) == 0)
			return ends[i].colour;
	}
	return NULL;
}

const char *
lexicon_colour_part(const char *text)
{
	const char	*p, *colour;

	for (p = text; *p != '\0'; p++) {
		if ((p == text || !isalnum((unsigned char)p[-1])) &&
		    (colour = part_colour(p)) != NULL)
			return colour;
	}
	return NULL;
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
