/*
 * The INI files of both programs: with an even first octet the agent's, else
 * the centre's.  What is not taken has been complained about.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <netdb.h>
#include <string.h>
#include <unistd.h>

#include "agent/config.h"
#include "central/settings.h"
#include "tests/fuzz/must.h"

static unsigned	 complaints;

static void
on_line(void *arg, enum log_level level, const char *line)
{
	must(line[0] != '\0');
	if (level <= LOG_LEVEL_WARN)
		complaints++;
}

/* A host in the file is nobody's business on the network. */
int
getaddrinfo(const char *node, const char *service,
    const struct addrinfo *hints, struct addrinfo **found)
{
	return EAI_NONAME;
}

static void
try_agent(const char *path)
{
	static const unsigned	 parts[] = { CONFIG_ALL, CONFIG_UPLINK,
				    CONFIG_COLLECTOR };
	struct config		*conf;
	size_t			 i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		complaints = 0;
		conf = config_read(path, parts[i]);
		must(conf != NULL || complaints > 0);
		if (conf == NULL)
			continue;
		must(conf->jid != NULL && conf->central != NULL);
		must(conf->port >= 1 && conf->port <= 65535);
		must(conf->max_size > 0 && conf->heartbeat_ms > 0);
		(void)config_snmp_for(conf, 0x7f000001, 0);
		config_free(conf);
	}
}

static void
try_centre(const char *path)
{
	struct settings	 s;

	complaints = 0;
	if (settings_read(path, &s) != 0) {
		must(complaints > 0);
		return;
	}
	must(s.jid != NULL && s.host != NULL && s.store_path != NULL);
	must(s.port >= 1 && s.port <= 65535);
	settings_clear(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int	 fd = -1;
	char		 path[64];

	if (size == 0)
		return 0;
	if (fd == -1) {
		log_hook(on_line, NULL);
		must((fd = memfd_create("fuzz", MFD_CLOEXEC)) != -1);
		must(fchmod(fd, 0600) == 0);
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	must(ftruncate(fd, 0) == 0);
	must(pwrite(fd, data + 1, size - 1, 0) == (ssize_t)(size - 1));
	if ((data[0] & 1) == 0)
		try_agent(path);
	else
		try_centre(path);
	return 0;
}
