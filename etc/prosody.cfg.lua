-- What Platen needs of Prosody (0.12).  A whole configuration for a server
-- that serves nothing else: copy it to /etc/prosody/prosody.cfg.lua, put your
-- names, certificate and secret in, and "systemctl restart prosody".

pidfile = "/run/prosody/prosody.pid"
log = {
	info = "/var/log/prosody/prosody.log";
	error = "/var/log/prosody/prosody.err";
}

-- An agent needs no more than these.
modules_enabled = {
	"disco";
	"limits";	-- the rates below
	"ping";
	"posix";
	"presence";	-- between the centre and its agents
	"roster";
	"saslauth";
	"tls";
}

-- An agent has nobody to talk to on other servers, and what was sent while it
-- was away is of no use to it later.  No smacks either: Platen has
-- acknowledgements of its own.
modules_disabled = { "s2s", "offline" }

-- Agents log in by SCRAM-SHA-256 over TLS.  A password is kept as what that
-- needs to check it, not as the password.  Accounts are made by you, see
-- below, and by nobody else.
c2s_require_encryption = true
authentication = "internal_hashed"
password_hash = "SHA-256"
disable_sasl_mechanisms = { "DIGEST-MD5", "PLAIN" }
allow_registration = false

-- Agents check this certificate against the domain, not against the address
-- that they connect to: /etc/prosody/certs/example.org.crt and .key.
certificates = "certs"

-- STARTTLS on 5222.  For networks that let nothing out but 443: TLS from the
-- first octet there; Prosody then needs CAP_NET_BIND_SERVICE, and the port to
-- itself.
c2s_ports = { 5222 }
c2s_direct_tls_ports = { 443 }

-- For each agent.  With the 10 kB/s that Debian's configuration allows, an
-- agent that has been away for days is slow, though it loses nothing.
limits = {
	c2s = {
		rate = "1mb/s";
		burst = "2s";
	};
}

-- What Prosody allows by itself, too: Platen stays below it.
c2s_stanza_size_limit = 262144

-- A report must not wait 40 ms for another one to fill its packet.
network_settings = { nagle = false }

-- A component that connects anew takes the place of its dead self.
component_conflict_resolve = "kick_old"

-- Only programs on this machine may be components; a centre elsewhere needs
-- the address of its interface here, and a firewall around it: the component
-- protocol (XEP-0114) has no TLS.
component_ports = { 5347 }
component_interfaces = { "127.0.0.1", "::1" }

-- The accounts of the agents, one each:
--   prosodyctl adduser head-office@example.org
VirtualHost "example.org"

-- The centre: jid and secret_file of platen-central.ini(5).
Component "print.example.org"
	component_secret = "the same line as in /etc/platen/component.secret"
