"""The centre keeps its promises: an agent written independently (noise.py)
gets in and reports; what is forged, replayed, reordered, oversized or not
its own is answered with an error and changes nothing; a kill between commit
and acknowledgement doubles nothing and loses nothing."""

import os
import signal
import subprocess
import time
import uuid

import noise
import pytest
import squash

from centralbench import (JID, PROGRAM, REPORT, SEALED, SESSION, Agent,
                          Centre, Refused, asset)

STORES = ["sqlite", "postgresql"]
LASER = "00000000-0000-4000-8000-000000000001"
INKJET = "00000000-0000-4000-8000-000000000002"


@pytest.fixture
def centre(tmp_path, store_url):
    c = Centre(tmp_path, store_url)
    yield c
    c.close()


@pytest.fixture
def agent(centre):
    a = centre.enrol("site7")
    centre.start()
    a.presence()
    centre.server.presence(a.full)
    return a


def state(centre):
    """Everything that a report could have changed."""
    return [sorted(centre.sql(f"SELECT * FROM {table}"), key=repr)
            for table in
            ("asset", "counter", "consumable", "alert", "history", "epoch",
             "refused", "alias")]


def wait(condition, patience=20):
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_enrol_report_list(centre, agent):
    welcome = agent.shake()
    assert agent.taken(welcome) == agent.taken(welcome, "bulk") == 0
    assert welcome.get("whole") == "false"
    assert agent.tell(asset(LASER, "L1")) == ("ack", 1)
    assert agent.tell(f"<asset id='{LASER}'><location>Roof</location>"
                      "</asset>") == ("ack", 2)
    device, = centre.rows("devices")
    assert device["agent"] == "site7" and device["asset"] == LASER
    assert device["serial"] == "L1" and device["location"] == "Roof"
    assert device["counters"][0]["value"] == 100
    row, = centre.rows("agents")
    assert row["state"] == "active" and row["presence"] == "available"
    assert row["last_seq"] == 2
    places = [(r["value"], r["seq"]) for r in centre.rows("history")
              if r["field"] == "location"]
    assert places == [("Floor 2", 1), ("Roof", 2)]
    assert "Roof" not in centre.said()


def test_presence(centre):
    agent = centre.enrol("site7")
    centre.start()
    centre.server.presence(agent.jid)           # to the bare JID, by itself
    agent.presence()
    centre.server.presence(agent.full)
    agent.shake()
    agent.tell("")
    agent.presence("unavailable")
    wait(lambda: centre.rows("agents")[0]["presence"] == "unavailable")
    with pytest.raises(Refused, match="item-not-found"):
        agent.tell("")
    # The server goes and comes back: greeted again, the session lives.
    agent.presence()
    centre.server.presence(agent.full)
    agent.shake()
    agent.tell("")
    centre.server.drop()
    centre.server.presence(agent.jid)
    assert agent.tell("")[0] == "ack"
    # Enrolled while it runs: greeted too.
    late = centre.enrol("site8")
    centre.server.presence(late.jid)
    agent.presence()
    centre.server.presence(agent.full)
    assert centre.stop() == 0
    centre.server.presence(agent.full, "unavailable")


def test_token_once(centre, agent):
    agent.shake()
    agent.tell("")
    thief = Agent(centre, agent.jid, agent.token)
    with pytest.raises(Refused, match="not-authorized"):
        thief.shake()
    assert agent.tell("")[0] == "ack"
    row, = centre.rows("agents")
    assert row["other_key_at"] is not None
    assert "another key tried" in centre.command("agents")


def test_wrong_token(centre, agent):
    with pytest.raises(Refused, match="not-authorized"):
        agent.shake(token="guessed")
    agent.shake()


def test_approval_and_revocation(centre):
    centre.start()
    stranger = Agent(centre, "walkin@agents.test")
    with pytest.raises(Refused, match="registration-required"):
        stranger.shake()
    assert centre.rows("agents")[0]["state"] == "pending"
    centre.command("agents", "--approve", stranger.jid)
    stranger.shake()
    assert stranger.tell(asset(LASER, "L1"))[0] == "ack"
    centre.command("agents", "--revoke", stranger.jid)
    centre.server.presence(stranger.jid, "unavailable")
    with pytest.raises(Refused, match="item-not-found"):
        stranger.tell("")
    with pytest.raises(Refused, match="forbidden"):
        stranger.shake()


def test_forged(centre, agent):
    agent.shake()
    agent.tell(asset(LASER, "L1"))
    before = state(centre)
    good = agent.seal(agent.envelope(agent.report(asset(INKJET, "I1"), 2)))
    # Another stranger, or the agent's own account at another place.
    for other in ("evil@agents.test/x", agent.jid + "/elsewhere"):
        with pytest.raises(Refused, match="item-not-found"):
            agent.answer(agent.post(good, full=other))
    forged = [good.replace("n='1'", "n='7'"),           # another number
              good.replace("n='1'", "n='-1'"),
              good.replace("n='1'", "n='18446744073709551617'"),
              good.replace("n='1'", ""),
              f"<sealed xmlns='{SEALED}' n='9'/>",
              f"<sealed xmlns='{SEALED}' n='9'>AAAA</sealed>",
              f"<sealed xmlns='{SEALED}' n='9'>%%%%</sealed>",
              good[:120] + ("B" if good[120] == "A" else "A") + good[121:]]
    for text in forged:
        with pytest.raises(Refused, match="bad-request"):
            agent.answer(agent.post(text))
    assert state(centre) == before
    assert agent.open(agent.answer(agent.post(good))).get("seq") == "2"


def test_wrong_affixes(centre, agent):
    agent.shake()
    agent.tell("")
    before = state(centre)
    report = agent.report(asset(LASER, "L1"), 2)
    wrong = [agent.envelope(report, sender="other@agents.test"),
             agent.envelope(report, to="other.test"),
             agent.envelope(""), agent.envelope(report + report),
             agent.envelope("<report xmlns='urn:platen:report:1'/>"),
             agent.envelope(agent.report("", 0)),
             agent.envelope(agent.report("", "x")),
             agent.envelope(agent.report("", 2, epoch="no-uuid")),
             report, "rubbish",
             "<!DOCTYPE a [<!ENTITY b 'c'>]>" + agent.envelope(report)]
    for plain in wrong:
        with pytest.raises(Refused, match="bad-request"):
            agent.answer(agent.post(agent.seal(plain)))
    assert state(centre) == before
    assert agent.tell(asset(LASER, "L1")) == ("ack", 2)


def test_replayed_and_reordered(centre, agent):
    agent.shake()
    agent.tell(asset(LASER, "L1"))
    one = agent.seal(agent.envelope(agent.report(asset(INKJET, "I1"), 2)))
    two = agent.seal(agent.envelope(agent.report("", 3)))
    agent.answer(agent.post(one))
    agent.answer(agent.post(two))
    before = state(centre)
    for text in (one, two, one):
        with pytest.raises(Refused, match="bad-request"):
            agent.answer(agent.post(text))
    assert state(centre) == before
    # Out of order under the seal: the later one wins, the earlier is void,
    # and its report is simply asked for again.
    early = agent.seal(agent.envelope(agent.report("", 4)))
    late = agent.seal(agent.envelope(agent.report("", 5)))
    content = agent.open(agent.answer(agent.post(late)))
    assert content.tag == f"{{{REPORT}}}again" and content.get("seq") == "3"
    with pytest.raises(Refused, match="bad-request"):
        agent.answer(agent.post(early))
    agent.seq = 3
    assert agent.tell("") == ("ack", 4)


def test_oversized(centre, agent):
    agent.shake()
    agent.tell("")
    before = state(centre)
    with pytest.raises(Refused, match="policy-violation"):
        agent.answer(agent.post(
            f"<sealed xmlns='{SEALED}' n='5'>{'A' * 120000}</sealed>"))
    with pytest.raises(Refused, match="policy-violation"):
        agent.answer(agent.post(
            f"<handshake xmlns='{SESSION}'>{'A' * 20000}</handshake>"))
    with pytest.raises(Refused, match="policy-violation"):
        agent.answer(agent.post(
            f"<sealed xmlns='{SEALED}' n='5'>{'A' * 400000}</sealed>"))
    assert state(centre) == before
    # A small one that becomes a long one, and one that never ends.
    for count in (300, 20_000):
        many = "".join(asset(LASER, f"S{i % 9}") for i in range(count))
        sealed = agent.seal(squash.pack(agent.envelope(
            agent.report(many, 2)).encode()))
        assert len(many) > 60 * 1024 and len(sealed) < 98304
        with pytest.raises(Refused, match="bad-request"):
            agent.answer(agent.post(sealed))
    assert state(centre) == before
    assert agent.tell(asset(LASER, "L1")) == ("ack", 2)


def test_replayed_handshake(centre, agent):
    first, handshake = agent.greeting()
    reply = agent.answer(agent.post(first))
    handshake.message_2(noise.unb64(reply.text))
    agent.session = handshake
    agent.tell(asset(LASER, "L1"))
    for _ in range(3):
        agent.answer(agent.post(first))         # answered, and that is all
        assert agent.tell("")[0] == "ack"
    # A new one of the agent's own does replace it, once it is proven.
    old = agent.session
    agent.shake()
    new, agent.session = agent.session, old
    assert agent.tell("")[0] == "ack"
    agent.session = new
    assert agent.tell("")[0] == "ack"
    agent.session = old
    with pytest.raises(Refused, match="bad-request"):
        agent.tell("")


def test_bad_handshakes(centre, agent):
    good, _ = agent.greeting()
    bad = [good.replace("</handshake>", "AAAA</handshake>"),
           f"<handshake xmlns='{SESSION}'/>",
           f"<handshake xmlns='{SESSION}'>rubbish</handshake>"]
    for text in bad:
        with pytest.raises(Refused, match="bad-request"):
            agent.answer(agent.post(text))
    # Bound to the JID: another account cannot use the message.
    with pytest.raises(Refused, match="bad-request"):
        agent.answer(agent.post(good, full="evil@agents.test/x"))
    for first in ("0", "-1", "99999999999999999999"):
        with pytest.raises(Refused, match="bad-request"):
            agent.shake(first=first)
    with pytest.raises(Refused, match="service-unavailable"):
        agent.answer(agent.post("<command xmlns='urn:x'/>"))
    agent.shake()


def test_handshakes_are_limited(centre, agent):
    """Public key operations cost: nobody can ask for them without end."""
    refused = 0
    for _ in range(60):
        try:
            agent.answer(agent.post(agent.greeting()[0]))
        except Refused as why:
            assert str(why) == "resource-constraint"
            refused += 1
    assert refused >= 20
    other = centre.enrol("site8")
    other.shake()


def test_others_assets(centre, agent):
    other = centre.enrol("site8")
    agent.shake()
    agent.tell(asset(LASER, "L1"))
    other.shake()
    assert other.tell(f"<asset id='{LASER}'><location>Moon</location>"
                      "</asset>") == ("refused", 1)
    assert "another agent" in other.content[0].get("reason")
    assert centre.rows("devices")[0]["location"] == "Floor 2"
    # Refused for good means that the queue goes on, and again the same.
    assert other.tell(asset(INKJET, "I1")) == ("ack", 2)
    assert other.tell("", seq=1)[0] == "refused"


def test_same_asset(centre, agent):
    agent.shake()
    agent.tell(asset(LASER, "L1"))
    agent.epoch, agent.seq = str(uuid.uuid4()), 0       # the store is lost
    assert agent.taken(agent.shake()) == 0
    assert agent.tell(asset(INKJET, "L1", "Attic")) == ("ack", 1)
    same = agent.content[0]
    assert same.get("asset") == INKJET and same.get("known") == LASER
    device, = centre.rows("devices")
    assert device["asset"] == LASER and device["location"] == "Attic"
    assert len([r for r in centre.rows("history")
                if r["field"] == "serial"]) == 1


def test_refusals_are_said_again(centre, agent):
    """An answer that refused a report may be lost: the next welcome lists
    what was refused behind the hello's acked."""
    agent.shake()
    agent.tell(asset(LASER, "L1"))
    assert agent.tell("<asset/>") == ("refused", 2)
    agent.tell(asset(LASER, "L1", "Attic"))
    welcome = agent.shake(acked=1)
    assert agent.taken(welcome) == 3
    one, = welcome.iter(f"{{{SESSION}}}refused")
    assert one.get("seq") == "2" and one.get("reason")
    assert not list(agent.shake(acked=3).iter(f"{{{SESSION}}}refused"))


def test_gap(centre, agent):
    agent.shake()
    agent.tell(asset(LASER, "L1"))
    assert agent.tell("", seq=5) == ("again", 1)
    agent.seq = 9                               # 2 to 9 are gone
    welcome = agent.shake()
    assert welcome.get("whole") == "true" and agent.taken(welcome) == 1
    assert centre.rows("agents")[0]["last_seq"] == 1
    assert agent.tell(asset(LASER, "L1", "Attic")) == ("ack", 10)
    row, = centre.rows("agents")
    assert row["gaps"] == 1 and row["last_seq"] == 10
    assert agent.shake().get("whole") == "false"


def test_kill_between_commit_and_ack(centre, agent):
    agent.shake()
    agent.tell(asset(LASER, "L1", total=0))
    for turn in range(1, 9):
        seq = agent.seq + 1
        report = (f"<asset id='{LASER}'><counter name='total'>{turn}"
                  "</counter></asset>")
        if turn % 2:
            # It committed; whatever it answered never reached the agent.
            agent.post(agent.seal(agent.envelope(agent.report(report, seq))))
            wait(lambda: centre.sql("SELECT last_seq FROM epoch")[0][0]
                 == seq)
        else:
            agent.post(agent.seal(agent.envelope(agent.report(report, seq))))
        centre.stop(signal.SIGKILL)
        centre.start()
        agent.presence()
        centre.server.presence(agent.full)
        last = agent.taken(agent.shake())
        assert last in (seq - 1, seq)
        if turn % 2:
            assert last == seq
        assert agent.tell(report, seq=seq) == ("ack", seq)
        agent.seq = seq
    values = [r["value"] for r in centre.rows("history")
              if r["record"] == "counter"]
    assert values == list(range(9))
    if centre.url is None:
        assert centre.sql("PRAGMA integrity_check") == [("ok",)]


def test_many_in_flight(centre, agent):
    agent.shake()
    agent.tell(asset(LASER, "L1", total=0))
    sealed = [agent.seal(agent.envelope(agent.report(
        f"<asset id='{LASER}'><counter name='total'>{i}</counter></asset>",
        i + 1))) for i in range(1, 501)]
    started = time.monotonic()
    names = [agent.post(text) for text in sealed]
    for i, name in enumerate(names):
        content = agent.open(agent.answer(name))
        assert content.get("seq") == str(i + 2)
    print(f"{500 / (time.monotonic() - started):.0f} reports a second")
    values = [r["value"] for r in centre.rows("history")
              if r["record"] == "counter"]
    assert values == list(range(501))
    assert [r["value"] for r in centre.rows("history", "--limit", "3")] == \
        [498, 499, 500]


def test_signals(centre, agent):
    centre.process.send_signal(signal.SIGHUP)
    agent.shake()
    assert agent.tell("")[0] == "ack"
    assert centre.stop() == 0


def test_secrets(centre):
    def start():
        return subprocess.run([PROGRAM, "-c", centre.config, "run", "-d"],
                              text=True, capture_output=True, timeout=20)

    for path in ("secret", "central.key"):
        path = f"{centre.directory}/{path}"
        os.chmod(path, 0o644)
        done = start()
        assert done.returncode == 1 and path in done.stderr, done.stderr
        os.chmod(path, 0o600)
        os.rename(path, path + ".away")
        done = start()
        assert done.returncode == 1 and path in done.stderr, done.stderr
        os.rename(path + ".away", path)
    with open(centre.config, "a", encoding="ascii") as f:
        f.write("colour = red\n")
    done = start()
    assert done.returncode == 1
    assert "central.ini:11" in done.stderr and "colour" in done.stderr


def test_usage(centre):
    for words in (["frobnicate"], ["enrol"], ["enrol", "x"], ["agents", "y"],
                  ["enrol", "a;b", "--jid", "a@b.test"],
                  ["devices", "--limit", "0"], ["devices", "--since", "x"],
                  ["enrol", "x", "--jid", "a@b.test", "--valid", "never"]):
        assert centre.try_command(*words).returncode == 2, words
    assert centre.try_command("agents", "--approve",
                              "no@b.test").returncode == 1
    assert f"central = {JID}" in centre.command(
        "enrol", "x", "--jid", "X@b.test", "--valid", "1d")
