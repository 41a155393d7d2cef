#include "agent/rekey.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/config.h"
#include "agent/inspect.h"
#include "agent/store.h"
#include "agent/storekey.h"
#include "base/clock.h"
#include "base/log.h"

#define LOOK_US		250000
#define WAIT_MS		30000

static const char usage[] =
	"usage: platen rekey [-c FILE]\n"
	"\nHas the running agent take a new key.  The old one signs it over to "
	"the\ncentre, and is of no use afterwards.\n"
	"\nExit status: 0 when the key has changed, 1 when not (yet), 2 for bad "
	"usage.\n";

/* Another fingerprint than before, which the caller frees; NULL: not in
 * time. */
static char *
wait_for_other(struct store *store, const char *before)
{
	int64_t end = clock_mono_ms() + WAIT_MS;
	char *print;

	do {
		print = store_note(store, "key");
		if (*print != '\0' && strcmp(print, before) != 0)
			return print;
		free(print);
		usleep(LOOK_US);
	} while (clock_mono_ms() < end);
	return NULL;
}

static int
change(const struct config *conf, struct store *store)
{
	pid_t pid = inspect_running(conf);
	char *before, *after;

	if (pid == 0) {
		log_warnx("rekey", "no platend is running with %s: start it "
		    "first", conf->path);
		return 1;
	}
	before = store_note(store, "key");
	if (kill(pid, SIGUSR2) == -1) {
		log_warn("rekey", "cannot ask platend (process %d); be root "
		    "or its user", (int)pid);
		free(before);
		return 1;
	}
	after = wait_for_other(store, before);
	if (after != NULL)
		printf("the agent's key was  %s\nand is now           %s\n",
		    before, after);
	else
		printf("not yet: the key changes as soon as there is a session "
		    "with the centre; see platen status\n");
	free(before);
	free(after);
	return after != NULL ? 0 : 1;
}

int
rekey_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	const char *path = CONFIG_DEFAULT;
	struct config *conf;
	struct store *store;
	int ch, rc = 1;

	while ((ch = getopt_long(argc, argv, "c:h", options, NULL)) != -1)
		switch (ch) {
		case 'c':
			path = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	if (optind != argc) {
		fputs(usage, stderr);
		return 2;
	}
	if ((conf = config_read(path, 0)) == NULL)
		return 1;
	if ((store = storekey_look(conf)) != NULL)
		rc = change(conf, store);
	store_close(store);
	config_free(conf);
	return rc;
}
