/* platend: the agent daemon.  See platend(8). */

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/config.h"
#include "agent/supervisor.h"
#include "base/log.h"

static void
usage(FILE *out)
{
	fprintf(out, "usage: platend [-dnvV] [-c FILE]\n"
	    "  -c FILE  the configuration (%s)\n"
	    "  -n       check the configuration and exit\n"
	    "  -d       stay in front and log to standard error\n"
	    "  -v       log more\n"
	    "  -V       print the version\n", CONFIG_DEFAULT);
}

int
main(int argc, char **argv)
{
	const char *name = CONFIG_DEFAULT;
	char path[PATH_MAX];
	bool check = false, front = false, verbose = false;
	struct config *conf;
	int ch, rc;

	while ((ch = getopt(argc, argv, "c:dhnvV")) != -1)
		switch (ch) {
		case 'c':
			name = optarg;
			break;
		case 'd':
			front = true;
			break;
		case 'n':
			check = true;
			break;
		case 'v':
			verbose = true;
			break;
		case 'V':
			printf("platend %s\n", PLATEN_VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	if (optind != argc) {
		usage(stderr);
		return 2;
	}
	/* Until it has gone to the background there is somebody to tell. */
	log_init("platend", true, verbose);
	signal(SIGPIPE, SIG_IGN);
	/* Children read it again by name, from wherever daemon() leaves us. */
	if (realpath(name, path) == NULL)
		fatal("platend", "%s", name);
	if ((conf = config_read(path, CONFIG_ALL)) == NULL)
		return 1;
	if (check) {
		printf("%s is fine\n", path);
		config_free(conf);
		return 0;
	}
	if (supervisor_check_secrets(conf) == -1) {
		config_free(conf);
		return 1;
	}
	if (!front) {
		if (daemon(0, 0) == -1)
			fatal("platend", "daemon");
		log_init("platend", false, verbose);
	}
	/* From here on without anybody's secrets: each child reads its own,
	 * and finds none of the other's in what it inherits. */
	config_free(conf);
	if ((conf = config_read(path, 0)) == NULL)
		return 1;
	rc = supervisor_run(path, conf);
	config_free(conf);
	return rc;
}
