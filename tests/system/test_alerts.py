"""Promise: every field of an alert that a printer raises arrives at the
centre, and its end.  The same alert is the same one through a restart of the
printer and a change of language; the removal rows of RFC 3805 are no alerts;
two trays with the same code are two; odd times, codes and texts do no harm."""
import datetime

import pytest
from rig import wait_for

HOST = "127.10.27.1"
ALERTS = "1.3.6.1.2.1.43.18.1.1"
ALL_EVENTS = "1.3.6.1.2.1.43.5.1.1.19.1"
CHARSET = "1.3.6.1.2.1.43.7.1.1.4.1.1"
UPTIME = "1.3.6.1.2.1.1.3.0"


@pytest.fixture
def system(rig):
    rig.prosody.start()
    rig.sim.start([f"{HOST}=@hp-mono"])
    rig.central.init()
    rig.central.start()
    rig.agent.enrol().write(heartbeat="300ms", assets="2s")
    rig.agent.start().wait_online()
    wait_for(lambda: rig.central.json("devices"), 20, "the printer", 0.1)
    return rig


def alerts(rig, *options):
    return rig.central.json("alerts", *options)


def wait_alerts(rig, wanted=lambda a: True, count=1):
    """The active ones that are wanted, when there are so many."""
    def look():
        found = [a for a in alerts(rig) if wanted(a)]
        return found if len(found) == count else None
    return wait_for(look, 20, f"{count} alerts", 0.1)


def wait_none(rig):
    wait_for(lambda: not alerts(rig), 20, "no active alert", 0.1)


def polls(rig, more=20):
    before = rig.sim.send("stats", HOST)["requests"]
    wait_for(lambda: rig.sim.send("stats", HOST)["requests"] >= before + more,
             30, "polls")


def row(rig, index, severity=3, training=4, group=8, group_index=1,
        location=-2, code=8, text="row", time=None):
    """A row as the printer's own, whole before it is seen."""
    if time is None:
        time = int(rig.sim.get(HOST, UPTIME))
    for column, value in ((3, f"2 {training}"), (4, f"2 {group}"),
                          (5, f"2 {group_index}"), (6, f"2 {location}"),
                          (7, f"2 {code}"), (8, text if isinstance(
                              text, bytes) else f"4 {text}"),
                          (9, f"67 {time}"), (2, f"2 {severity}")):
        if isinstance(value, bytes):
            value = f"4x {value.hex()}"
        rig.sim.send(f"set {HOST} {ALERTS}.{column}.1.{index} {value}")
    rig.sim.send("bump", HOST, ALL_EVENTS, 1)


def unset_row(rig, index):
    for column in range(2, 10):
        rig.sim.send(f"unset {HOST} {ALERTS}.{column}.1.{index}")
    rig.sim.send("bump", HOST, ALL_EVENTS, 1)


def age_s(text):
    then = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (datetime.datetime.now(datetime.timezone.utc)
            - then).total_seconds()


def test_every_field_and_its_end(system):
    rig = system
    total = {c["name"]: c["value"] for c in
             rig.central.json("devices")[0]["counters"]}["total"]
    index = rig.sim.raise_alert(HOST, code=808, severity=3, group=8,
                                index=2, training=4, location=77,
                                text="Load tray 2: A4 plain")
    alert, = wait_alerts(rig)
    assert {k: alert[k] for k in (
        "index", "code", "severity", "group", "group_index", "training",
        "description", "location", "pages", "cleared")} == {
        "index": index, "code": 808, "severity": "critical",
        "group": "input", "group_index": 2, "training": "trained",
        "description": "Load tray 2: A4 plain", "location": 77,
        "pages": total, "cleared": None}
    assert "empty" in alert["code_name"].lower()
    assert alert["agent"] == "agent" and alert["asset"] and alert["id"]
    assert -5 < age_s(alert["raised"]) < 30
    # The end, at a later page.
    rig.sim.send("alert", HOST, "clear", index)
    wait_none(rig)
    over, = alerts(rig, "--all")
    assert over["id"] == alert["id"]
    assert over["raised"] == alert["raised"]
    assert over["cleared"] >= over["raised"]
    story = [r["field"] for r in rig.central.json("history")
             if r["record"] == "alert"]
    assert story == ["raised", "cleared"]


def test_severities_and_unknown_numbers(system):
    rig = system
    for at, severity in enumerate((1, 3, 4, 5, 77), 1):
        row(rig, 500 + at, severity=severity, group_index=at,
            code=31000 + at, group=99, training=55, text=f"no {at}")
    found = wait_alerts(rig, count=5)
    said = {a["description"]: a for a in found}
    assert [said[f"no {n}"]["severity"] for n in range(1, 6)] == [
        "other", "critical", "warning", "warningBinaryChangeEvent", 77]
    assert [said[f"no {n}"]["code"] for n in range(1, 6)] == [
        31001, 31002, 31003, 31004, 31005]
    assert {a["group"] for a in found} == {99}
    assert {a["training"] for a in found} == {55}
    for at in range(1, 6):
        unset_row(rig, 500 + at)
    wait_none(rig)


def test_restart_of_the_printer_is_no_second_alert(system):
    """Indexes begin anew, the uptime too: still the same jam."""
    rig = system
    other = rig.sim.raise_alert(HOST, code=807, severity=5, group=8, index=1,
                                text="Tray 1 low")
    rig.sim.raise_alert(HOST, code=8, severity=3, group=13, index=1,
                        text="Jam")
    before = {a["code"]: a for a in wait_alerts(rig, count=2)}
    rig.sim.send("alert", HOST, "clear", other)
    wait_alerts(rig)
    rig.sim.send("restart", HOST)
    polls(rig)
    alert, = wait_alerts(rig)
    assert alert["id"] == before[8]["id"]
    assert alert["raised"] == before[8]["raised"]
    assert len(alerts(rig, "--all")) == 2
    # Another language: the same alert with other words.
    index = alert["index"]
    rows = [i for i in range(1, 50) if rig.sim.get(
        HOST, f"{ALERTS}.7.1.{i}") == "8"]
    assert len(rows) == 1 and index is not None
    rig.sim.send(f"set {HOST} {ALERTS}.8.1.{rows[0]} 4 Papierstau")
    alert, = wait_alerts(rig, lambda a: a["description"] == "Papierstau")
    assert alert["id"] == before[8]["id"]
    assert len(alerts(rig, "--all")) == 2


def test_same_code_in_different_trays(system):
    rig = system
    first = rig.sim.raise_alert(HOST, code=808, severity=3, group=8, index=1,
                                text="Tray empty")
    rig.sim.raise_alert(HOST, code=808, severity=3, group=8, index=2,
                        text="Tray empty")
    found = {a["group_index"]: a for a in wait_alerts(rig, count=2)}
    assert set(found) == {1, 2} and found[1]["id"] != found[2]["id"]
    rig.sim.send("alert", HOST, "clear", first)
    left, = wait_alerts(rig)
    assert left["id"] == found[2]["id"]
    # Again in tray 1: a new one.
    rig.sim.raise_alert(HOST, code=808, severity=3, group=8, index=1,
                        text="Tray empty")
    again = {a["group_index"]: a for a in wait_alerts(rig, count=2)}
    assert again[2]["id"] == found[2]["id"]
    assert again[1]["id"] != found[1]["id"]
    assert len(alerts(rig, "--all")) == 3


def test_removal_rows_are_no_alerts(system):
    rig = system
    index = rig.sim.raise_alert(HOST, code=8, severity=5, group=8, index=1,
                                text="Jam")
    wait_alerts(rig)
    rig.sim.send("alert", HOST, "clear", index, "trace")
    wait_none(rig)
    polls(rig)
    assert rig.sim.send("list")[0]["alerts"] >= 0
    everything = alerts(rig, "--all")
    assert [a["code"] for a in everything] == [8]
    assert everything[0]["cleared"] is not None
    # The removal row is there although the removed one is, too: it ends it.
    row(rig, 700, severity=5, code=3, group=6, text="Door")
    wait_alerts(rig)
    row(rig, 701, severity=4, code=1801, group=18, group_index=700,
        text="removed")
    wait_none(rig)
    assert sorted(a["code"] for a in alerts(rig, "--all")) == [3, 8]


def test_unary_alerts_are_events(system):
    """Shown while the printer shows them, once, and over when they go."""
    rig = system
    row(rig, 600, severity=4, code=503, group=5, text="Power up")
    alert, = wait_alerts(rig)
    assert alert["severity"] == "warning"
    polls(rig)
    assert [a["id"] for a in alerts(rig)] == [alert["id"]]
    # One from yesterday is told as over.
    uptime = int(rig.sim.get(HOST, UPTIME))
    assert uptime > 25 * 360000, "the simulated printer runs for days"
    row(rig, 601, severity=4, code=504, group=5, text="Long ago",
        time=uptime - 25 * 360000)
    wait_for(lambda: [a for a in alerts(rig, "--all") if a["code"] == 504
                      and a["cleared"]], 20, "the old event", 0.1)
    assert [a["id"] for a in alerts(rig)] == [alert["id"]]
    unset_row(rig, 600)
    wait_none(rig)
    polls(rig)
    assert len(alerts(rig, "--all")) == 2


def test_times(system):
    rig = system
    uptime = int(rig.sim.get(HOST, UPTIME))
    row(rig, 801, code=8, group_index=1, text="an hour", time=uptime - 360000)
    row(rig, 802, code=8, group_index=2, text="future",
        time=uptime + 100 * 360000)
    row(rig, 803, code=8, group_index=3, text="never", time=2 ** 32 - 1)
    found = {a["description"]: a for a in wait_alerts(rig, count=3)}
    assert 3590 < age_s(found["an hour"]["raised"]) < 3640
    for text in "future", "never":
        assert -5 < age_s(found[text]["raised"]) < 30, "when it was seen"
    before = {text: a["raised"] for text, a in found.items()}
    polls(rig)
    assert {a["description"]: a["raised"] for a in alerts(rig)} == before
    history = [r for r in rig.central.json("history")
               if r["record"] == "alert"]
    assert len(history) == 3, "raised once each"


# prtLocalizationCharacterSet: 4 is Latin-1, 106 UTF-8, 2004 hp-roman8.
@pytest.mark.parametrize("charset, octets, text", [
    (106, "Klappe öffnen".encode(), "Klappe öffnen"),
    (2004, "Klappe öffnen".encode(), "Klappe öffnen"),
    (4, "Klappe öffnen".encode("latin-1"), "Klappe öffnen"),
    (106, "Klappe öffnen".encode("latin-1"), "Klappe öffnen"),
    (2004, b"Klappe \xceffnen", "Klappe öffnen"),
    (106, "紙づまり".encode(), "紙づまり"),
    (106, b"  jam \r\n in\ttray \0", "jam in tray"),
    (106, b"<alert/>&amp;]]>", "<alert/>&amp;]]>"),
], ids=["utf-8", "utf-8 all the same", "latin-1", "latin-1 all the same",
        "roman-8", "japanese", "blanks", "markup"])
def test_texts(system, charset, octets, text):
    rig = system
    rig.sim.send(f"set {HOST} {CHARSET} 2 {charset}")
    rig.sim.send("config", HOST)        # makes it be read anew
    polls(rig, 14)
    row(rig, 900, text=octets)
    alert, = wait_alerts(rig)
    assert " ".join(alert["description"].split()) == text
    assert alert["description"].isprintable()


def test_no_text_at_all(system):
    """The description may be empty: code and group say enough."""
    row(system, 901, text=b"", code=8, group=8, group_index=2)
    alert, = wait_alerts(system)
    assert alert["code"] == 8 and alert["code_name"] == "jam"
