"""Promise: what etc/ hands out for Prosody and ejabberd is a whole server for
Platen and offers no more than that; and with the limits that Debian's
packages set instead, things take longer, but they arrive.
"""
import contextlib
import os
import pathlib
import re
import xml.etree.ElementTree as ET

import pytest

from peer import Client, Component
from rig import COMPONENT, ROOT, Rig, read_ini, wait_for
from server import SERVERS

HOST = "127.10.26.1"
TOTAL = "1.3.6.1.2.1.43.10.2.1.4.1.1"


# --- the snippets ---------------------------------------------------------

@pytest.fixture
def server(rig):
    rig.server.limits = "recommended"
    return rig.server.start()


def features(client):
    """Names and texts of each <features/> that the server has sent."""
    return [[(e.tag.split("}")[-1], e.text) for e in
             ET.fromstring(text.replace("stream:features", "features")).iter()]
            for text in client.received("<stream:features")]


def test_scram_over_tls_and_nothing_else(rig, server):
    client = rig.peer(Client, server, *server.register("office"))
    plain, secure, inside = features(client)
    assert {name for name, _ in plain} == {"features", "starttls", "required"}
    offered = {text for name, text in secure if name == "mechanism"}
    assert "SCRAM-SHA-256" in offered
    assert offered <= {"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"}
    names = {name for name, _ in secure + inside}
    assert not names & {"sm", "register", "compression"}
    assert server.logins() == 1


def test_no_account_for_strangers(rig, server):
    """Neither before the login nor after it."""
    client = rig.peer(Client, server, *server.register("office"))
    client.send("<iq type='set' id='new' to='example.test'><query "
                "xmlns='jabber:iq:register'><username>me</username>"
                "<password>me</password></query></iq>")
    client.wait_received("new", "service-unavailable")


def test_nothing_is_kept_for_the_absent(rig, server):
    """What was sent to an agent that is away does not come later."""
    jid, password = server.register("office")
    centre = rig.peer(Component, server)
    centre.send(f"<message from='{COMPONENT}' to='{jid}' id='stale'>"
                "<body>stale</body></message>")
    centre.wait_received("stale", "error")
    client = rig.peer(Client, server, jid, password)
    client.send("<presence/>")
    client.send("<iq type='get' id='after' to='example.test'>"
                "<ping xmlns='urn:xmpp:ping'/></iq>")
    client.wait_received("after", "result")
    centre.send(f"<message from='{COMPONENT}' to='{jid}' id='fresh'>"
                "<body>fresh</body></message>")
    client.wait_received("fresh")
    assert not client.received("stale")


def listens_on(pid):
    """The TCP ports on which a process listens."""
    mine = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            mine.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
    ports = set()
    for table in "tcp", "tcp6":
        for line in pathlib.Path("/proc/net", table).read_text().split(
                "\n")[1:-1]:
            field = line.split()
            if field[3] == "0A" and f"socket:[{field[9]}]" in mine:
                ports.add(int(field[1].split(":")[1], 16))
    return ports


def test_no_other_port(server):
    """No other servers, no web, no Erlang distribution."""
    assert listens_on(server.pid) == {server.port, server.tls_port,
                                      server.component_port}


def test_no_complaint_about_the_snippet(server):
    # That a value of the snippet is replaced, and that the test's CA is
    # unknown, are the test's doing.
    complaints = [line for line in server.log().splitlines() if re.search(
        r"\[warning\]|\[error\]|\bwarn\b|\berror\b|deprecated|renamed", line)
        and "Duplicate option" not in line and "unknown CA" not in line]
    assert complaints == []


@pytest.mark.parametrize("kind", SERVERS)
def test_the_samples_agree(kind):
    """Names and ports are those of the other files in etc/."""
    text = SERVERS[kind].SNIPPET.read_text()
    agent = read_ini((ROOT / "etc" / "platen.ini").read_text())
    centre = read_ini((ROOT / "etc" / "platen-central.ini").read_text())
    for word in (agent["xmpp"]["jid"].split("@")[1], agent["xmpp"]["jid"],
                 centre["component"]["jid"],
                 centre["component"]["secret_file"], "5222", "443", "5347"):
        words = word.split("@") if kind == "ejabberd" else [word]
        assert all(w in text for w in words), word


# --- what the two do differently ------------------------------------------

def uplink_is(agent, state):
    return agent.json("status")["uplink"] == state


def test_ejabberd_pings_and_is_answered():
    """It drops whom it asks in vain."""
    with Rig("pings", server="ejabberd") as rig:
        rig.server.trace = True
        rig.server.extra = {"modules": {"mod_ping": {
            "send_pings": True, "ping_interval": "1 sec",
            "ping_ack_timeout": "1 sec", "timeout_action": "kill"}}}
        rig.server.start()
        rig.sim.start([f"{HOST}=@hp-mono"])
        rig.central.init()
        rig.central.start()
        rig.agent.enrol().write(heartbeat="1h", supplies="1h", counters="1h")
        rig.agent.start().wait_online()
        asked = r"Send XML on stream = .*<ping xmlns=.urn:xmpp:ping"
        wait_for(lambda: len(re.findall(asked, rig.server.log())) >= 4, 30,
                 "four pings")
        assert rig.server.logins() == 1
        assert uplink_is(rig.agent, "connected")


def test_an_absent_centre_has_not_revoked_anybody(rig):
    """ejabberd says forbidden for a component that is not there, which the
    centre says to whom it has revoked."""
    rig.server.start()
    rig.sim.start([f"{HOST}=@hp-mono"])
    rig.central.init()
    rig.central.start()
    rig.agent.enrol().write(heartbeat="300ms", counters="300ms")
    rig.agent.start().wait_online()
    wait_for(lambda: rig.central.json("devices"), 20, "the printer", 0.1)
    rig.central.kill9()
    rig.sim.send("bump", HOST, TOTAL, 5)
    wait_for(lambda: uplink_is(rig.agent, "centre absent"), 30,
             "centre absent", 0.1)
    assert "has revoked this agent;" not in rig.agent.log()
    rig.central.start()
    wait_for(lambda: uplink_is(rig.agent, "connected"), 30, "connected", 0.1)


# --- the limits of Debian's packages --------------------------------------

def test_packaged_limits_only_delay(rig):
    """The first telling of a fleet, far more than ejabberd passes on within
    the time that an answer may take; a backlog, and an alert behind it."""
    rig.server.limits = "packaged"
    fleet = [f"127.10.26.{n}" for n in range(1, 101)]
    rig.server.start()
    rig.sim.start([f"{host}=@xerox,serial=LIMIT{n:04}"
                   for n, host in enumerate(fleet)])
    rig.central.init()
    rig.central.start()
    agent = rig.agent.enrol()
    agent.write(heartbeat="300ms", supplies="300ms", counters="300ms")
    agent.start().wait_online()
    wait_for(lambda: len(rig.central.json("devices")) == len(fleet), 120,
             "all printers are told", 0.3)
    wait_for(lambda: agent.json("status")["outbox"] == 0, 120, "all of them "
             "in full", 0.3)

    assert rig.central.stop() == 0
    totals = {host: int(rig.sim.get(host, TOTAL)) for host in fleet}
    for _ in range(4):
        for host in fleet:
            rig.sim.send("bump", host, TOTAL, 7)
            totals[host] += 7
        wait_for(lambda: counters(agent) == totals, 30, "all are read", 0.1)
    rig.sim.raise_alert(HOST, code=8, severity=3, group=8, index=2,
                        text="A jam behind all that")
    wait_for(lambda: any(d["alerts"] for d in agent.json("devices")), 20,
             "the jam is read", 0.1)
    rig.central.start()
    wait_for(lambda: any("A jam behind" in (a["description"] or "")
                         for a in rig.central.json("alerts")), 180,
             "the alert arrives", 0.3)
    wait_for(lambda: counters(rig.central) == totals, 180, "the counters "
             "arrive", 0.3)
    wait_for(lambda: agent.json("status")["outbox"] == 0, 60, "the outbox is "
             "empty", 0.3)
    assert agent.json("status")["refused"] == 0
    assert rig.server.logins() == 1, "nobody was thrown out"
    for word in "policy-violation", "resource-constraint":
        assert word not in agent.log() + rig.central.log(whole=True)


def counters(part):
    """{address: total} as the agent or the centre says."""
    return {d["ip"]: c["value"] for d in part.json("devices")
            for c in d["counters"] if c["name"] == "total"}
