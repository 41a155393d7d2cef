#include "agent/meter.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/screen.h"

#define LINE_MS		5000	/* between two lines, without a terminal */
#define BAR_CELLS	24

void
meter_start(struct meter *m, bool quiet)
{
	m->quiet = quiet;
	m->terminal = !quiet && isatty(STDOUT_FILENO);
	m->line_ms = clock_mono_ms();
}

void
meter_show(struct meter *m, const struct progress *p)
{
	int64_t now = clock_mono_ms(), all = p->done + p->left;
	char text[PROGRESS_TEXT_MAX], bar[SCREEN_BAR_MAX];

	progress_text(p, true, text);
	if (m->terminal) {
		printf("\r%s %s\033[K", screen_bar(all == 0 ? 100 :
		    p->done * 100 / all, BAR_CELLS, bar), text);
		fflush(stdout);
	} else if (!m->quiet && now - m->line_ms >= LINE_MS) {
		m->line_ms = now;
		printf("%s\n", text);
		fflush(stdout);
	}
}

void
meter_stop(struct meter *m)
{
	if (m->terminal) {
		printf("\r\033[K");
		fflush(stdout);
	}
}
