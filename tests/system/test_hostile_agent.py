"""Promise: an agent that turns hostile, or a stranger with an account, gets
nothing at the centre but its own answers: no asset, consumable, alert, epoch
or name of another agent changes or is told, whatever is replayed, reflected,
forged, malformed or sent without end; it costs bounded memory and time, the
others are served meanwhile, and the log says who it was, in few lines.

The real centre on a real server; the agents are speaker.py's.
"""
import itertools
import os
import re
import threading
import uuid
import xml.etree.ElementTree as ElementTree
import zlib

import noise
import pytest
import squash

from centralbench import REPORT, SCE, SEALED, SESSION, Refused, asset
from rig import COMPONENT
from speaker import Cost, Speaker

MB = 1 << 20
LINES = 150             # of the log, about one agent
STORES = ["sqlite", "postgresql"]


@pytest.fixture(scope="module")
def site(module_rig):
    module_rig.server.start()
    module_rig.central_key = re.search(
        r"public key +(\S+)", module_rig.central.init())[1]
    module_rig.central.start()
    return module_rig


numbers = itertools.count(1)


@pytest.fixture
def name():
    """For accounts of this test's own."""
    return str(next(numbers))


@pytest.fixture
def honest(site, name):
    """An agent with a printer, a consumable and an alert."""
    a = Speaker(site, f"honest{name}").begin()
    a.laser, a.toner, a.jam = (str(uuid.uuid4()) for _ in range(3))
    a.mine = (asset(a.laser, f"HL-{name}", "Vault 7"), supply(a.toner, a.laser),
              alarm(a.jam, a.laser))
    assert a.tell("".join(a.mine))[0] == "ack"
    yield a
    # Whatever happened, it goes on.
    assert a.tell(f"<asset id='{a.laser}'><location>Vault 8</location>"
                  "</asset>")[0] == "ack"
    a.line.stop()


@pytest.fixture
def hostile(site, name):
    a = Speaker(site, f"hostile{name}").begin()
    yield a
    a.line.stop()


def supply(ident, of, level=50):
    return (f"<consumable id='{ident}' asset='{of}'><index>1</index>"
            f"<kind>toner</kind><level>{level}</level></consumable>")


def alarm(ident, of, text="jam"):
    return (f"<alert id='{ident}' asset='{of}'><index>7</index><code>8</code>"
            f"<description>{text}</description></alert>")


# What every table has of one agent; presence and who else knocked aside.
OWNED = {
    "agent": "SELECT id, jid, name, customer, state, key, token_hash, epoch, "
             "want_whole FROM agent g WHERE jid = ?",
    "asset": "SELECT t.* FROM asset t JOIN agent g ON g.id = t.agent "
             "WHERE g.jid = ?",
    **{table: f"SELECT t.* FROM {table} t JOIN asset a ON a.id = t.asset "
       "JOIN agent g ON g.id = a.agent WHERE g.jid = ?"
       for table in ("consumable", "alert", "counter", "history")},
    **{table: f"SELECT t.* FROM {table} t JOIN agent g ON g.id = t.agent "
       "WHERE g.jid = ?" for table in ("epoch", "alias", "agent_report")},
    "refused": "SELECT t.* FROM refused t JOIN epoch e ON e.id = t.epoch "
               "JOIN agent g ON g.id = e.agent WHERE g.jid = ?",
}


def plain(rows):
    """To compare, whatever the store calls octets."""
    return sorted(repr([bytes(v) if isinstance(v, memoryview) else v
                        for v in row]) for row in rows)


def owned(site, agent):
    db = site.central.database()
    try:
        return {table: plain(db.execute(sql, (agent.jid,)))
                for table, sql in OWNED.items()}
    finally:
        db.close()


def everything(site):
    """All that anybody's reports could have changed."""
    db = site.central.database()
    try:
        return {table: plain(db.execute(f"SELECT * FROM {table}"))
                for table in OWNED if table != "agent"}
    finally:
        db.close()


def said_about(site, agent):
    return [line for line in site.central.log().splitlines()
            if agent.jid in line]


def is_refused(content):
    return content.find(f"{{{REPORT}}}refused") is not None


def refused(agent, payload, condition, **how):
    with pytest.raises(Refused, match=condition):
        agent.answer(agent.post(payload, **how))


# --- keys and handshakes ------------------------------------------------------

def test_account_without_its_key(site, honest):
    """The password alone: what it can do is be refused."""
    thief = Speaker(site, None, like=honest)
    before = everything(site), owned(site, honest)
    thief.presence()
    for token in None, "guessed":
        with pytest.raises(Refused, match="not-authorized"):
            thief.shake(token=token)
    theirs = honest.seal(honest.envelope(honest.report("", honest.seq + 1)))
    refused(thief, theirs, "item-not-found")
    honest.session.send.n -= 1
    thief.presence("unavailable")
    assert (everything(site), owned(site, honest)) == before
    row, = [r for r in site.central.json("agents") if r["jid"] == honest.jid]
    assert row["other_key_at"] is not None
    assert any("another key is bound" in line
               for line in said_about(site, honest))


def test_stranger_waits(site, name, honest):
    """An account that nobody enrolled is told to wait, and that is all."""
    stranger = Speaker(site, f"stranger{name}", enrol=False)
    before = everything(site)
    for _ in range(5):
        with pytest.raises(Refused, match="registration-required"):
            stranger.shake()
    # With another's token, whose key has been bound by it.
    with pytest.raises(Refused, match="registration-required"):
        stranger.shake(token=honest.token)
    refused(stranger, f"<sealed xmlns='{SEALED}' n='0'>AAAA</sealed>",
            "item-not-found")
    assert everything(site) == before
    assert len(said_about(site, stranger)) in range(1, 10)


def test_handshakes_replayed(site, honest, hostile):
    """Message 1 of the other agent, from one's own account and, with its
    password, from its own: neither ends its session."""
    first, _ = honest.greeting()
    again = Speaker(site, None, like=honest)
    before = owned(site, honest)
    for _ in range(10):
        refused(hostile, first, "bad-request")
        try:
            again.answer(again.post(first))
        except Refused as why:
            assert str(why) == "resource-constraint"
    assert owned(site, honest) == before
    assert honest.tell("")[0] == "ack"
    assert len(said_about(site, hostile)) < LINES


def test_sealed_reflected(site, honest, hostile):
    """What was sealed for another, by another, or in another session."""
    theirs = honest.seal(honest.envelope(honest.report("", honest.seq + 1)))
    honest.session.send.n -= 1
    echo = hostile.answer(hostile.post(hostile.seal(hostile.envelope(
        hostile.report("", hostile.seq + 1)))))
    hostile.seq += 1
    echo = f"<sealed xmlns='{SEALED}' n='{{}}'>{echo.text}</sealed>"
    old = hostile.seal(hostile.envelope(hostile.report(
        asset(uuid.uuid4(), "OLD"), hostile.seq + 1)))
    hostile.shake()
    hostile.tell("")
    before = everything(site)
    for text in theirs, echo.format(0), echo.format(7), old:
        refused(hostile, text, "bad-request")
    assert everything(site) == before
    assert hostile.tell("")[0] == "ack"


def test_from_affix_of_another(site, honest, hostile):
    before = everything(site)
    report = honest.report(f"<asset id='{honest.laser}'><location>Moon"
                           "</location></asset>", honest.seq + 1)
    for how in ({"sender": honest.jid}, {"to": honest.jid},
                {"sender": COMPONENT}, {"sender": honest.jid, "to": ""}):
        refused(hostile, hostile.seal(hostile.envelope(report, **how)),
                "bad-request")
    assert everything(site) == before
    assert any("somebody else" in x for x in said_about(site, hostile))


# --- what is another's ----------------------------------------------------------

def test_others_things(site, honest, hostile):
    """The same UUIDs, keys, serials, MACs; things of the other on one's own
    printer and the reverse; in any order."""
    before = owned(site, honest)
    laser, toner, jam = honest.laser, honest.toner, honest.jam
    own, ghost = str(uuid.uuid4()), str(uuid.uuid4())
    key = re.search("<key>.*</serial>", honest.mine[0])[0]
    told = []
    for records in (
            f"<asset id='{laser}'><location>Moon</location></asset>",
            honest.mine[0], "".join(honest.mine),
            f"<asset id='{laser}'><key/><serial/></asset>",
            supply(toner, laser, 1), alarm(jam, laser, "mine"),
            supply(str(uuid.uuid4()), laser), alarm(str(uuid.uuid4()), laser),
            asset(own, "OWN"), supply(toner, own, 1), alarm(jam, own),
            # An asset under the name of a consumable of the other's.
            asset(toner, "OWN2"), supply(laser, own), alarm(laser, own),
            # The same printer, seen by two: a row of one's own.
            f"<asset id='{ghost}'>{key}</asset>", supply(toner, ghost),
            asset(str(uuid.uuid4()), "OWN"),
            f"<asset id='{laser}'>{key}</asset>"):
        what, _ = hostile.tell(records)
        told.append(what)
        answer = ElementTree.tostring(hostile.content, encoding="unicode")
        assert "Vault" not in answer and "HL-" not in answer
        for same in hostile.content:
            assert same.get("known") not in (laser, toner, jam)
    assert "refused" in told and "ack" in told
    assert owned(site, honest) == before
    assert len(said_about(site, hostile)) in range(1, LINES)
    # What is said to whom: nothing of the other's by way of a question.
    rows = site.central.json("devices", "--agent", hostile.jid)
    assert "Vault 7" not in repr(rows)


def test_others_epoch(site, honest, hostile):
    """The other's epoch is another one if it is mine."""
    before = owned(site, honest)
    name = f"<asset id='{uuid.uuid4()}'><location>x</location></asset>"
    refused(hostile, hostile.seal(hostile.envelope(hostile.report(
        name, honest.seq + 1, epoch=honest.epoch))), "bad-request")
    hostile.epoch, hostile.seq = honest.epoch, 0
    assert hostile.taken(hostile.shake()) == 0
    assert hostile.tell(name) == ("ack", 1)
    assert owned(site, honest) == before


def test_numbers(site, honest, hostile):
    """Far ahead, huge, holes, nothing: asked for again or refused."""
    last = hostile.seq
    before = everything(site)
    for seq in last + 2, 10 ** 9, 10 ** 18 - 1:
        assert hostile.tell("", seq=seq) == ("again", last)
    for seq in 10 ** 18, 2 ** 62, 2 ** 63, 2 ** 64 + last + 1, 0, -1, "1e3", " 1", "":
        refused(hostile, hostile.seal(hostile.envelope(
            hostile.report("", seq))), "bad-request")
    assert everything(site) == before
    for first in 0, -1, 2 ** 63, "x":
        with pytest.raises(Refused, match="bad-request"):
            hostile.shake(first=first)
    # It says that all before this are gone: its own loss.
    hostile.seq = 10 ** 17 - 1
    assert hostile.shake().get("whole") == "true"
    assert hostile.tell("") == ("ack", 10 ** 17)
    assert hostile.tell("", seq=5)[0] == "ack"         # long ago
    assert everything(site)["asset"] == before["asset"]


# --- malformed -------------------------------------------------------------------

def bomb(levels=12):
    entities = "".join(
        f"<!ENTITY {chr(98 + i)} '{('&' + chr(97 + i) + ';') * 10}'>"
        for i in range(levels))
    return f"<!DOCTYPE x [<!ENTITY a 'ha'>{entities}]>", f"&{chr(97 + levels)};"


def malformed(a):
    """Plaintexts of all kinds that make no report."""
    seq = a.seq + 1
    dtd, reference = bomb()
    good = a.envelope(a.report("", seq))
    yield dtd + a.envelope(a.report(
        f"<asset id='{uuid.uuid4()}'><location>{reference}</location>"
        "</asset>", seq))
    yield ("<!DOCTYPE x SYSTEM 'file:///etc/passwd' [<!ENTITY a SYSTEM "
           "'file:///etc/passwd'>]>" + a.envelope(a.report("&a;", seq)))
    yield a.envelope(a.report("<a>" * 5000 + "</a>" * 5000, seq))
    yield a.envelope(a.report("<a>" * 14 + "</a>" * 14, seq))
    yield a.envelope(a.report("<a/>" * 9000, seq))
    yield a.envelope(a.report(
        "<a " + " ".join(f"b{i}=''" for i in range(3000)) + "/>", seq))
    yield a.envelope(a.report("".join(
        f"<a{i} xmlns='u:{i}'/>" for i in range(1500)), seq))
    yield good + good
    yield good[:-20]
    yield "<" * 40000
    yield "<a b='" + "x" * 50000
    yield " " * 60000
    yield a.envelope(a.report(f"<asset id='{uuid.uuid4()}'><location>&#7;"
                              "</location></asset>", seq))
    yield "<?php x?>" + good
    yield good.replace("<content>", "<content><!-- x -->")
    yield good.replace("<rpad>", "<from jid='x'/><rpad>")
    yield good.replace("2026-11-20T", "2026-13-40T")
    yield good.replace("</content>", "<report xmlns='x'/></content>")
    yield good.replace(REPORT, "urn:platen:report:9")
    yield good.replace(SCE, "urn:xmpp:sce:0")
    yield good.encode("utf-16")
    yield good.encode().replace(b"<content>", b"<content>\xff\xfe")
    yield good.encode().replace(b"<rpad>", b"<rpad>\0")
    yield "<?xml version='1.0' encoding='ISO-8859-1'?>" + good
    yield os.urandom(4000)
    yield ""
    # Sixty megabytes in sixty kilobytes, as XML and not.
    yield squash.pack(b"<a>" + b"x" * (58 * MB))
    yield squash.pack(good.replace("<rpad>", "<rpad>" + "x" * (50 * MB))
                      .encode())
    packed = squash.pack(good.encode())
    yield packed[:64]
    yield packed + bytes(128)
    yield packed + packed
    yield b"\x78\x9c" + packed[2:]
    yield zlib.compress(good.encode()) + bytes(64)


def misnumbered(a):
    """Frames that do not hold what they say."""
    one, two = a.seq + 1, a.seq + 2

    def frame(inner, lane="urgent", first=one, last=two):
        return (f"<reports xmlns='{REPORT}' epoch='{a.epoch}' lane='{lane}' "
                f"first='{first}' last='{last}'>{inner}</reports>")

    def told(seq, turn):
        return f"<report seq='{seq}' turn='{turn}'/>"
    yield frame("", lane="slow")
    yield frame("", lane="")
    yield frame("", first=two, last=one)
    yield frame("", first=0)
    yield frame("", last=10 ** 18)
    yield frame(told(two, 90) + told(one, 91))
    yield frame(told(one, 90) + told(one, 91))
    yield frame(told(one, 91) + told(two, 90))
    yield frame(told(two + 1, 90))
    yield frame(told(one - 1, 90))
    yield frame(told(one, 0))
    yield frame("<asset/>")
    yield frame(frame(""))
    yield f"<report xmlns='{REPORT}' epoch='{a.epoch}' seq='{one}'/>"


def bad_records():
    ident = uuid.uuid4()
    yield "<x/>", "<asset/>", "<asset id='1'/>", "text"
    for inner in ("<location>" + "x" * 300 + "</location>",
                  "<state>nowhere</state>", "<serial><a/></serial>",
                  "<time>yesterday</time>", "<counter/>",
                  "<counter name='a'>-1</counter>",
                  "<counter name='a'>99999999999999999999</counter>",
                  "<counter name=''>1</counter>",
                  "".join(f"<counter name='c{i}'>1</counter>"
                          for i in range(65))):
        yield (f"<asset id='{ident}'>{inner}</asset>",)
    yield ("".join(f"<asset id='{uuid.uuid4()}'/>" for _ in range(513)),)
    yield (supply(ident, ident), alarm(ident, ident), supply("x", ident),
           f"<consumable id='{ident}'/>", "<agent><uptime>-1</uptime></agent>",
           "<agent/><agent/>", alarm(ident, ident, "x" * 300))


def test_malformed(site, honest, hostile):
    before = everything(site), len(site.central.log())
    with Cost(site.central.pid) as cost:
        for plain in malformed(hostile):
            try:
                content = hostile.open(hostile.answer(hostile.post(
                    hostile.seal(plain))))
            except Refused as why:
                assert str(why) == "bad-request"
            else:
                assert is_refused(content)
                hostile.seq = int(content.get("seq"))
    after = everything(site)
    for table in set(OWNED) - {"agent", "refused", "epoch"}:
        assert after[table] == before[0][table]
    cost.bounded(5, 48 * MB)
    assert len(site.central.log()) - before[1] < 20000
    assert any("wrong envelope" in x for x in said_about(site, hostile))
    assert hostile.tell("")[0] == "ack"


def test_misnumbered(site, honest, hostile):
    before = everything(site)
    for content in misnumbered(hostile):
        refused(hostile, hostile.seal(hostile.envelope(content)),
                "bad-request")
    assert everything(site) == before
    # Holes without end in one message are one number more, and no work.
    with Cost(site.central.pid) as cost:
        content = hostile.open(hostile.answer(hostile.post(hostile.seal(
            hostile.envelope(
                f"<reports xmlns='{REPORT}' epoch='{hostile.epoch}' "
                f"lane='bulk' first='1' last='{10 ** 18 - 1}'/>")))))
    assert content.get("seq") == str(10 ** 18 - 1)
    cost.bounded(1, 8 * MB)
    assert hostile.tell("")[0] == "ack"


def test_bad_records(site, honest, hostile):
    """Each is refused for good, and takes nothing of its neighbours'."""
    before = everything(site)
    for group in bad_records():
        for records in group:
            what, seq = hostile.tell(records)
            assert (what, seq) == ("refused", hostile.seq), records[:200]
    after = everything(site)
    for table in set(OWNED) - {"agent", "refused", "epoch"}:
        assert after[table] == before[table], table
    assert len(said_about(site, hostile)) in range(1, LINES)


def test_refused_without_end(site, honest, hostile):
    """A thousand reports that make no sense: the log has some of them."""
    with Cost(site.central.pid) as cost:
        idents = []
        for _ in range(1500):
            hostile.seq += 1
            idents.append(hostile.post(hostile.seal(hostile.envelope(
                hostile.report("<asset/>", hostile.seq)))))
        for ident in idents:
            assert is_refused(hostile.open(hostile.answer(ident)))
    cost.bounded(6, 32 * MB)
    assert len(said_about(site, hostile)) in range(1, LINES)
    kept = [r for r in owned(site, hostile)["refused"]]
    assert len(kept) <= 1001


# --- floods ----------------------------------------------------------------------

def huge(a):
    yield f"<sealed xmlns='{SEALED}' n='3'>{'A' * 200000}</sealed>"
    yield f"<handshake xmlns='{SESSION}'>{'A' * 200000}</handshake>"
    yield f"<sealed xmlns='{SEALED}' n='{'9' * 10000}'>AAAA</sealed>"
    yield f"<sealed xmlns='{SEALED}' n='3'>{'=' * 4000}</sealed>"
    yield f"<sealed xmlns='{SEALED}' n='3'>{'&#65;' * 30000}</sealed>"
    yield f"<sealed xmlns='{SEALED}' n='3'>" + "<a>" * 400 + "</a>" * 400 \
        + "</sealed>"
    yield f"<sealed xmlns='{SEALED}' " + " ".join(
        f"a{i}='{i}'" for i in range(2000)) + " n='3'/>"


def test_huge(site, honest, hostile):
    before = everything(site)
    with Cost(site.central.pid) as cost:
        for _ in range(5):
            for payload in huge(hostile):
                refused(hostile, payload, "bad-request|policy-violation")
    assert everything(site) == before
    cost.bounded(5, 48 * MB)
    assert hostile.tell("")[0] == "ack"


FLOODS = {
    "handshakes": lambda a, i: f"<handshake xmlns='{SESSION}'>"
                  f"{noise.b64(os.urandom(200))}</handshake>",
    "real handshakes": lambda a, i: a.greeting()[0],
    "sealed": lambda a, i: f"<sealed xmlns='{SEALED}' n='{i + 100}'>"
              f"{noise.b64(os.urandom(900))}</sealed>",
    "pings": lambda a, i: "<ping xmlns='urn:xmpp:ping'/>",
    "unknown": lambda a, i: f"<x{i} xmlns='u:{i}'/>",
}


@pytest.mark.parametrize("kind", FLOODS)
def test_flood(site, honest, hostile, kind):
    """Two thousand of a kind as fast as they go: each is answered or the
    server slows the sender down, and the other agent is served meanwhile."""
    count = 300 if kind == "real handshakes" else 2000
    before = owned(site, honest)["asset"]
    done, served = threading.Event(), []

    def serve():
        while not done.is_set():
            assert honest.tell("")[0] == "ack"
            served.append(honest.seq)
    other = threading.Thread(target=serve)
    with Cost(site.central.pid) as cost:
        other.start()
        try:
            idents = [hostile.post(FLOODS[kind](hostile, i),
                                   type_="get" if kind == "pings" else "set")
                      for i in range(count)]
            for ident in idents:
                try:
                    hostile.answer(ident)
                except Refused as why:
                    assert str(why) in ("bad-request", "resource-constraint",
                                        "service-unavailable")
        finally:
            done.set()
            other.join()
    assert len(served) >= 2     # the first may have been before it
    assert owned(site, honest)["asset"] == before
    cost.bounded(8, 32 * MB)
    assert len(said_about(site, hostile)) < LINES


def test_presence_flood(site, honest, hostile):
    with Cost(site.central.pid) as cost:
        # No other kinds: for those an ejabberd without mod_roster ends the
        # client's session.
        for i in range(1500):
            hostile.presence("unavailable" if i % 2 == 0 else None)
        hostile.presence()
        hostile.answer(hostile.post("<ping xmlns='urn:xmpp:ping'/>",
                                    type_="get"))
    cost.bounded(6, 24 * MB)
    assert len(said_about(site, hostile)) in range(1, LINES)
    hostile.shake()
    assert hostile.tell("")[0] == "ack"


def test_many_resources(site, honest, hostile):
    """One account, many connections: they share one bound."""
    more = [Speaker(site, None, like=hostile) for _ in range(12)]
    before = everything(site)
    with Cost(site.central.pid) as cost:
        answers = []
        for turn in range(6):
            for one in more:
                one.secret = hostile.secret
                one.presence()
                answers.append((one, one.post(one.greeting(first=1)[0])))
        conditions = []
        for one, ident in answers:
            try:
                one.answer(ident)
            except Refused as why:
                conditions.append(str(why))
    assert conditions.count("resource-constraint") >= 30
    assert everything(site) == before
    cost.bounded(4, 24 * MB)
    # Its own session was not touched by those that never proved theirs.
    assert hostile.tell("")[0] == "ack"
    for one in more:
        one.line.stop()


def test_the_centre_is_the_same(site):
    """After all of this: one process from first to last, and sound."""
    assert site.central.running()
    assert len(re.findall("is connected to", site.central.log())) == 1
    assert "store failed" not in site.central.log()
    site.central.json("agents")
    if site.store == "sqlite":
        db = site.central.database()
        assert [tuple(r) for r in db.execute("PRAGMA integrity_check")] == [
            ("ok",)]
        db.close()
