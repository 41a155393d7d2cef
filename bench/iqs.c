/*
 * How many iqs a server carries there and back in a second: asks an echo of a
 * component, so many at a time, for so long.  The password comes on stdin.
 *
 * usage: iqs JID PORT CA_FILE COMPONENT OCTETS SECONDS WINDOW ...
 *
 * A line of JSON for each window: {"window", "answers", "seconds"}.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "xmpp/uplink.h"

#define WARM_UP_MS	200
#define ANSWER_MS	30000

static struct loop *loop;
static struct uplink *uplink;
static struct buf payload;
static int64_t warm_ms, end_ms, begun_ms, last_ms, run_ms;
static int under_way, window, answers;
static char **windows;

static void	 next_window(void);

static void
on_answer(void *arg, enum uplink_answer answer, const char *condition,
    const struct uplink_element *element)
{
	int64_t now = clock_mono_ms();

	under_way--;
	if (answer != UPLINK_RESULT)
		fatalx("iqs", "no answer: %s",
		    condition == NULL ? "lost" : condition);
	if (now >= end_ms) {
		if (under_way == 0)
			next_window();
		return;
	}
	if (now >= warm_ms) {
		if (begun_ms == 0)
			begun_ms = now;
		else
			answers++;
		last_ms = now;
	}
	if (uplink_ask(uplink, payload.data, payload.len, ANSWER_MS,
	    on_answer, NULL) == -1)
		fatalx("iqs", "nothing can be asked");
	under_way++;
}

static void
begin(void)
{
	int64_t now = clock_mono_ms();

	window = atoi(*windows++);
	begun_ms = last_ms = 0;
	answers = 0;
	warm_ms = now + WARM_UP_MS;
	end_ms = warm_ms + run_ms;
	while (under_way < window) {
		if (uplink_ask(uplink, payload.data, payload.len, ANSWER_MS,
		    on_answer, NULL) == -1)
			fatalx("iqs", "nothing can be asked");
		under_way++;
	}
}

static void
next_window(void)
{
	printf("{\"window\": %d, \"answers\": %d, \"seconds\": %.3f}\n",
	    window, answers, (double)(last_ms > begun_ms ?
	    last_ms - begun_ms : 1) / 1000);
	if (*windows == NULL)
		loop_stop(loop);
	else
		begin();
}

static void
on_state(void *arg, enum uplink_state state, const char *why)
{
	if (state == UPLINK_READY && window == 0)
		begin();
}

int
main(int argc, char *argv[])
{
	static const struct uplink_events events = { on_state, NULL };
	struct uplink_config config = { .host = "127.0.0.1" };
	char password[256] = "";
	int i;

	if (argc < 8 || fgets(password, sizeof(password), stdin) == NULL)
		return 2;
	password[strcspn(password, "\n")] = '\0';
	log_init("iqs", true, false);
	config.jid = argv[1];
	config.password = password;
	config.port = atoi(argv[2]);
	config.ca_file = argv[3];
	config.central = argv[4];
	run_ms = (int64_t)(atof(argv[6]) * 1000);
	windows = argv + 7;
	buf_puts(&payload, "<echo xmlns='urn:echo'>");
	for (i = atoi(argv[5]) - (int)payload.len - 7; i > 0; i--)
		buf_putc(&payload, 'x');
	buf_puts(&payload, "</echo>");
	loop = loop_new();
	if ((uplink = uplink_new(loop, &config, &events, NULL)) == NULL)
		return 1;
	uplink_start(uplink);
	loop_run(loop);
	uplink_stop(uplink);
	uplink_free(uplink);
	loop_free(loop);
	buf_free(&payload);
	return 0;
}
