#include "snmp/asker.h"

#include "snmp/ber.h"
#include "snmp/usm.h"

static const char *
why_denied(enum usm_verdict verdict)
{
	switch (verdict) {
	case USM_UNKNOWN_USER:
		return "the user is not known to the device";
	case USM_WRONG_AUTH:
		return "wrong authentication password or protocol";
	case USM_WRONG_PRIVACY:
		return "wrong privacy password or protocol";
	case USM_WRONG_LEVEL:
		return "the device does not offer that security level";
	case USM_TIME_WINDOW:
		return "the device's clock is out of the time window";
	case USM_UNKNOWN_CONTEXT:
		return "the device does not know that context";
	case USM_FORGED:
		return "its answers are signed with another key";
	case USM_OK:
	case USM_OTHER:
	case USM_DISCOVERED:
	case USM_AGAIN:
	case USM_CHECK:
		break;
	}
	return "the device refuses those credentials";
}

/* RFC 3416 section 3, those that a reader may meet. */
static const char *
why_error(int error)
{
	switch (error) {
	case TALK_UNDECODABLE:
		return "it answers, but not in SNMP that can be read";
	case TALK_NO_SOCKET:
		return "the system gives no socket";
	case BER_NO_SUCH_NAME:
		return "it answers with the error noSuchName";
	case BER_NO_ACCESS:
		return "it gives no access to these objects";
	case BER_AUTHORIZATION_ERROR:
		return "these credentials may not read there";
	case BER_GEN_ERR:
		return "it answers with the error genErr";
	default:
		return "it answers with an error";
	}
}

const char *
talk_why(enum talk_status status, int error)
{
	switch (status) {
	case TALK_OK:
		return "it answers";
	case TALK_TIMEOUT:
		return "it does not answer";
	case TALK_REFUSED:
		return "nobody listens on that port";
	case TALK_TOO_BIG:
		return "the answer does not fit into its messages";
	case TALK_ERROR:
		return why_error(error);
	case TALK_DENIED:
		return why_denied((enum usm_verdict)error);
	}
	return "it does not answer as it should";
}
