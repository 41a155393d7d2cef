-- What Platen needs of Prosody (0.12).  Not a whole configuration: take the
-- parts over into /etc/prosody/prosody.cfg.lua and conf.d.

-- Agents log in by SCRAM over TLS, and nothing else.
c2s_require_encryption = true
authentication = "internal_hashed"
password_hash = "SHA-256"

-- Networks that let nothing out but 443: TLS from the first octet there.
-- Prosody then needs CAP_NET_BIND_SERVICE, and the port to itself.
c2s_direct_tls_ports = { 443 }

-- Debian's limit of 10 kB/s makes an agent that has been away for days slow.
limits = {
	c2s = {
		rate = "200kb/s";
	};
}

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
	-- An agent has nobody to talk to on other servers, and what was sent
	-- while it was away is of no use to it later.
	modules_disabled = { "s2s", "offline" }

-- The centre: jid and secret_file of platen-central.ini(5).
Component "print.example.org"
	component_secret = "the same line as in /etc/platen/component.secret"
