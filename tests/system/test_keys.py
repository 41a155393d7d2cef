"""Keys can change while everything runs, and whoever is shut out stays out: the
agent's key is signed over by the one before, agents learn of the centre's new
one from the old one, and nothing is lost or told twice on the way."""
import json
import os
import signal

import pytest

from rig import Failed, program, run_program, wait_for


@pytest.fixture
def whole(rig):
    return rig.start(fleet=2)


def state(rig, *path):
    return rig.agent.dir.joinpath(*path)


def alert_arrives(rig, text):
    """Raised now, it is at the centre, once."""
    host = rig.sim.hosts()[0]
    rig.sim.raise_alert(host, code=8, severity=3, group=8, text=text)

    def there():
        return [a for a in rig.central.json("alerts", "--all")
                if a["description"] == text]
    found = wait_for(there, 20, f"alert {text}", 0.2)
    assert len(found) == 1


def fingerprint(rig):
    return rig.central.json("agents")[0]["key"]


def test_agent_takes_a_new_key(whole):
    rig = whole
    before = fingerprint(rig)
    old = state(rig, "agent.key").read_text()
    assert rig.agent.json("status")["key"] == before
    said = rig.agent.tool("rekey")
    after = wait_for(lambda: fingerprint(rig) != before and fingerprint(rig),
                     15, "another key at the centre", 0.2)
    assert before in said and after in said
    assert rig.agent.json("status")["key"] == after
    assert state(rig, "agent.key").read_text() != old
    assert not state(rig, "agent.key.next").exists()
    alert_arrives(rig, "after the change")

    # The old one, in somebody else's hands, opens nothing.
    rig.agent.stop()
    key = state(rig, "agent.key").read_text()
    state(rig, "agent.key").write_text(old)
    rig.agent.start()
    rig.agent.wait_log(r"refuses the key or token")
    assert rig.central.json("agents")[0]["other_key"] == before
    rig.agent.stop()
    state(rig, "agent.key").write_text(key)
    rig.agent.start()
    rig.agent.wait_online()
    alert_arrives(rig, "with its own again")


@pytest.mark.parametrize("who", ["uplink", "centre", "both"])
def test_change_survives_kills(whole, who):
    """Whatever dies in the middle, one of both keys is known."""
    rig = whole
    before = fingerprint(rig)
    os.kill(rig.agent.pid, signal.SIGUSR2)
    wait_for(lambda: state(rig, "agent.key.next").exists() or
             rig.agent.json("status")["key"] != before, 10, "a successor",
             0.001)
    if who != "centre":
        rig.agent.kill_role("uplink")
    if who != "uplink":
        rig.central.kill9()
        rig.central.start()
    after = wait_for(lambda: fingerprint(rig) != before and fingerprint(rig),
                     40, "another key at the centre", 0.2)
    wait_for(lambda: rig.agent.json("status")["key"] == after, 20,
             "and at the agent", 0.2)
    assert not state(rig, "agent.key.next").exists()
    alert_arrives(rig, f"{who} died")


def test_without_the_centre_it_waits(whole):
    rig = whole
    before = fingerprint(rig)
    rig.central.stop()
    os.kill(rig.agent.pid, signal.SIGUSR2)
    wait_for(lambda: state(rig, "agent.key.next").exists(), 10, "a successor")
    assert rig.agent.json("status")["key"] == before
    rig.central.start()
    wait_for(lambda: fingerprint(rig) != before, 40, "another key", 0.2)


def test_rekey_says_what_is_missing(rig):
    rig.server.start()
    rig.sim.start(fleet=1)
    rig.central.init()
    rig.agent.enrol().write()
    done = rig.agent.tool("rekey", check=False)
    assert done.returncode == 1 and "platend" in done.stderr
    assert rig.agent.tool("rekey", "now", check=False).returncode == 2


def keys(rig):
    return rig.central.json("keys")


def test_centre_takes_a_new_key(whole):
    """Agents that come while the old one is good learn of it; from then on
    they go by the new one alone."""
    rig = whole
    first = keys(rig)[0]
    assert first["current"] and len(keys(rig)) == 1
    rig.central.tool("rotate", "--keep", "1h")
    now, old = keys(rig)
    assert now["current"] and now["public"] != first["public"]
    assert not old["current"] and old["public"] == first["public"]
    rig.central.restart()
    rig.agent.wait_log("the centre's key is " + now["fingerprint"], 40)
    pin = state(rig, "central.pin")
    wait_for(lambda: pin.exists() and "proven" in pin.read_text(), 20,
             "a proven pin")
    assert now["public"] in pin.read_text()
    alert_arrives(rig, "under the new one")

    # The old one is gone: the agent does not notice.
    for path in rig.central.dir.glob("central.key.until-*"):
        path.unlink()
    rig.central.restart()
    alert_arrives(rig, "without the old one")
    rig.agent.restart()
    rig.agent.wait_online()

    # And nobody gets it back to the old one, whose file may be anybody's.
    rig.agent.stop()
    rig.central.stop()
    key = rig.central.dir / "central.key"
    kept = key.read_text()
    other = run_keygen(rig)
    key.write_text(other)
    rig.central.start()
    rig.agent.start()
    rig.agent.wait_log(r"cannot open the handshake")
    rig.central.stop()
    key.write_text(kept)
    rig.central.start()
    rig.agent.wait_online(70)


def run_keygen(rig):
    path = rig.dir / "other.key"
    run_program([program("platen"), "keygen", path])
    return path.read_text()


def test_who_comes_too_late_is_told_what_to_do(whole):
    rig = whole
    rig.agent.stop()
    rig.central.tool("rotate", "--keep", "1s")
    wait_for(lambda: len(keys(rig)) == 1, 10, "the old key to expire", 0.2)
    rig.central.restart()
    rig.agent.start()
    rig.agent.wait_log(r"central_key")
    wait_for(lambda: "central_key" in
             (rig.agent.json("status")["uplink_why"] or ""), 10,
             "platen status says it", 0.2)
    # Enrolled anew it comes, and what was learned before does not count.
    rig.agent.stop()
    snippet = rig.central.enrol(rig.agent.name, rig.agent.jid)
    rig.agent.snippet = snippet
    rig.agent.write().start()
    rig.agent.wait_online(40)
    alert_arrives(rig, "enrolled anew")


def test_revoked_at_once(whole):
    """Nothing is taken any more of an agent from the moment on that revoke
    has returned, and its log says so."""
    rig = whole
    alert_arrives(rig, "before")
    rig.central.tool("revoke", rig.agent.jid)
    rig.sim.raise_alert(rig.sim.hosts()[0], code=8, severity=3, group=8,
                        text="too late")
    rig.agent.wait_log(r"revoked", 30)
    assert rig.central.json("agents")[0]["state"] == "revoked"
    with pytest.raises(Failed):
        wait_for(lambda: [a for a in rig.central.json("alerts", "--all")
                          if a["description"] == "too late"], 3)
    assert json.loads(rig.agent.tool("status", "--json"))["outbox"] > 0
    done = rig.central.tool("revoke", "nobody@example.test", check=False)
    assert done.returncode == 1 and "no such agent" in done.stderr
