/*
 * Asks one SNMPv3 device on 127.0.0.1 through the asker, for system tests:
 *   v3_probe port=N user=U [auth=sha1 auth_password=P] [privacy=aes
 *            privacy_password=P] [timeout_ms=N] [retries=N]
 * Each line of standard input is a question, "get", "get CONTEXT" or "bulk";
 * each answer is a line of JSON.  What was learnt of the engine is kept until
 * the end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>

#include "base/json.h"
#include "base/loop.h"
#include "base/mem.h"
#include "snmp/asker.h"

static const char *const verdicts[] = {
	[USM_OK] = "ok", [USM_OTHER] = "other",
	[USM_DISCOVERED] = "discovered", [USM_AGAIN] = "again",
	[USM_UNKNOWN_USER] = "unknown user", [USM_WRONG_AUTH] = "wrong auth",
	[USM_WRONG_PRIVACY] = "wrong privacy",
	[USM_WRONG_LEVEL] = "wrong level",
	[USM_TIME_WINDOW] = "time window",
	[USM_UNKNOWN_CONTEXT] = "unknown context",
	[USM_FORGED] = "forged", [USM_CHECK] = "check"
};
static const char *const statuses[] = {
	[TALK_OK] = "ok", [TALK_TIMEOUT] = "timeout",
	[TALK_REFUSED] = "refused", [TALK_TOO_BIG] = "too big",
	[TALK_ERROR] = "error", [TALK_DENIED] = "denied"
};

struct probe {
	struct loop		*loop;
	struct asker		*asker;
	struct talk		*talk;
	struct talk_target	 target;
	struct credential	 credential;
	char			 line[200];
	size_t			 line_len;
};

static void	 next_question(struct probe *);

static void
put_value(struct json *j, const struct talk_varbind *vb)
{
	char	 oid[OBJID_TEXT_MAX], text[256];

	objid_format(&vb->id, oid);
	if (vb->missing)
		json_null(j, oid);
	else if (vb->value.type == BAG_OCTETS) {
		snprintf(text, sizeof(text), "%.*s",
		    (int)vb->value.octets_len,
		    (const char *)vb->value.octets);
		json_string(j, oid, text);
	} else
		json_int(j, oid, vb->value.number);
}

static void
put_engine(struct json *j, const struct usm_engine *engine)
{
	char		 hex[65] = "";
	size_t		 len, i;
	const uint8_t	*id = usm_engine_id(engine, &len);

	for (i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", id[i]);
	json_string(j, "engine", hex);
}

static void
print_line(struct buf *out)
{
	size_t	 i;

	for (i = 0; i < out->len; i++)
		putchar(out->data[i] == '\n' ? ' ' : out->data[i]);
	putchar('\n');
	fflush(stdout);
}

static void
answered(void *arg, enum talk_status status, int error_status,
    const struct talk_varbind *vb, size_t vb_len)
{
	struct probe	*p = arg;
	struct buf	 out = { 0 };
	struct json	 j;
	size_t		 i;

	json_start(&j, &out);
	json_object(&j, NULL);
	json_string(&j, "status", status == TALK_DENIED ?
	    verdicts[error_status] : statuses[status]);
	json_int(&j, "error", error_status);
	json_string(&j, "why", talk_why(status, error_status));
	json_int(&j, "requests", talk_traffic(p->talk)->requests);
	put_engine(&j, p->target.engine);
	json_object(&j, "values");
	for (i = 0; i < vb_len; i++)
		put_value(&j, &vb[i]);
	json_object_end(&j);
	json_object_end(&j);
	print_line(&out);
	buf_free(&out);
	talk_free(p->talk);
	p->talk = NULL;
	next_question(p);
}

static void
ask(struct probe *p, const char *line)
{
	static struct objid	 ids[2];
	struct talk_question	 q = { .ids = ids, .repetitions = 30 };

	p->target.context = NULL;
	if (strncmp(line, "get", 3) == 0) {
		q.op = TALK_GET;
		q.n = 2;
		objid_parse("1.3.6.1.2.1.1.1.0", &ids[0]);
		objid_parse("1.3.6.1.2.1.1.5.0", &ids[1]);
		if (line[3] == ' ')
			p->target.context = line + 4;
	} else {
		q.op = TALK_GETBULK;
		q.n = 1;
		objid_parse("1.3.6.1.2.1.1", &ids[0]);
	}
	p->talk = talk_new(p->asker, &p->target);
	talk_ask(p->talk, &q, answered, p);
}

static void
next_question(struct probe *p)
{
	char	 c;

	p->line_len = 0;
	while (read(STDIN_FILENO, &c, 1) == 1) {
		if (c == '\n') {
			p->line[p->line_len] = '\0';
			ask(p, p->line);
			return;
		}
		if (p->line_len < sizeof(p->line) - 1)
			p->line[p->line_len++] = c;
	}
	loop_stop(p->loop);
}

static const char *
option(char **argv, const char *name, const char *otherwise)
{
	size_t	 len = strlen(name);

	for (; *argv != NULL; argv++)
		if (strncmp(*argv, name, len) == 0 && (*argv)[len] == '=')
			return *argv + len + 1;
	return otherwise;
}

static struct usm_user *
user_of(char **argv)
{
	enum usm_auth		 auth;
	enum usm_privacy	 privacy;
	struct usm_user		*user;
	char			 why[200] = "no such protocol";

	if (!usm_parse_auth(option(argv, "auth", "none"), &auth) ||
	    !usm_parse_privacy(option(argv, "privacy", "none"), &privacy) ||
	    (user = usm_user_new(option(argv, "user", ""), auth,
	    option(argv, "auth_password", NULL), privacy,
	    option(argv, "privacy_password", NULL), why, sizeof(why))) ==
	    NULL) {
		fprintf(stderr, "%s\n", why);
		exit(2);
	}
	return user;
}

int
main(int argc, char **argv)
{
	struct probe	 p = { 0 };

	argv++;
	p.loop = loop_new();
	p.asker = asker_new(p.loop, 10);
	p.credential.name = xstrdup("test");
	p.credential.version = 3;
	p.credential.user = user_of(argv);
	p.target.addr.sin_family = AF_INET;
	p.target.addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	p.target.addr.sin_port = htons((uint16_t)atoi(option(argv, "port",
	    "161")));
	p.target.credential = &p.credential;
	p.target.version = 3;
	p.target.engine = usm_engine_new();
	p.target.timeout_ms = atoi(option(argv, "timeout_ms", "300"));
	p.target.retries = atoi(option(argv, "retries", "1"));
	next_question(&p);
	loop_run(p.loop);
	asker_free(p.asker);
	usm_engine_free(p.target.engine);
	credential_clear(&p.credential);
	loop_free(p.loop);
	return 0;
}
