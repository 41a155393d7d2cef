#include "agent/scan.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/config.h"
#include "agent/inspect.h"
#include "agent/progress.h"
#include "agent/store.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/screen.h"

#define LOOK_US		250000
#define LINE_MS		5000	/* between two lines, without a terminal */
#define BEGIN_MS	15000	/* the collector may just be starting */
#define BAR_CELLS	24

struct scan {
	struct config	*conf;
	struct store	*store;
	struct progress	 progress;
	bool		 json, terminal;
	int64_t		 line_ms;
};

static void
usage(void)
{
	fprintf(stderr, "usage: platen scan [-c FILE] [--json]\n");
}

/* --- what is seen meanwhile --------------------------------------------------- */

static void
show(struct scan *s)
{
	const struct progress *p = &s->progress;
	int64_t now = clock_mono_ms(), all = p->done + p->left;
	char text[PROGRESS_TEXT_MAX], bar[SCREEN_BAR_MAX];

	progress_text(p, true, text);
	if (s->terminal) {
		printf("\r%s %s\033[K", screen_bar(all == 0 ? 100 :
		    p->done * 100 / all, BAR_CELLS, bar), text);
		fflush(stdout);
	} else if (!s->json && now - s->line_ms >= LINE_MS) {
		s->line_ms = now;
		printf("%s\n", text);
		fflush(stdout);
	}
}

static void
show_no_more(const struct scan *s)
{
	if (s->terminal) {
		printf("\r\033[K");
		fflush(stdout);
	}
}

/* --- having it done ----------------------------------------------------------- */

/* Asks for a scan unless one is running: -1 when nobody can be asked. */
static int
begin(struct scan *s)
{
	pid_t pid = inspect_running(s->conf);

	if (pid == 0) {
		log_warnx("scan", "no platend is running with %s: start it "
		    "(systemctl start platend)", s->conf->path);
		return -1;
	}
	if (s->progress.running)
		return 0;
	if (kill(pid, SIGUSR1) == -1) {
		log_warn("scan", "cannot ask platend (process %d); be root "
		    "or its user", (int)pid);
		return -1;
	}
	return 0;
}

/* Until a scan that began after before is over: 0, or -1 when there is none
 * or it does not come to its end. */
static int
follow(struct scan *s, int64_t before_ms)
{
	int64_t asked = clock_mono_ms();
	bool begun = s->progress.running;

	s->line_ms = asked;
	for (;;) {
		progress_read(s->store, &s->progress);
		begun |= s->progress.started_ms != before_ms;
		if (begun && !s->progress.running)
			return 0;
		if (begun)
			show(s);
		else if (clock_mono_ms() - asked > BEGIN_MS) {
			log_warnx("scan", "platend does not begin a scan; "
			    "its log says why");
			return -1;
		}
		if (inspect_running(s->conf) == 0) {
			show_no_more(s);
			log_warnx("scan", "platend has stopped; it goes on "
			    "with the scan when it is started again");
			return -1;
		}
		usleep(LOOK_US);
	}
}

static int
print_result(struct scan *s)
{
	char text[PROGRESS_TEXT_MAX];
	struct buf out = { 0 };
	struct json js;
	int rc;

	if (!s->json) {
		show_no_more(s);
		printf("%s\n\n", progress_text(&s->progress, false, text));
		return inspect_devices_table(s->store, true);
	}
	json_start(&js, &out);
	json_object(&js, NULL);
	progress_json(&s->progress, true, &js, "scan");
	rc = inspect_devices_json(s->store, true, &js, "devices");
	json_object_end(&js);
	fwrite(out.data, 1, out.len, stdout);
	putchar('\n');
	buf_free(&out);
	return rc;
}

int
scan_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	const char *path = CONFIG_DEFAULT;
	struct scan s = { 0 };
	int ch, rc = 1;

	while ((ch = getopt_long(argc, argv, "c:h", options, NULL)) != -1)
		switch (ch) {
		case 'c':
			path = optarg;
			break;
		case 'j':
			s.json = true;
			break;
		default:
			usage();
			return ch == 'h' ? 0 : 2;
		}
	if (optind != argc) {
		usage();
		return 2;
	}
	s.terminal = !s.json && isatty(STDOUT_FILENO);
	if ((s.conf = config_read(path, 0)) == NULL)
		return 1;
	if ((s.store = store_open_readonly(s.conf->state_dir)) == NULL)
		log_warnx("platen", "no store in %s: has platend run, and may "
		    "you read it?", s.conf->state_dir);
	else {
		progress_read(s.store, &s.progress);
		if (begin(&s) == 0 && follow(&s, s.progress.started_ms) == 0 &&
		    print_result(&s) == 0)
			rc = 0;
	}
	store_close(s.store);
	config_free(s.conf);
	return rc;
}
