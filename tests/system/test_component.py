"""Promise: the centre's end of the stream holds against a real server: it
logs in, says clearly why when it may not, comes back when the server does,
notices when the server hangs, answers what every entity is asked, and what
a stranger sends costs the stranger's stanza only.

Drives tests/unit/xmpp/component_echo.c, which is xmpp/component.c alone.
"""
import os
import re
import subprocess
import time

import pytest

from peer import Client, Component
from rig import (BUILD, COMPONENT, PATIENCE, ROOT, Process, Rig, wait_for,
                 write_secret)

DISCO = "http://jabber.org/protocol/disco#info"


@pytest.fixture(scope="module")
def echo_path():
    target = BUILD / "tests/unit/xmpp/component_echo"
    subprocess.run(["make", "-s", f"B={BUILD}", str(target)], cwd=ROOT,
                   check=True)
    return target


class Echo(Process):
    """component_echo; its events are in its log."""

    def __init__(self, rig, path, name="echo"):
        super().__init__(rig, name)
        self.path, self.secret, self.ping_ms = path, None, 0

    def start(self, wait=True):
        secret = self.rig.dir / f"{self.name}.secret"
        write_secret(secret, (self.secret or self.rig.server.secret) + "\n")
        self.launch([self.path, COMPONENT, self.rig.server.component_port,
                     secret, self.ping_ms])
        if wait:
            self.wait_log(r"(?m)^ready$")
        return self

    def count(self, pattern):
        return len(re.findall(pattern, self.log(), re.M))


@pytest.fixture
def echo(rig, echo_path):
    # Strangers at full speed, whatever limits others are tested with.
    rig.server.limits = "recommended"
    rig.server.start()
    return Echo(rig, echo_path)


@pytest.fixture
def client(rig, echo):
    jid, password = rig.server.register("stranger")
    return rig.peer(Client, rig.server, jid, password)


def iq(client, payload, id="q1", kind="get", to=COMPONENT, timeout=10):
    """Sends one; the answer's text."""
    client.send(f"<iq type='{kind}' id='{id}' to='{to}'>{payload}</iq>")
    # slixmpp writes attributes in double quotes.
    return client.wait_received(f'id="{id}"', timeout=timeout)[0]


def test_login_and_presence(echo, client):
    echo.start()
    client.presence(COMPONENT)
    client.wait_received("<presence", f'from="{COMPONENT}"')
    echo.wait_log(r"presence stranger@\S+/\S+ available")
    client.presence(COMPONENT, "unavailable")
    echo.wait_log(r"presence stranger@\S+ unavailable")
    assert echo.stop() == 0
    assert "warn" not in echo.log()


def test_answers_by_itself(echo, client):
    echo.start()
    info = iq(client, f"<query xmlns='{DISCO}'/>", "d1")
    assert 'category="component"' in info and 'type="generic"' in info
    assert 'name="Platen"' in info and "urn:xmpp:ping" in info
    assert 'type="result"' in iq(client, "<ping xmlns='urn:xmpp:ping'/>", "p1")
    assert "<name>Platen</name>" in iq(
        client, "<query xmlns='jabber:iq:version'/>", "v1")
    assert "service-unavailable" in iq(client, "<x xmlns='urn:x'/>", "x1")
    assert "service-unavailable" in iq(client, "<x xmlns='urn:x'/>", "x2",
                                       to=f"someone@{COMPONENT}")
    assert "hi &amp; there" in iq(
        client, "<echo xmlns='urn:echo'>hi &amp; there</echo>", "e1", "set")


def test_asks(echo, client):
    """An iq of its own is answered by the client (slixmpp's version)."""
    client.xmpp.register_plugin("xep_0092")
    echo.start()
    client.presence(COMPONENT, "probe")
    echo.wait_log(r"(?m)^version (result|error)")


def test_wrong_secret_is_said_once(rig, echo):
    echo.secret = "not the secret"
    echo.start(wait=False)
    echo.wait_log("not-authorized: the secret is not the one in the server")
    time.sleep(2 * PATIENCE)
    assert echo.count("not-authorized") == 1
    assert "not the secret" not in echo.log()[echo.log().index("\n"):]
    assert echo.count("^ready") == 0


def test_conflict(echo_path):
    """Prosody as Debian sets it up keeps the first; the second says what is
    wrong and waits its turn.  (ejabberd takes any number.)"""
    with Rig("conflict", server="prosody") as rig:
        rig.server.limits = "packaged"
        rig.server.start()
        other = rig.peer(Component, rig.server)
        echo = Echo(rig, echo_path).start(wait=False)
        echo.wait_log("conflict: another component is connected")
        time.sleep(1 * PATIENCE)
        assert echo.count("another component") == 1
        other.stop()
        echo.wait_log(r"(?m)^ready$")


def test_replaced(echo_path):
    """Prosody as we set it up lets the new one take the place of the old,
    which may be dead; one that lives says so and is not back at once."""
    with Rig("replaced", server="prosody") as rig:
        rig.server.limits = "recommended"
        rig.server.start()
        first = Echo(rig, echo_path, "first").start()
        second = Echo(rig, echo_path, "second").start()
        first.wait_log("conflict: another component is connected")
        first.stop()
        time.sleep(1 * PATIENCE)
        assert second.count("^ready") == 1
        assert second.count("^lost") == 0


def test_server_restarts(rig, echo):
    echo.start()
    for number in range(3):
        rig.server.stop()
        wait_for(lambda: echo.count("^lost") == number + 1, 10)
        rig.server.start()
        wait_for(lambda: echo.count("^ready") == number + 2, 10)
    rig.server.kill9()
    wait_for(lambda: echo.count("^lost") == 4, 10)
    rig.server.start()
    wait_for(lambda: echo.count("^ready") == 5, 10)


def test_pings_keep_an_idle_link_and_find_a_dead_one(rig, echo):
    """A server that hangs (it still takes TCP) is noticed by its silence."""
    echo.ping_ms = 500
    echo.start()
    time.sleep(6 * PATIENCE)
    assert echo.count("^lost") == 0, "an idle server was given up"
    rig.server.hang()
    started = time.monotonic()
    try:
        wait_for(lambda: echo.count("^lost the server has fallen silent"), 8)
        assert time.monotonic() - started < 6 * PATIENCE
    finally:
        rig.server.resume()
    wait_for(lambda: echo.count("^ready") == 2, 15)


@pytest.mark.parametrize("body", [
    "<a>" * 300 + "</a>" * 300,
    "<a/>" * 5000,
    "<a " + " ".join(f"b{i}=''" for i in range(500)) + "/>",
    # The text behind it: a recent expat in the server looks at a long token
    # again only when twice as much has come.
    "<a b='" + "x" * 20000 + "'/>" + "y" * 60000,
    "".join(f"<n{i} xmlns='u:{i}'/>" for i in range(3000)),
], ids=["deep", "many", "attributes", "long", "names"])
def test_a_strangers_stanza_costs_itself(echo, client, body):
    echo.start()
    answer = iq(client, f"<q xmlns='urn:q'>{body}</q>", "bad", "set")
    assert "policy-violation" in answer
    assert "ok" in iq(client, "<echo xmlns='urn:echo'>ok</echo>", "good",
                      "set")
    assert echo.count("^lost") == 0


def test_large_and_odd_text_comes_back(echo, client):
    echo.start()
    for number, text in enumerate(["x" * 200000, "\u00e9\u20ac\U0001f5a8",
                                   "&lt;&amp;&gt;\"'", "]]&gt;"]):
        answer = iq(client, f"<echo xmlns='urn:echo'>{text}</echo>",
                    f"t{number}", "set")
        assert 'type="result"' in answer
        assert text[:1] in answer and len(answer) > len(text)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_thousand_iqs(echo, client):
    """1 KB each, all at once: all come back, and cost the component little
    (measured: some 30 us each)."""
    echo.start()
    before = cpu_seconds(echo.pid)
    payload = "<echo xmlns='urn:echo'>" + "x" * 1000 + "</echo>"
    for number in range(1000):
        client.send(f"<iq type='set' id='n{number}' to='{COMPONENT}'>"
                    f"{payload}</iq>")
    client.wait_received('type="result"', 'id="n', timeout=60, count=1000)
    assert cpu_seconds(echo.pid) - before < 0.5 * PATIENCE
    assert echo.count("^lost") == 0
