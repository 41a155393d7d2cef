"""A scripted server (xmppfake.py) with a centre inside it (fakecentre.py), so
that a test can have both do right and then wrong: what is answered is the
centre's, what becomes of it on the way is the script's.
"""
import itertools
import threading
import xml.etree.ElementTree as ElementTree

import noise
import slixmpp
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from fakecentre import FakeCentre, Responder
from rig import Failed, wait_for, write_secret
from xmppfake import CENTRE, DOMAIN, FULL, PASSWORD, USER, Server

BARE = f"{USER}@{DOMAIN}"


class Heart(FakeCentre):
    """The centre, without a connection: hear() and answer()."""

    def __init__(self):
        super().__init__(None, CENTRE)
        self.told = []              # payloads that came, as elements

    def hear(self, s, timeout=120):
        """The agent's next handshake or sealed report: (id, element).
        Pings and the like are answered."""
        while True:
            kind, ident, to, payload = s.iq(timeout)
            if kind not in ("get", "set"):
                continue
            element = ElementTree.fromstring(payload)
            if element.tag in self.handlers:
                self.told.append(element)
                return ident, element
            s.result(ident, sender=to or DOMAIN)

    def next(self, s, name):
        """The next of that kind, what comes before is answered."""
        while True:
            ident, element = self.hear(s)
            if element.tag.endswith("}" + name):
                return ident, element
            s.send(self.answer(ident, element))

    def answer(self, ident, element):
        """The honest answer, a whole stanza."""
        iq = {"from": slixmpp.JID(FULL), "to": slixmpp.JID(CENTRE),
              "id": ident}
        answer = self.handlers[element.tag](iq, element)
        return answer or ""

    def sealed(self, content, session=None):
        """A <sealed/> with that inside, under the agent's session or
        another."""
        return self._seal(session or self.sessions[BARE], BARE, content)

    def serve(self, s):
        """Honestly, to the end."""
        while True:
            s.send(self.answer(*self.hear(s)))

    def stranger(self):
        """The centre's end of a session with another agent."""
        words = noise.prologue(f"other@{DOMAIN}", CENTRE)
        ours = Responder(self.secret, words)
        theirs = noise.Initiator(X25519PrivateKey.generate(),
                                 noise.public(self.secret), words)
        ours.open_1(theirs.message_1(b"<hello/>"))
        theirs.message_2(ours.answer_2(b"<welcome/>"))
        return ours


class Site:
    """platend with one printer, and the servers that it meets in turn."""
    numbers = itertools.count(1)

    def __init__(self, rig, ca, tls):
        self.rig, self.ca, self.tls = rig, ca, tls
        self.heart, self.server = Heart(), None
        self.asking = threading.Lock()
        self.host = f"127.77.{next(self.numbers)}.1"

    def start(self, *scripts, honest=True):
        """scripts(s) for each connection; then honest ones."""
        def good(s):
            s.ready()
            self.heart.serve(s)
        self.server = Server(self.tls, *scripts, *([good] if honest else []))
        self.rig.sim.start([f"{self.host}=@hp-mono"])
        agent = self.rig.agent
        agent.jid = BARE
        write_secret(self.rig.dir / "office.password", PASSWORD + "\n")
        agent.more = {
            "xmpp": {"port": self.server.port, "fallback_port": 0,
                     "ca_file": self.ca.ca, "central": CENTRE,
                     "password_file": self.rig.dir / "office.password"},
            "crypto": {"central_key": self.heart.key}}
        agent.write().start()
        self.agent = agent
        return self

    def change(self):
        """One more thing to tell; finds what tells it."""
        text = f"jam {next(self.numbers)}"
        with self.asking:       # scripts have threads of their own
            self.rig.sim.raise_alert(self.host, code=8, severity=3,
                                     text=text)
        return lambda r: text in r.values("alert", "description")

    def delivered(self, timeout=60):
        """What is told now arrives, and all before it, once and in order."""
        self.heart.wait_reports(self.change(), timeout)
        assert self.heart.problems == []
        assert self.agent.json("outbox", "--refused") == []

    def said(self, pattern, timeout=20):
        return self.agent.wait_log(pattern, timeout)

    def memory(self):
        """The uplink's peak, in octets."""
        pid = wait_for(lambda: self.agent.pids().get("uplink"), 20)
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            for line in f:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
        raise Failed("no VmHWM")

    def close(self):
        if self.server is not None:
            self.server.close()
            assert self.server.failures == []
