"""A centre written from the description of the wire and from nothing in
central/ or crypto/: slixmpp's component, a Noise IK responder, envelopes,
acknowledgements.  It keeps what it opened, so a test can say what really left
an agent, and it answers what a test wants it to.

    centre = rig.peer(FakeCentre, rig.server)
    centre.admit(rig.agent).write().start()
    centre.wait_reports(lambda r: r.find("asset", "serial"))
"""
import base64
import datetime
import threading
import xml.etree.ElementTree as ET
from xml.sax.saxutils import quoteattr

import noise
import squash
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from peer import Component
from rig import COMPONENT, wait_for, write_secret

SESSION = "urn:platen:session:1"
SEALED = "urn:platen:sealed:1"
REPORT = "urn:platen:report:1"
SCE = "urn:xmpp:sce:1"
LANES = "urgent", "bulk"


class Responder(noise.Initiator):
    """The other half of the handshake: the Noise specification's IK pattern
    with the roles exchanged."""

    def __init__(self, secret, prologue):
        super().__init__(secret, noise.public(secret), prologue)

    def open_1(self, message):              # -> e, es, s, ss
        self.remote_e = message[:32]
        self.mix_hash(self.remote_e)
        self.mix_key(noise.dh(self.static, self.remote_e))
        self.remote_s = self.decrypt_and_hash(message[32:80])
        self.mix_key(noise.dh(self.static, self.remote_s))
        return self.decrypt_and_hash(message[80:])

    def answer_2(self, payload):            # <- e, ee, se
        ephemeral = X25519PrivateKey.generate()
        e = noise.public(ephemeral)
        self.mix_hash(e)
        self.mix_key(noise.dh(ephemeral, self.remote_e))
        self.mix_key(noise.dh(ephemeral, self.remote_s))
        sealed = self.encrypt_and_hash(payload)
        one, two = noise.hkdf(self.ck, b"")
        self.receive, self.send = noise.Cipher(one), noise.Cipher(two)
        self.expected = 0
        return e + sealed


class Report:
    """One that was opened: agent (bare JID), epoch, lane, seq, turn, root,
    text."""

    def __init__(self, agent, epoch, lane, root):
        self.agent, self.epoch, self.lane, self.root = agent, epoch, lane, root
        self.seq, self.turn = int(root.get("seq")), int(root.get("turn"))
        self.text = ET.tostring(root, encoding="unicode")

    def records(self, kind):
        return self.root.findall(f"{{{REPORT}}}{kind}")

    def values(self, kind, field):
        """The texts of this field in all records of this kind."""
        return [e.text or "" for record in self.records(kind)
                for e in record.findall(f"{{{REPORT}}}{field}")]

    def counters(self, name):
        return [int(c.text) for record in self.records("asset")
                for c in record.findall(f"{{{REPORT}}}counter")
                if c.get("name") == name]

    @staticmethod
    def fields(record):
        """The names of what a record says, in order."""
        return [e.tag.split("}")[1] for e in record]

    def __repr__(self):
        return f"<{self.agent} {self.lane} {self.seq}: {self.text}>"


class Message:
    """What came in one envelope: the numbers first to last of a lane."""

    def __init__(self, agent, root):
        if root.tag != f"{{{REPORT}}}reports":
            raise ValueError(f"{root.tag} is no reports")
        self.agent, self.epoch = agent, root.get("epoch")
        self.lane = root.get("lane")
        self.first, self.last = int(root.get("first")), int(root.get("last"))
        self.reports = [Report(agent, self.epoch, self.lane, e) for e in root]
        seqs = [r.seq for r in self.reports]
        turns = [r.turn for r in self.reports]
        if self.lane not in LANES or seqs != sorted(set(seqs)) or \
                turns != sorted(set(turns)) or \
                not all(self.first <= n <= self.last for n in seqs):
            raise ValueError(f"out of order: {self.first} to {self.last}: "
                             f"{seqs}, {turns}")


class FakeCentre(Component):
    name = "centre stand-in"

    def __init__(self, server, jid=COMPONENT):
        super().__init__(server, jid)
        self.secret = X25519PrivateKey.generate()
        self.key = noise.b64(noise.public(self.secret))
        self.agents = []            # bare JIDs that are greeted
        self.sessions = {}          # bare JID -> Responder
        self.committed = {}         # (bare JID, epoch, lane) -> last seq
        self.reports = []           # each Report once, as it was taken
        self.opened = 0             # reports opened, repeated ones too
        self.messages = []          # each Message, as it came
        self.hellos = []            # payload 1, as elements
        self.problems = []          # what an honest agent never does
        self.decide = None          # function(Report) -> "" to take it,
                                    # <refused/>, another answer, or None
        self.whole = False          # asked for in the next welcome
        self.gate = True            # answers presence
        self.on_iq(f"{{{SESSION}}}handshake", self._handshake)
        self.on_iq(f"{{{SEALED}}}sealed", self._sealed)
        self.on_presence(self._came)

    # --- for tests

    def admit(self, agent):
        """An account for agent, and an INI with this centre's key."""
        agent.jid, password = self.server.register(agent.name)
        agent.snippet = {"crypto": {"central_key": self.key}}
        write_secret(agent.rig.dir / f"{agent.name}.password",
                     password + "\n")
        self.agents.append(agent.jid)
        return agent

    def taken(self, wanted=lambda report: True):
        with self.lock:
            return [r for r in self.reports if wanted(r)]

    def story(self, wanted=lambda report: True):
        """The same in the order of the agent's turns, after a look at how
        they came: each lane in order and once, of the urgent ones all."""
        reports = self.taken()
        epochs = list(dict.fromkeys(r.epoch for r in reports))
        for epoch in epochs:
            for lane in LANES:
                seqs = [r.seq for r in reports
                        if (r.epoch, r.lane) == (epoch, lane)]
                assert seqs == sorted(set(seqs)), f"{lane}: {seqs}"
                if lane == "urgent":
                    assert seqs == list(range(1, len(seqs) + 1)), seqs
            turns = [r.turn for r in reports if r.epoch == epoch]
            assert len(turns) == len(set(turns)), "a turn is given twice"
        return sorted(filter(wanted, reports),
                      key=lambda r: (epochs.index(r.epoch), r.turn))

    def wait_reports(self, wanted=lambda report: True, timeout=20, count=1):
        def enough():
            found = self.taken(wanted)
            return found if len(found) >= count else None
        return wait_for(enough, timeout, "a report at the stand-in")

    def start(self, wait=True):
        self.ready.clear()
        self.failure = None
        self.sessions.clear()
        super().start(wait)
        for jid in self.agents:
            self.presence(jid)
        return self

    def leave(self):
        """Cleanly: says so before it goes."""
        for jid in self.agents:
            self.presence(jid, "unavailable")
        self.stop()

    def vanish(self):
        """As by kill -9: the connection ends without a word."""
        done = threading.Event()

        def cut():
            self.xmpp.abort()
            self.loop.call_later(0.05, self.loop.stop)
            done.set()
        self.loop.call_soon_threadsafe(cut)
        done.wait(5)
        self.thread.join(5)

    # --- the wire

    def _came(self, presence):
        bare = presence["from"].bare
        if presence["type"] == "unavailable":
            self.sessions.pop(bare, None)
        elif self.gate and presence["type"] == "available":
            self.presence(presence["from"].full)

    def _handshake(self, iq, element):
        bare = iq["from"].bare
        responder = Responder(self.secret,
                              noise.prologue(bare, self.jid))
        try:
            hello = ET.fromstring(
                responder.open_1(base64.b64decode(element.text)))
        except (InvalidTag, ValueError):
            return self.error(iq, "bad-request", "modify")
        self.hellos.append(hello)
        lanes = ""
        for lane in hello.findall(f"{{{SESSION}}}lane"):
            place = bare, hello.get("epoch"), lane.get("name")
            first = int(lane.get("first"))
            seq = self.committed.get(place, 0)
            if first > seq + 1:
                self.problems.append(f"{place}: reports {seq + 1} to "
                                     f"{first - 1} are gone")
                seq = self.committed[place] = first - 1
            lanes += f"<lane name='{lane.get('name')}' seq='{seq}'/>"
        now = datetime.datetime.now(datetime.timezone.utc)
        welcome = (f"<welcome xmlns='{SESSION}' version='1' "
                   f"time='{now:%Y-%m-%dT%H:%M:%S}.000Z' "
                   f"whole='{'true' if self.whole else 'false'}'>"
                   f"{lanes}</welcome>")
        self.whole = False
        self.sessions[bare] = responder
        answer = noise.b64(responder.answer_2(welcome.encode()))
        return self.result(
            iq, f"<handshake xmlns='{SESSION}'>{answer}</handshake>")

    def _open(self, bare, session, element):
        """The message inside; InvalidTag or ValueError when it is none."""
        n = int(element.get("n"))
        if n < session.expected:
            raise ValueError(f"counter {n} again")
        plain = session.receive.decrypt(n, base64.b64decode(element.text))
        session.expected = n + 1
        plain = squash.unpack(plain)
        envelope = ET.fromstring(plain)
        parts = {e.tag: e for e in envelope}
        want = {f"{{{SCE}}}{p}" for p in
                ("content", "from", "to", "time", "rpad")}
        if envelope.tag != f"{{{SCE}}}envelope" or set(parts) != want or \
                parts[f"{{{SCE}}}from"].get("jid") != bare or \
                parts[f"{{{SCE}}}to"].get("jid") != self.jid:
            raise ValueError(f"wrong affixes: {plain!r}")
        content, = parts[f"{{{SCE}}}content"]
        return Message(bare, content)

    def _sealed(self, iq, element):
        bare = iq["from"].bare
        session = self.sessions.get(bare)
        if session is None:
            return self.error(iq, "item-not-found")
        try:
            message = self._open(bare, session, element)
        except (InvalidTag, ValueError, ET.ParseError) as why:
            self.problems.append(f"{bare}: {why!r}")
            return self.error(iq, "bad-request", "modify")
        with self.lock:
            content = self._take(message)
        if content is None:
            return None
        return self.result(iq, self._seal(session, bare, content))

    def _take(self, message):
        """What is answered: each report counts once, in its lane's order."""
        place = message.agent, message.epoch, message.lane
        last = self.committed.get(place, 0)
        self.opened += len(message.reports)
        self.messages.append(message)
        if message.first > last + 1:
            return f"<again xmlns='{REPORT}' lane='{message.lane}' " \
                   f"seq='{last}'/>"
        inside = ""
        for report in message.reports:
            if report.seq <= last:
                continue
            decided = self.decide(report) if self.decide else ""
            if decided is None:
                return None
            if decided.startswith("<") and not decided.startswith("<refused"):
                return decided
            self.committed[place] = report.seq
            self.reports.append(report)
            inside += decided
        self.committed[place] = max(last, message.last)
        return f"<ack xmlns='{REPORT}' lane='{message.lane}' " \
               f"seq='{message.last}'>{inside}</ack>"

    def _seal(self, session, bare, content):
        plain = (f"<envelope xmlns='{SCE}'><content>{content}</content>"
                 f"<from jid={quoteattr(self.jid)}/>"
                 f"<to jid={quoteattr(bare)}/>"
                 "<time stamp='2026-11-20T19:30:00.000Z'/>"
                 "<rpad/></envelope>")
        n = session.send.n
        text = noise.b64(session.send.encrypt(squash.pack(plain.encode())))
        return f"<sealed xmlns='{SEALED}' n='{n}'>{text}</sealed>"
