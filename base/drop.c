#include "base/drop.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "base/log.h"

/* The leak checker looks at its own process as a debugger does, so a build
 * with it has to stay traceable. */
#if defined(__SANITIZE_ADDRESS__)
#define DROP_TRACEABLE	1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DROP_TRACEABLE	1
#endif
#endif
#ifndef DROP_TRACEABLE
#define DROP_TRACEABLE	0
#endif

static int
become(const struct passwd *pw)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	if (initgroups(pw->pw_name, pw->pw_gid) == -1 ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) == -1 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) == -1) {
		log_warn("drop", "becoming user %s", pw->pw_name);
		return -1;
	}
	if (getresuid(&r, &e, &s) == -1 || getresgid(&rg, &eg, &sg) == -1 ||
	    r != pw->pw_uid || e != pw->pw_uid || s != pw->pw_uid ||
	    rg != pw->pw_gid || eg != pw->pw_gid || sg != pw->pw_gid ||
	    (pw->pw_uid != 0 && setresuid(0, 0, 0) != -1)) {
		log_warnx("drop", "user %s: privileges are still there",
		    pw->pw_name);
		return -1;
	}
	return 0;
}

int
drop_privileges(const char *user)
{
	struct passwd *pw;

	if (user != NULL && geteuid() == 0) {
		errno = 0;
		if ((pw = getpwnam(user)) == NULL) {
			if (errno != 0)
				log_warn("drop", "user %s", log_safe(user));
			else
				log_warnx("drop", "user %s: no such user",
				    log_safe(user));
			return -1;
		}
		if (become(pw) == -1)
			return -1;
	}
	/* After the change of user, which makes a process traceable again
	 * or not as the system is set up. */
	return drop_dumps();
}

int
drop_dumps(void)
{
	struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) == -1 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    (!DROP_TRACEABLE && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)) {
		log_warn("drop", "core dumps and new privileges");
		return -1;
	}
	return 0;
}
