"""A centre of slixmpp's in a process of its own, so that it can be killed:
uplinkcentre.py PORT SECRET JID AGENT.  It greets AGENT's bare JID when it
starts, answers presence with presence, sends every iq's payload back, and
prints what came, one line each.  "ask" on stdin sends an iq to the agent,
"quit" leaves without a word."""
import asyncio
import logging
import os
import sys

from slixmpp.componentxmpp import ComponentXMPP
from slixmpp.xmlstream import ET
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import StanzaPath

AGENT = sys.argv[4]


class Centre(ComponentXMPP):
    def __init__(self, port, secret, jid):
        super().__init__(jid, secret, "127.0.0.1", port)
        self.register_plugin("xep_0199")
        self.add_event_handler("session_start", self.started)
        self.add_event_handler("presence_available", self.available)
        self.add_event_handler("presence_unavailable", self.unavailable)
        self.register_handler(Callback("iq", StanzaPath("iq"), self.asked))

    def started(self, _):
        print("started", flush=True)
        self.send_presence(pto=AGENT)
        loop = asyncio.get_event_loop()
        loop.add_reader(0, self.command)

    def command(self):
        words = os.read(0, 4096).decode().split()
        if not words or "quit" in words:
            os._exit(0)
        iq = self.make_iq_set(ito=AGENT + "/platend", ifrom=self.boundjid)
        iq.append(ET.fromstring("<sealed xmlns='urn:t' n='3'>hello</sealed>"))
        iq.send(callback=lambda r: print("reply", r["type"], flush=True),
                timeout=5)

    def available(self, p):
        print("available", p["from"], flush=True)
        self.send_presence(pto=p["from"], pfrom=self.boundjid)

    def unavailable(self, p):
        print("unavailable", p["from"], flush=True)

    def asked(self, iq):
        if iq["type"] != "set":
            return
        reply = iq.reply()
        for child in list(iq.xml):
            reply.append(child)
        print("asked", iq["from"], flush=True)
        reply.send()


logging.basicConfig(level=logging.ERROR)
centre = Centre(int(sys.argv[1]), *sys.argv[2:4])
centre.connect()
centre.process()
