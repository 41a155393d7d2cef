#include "agent/inspect.h"

#include <sys/file.h>
#include <sys/statvfs.h>
#include <sys/types.h>

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/catchup.h"
#include "agent/config.h"
#include "agent/keeper.h"
#include "agent/known.h"
#include "agent/outbox.h"
#include "agent/progress.h"
#include "agent/store.h"
#include "agent/storekey.h"
#include "agent/traps.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/screen.h"
#include "schema/field.h"
#include "schema/recjson.h"

struct look {
	struct config	*conf;
	struct store	*store;
	bool		 json, refused, xml, all;
};

static void
usage(const char *command)
{
	fprintf(stderr, "usage: platen %s [-c FILE] [--json]%s\n", command,
	    strcmp(command, "outbox") == 0 ? " [--refused] [--xml]" :
	    strcmp(command, "devices") == 0 ? " [--all]" : "");
}

static void
print(struct buf *out)
{
	fwrite(out->data, 1, out->len, stdout);
	putchar('\n');
	buf_free(out);
}

/* "3 min", "2 h" since a wall time; "-" for never. */
static const char *
ago(int64_t then_ms, char out[32])
{
	int64_t s = (clock_wall_ms() - then_ms) / 1000;

	if (then_ms <= 0)
		return "never";
	if (s < 120)
		snprintf(out, 32, "%lld s ago", (long long)(s < 0 ? 0 : s));
	else if (s < 7200)
		snprintf(out, 32, "%lld min ago", (long long)s / 60);
	else if (s < 172800)
		snprintf(out, 32, "%lld h ago", (long long)s / 3600);
	else
		snprintf(out, 32, "%lld days ago", (long long)s / 86400);
	return out;
}

/* The supervisor holds the lock for as long as it lives; a pid in a file that
 * nobody holds may be anybody's by now. */
pid_t
inspect_running(const struct config *conf)
{
	char *path = config_state_path(conf, "platend.lock"), text[24] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	pid_t pid = 0;

	if (fd != -1) {
		if (flock(fd, LOCK_SH | LOCK_NB) == -1 &&
		    read(fd, text, sizeof(text) - 1) > 0)
			pid = (pid_t)strtol(text, NULL, 10);
		close(fd);
	}
	free(path);
	return pid > 0 ? pid : 0;
}

/* --- status -------------------------------------------------------------------- */

struct status {
	bool			 running;
	char			*state, *why, *key;
	int64_t			 since_ms;
	char			 epoch[UUID_TEXT_MAX];
	struct outbox_count	 box;
	struct catchup		 catchup;
	int64_t			 done, total, left_ms;	/* of it */
	struct agent		 agent;
	struct traps_count	 traps;
	bool			 traps_known;	/* somebody listens */
	struct progress		 scan;
	const char		*disk;		/* NULL: nothing to say */
	struct keeper_loss	 loss;
};

/* The last record of itself that the agent wrote. */
static void
read_agent(struct store *st, struct agent *out)
{
	char *xml = store_note_sealed(st, "agent"), why[128];
	struct report one;

	report_init(&one);
	if (*xml != '\0' && report_read_own(xml, strlen(xml), &one, why,
	    sizeof(why)) == 0 && one.agents_len == 1) {
		*out = one.agents[0];
		agent_init(&one.agents[0]);
	}
	report_clear(&one);
	free(xml);
}

static void
traps_json(struct json *js, const struct status *s)
{
	if (!s->traps_known) {
		json_null(js, "traps");
		return;
	}
	json_object(js, "traps");
	json_int(js, "received", s->traps.received);
	json_int(js, "woke", s->traps.woke);
	json_int(js, "unknown", s->traps.unknown);
	json_int(js, "refused", s->traps.refused);
	json_object_end(js);
}

/* What can be seen of the disk from here; what the agent met it cannot write
 * down there. */
static const char *
look_at_disk(const char *dir)
{
	struct statvfs fs;

	if (statvfs(dir, &fs) == -1)
		return NULL;
	return (fs.f_flag & ST_RDONLY) != 0 ?
	    store_state_text(STORE_READONLY) : fs.f_bavail == 0 ?
	    store_state_text(STORE_FULL) : NULL;
}

static void
store_json(struct json *js, const struct status *s)
{
	char time[CLOCK_TEXT_MAX];

	json_object(js, "store");
	json_string(js, "disk", s->disk);
	if (s->loss.at_ms == 0) {
		json_null(js, "damaged");
		json_object_end(js);
		return;
	}
	json_string(js, "damaged", clock_format(s->loss.at_ms, time));
	json_string(js, "reason", s->loss.why);
	json_int(js, "saved", s->loss.saved);
	if (s->loss.lost >= 0)
		json_int(js, "lost", s->loss.lost);
	else
		json_null(js, "lost");
	json_object_end(js);
}

static void
store_text(const struct status *s)
{
	char when[32];

	if (s->disk != NULL)
		printf("disk      %s\n", s->disk);
	if (s->loss.at_ms != 0)
		printf("store     damaged %s (%s) and begun anew: %lld reports "
		    "saved\n", ago(s->loss.at_ms, when), log_safe(s->loss.why),
		    (long long)s->loss.saved);
}

static void
lanes_json(struct json *js, const struct status *s)
{
	const struct outbox_lane *lane;
	int i;

	json_object(js, "lanes");
	for (i = LANES - 1; i >= 0; i--) {
		lane = &s->box.lane[i];
		json_object(js, lane_name((enum lane)i));
		json_int(js, "waiting", lane->depth);
		json_int(js, "bytes", lane->bytes);
		json_int(js, "acked", lane->acked_seq);
		json_int(js, "next", lane->next_seq);
		json_object_end(js);
	}
	json_object_end(js);
}

static void
catchup_json(struct json *js, const struct status *s)
{
	char time[CLOCK_TEXT_MAX];

	if (s->catchup.since_ms == 0) {
		json_null(js, "catching_up");
		return;
	}
	json_object(js, "catching_up");
	json_string(js, "since", clock_format(s->catchup.since_ms, time));
	json_int(js, "done", s->done);
	json_int(js, "total", s->total);
	if (s->left_ms == -1)
		json_null(js, "seconds_left");
	else
		json_int(js, "seconds_left", s->left_ms / 1000);
	json_object_end(js);
}

static void
status_json(const struct look *look, const struct status *s)
{
	struct buf out = { 0 };
	struct json js;

	json_start(&js, &out);
	json_object(&js, NULL);
	recjson_fields(&js, agent_fields, &s->agent, false);
	json_bool(&js, "running", s->running);
	json_string(&js, "state_dir", look->conf->state_dir);
	json_string(&js, "uplink", s->running ? s->state : "stopped");
	json_string(&js, "uplink_why", *s->why == '\0' ? NULL : s->why);
	json_string(&js, "central", look->conf->central);
	json_string(&js, "key", *s->key == '\0' ? NULL : s->key);
	json_string(&js, "epoch", s->epoch);
	json_int(&js, "outbox", s->box.depth);
	json_int(&js, "outbox_bytes", s->box.bytes);
	json_int(&js, "refused", s->box.refused);
	store_json(&js, s);
	json_int(&js, "merged", s->box.lost_detail);
	lanes_json(&js, s);
	catchup_json(&js, s);
	traps_json(&js, s);
	progress_json(&s->scan, s->running, &js, "scan");
	json_object_end(&js);
	print(&out);
}

/* "running, pass 1 of 2, ...", "2 h ago: ...", or that one is to go on. */
static void
status_scan(const struct status *s)
{
	const struct progress *p = &s->scan;
	char text[PROGRESS_TEXT_MAX], when[32];

	if (p->started_ms == 0)
		printf("scan      never\n");
	else
		printf("scan      %s: %s\n", !p->running ?
		    ago(p->finished_ms, when) : s->running ? "running" :
		    "interrupted", progress_text(p, s->running, text));
}

/* "40 s", "12 min", "3 h" */
static const char *
about(int64_t ms, char out[32])
{
	int64_t s = ms / 1000;

	if (s < 100)
		snprintf(out, 32, "%lld s", (long long)s + 1);
	else if (s < 6000)
		snprintf(out, 32, "%lld min", (long long)(s + 59) / 60);
	else
		snprintf(out, 32, "%lld h", (long long)(s + 3599) / 3600);
	return out;
}

static void
status_outbox(const struct status *s)
{
	char left[32];

	printf("outbox    %lld urgent and %lld bulk reports waiting (%lld "
	    "bytes), %lld refused",
	    (long long)s->box.lane[LANE_URGENT].depth,
	    (long long)s->box.lane[LANE_BULK].depth,
	    (long long)s->box.bytes, (long long)s->box.refused);
	if (s->box.lost_detail > 0)
		printf(", %lld merged for want of space",
		    (long long)s->box.lost_detail);
	putchar('\n');
	if (s->catchup.since_ms == 0)
		return;
	printf("          catching up: %lld of %lld", (long long)s->done,
	    (long long)s->total);
	if (s->left_ms != -1)
		printf(", about %s left", about(s->left_ms, left));
	putchar('\n');
}

static void
status_text(const struct look *look, const struct status *s)
{
	const struct agent *a = &s->agent;
	char when[32];

	printf("agent     %s, %s\n", look->conf->name,
	    s->running ? "running" : "not running");
	printf("centre    %s: %s%s%s (%s)\n", look->conf->central,
	    !s->running ? "stopped" : *s->state == '\0' ? "starting" :
	    s->state, *s->why == '\0' ? "" : ", ", s->why,
	    ago(s->since_ms, when));
	if (a->online != ABSENT)
		printf("printers  %lld online, %lld asleep, %lld "
		    "unreachable\n", (long long)a->online,
		    (long long)a->asleep, (long long)a->unreachable);
	status_scan(s);
	status_outbox(s);
	store_text(s);
	if (s->traps_known)
		printf("traps     %lld received, %lld looked after, %lld from "
		    "strangers, %lld refused\n", (long long)s->traps.received,
		    (long long)s->traps.woke, (long long)s->traps.unknown,
		    (long long)s->traps.refused);
}

/* Only while the centre is there: else nothing goes on. */
static void
read_catchup(struct store *st, struct status *s)
{
	const int64_t acked[LANES] = {
		[LANE_BULK] = s->box.lane[LANE_BULK].acked_seq,
		[LANE_URGENT] = s->box.lane[LANE_URGENT].acked_seq };
	char *note = store_note(st, "catchup");

	if (s->running && strcmp(s->state, "connected") == 0 &&
	    catchup_parse(note, &s->catchup)) {
		catchup_progress(&s->catchup, acked, &s->done, &s->total);
		s->left_ms = catchup_left_ms(&s->catchup, s->done, s->total,
		    clock_wall_ms());
	}
	free(note);
}

static int
look_status(struct look *look)
{
	struct status s = { 0 };
	char *note;

	agent_init(&s.agent);
	s.running = inspect_running(look->conf) != 0;
	progress_read(look->store, &s.scan);
	s.state = store_note(look->store, "uplink_state");
	s.why = store_note(look->store, "uplink_why");
	s.key = store_note(look->store, "key");
	s.since_ms = store_note_int(look->store, "uplink_since", 0);
	(void)store_epoch(look->store, s.epoch);
	(void)outbox_count(look->store, &s.box);
	read_catchup(look->store, &s);
	read_agent(look->store, &s.agent);
	s.disk = look_at_disk(look->conf->state_dir);
	keeper_loss(look->store, &s.loss);
	note = store_note(look->store, "traps");
	s.traps_known = traps_count_parse(note, &s.traps);
	free(note);
	if (look->json)
		status_json(look, &s);
	else
		status_text(look, &s);
	agent_clear(&s.agent);
	keeper_loss_clear(&s.loss);
	free(s.state);
	free(s.why);
	free(s.key);
	return 0;
}

/* --- devices -------------------------------------------------------------------- */

struct devices {
	const struct look	*look;
	struct json		 json;
	struct screen_table	*table;
	size_t			 others;
};

static void
asset_json(struct json *js, const struct report *told)
{
	const struct asset *asset = &told->assets[0];
	size_t i;

	json_object(js, NULL);
	json_bool(js, "printer", true);
	recjson_fields(js, asset_fields, asset, false);
	recjson_array(js, "counters", counter_fields, asset->counters,
	    asset->counters_len, sizeof(struct counter), false);
	recjson_array(js, "consumables", consumable_fields,
	    told->consumables, told->consumables_len,
	    sizeof(struct consumable), false);
	json_array(js, "alerts");
	for (i = 0; i < told->alerts_len; i++) {
		if (told->alerts[i].cleared != ABSENT)
			continue;
		json_object(js, NULL);
		recjson_fields(js, alert_fields, &told->alerts[i], false);
		json_object_end(js);
	}
	json_array_end(js);
	json_object_end(js);
}

struct screen_table *
inspect_printers_new(void)
{
	static const char *const columns[] = { "ADDRESS", "STATE", "MAKE",
	    "MODEL", "SERIAL", ">PAGES", "LOCATION", NULL };

	return screen_table_new(columns);
}

void
inspect_printers_row(struct screen_table *table, const struct asset *a)
{
	const struct counter *total = asset_counter(a, "total");
	const char *cells[7];
	char pages[24] = "";

	if (total != NULL)
		snprintf(pages, sizeof(pages), "%lld",
		    (long long)total->value);
	cells[0] = a->ip;
	cells[1] = keyword_of(words_asset_state, a->state);
	cells[2] = a->make;
	cells[3] = a->model;
	cells[4] = a->serial;
	cells[5] = pages;
	cells[6] = a->location;
	screen_table_row(table, cells);
}

struct screen_table *
inspect_others_new(void)
{
	static const char *const columns[] = { "ADDRESS",
	    "NO PRINTER, BECAUSE", NULL };

	return screen_table_new(columns);
}

void
inspect_others_row(struct screen_table *table, const char *address,
    const char *why)
{
	const char *cells[2] = { address, why };

	screen_table_row(table, cells);
}

static void
on_asset(void *arg, const struct known_asset *asset)
{
	struct devices *d = arg;
	struct report told;

	report_init(&told);
	if (known_told(d->look->store, asset->id, &told) == 0 &&
	    told.assets_len == 1) {
		if (d->look->json)
			asset_json(&d->json, &told);
		else
			inspect_printers_row(d->table, &told.assets[0]);
	}
	report_clear(&told);
}

/* What answered and is no printer. */
static void
on_device(void *arg, const struct known_device *device)
{
	struct devices *d = arg;

	if (device->printer)
		return;
	d->others++;
	if (!d->look->json) {
		inspect_others_row(d->table, device->address, device->why);
		return;
	}
	json_object(&d->json, NULL);
	json_bool(&d->json, "printer", false);
	json_string(&d->json, "host", device->address);
	json_string(&d->json, "reason", device->why);
	json_object_end(&d->json);
}

int
inspect_devices_json(struct store *st, bool all, struct json *js,
    const char *key)
{
	const struct look look = { .store = st, .json = true };
	struct devices d = { .look = &look, .json = *js };
	int rc;

	json_array(&d.json, key);
	rc = known_each_asset(st, on_asset, &d);
	if (rc == 0 && all)
		rc = known_each_device(st, on_device, &d);
	json_array_end(&d.json);
	*js = d.json;
	return rc;
}

int
inspect_devices_table(struct store *st, bool all)
{
	const struct look look = { .store = st };
	struct devices d = { .look = &look };
	int rc;

	d.table = inspect_printers_new();
	rc = known_each_asset(st, on_asset, &d);
	screen_table_print(d.table, stdout, 0);
	screen_table_free(d.table);
	if (rc == -1 || !all)
		return rc;
	d.table = inspect_others_new();
	rc = known_each_device(st, on_device, &d);
	if (d.others > 0) {
		putchar('\n');
		screen_table_print(d.table, stdout, 0);
	}
	screen_table_free(d.table);
	return rc;
}

static int
look_devices(struct look *look)
{
	struct buf out = { 0 };
	struct json js;
	int rc;

	if (!look->json)
		return inspect_devices_table(look->store, look->all) == 0 ?
		    0 : 1;
	json_start(&js, &out);
	rc = inspect_devices_json(look->store, look->all, &js, NULL);
	print(&out);
	return rc == 0 ? 0 : 1;
}

/* --- outbox --------------------------------------------------------------------- */

static void
on_report(void *arg, const struct outbox_report *r)
{
	struct devices *d = arg;
	char seq[24], size[24], when[32], time[CLOCK_TEXT_MAX];
	const char *cells[6];

	if (d->look->xml) {
		printf("%s\n", r->body);
		return;
	}
	if (d->look->json) {
		json_object(&d->json, NULL);
		json_int(&d->json, "seq", r->seq);
		json_string(&d->json, "time", clock_format(r->created_ms,
		    time));
		json_string(&d->json, "lane", lane_name(r->lane));
		json_string(&d->json, "asset", r->asset);
		json_string(&d->json, "reason", r->why);
		json_string(&d->json, "report", r->body);
		json_object_end(&d->json);
		return;
	}
	snprintf(seq, sizeof(seq), "%lld", (long long)r->seq);
	snprintf(size, sizeof(size), "%zu", strlen(r->body));
	cells[0] = seq;
	cells[1] = ago(r->created_ms, when);
	cells[2] = lane_name(r->lane);
	cells[3] = size;
	cells[4] = r->asset;
	cells[5] = r->why;
	screen_table_row(d->table, cells);
}

static int
look_outbox(struct look *look)
{
	static const char *const columns[] = { ">SEQ", "MADE", "LANE",
	    ">BYTES", "ASSET", "REASON", NULL };
	struct devices d = { .look = look };
	struct buf out = { 0 };
	int rc;

	if (look->json) {
		json_start(&d.json, &out);
		json_array(&d.json, NULL);
	} else
		d.table = screen_table_new(columns);
	rc = outbox_each(look->store, look->refused, on_report, &d);
	if (look->json) {
		json_array_end(&d.json);
		print(&out);
	} else {
		if (!look->xml)
			screen_table_print(d.table, stdout, 0);
		screen_table_free(d.table);
	}
	return rc == 0 ? 0 : 1;
}

/* --- the command line ------------------------------------------------------------ */

int
inspect_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "refused", no_argument, NULL, 'r' },
		{ "xml", no_argument, NULL, 'x' },
		{ "all", no_argument, NULL, 'a' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	const char *command = argv[0], *path = CONFIG_DEFAULT;
	struct look look = { 0 };
	int ch, rc = 1;

	while ((ch = getopt_long(argc, argv, "c:h", options, NULL)) != -1)
		switch (ch) {
		case 'c':
			path = optarg;
			break;
		case 'j':
			look.json = true;
			break;
		case 'r':
			look.refused = true;
			break;
		case 'x':
			look.xml = true;
			break;
		case 'a':
			look.all = true;
			break;
		default:
			usage(command);
			return ch == 'h' ? 0 : 2;
		}
	if (optind != argc || (look.json && look.xml)) {
		usage(command);
		return 2;
	}
	if ((look.conf = config_read(path, 0)) == NULL)
		return 1;
	look.store = storekey_look(look.conf);
	if (look.store == NULL)
		rc = 1;
	else if (strcmp(command, "status") == 0)
		rc = look_status(&look);
	else if (strcmp(command, "devices") == 0)
		rc = look_devices(&look);
	else
		rc = look_outbox(&look);
	store_close(look.store);
	config_free(look.conf);
	return rc;
}
