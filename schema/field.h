/*
 * What the records consist of, said once: see schema/record.h.
 */
#ifndef SCHEMA_FIELD_H
#define SCHEMA_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/record.h"

enum field_kind {
	FIELD_TEXT,		/* char * */
	FIELD_UUID,		/* char *; written as an attribute in XML */
	FIELD_INT,		/* int64_t, all the following too */
	FIELD_ENUM,		/* a keyword, or the number if it has none */
	FIELD_TIME,		/* wall ms, written as XEP-0082 text */
	FIELD_BITS		/* set of keywords; JSON array, XML list, in
				 * which "none" is the empty set */
};

/* What a change of the field means for when it is told (design.md 5). */
enum field_class {
	FIELD_KEY,		/* id, asset, index: always written */
	FIELD_IDENTITY,		/* sent once, then when it changed */
	FIELD_STATE,		/* sent at once when it changed */
	FIELD_READING,		/* counters, levels: at most once an interval */
	FIELD_STAMP		/* time, pages: goes along, never a reason */
};

struct keyword {
	int64_t		 value;	/* for FIELD_BITS the bit's number */
	const char	*word;	/* NULL ends */
};

struct field {
	const char		*name;	/* NULL ends */
	enum field_kind		 kind;
	enum field_class	 class;
	size_t			 offset;
	const struct keyword	*words;	/* FIELD_ENUM, FIELD_BITS */
	bool			 probe_only;	/* never leaves in a report */
	bool			 report_only;	/* not in platen probe's JSON */
};

extern const struct field	asset_fields[];
extern const struct field	counter_fields[];
extern const struct field	consumable_fields[];
extern const struct field	alert_fields[];
extern const struct field	agent_fields[];

extern const struct keyword	words_asset_state[];	/* online ... */
extern const struct keyword	words_strength[];	/* serial mac ... */
extern const struct keyword	words_check[];		/* ok mismatch none */
extern const struct keyword	words_supply_kind[];	/* toner ... */
extern const struct keyword	words_supply_class[];	/* filled ... */
extern const struct keyword	words_supply_state[];	/* ok low ... */
extern const struct keyword	words_unit[];		/* sheets ... */
extern const struct keyword	words_error[];		/* lowPaper ... */
extern const struct keyword	words_device_status[];	/* running */
extern const struct keyword	words_printer_status[];	/* idle */
extern const struct keyword	words_alert_severity[];	/* critical */
extern const struct keyword	words_alert_group[];
extern const struct keyword	words_alert_training[];
extern const struct keyword	words_alert_code[];	/* jam ... */
extern const struct keyword	words_alert_source[];	/* row error-bits */

/* The keyword of value, or NULL. */
const char	*keyword_of(const struct keyword *, int64_t value);
/* A supply's state for people: a receptacle that is "empty" of space is
 * full. */
const char	*words_supply_shown(const struct consumable *);
/* The value of a keyword, or of a decimal number; ABSENT when neither. */
int64_t		 keyword_value(const struct keyword *, const char *word);

/* The field of that name, or NULL. */
const struct field	*field_find(const struct field *, const char *name);
/* Access by description; record is the struct that the field belongs to. */
const char	*field_text(const struct field *, const void *record);
int64_t		 field_int(const struct field *, const void *record);
void		 field_set_text(const struct field *, void *record,
		    const char *value);		/* copied; NULL is absent */
void		 field_set_int(const struct field *, void *record, int64_t);
bool		 field_is_text(const struct field *);
bool		 field_absent(const struct field *, const void *record);
bool		 field_equal(const struct field *, const void *a,
		    const void *b);
/* The value as text (enum as keyword, time as XEP-0082, bits as words with
 * blanks or "none", CLEARED as ""), or NULL when absent.  The caller frees. */
char		*field_format(const struct field *, const void *record);
/* The other way; 0, or -1 when text is no such value. */
int		 field_parse(const struct field *, void *record,
		    const char *text);

/* Copies every present field over (CLEARED and "" make it absent).  This and
 * the next two leave an asset's counters alone: asset_copy_counters(). */
void		 record_apply(const struct field *, void *to,
		    const void *change);
/*
 * Into out (initialised) the FIELD_KEY fields of now, and those others whose
 * class is in classes (1 << FIELD_...) and which differ from before (NULL:
 * from nothing); what before had and now has not becomes CLEARED or "".
 * FIELD_STAMP fields are copied when anything else was, probe_only ones never.
 * Returns how many differed, stamps not counted.
 */
int		 record_diff(const struct field *, const void *before,
		    const void *now, unsigned classes, void *out);
void		 record_copy(const struct field *, void *to,
		    const void *from);		/* to is initialised */
/* Each field to NULL or ABSENT; the second frees what was there. */
void		 record_init(const struct field *, void *);
void		 record_clear(const struct field *, void *);

#endif
