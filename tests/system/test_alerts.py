"""Promise: every field of an alert that a printer raises arrives at the
centre, and its end.  The same alert is the same one through a restart of the
printer and a change of language; the removal rows of RFC 3805 are no alerts;
two trays with the same code are two; odd times, codes and texts do no harm."""
import datetime
import json

import pytest
from rig import program, run_program, wait_for

HOST = "127.10.27.1"
ALERTS = "1.3.6.1.2.1.43.18.1.1"
ALL_EVENTS = "1.3.6.1.2.1.43.5.1.1.19.1"
CHARSET = "1.3.6.1.2.1.43.7.1.1.4.1.1"
UPTIME = "1.3.6.1.2.1.1.3.0"


@pytest.fixture
def system(rig):
    rig.server.start()
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


# --- what the row itself does not say ----------------------------------------

ERRORS = "1.3.6.1.2.1.25.3.5.1.2.1"
STATUS = "1.3.6.1.2.1.25.3.2.1.5.1"
CODE = "50.2 FUSER ERROR"


def error_bits(rig, bits, status=5):
    rig.sim.send(f"set {HOST} {STATUS} 2 {status}")
    rig.sim.send(f"set {HOST} {ERRORS} 4x {bits}")


def test_bits_without_rows_are_alerts(system):
    """Printers that list no alerts and only set bits."""
    rig = system
    error_bits(rig, "4800")                         # noPaper, doorOpen
    found = {a["code"]: a for a in wait_alerts(rig, count=2)}
    assert {c: (a["group"], a["severity"], a["source"], a["index"])
            for c, a in found.items()} == {
        808: ("input", "critical", "error-bits", None),
        3: ("cover", "critical", "error-bits", None)}
    assert found[3]["code_name"] == "coverOpen"
    assert found[3]["pages"] and found[3]["description"]
    error_bits(rig, "4000", status=3)
    left, = wait_alerts(rig, lambda a: a["severity"] != "critical")
    assert left["id"] == found[808]["id"]
    error_bits(rig, "0000", status=2)
    wait_none(rig)
    polls(rig)
    assert len(alerts(rig, "--all")) == 2


def test_bits_that_a_row_explains_add_nothing(system):
    rig = system
    error_bits(rig, "4000")
    bit, = wait_alerts(rig)
    row(rig, 950, code=808, group=8, group_index=2, text="Tray 2 empty")
    both, = wait_alerts(rig, lambda a: a["source"] == "row")
    assert both["id"] == bit["id"] and both["group_index"] == 2
    assert both["description"] == "Tray 2 empty"
    # The row goes first, the bit a while later: one end.
    unset_row(rig, 950)
    polls(rig)
    still, = wait_alerts(rig)
    assert still["id"] == bit["id"]
    error_bits(rig, "0000", status=2)
    wait_none(rig)
    assert len(alerts(rig, "--all")) == 1


def test_a_sleeping_printer_hides_its_table(system):
    rig = system
    row(rig, 960, severity=5, code=12, group=11, group_index=1,
        text="Black low")
    alert, = wait_alerts(rig)
    rig.sim.send("asleepdata", HOST, f"{ALERTS}.*", "none")
    rig.sim.send("asleep", HOST, "on")
    wait_for(lambda: rig.central.json("devices")[0]["state"] == "asleep", 20,
             "sleep", 0.1)
    polls(rig)
    assert [a["id"] for a in alerts(rig)] == [alert["id"]]
    rig.sim.send("asleep", HOST, "off")
    wait_for(lambda: rig.central.json("devices")[0]["state"] == "online", 20,
             "its waking", 0.1)
    polls(rig)
    assert [a["id"] for a in alerts(rig, "--all")] == [alert["id"]]
    unset_row(rig, 960)
    wait_none(rig)


def test_a_printer_that_is_gone_has_its_alerts_still(system):
    rig = system
    row(rig, 970, text="Jam")
    wait_alerts(rig)
    rig.sim.send("silent", HOST, "on")
    wait_for(lambda: rig.central.json("devices")[0]["state"]
             == "unreachable", 40, "the loss", 0.1)
    assert len(alerts(rig)) == 1
    rig.sim.send("silent", HOST, "off")
    wait_for(lambda: rig.central.json("devices")[0]["state"] == "online", 40,
             "the return", 0.1)
    polls(rig)
    assert len(alerts(rig, "--all")) == 1


def test_the_makers_code_and_finishers(system):
    rig = system
    row(rig, 980, code=30, group=10, text=CODE)
    row(rig, 981, code=30208, group=30, group_index=1, text="Stapler jam")
    row(rig, 982, code=5206, group=52, group_index=1, text="Feeder jam")
    found = {a["index"]: a for a in wait_alerts(rig, count=3)}
    assert found[980]["vendor_code"] == "50.2"
    assert found[981]["vendor_code"] is None
    assert (found[981]["group"], found[981]["code_name"]) == (
        "finDevice", "jam")
    assert (found[982]["group"], found[982]["code_name"]) == (
        "scanMediaPath", "scanMediaPathJam")


def test_what_nobody_wants_to_hear_of(system):
    """Not told; but read, known, and shown by platen probe.  A rule that
    comes later ends what was told before."""
    rig = system
    row(rig, 990, severity=5, code=23, group=5, text="Energiesparmodus")
    row(rig, 991, severity=5, code=1, group=5, text="SLEEP mode, deep")
    row(rig, 992, severity=5, code=8, group=13, text="Jam")
    assert {a["index"] for a in wait_alerts(rig, count=2)} == {991, 992}
    seen = json.loads(run_program([program("platen"), "probe", "--json",
                                   f"{HOST}:{rig.sim.port}"]))
    assert {a["index"] for a in seen[0]["alerts"]} >= {990, 991, 992}
    rig.agent.stop()
    rig.agent.more = {"alerts": {"ignore": 'mediaPath:jam, "sleep*, deep"'}}
    rig.agent.write(heartbeat="300ms", assets="2s").start().wait_online()
    left, = wait_alerts(rig, lambda a: a["index"] == 990)
    wait_for(lambda: len(alerts(rig)) == 1, 20, "the ends", 0.1)
    assert all(a["cleared"] for a in alerts(rig, "--all")
               if a["index"] in (991, 992))
    polls(rig)
    assert len(alerts(rig)) == 1


# --- counters that start anew -------------------------------------------------

LIFE = "1.3.6.1.2.1.43.10.2.1.4.1.1"


def test_a_counter_that_starts_anew(rig):
    """A smaller value is told at once, with the value before it; the history
    marks it, and no reader sees a negative number of pages."""
    rig.server.start()
    rig.sim.start([f"{HOST}=@hp-mono"])
    rig.central.init()
    rig.central.start()
    rig.agent.enrol().write(heartbeat="300ms", counters="1d", supplies="1d")
    rig.agent.start().wait_online()
    wait_for(lambda: rig.central.json("devices"), 20, "the printer", 0.1)

    def total():
        return {c["name"]: c for c in
                rig.central.json("devices")[0]["counters"]}["total"]
    first = total()
    assert first["epoch"] is None and first["before"] is None
    rig.sim.send(f"set {HOST} {LIFE} 65 17")
    wait_for(lambda: total()["value"] == 17, 10, "the fall", 0.1)
    assert total()["epoch"] == 1 and total()["before"] == first["value"]
    rig.sim.send(f"set {HOST} {LIFE} 65 16")
    wait_for(lambda: total()["value"] == 16, 10, "the next", 0.1)
    assert total()["epoch"] == 2 and total()["before"] == 17
    rows = [(r["value"], r["counter_epoch"], r["before"])
            for r in rig.central.json("history")
            if r["record"] == "counter" and r["name"] == "total"]
    assert rows == [(first["value"], None, None), (17, 1, first["value"]),
                    (16, 2, 17)]
    assert rig.central.tool("history").count("started anew") == 2
