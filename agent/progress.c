#include "agent/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define NOTE	"scan"
#define FORMAT	"1 %d %d %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64	\
		" %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRIu32 \
		" %" PRIx64
#define SCAN	"1 %d %d %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64	\
		" %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNu32 \
		" %" SCNx64

int
progress_write(struct store *st, const struct progress *p)
{
	bool own = !store_in_transaction(st);
	char text[320];

	snprintf(text, sizeof(text), FORMAT, p->running, p->pass, p->done,
	    p->left, p->found, p->fresh, p->others, p->started_ms,
	    p->finished_ms, p->seconds_left, p->where, p->fingerprint);
	if (own && store_begin(st) == -1)
		return -1;
	if (store_set_note(st, NOTE, text) == -1) {
		if (own)
			store_rollback(st);
		return -1;
	}
	return own ? store_commit(st) : 0;
}

void
progress_read(struct store *st, struct progress *p)
{
	char *text = store_note(st, NOTE);
	int running;

	memset(p, 0, sizeof(*p));
	if (sscanf(text, SCAN, &running, &p->pass, &p->done, &p->left,
	    &p->found, &p->fresh, &p->others, &p->started_ms,
	    &p->finished_ms, &p->seconds_left, &p->where,
	    &p->fingerprint) != 12)
		memset(p, 0, sizeof(*p));
	else
		p->running = running != 0;
	free(text);
}

static void
json_time(struct json *js, const char *key, int64_t wall_ms)
{
	char text[CLOCK_TEXT_MAX];

	json_string(js, key, wall_ms == 0 ? NULL :
	    clock_format(wall_ms, text));
}

void
progress_json(const struct progress *p, bool live, struct json *js,
    const char *key)
{
	json_object(js, key);
	json_bool(js, "running", live && p->running);
	json_int(js, "pass", p->pass);
	json_int(js, "done", p->done);
	json_int(js, "left", p->left);
	json_int(js, "found", p->found);
	if (p->fresh >= 0)
		json_int(js, "new", p->fresh);
	else
		json_null(js, "new");
	json_int(js, "others", p->others);
	json_time(js, "started", p->started_ms);
	json_time(js, "finished", p->finished_ms);
	if (live && p->running)
		json_int(js, "seconds_left", p->seconds_left);
	else
		json_null(js, "seconds_left");
	json_object_end(js);
}

char *
progress_text(const struct progress *p, bool live,
    char out[PROGRESS_TEXT_MAX])
{
	int64_t s = p->seconds_left;
	char rest[48] = "", pass[24] = "", fresh[40] = "";

	if (live && p->running) {
		snprintf(pass, sizeof(pass), "pass %d of 2, ", p->pass);
		snprintf(rest, sizeof(rest), s < 120 ?
		    ", %" PRId64 " s to go" : s < 7200 ?
		    ", %" PRId64 " min to go" : ", %" PRId64 " h to go",
		    s < 120 ? s : s < 7200 ? (s + 30) / 60 :
		    (s + 1800) / 3600);
	}
	if (p->fresh >= 0)
		snprintf(fresh, sizeof(fresh), " (%" PRId64 " new)",
		    p->fresh);
	snprintf(out, PROGRESS_TEXT_MAX, "%s%" PRId64 " of %" PRId64
	    " addresses, %" PRId64 " printers%s, %" PRId64 " others%s", pass,
	    p->done, p->done + p->left, p->found, fresh, p->others, rest);
	return out;
}
