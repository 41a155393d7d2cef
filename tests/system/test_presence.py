"""Promise: data flows only while the centre is there.  With the centre absent
nothing is sent and everything queued; with it back everything arrives, once
and in order.  The centre leaves cleanly, dies, never answers, or loses its
server; the agent restarts meanwhile."""
import contextlib
import re

from fakecentre import FakeCentre
from peer import Component
from rig import Failed, wait_for

STORES = ["sqlite", "postgresql"]
HOST = "127.10.23.1"
TOTAL = "1.3.6.1.2.1.43.10.2.1.4.1.1"


class Printer:
    """Prints; each total is left until the agent has noted it."""

    def __init__(self, rig, host=HOST):
        self.rig, self.host = rig, host
        self.totals = [int(rig.sim.get(host, TOTAL))]

    def known(self):
        """The total that the agent has told, or queued to tell."""
        for asset in self.rig.agent.json("devices"):
            if asset["ip"] == self.host:
                for counter in asset["counters"]:
                    if counter["name"] == "total":
                        return counter["value"]
        return None

    def print_pages(self, times=3):
        for _ in range(times):
            self.rig.sim.send("print", self.host, 3)
            self.totals.append(self.totals[-1] + 3)
            wait_for(lambda: self.known() == self.totals[-1], 30,
                     "the agent has read the counter", 0.1)


def uplink_is(agent, state):
    with contextlib.suppress(Failed):       # before it has made its store
        return agent.json("status")["uplink"] == state


def wait_uplink(agent, state, timeout=40):
    wait_for(lambda: uplink_is(agent, state), timeout, f"uplink {state}", 0.1)


def wait_empty(agent):
    wait_for(lambda: agent.json("status")["outbox"] == 0, 40,
             "the outbox is empty", 0.1)


def arrived(centre):
    """The totals of the printer, in order; each report is there once."""
    ours = {a.get("id") for r in centre.taken() for a in r.records("asset")
            if HOST in [e.text for e in a if e.tag.endswith("}ip")]}
    return [total for r in centre.story() for total in r.counters("total")
            if r.records("asset")[0].get("id") in ours]


def begin(rig, **more):
    rig.server.trace = True
    rig.server.start()
    rig.sim.start([f"{HOST}=@hp-mono"])
    return dict(heartbeat="300ms", supplies="300ms", counters="300ms", **more)


def test_queued_until_the_centre_is_there(rig):
    """First no component, then one that never answers presence: no
    handshake, no sealed stanza; then it does answer."""
    schedule = begin(rig)
    centre = FakeCentre(rig.server)
    rig.parts.append(centre)
    agent = centre.admit(rig.agent)
    agent.write(**schedule).start()
    printer = Printer(rig)
    wait_uplink(agent, "centre absent")
    printer.print_pages()
    jam = rig.sim.raise_alert(HOST, code=8, severity=3, group=8, index=2,
                              text="A jam that lasts")
    wait_for(lambda: any(d["alerts"] for d in agent.json("devices")), 20,
             "the jam is read", 0.1)
    rig.sim.send("alert", HOST, "clear", jam)

    mute = rig.peer(Component, rig.server)
    printer.print_pages()
    mute.wait_received("<presence")     # it comes again and again
    waiting = agent.json("status")["outbox"]
    assert waiting >= len(printer.totals)
    assert not mute.received("<iq")
    # Also before that nothing went to the server at all.
    assert "urn:platen" not in rig.server.log()
    mute.stop()

    centre.start()
    wait_empty(agent)
    assert arrived(centre) == printer.totals
    assert len(centre.taken(lambda r: "A jam that lasts" in
                            r.values("alert", "description"))) == 1
    assert len(centre.taken(lambda r: r.values("alert", "cleared"))) == 1
    assert len(centre.taken()) >= waiting
    assert centre.opened == len(centre.taken()), "nothing was sent twice"
    assert centre.problems == []


def test_the_centre_comes_and_goes(rig):
    schedule = begin(rig)
    centre = rig.peer(FakeCentre, rig.server)
    agent = centre.admit(rig.agent)
    agent.write(**schedule).start().wait_online()
    printer = Printer(rig)
    printer.print_pages(2)

    # It says goodbye: nothing is even tried.
    centre.leave()
    wait_uplink(agent, "centre absent", 15)
    tried = rig.server.log().count("<sealed ")
    printer.print_pages()
    assert rig.server.log().count("<sealed ") == tried
    assert agent.json("status")["outbox"] >= 3
    centre.start()
    wait_empty(agent)
    assert arrived(centre) == printer.totals

    # It dies, the agent is restarted meanwhile.
    centre.vanish()
    printer.print_pages()
    agent.restart()
    printer.print_pages()
    assert agent.json("status")["outbox"] >= 6
    centre.start()
    wait_empty(agent)
    assert arrived(centre) == printer.totals

    # The server goes away, and the agent dies.
    centre.vanish()
    rig.server.stop()
    printer.print_pages()
    agent.kill9()
    agent.start()
    printer.print_pages()
    rig.server.start()
    wait_uplink(agent, "centre absent")
    centre.start()
    wait_empty(agent)
    assert arrived(centre) == printer.totals
    assert centre.problems == []


def test_half_answered(rig):
    """The centre commits and dies before it acknowledges: what it has is not
    taken twice, what it has not is sent again."""
    schedule = begin(rig)
    centre = rig.peer(FakeCentre, rig.server)
    agent = centre.admit(rig.agent)
    agent.write(**schedule).start().wait_online()
    printer = Printer(rig)
    printer.print_pages(1)
    wait_empty(agent)

    taken = []
    send = centre._seal

    def mute(session, bare, content):       # committed, but not said
        taken.append(content)
        return send(session, bare, content).replace(">", ">AAAA", 1)
    centre._seal = mute
    printer.print_pages(1)
    wait_for(lambda: taken, 20, "a report is taken")
    centre.vanish()
    centre._seal = send
    printer.print_pages(2)
    centre.start()
    wait_empty(agent)
    assert arrived(centre) == printer.totals
    assert agent.json("status")["refused"] == 0


def test_real_centre_comes_and_goes(rig):
    """The same, and seen in platen-central's own history."""
    schedule = begin(rig)
    rig.central.init()
    rig.central.start()
    agent = rig.agent.enrol()
    agent.write(**schedule).start().wait_online()
    wait_for(lambda: rig.central.json("devices"), 20, "the printer", 0.1)
    printer = Printer(rig)
    printer.print_pages(1)

    assert rig.central.stop() == 0          # says so
    wait_uplink(agent, "centre absent", 15)
    printer.print_pages()
    assert agent.json("status")["outbox"] >= 3
    rig.central.start()
    wait_empty(agent)
    rig.central.kill9()                     # does not
    printer.print_pages()
    rig.central.start()
    wait_empty(agent)
    rig.server.restart()
    printer.print_pages()
    wait_uplink(agent, "connected")
    wait_empty(agent)
    with contextlib.closing(rig.central.database()) as db:
        rows = [row[0] for row in db.execute(
            "SELECT number FROM history WHERE field = 'total' ORDER BY id")]
    assert [int(v) for v in rows] == printer.totals
    assert re.search(r"is (un)?available", rig.central.log())
