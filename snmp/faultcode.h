/*
 * The maker's own code in the text of an alert: "50.2 FUSER ERROR" is 50.2 to
 * HP's service, "SC542" is one of Ricoh's.  Only shapes that mean nothing else
 * are taken (printers.md 7): a wrong code sends a technician with wrong parts.
 */
#ifndef SNMP_FAULTCODE_H
#define SNMP_FAULTCODE_H

/* vendor is vendor_name(), or NULL.  The code, in upper case as it stands
 * there, or NULL; the caller frees. */
char	*faultcode_find(const char *description, const char *vendor);

#endif
