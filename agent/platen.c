/* platen: the operator's tool on the agent's side.  See platen(1). */

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "agent/check.h"
#include "agent/diagnose.h"
#include "agent/inspect.h"
#include "agent/probe.h"
#include "agent/rekey.h"
#include "agent/scan.h"
#include "base/drop.h"
#include "base/log.h"
#include "crypto/key.h"

static int
keygen_main(int argc, char **argv)
{
	char text[KEY_TEXT_MAX], print[48];
	struct key key;
	int rc = 1;

	if (argc != 2 || argv[1][0] == '-') {
		fprintf(stderr, "usage: platen keygen FILE\n");
		return 2;
	}
	if (key_library_init() == -1)
		return 1;
	key_make(&key);
	if (key_save(argv[1], &key) == 0) {
		key_format_public(key.public, text);
		key_fingerprint(key.public, print);
		printf("public key   %s\nfingerprint  %s\n", text, print);
		rc = 0;
	}
	key_wipe(&key);
	return rc;
}

static int
version_main(int argc, char **argv)
{
	printf("platen %s\n", PLATEN_VERSION);
	return 0;
}

static const struct {
	const char	*name;
	int		(*run)(int argc, char **argv);
	const char	*help;
} commands[] = {
	{ "probe", probe_main, "ask printers directly, with no daemon" },
	{ "check", check_main, "are configuration and vendor files right" },
	{ "diagnose", diagnose_main, "what one device answers, and why" },
	{ "status", inspect_main, "is the agent well, is the centre there" },
	{ "devices", inspect_main, "the printers that the agent knows" },
	{ "scan", scan_main, "have the agent look for printers now" },
	{ "outbox", inspect_main, "reports that wait, or were refused" },
	{ "rekey", rekey_main, "have the agent take a new key" },
	{ "keygen", keygen_main, "make a key file" },
	{ "version", version_main, "print the version" },
};

static void
usage(FILE *out)
{
	size_t i;

	fprintf(out, "usage: platen COMMAND [OPTIONS]\n\n");
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(out, "  %-10s %s\n", commands[i].name,
		    commands[i].help);
	fprintf(out, "\nplaten COMMAND --help says more; so does platen(1).\n");
}

int
main(int argc, char **argv)
{
	size_t i;

	log_init("platen", true, false);
	signal(SIGPIPE, SIG_IGN);
	/* Most commands read printers, and with the credentials at hand. */
	(void)drop_dumps();
	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 ||
	    strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)) {
		usage(stdout);
		return 0;
	}
	for (i = 0; argc >= 2 && i < sizeof(commands) / sizeof(commands[0]);
	    i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	if (argc >= 2)
		fprintf(stderr, "platen: %s: no such command\n", argv[1]);
	usage(stderr);
	return 2;
}
