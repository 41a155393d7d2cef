"""An agent that speaks the protocol over a real connection: the account is
the server's, the words are noise.py's, and what it says is up to the test.

    honest = Speaker(rig, "honest")         # an account, enrolled, connected
    honest.shake()
    honest.tell(asset(...))
"""
import os
import re
import threading
import time
import xml.etree.ElementTree as ElementTree

import centralbench
from peer import Client
from rig import BUILD, COMPONENT, PATIENCE, Failed

STANZAS = centralbench.STANZAS
SANITIZED = str(BUILD).endswith("-san")


class Line(Client):
    """A client whose answers wait under their ids, and that forgets the
    rest."""

    def __init__(self, server, jid, password):
        super().__init__(server, jid, password)
        self.answers = {}
        self.came = threading.Condition()

    def _seen(self, way):
        def note(stanza):
            ident = stanza["id"] if stanza.name == "iq" else None
            if way == "in" and ident:
                with self.came:
                    self.answers[ident] = str(stanza)
                    self.came.notify_all()
            elif stanza.name == "presence":
                with self.lock:
                    self.stanzas = self.stanzas[-50:] + [(way, str(stanza))]
            return stanza
        return note

    def send(self, text):
        self.loop.call_soon_threadsafe(self.xmpp.send_raw, text)

    def answer(self, ident, timeout=20):
        end = time.monotonic() + timeout * PATIENCE
        with self.came:
            while ident not in self.answers:
                if not self.came.wait(end - time.monotonic()):
                    raise Failed(f"no answer to {ident}")
            return ElementTree.fromstring(self.answers.pop(ident))


class Speaker(centralbench.Agent):
    def __init__(self, rig, name, enrol=True, like=None):
        """like: another Speaker, to be one more connection of its account,
        without its key."""
        if like is None:
            jid, self.password = rig.server.register(name)
            token = rig.central.enrol(name, jid)["crypto"]["token"] \
                if enrol else None
        else:
            jid, self.password, token = like.jid, like.password, None
        super().__init__(self, jid, token)
        self.to = COMPONENT
        self.rig = rig
        self.key = rig.central_key
        self.line = rig.peer(Line, rig.server, jid, self.password)
        self.full = self.line.xmpp.boundjid.full

    def presence(self, type_=None):
        self.line.presence(COMPONENT, type_)

    def post(self, payload, full=None, type_="set"):
        centralbench.Agent.counter += 1
        ident = f"q{centralbench.Agent.counter}"
        self.line.send(f"<iq type='{type_}' id='{ident}' to='{COMPONENT}'>"
                       f"{payload}</iq>")
        return ident

    def answer(self, ident):
        iq = self.line.answer(ident)
        if iq.get("type") == "error":
            error = next(e for e in iq if e.tag.endswith("error"))
            raise centralbench.Refused(
                error[0].tag.replace(f"{{{STANZAS}}}", ""))
        assert iq.get("type") == "result"
        return iq[0] if len(iq) else None

    def begin(self):
        """Present, and with a session."""
        self.presence()
        self.line.wait_received("<presence", f'from="{COMPONENT}"')
        self.shake()
        assert self.tell("")[0] == "ack"
        return self


class Cost:
    """What a process took between the start of a with and its end."""

    def __init__(self, pid):
        self.pid = pid

    def __enter__(self):
        self.cpu, self.memory = self.seconds(), self.peak()
        return self

    def __exit__(self, *_):
        self.cpu = self.seconds() - self.cpu
        self.memory = self.peak() - self.memory

    def seconds(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return ((int(fields[11]) + int(fields[12]))
                / os.sysconf("SC_CLK_TCK"))

    def peak(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmHWM:\s+(\d+)", status.read())[1]) * 1024

    def bounded(self, cpu_s, memory):
        """More than these is a failure; a sanitizer keeps what was freed
        and takes longer."""
        assert self.cpu < cpu_s * PATIENCE, f"{self.cpu} s"
        if not SANITIZED:
            assert self.memory < memory, f"{self.memory} octets"
