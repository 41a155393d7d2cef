"""The independent other end, made of slixmpp: a component that stands in for
the centre and a client that stands in for an agent.  Each runs in a thread of
its own and records every stanza as the server handed it over.

    centre = rig.peer(Component, rig.server)
    centre.on_iq("{urn:platen:session:1}handshake", lambda iq, el: reply)
    rig.wait_for(lambda: centre.received("presence"))
"""
import asyncio
import ssl
import threading
import xml.etree.ElementTree as ET

import slixmpp
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import StanzaPath

from rig import COMPONENT, PATIENCE, Failed, wait_for


class Peer:
    """What Component and Client share."""
    name = "peer"

    def __init__(self):
        self.stanzas = []           # ("in" or "out", xml text), in order
        self.lock = threading.Lock()
        self.ready = threading.Event()
        self.failure = None
        self.handlers = {}          # "{ns}name" -> function(iq, element)
        self.loop = self.xmpp = self.thread = None
        self.presence_handler = None

    # to be said by the subclass: makes self.xmpp, and connects it
    def make(self):
        raise NotImplementedError

    def connect(self):
        raise NotImplementedError

    def start(self, wait=True):
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        if wait and not self.ready.wait(20 * PATIENCE):
            raise Failed(f"{self.name} is not connected: {self.failure}")
        if self.failure:
            raise Failed(f"{self.name}: {self.failure}")
        return self

    def _run(self):
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        try:
            self.xmpp = self.make()
            self.xmpp.loop = self.loop
            self.xmpp.add_filter("in", self._seen("in"))
            self.xmpp.add_filter("out", self._seen("out"))
            self.xmpp.add_event_handler("session_start", self._started)
            self.xmpp.add_event_handler("failed_auth", self._failed)
            self.xmpp.add_event_handler("connection_failed", self._failed)
            self.xmpp.add_event_handler("presence", self._presence)
            self.xmpp.register_handler(Callback(
                "any iq", StanzaPath("iq"), self._iq))
            self.connect()
            self.loop.run_forever()
        except Exception as error:      # shown by start()
            self.failure = repr(error)
            self.ready.set()
        finally:
            left = asyncio.all_tasks(self.loop)
            for task in left:
                task.cancel()
            self.loop.run_until_complete(
                asyncio.gather(*left, return_exceptions=True))
            self.loop.close()

    def _seen(self, way):
        def note(stanza):
            with self.lock:
                self.stanzas.append((way, str(stanza)))
            return stanza
        return note

    def _started(self, _):
        self.ready.set()

    def _failed(self, why):
        self.failure = str(why)
        self.ready.set()

    def _presence(self, presence):
        if self.presence_handler is not None:
            self.presence_handler(presence)

    def _iq(self, iq):
        if iq["type"] not in ("get", "set") or len(iq.xml) == 0:
            return
        element = iq.xml[0]
        handler = self.handlers.get(element.tag)
        if handler is None:
            return
        answer = handler(iq, element)
        if answer is None:
            return                      # says nothing at all
        self.send(answer if isinstance(answer, str) else ET.tostring(
            answer, encoding="unicode"))

    # --- for tests

    def on_iq(self, tag, handler):
        """handler(iq, element) gives the whole answering stanza as text or
        element, or None to stay silent.  Runs in the peer's thread."""
        self.handlers[tag] = handler

    def on_presence(self, handler):
        self.presence_handler = handler

    def result(self, iq, payload=""):
        """An <iq type='result'/> for iq, as text."""
        return (f"<iq type='result' id='{iq['id']}' to='{iq['from'].full}' "
                f"from='{iq['to'].full}'>{payload}</iq>")

    def error(self, iq, condition, kind="cancel"):
        return (f"<iq type='error' id='{iq['id']}' to='{iq['from'].full}' "
                f"from='{iq['to'].full}'><error type='{kind}'><{condition} "
                "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>")

    def send(self, text):
        """Sends one stanza as it is."""
        with self.lock:
            self.stanzas.append(("out", text))
        self.loop.call_soon_threadsafe(self.xmpp.send_raw, text)

    def presence(self, to, kind=None):
        self.send(f"<presence from='{self.xmpp.boundjid.full}' to='{to}'"
                  + (f" type='{kind}'" if kind else "") + "/>")

    def received(self, *having):
        """The texts of received stanzas that contain all of these."""
        with self.lock:
            return [text for way, text in self.stanzas
                    if way == "in" and all(h in text for h in having)]

    def wait_received(self, *having, timeout=10, count=1):
        def enough():
            found = self.received(*having)
            return found if len(found) >= count else None
        return wait_for(enough, timeout, f"a stanza with {having}")

    def clear(self):
        with self.lock:
            self.stanzas.clear()

    def tail(self, lines=40):
        with self.lock:
            return "\n".join(f"{way}: {text[:400]}"
                             for way, text in self.stanzas[-lines:])

    def stop(self):
        if self.loop is None or self.loop.is_closed():
            return

        async def leave():
            try:
                await asyncio.wait_for(self.xmpp.disconnect(wait=0.5), 2)
            except Exception:
                pass
            self.loop.stop()
        asyncio.run_coroutine_threadsafe(leave(), self.loop)
        self.thread.join(5)

    kill9 = stop


class Component(Peer):
    """The component itself: what slixmpp sees here is what the server hands
    to a centre."""
    name = "component peer"

    def __init__(self, server, jid=COMPONENT):
        super().__init__()
        self.server, self.jid = server, jid

    def make(self):
        return slixmpp.ComponentXMPP(self.jid, self.server.secret,
                                     "127.0.0.1", self.server.component_port)

    def connect(self):
        self.xmpp.connect()


class Client(Peer):
    """An account with STARTTLS, the test CA, and no other plugin."""
    name = "client peer"

    def __init__(self, server, jid, password):
        super().__init__()
        self.server, self.jid, self.password = server, jid, password

    def make(self):
        client = slixmpp.ClientXMPP(self.jid, self.password)
        client.ca_certs = str(self.server.ca_file)
        context = client.ssl_context
        context.load_verify_locations(self.server.ca_file)
        context.verify_mode = ssl.CERT_REQUIRED
        return client

    def connect(self):
        self.xmpp.connect(("127.0.0.1", self.server.port),
                          use_ssl=False, force_starttls=True)
