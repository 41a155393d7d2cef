"""Promise: a printer that answers garbage, loops, huge tables, wrong types,
other encodings or never costs its own data and one clear log line.  All of
them at once, beside good ones which go on as if nothing were."""
import pathlib
import re

from rig import wait_for
from test_processes import sanitized

TOTAL = "1.3.6.1.2.1.43.10.2.1.4.1.1"
SUPPLIES = "1.3.6.1.2.1.43.11.1.1"
ALERTS = "1.3.6.1.2.1.43.18.1.1"
SYS = "1.3.6.1.2.1.1"
MEMORY_KB = 32 * 1024       # the collector's, at its worst
HUGE = 1500

# fault: (what the simulator is told, what the centre gets, the log line).
# What it gets: "all", "no supplies", "nothing", or "all if new": a device that
# always answers from elsewhere is learnt at first sight.
FAULTS = {
    "too big": (["toobig {} 4"], "all", None),
    "v1 only": (["v1only {} on"], "all", None),
    "no bulk": (["nobulk {} on"], "all", None),
    "every answer twice": (["twice {} on"], "all", None),
    "small answers": (["maxsize {} 300"], "all", None),
    "slow": (["slow {} 200"], "all", None),
    "loop": ([f"loop {{}} {SUPPLIES}"], "no supplies",
             "prtMarkerSuppliesLevel goes backwards"),
    "error": ([f"generr {{}} {SUPPLIES}"], "no supplies",
              "prtMarkerSuppliesLevel ends in an error"),
    "endless": ([f"endless {{}} {ALERTS}.2"], "all",
                "prtAlertSeverityLevel finds too many rows"),
    "garbage": (["garbage {} on"], "nothing", "cannot be decoded"),
    "truncated": (["truncate {} 60"], "nothing", "cannot be decoded"),
    "another's id": (["wrongid {} on"], "nothing", "does not answer"),
    "another's address": (["wrongsource {} on"], "all if new", None),
    "never": (["silent {} on"], "nothing", "does not answer"),
    "strings for numbers": (
        [f"set {{}} {oid} 4 wrong" for oid in (
            f"{SUPPLIES}.9.1.1", f"{SUPPLIES}.8.1.1", f"{SUPPLIES}.4.1.1",
            f"{ALERTS}.2.1.1", "1.3.6.1.2.1.25.3.5.1.1.1", f"{SYS}.3.0")],
        "all", None),
    "numbers for strings": (
        [f"set {{}} {oid} 2 77" for oid in (
            f"{SYS}.5.0", f"{SYS}.6.0", f"{SUPPLIES}.6.1.1",
            "1.3.6.1.2.1.25.3.5.1.2.1")] +
        [f"set {{}} {SYS}.2.0 2 77"], "all", None),
    "no text at all": (
        [f"set {{}} {SYS}.6.0 4x 4275726f20ff00fec3281b5b316d",
         f"set {{}} {SYS}.5.0 4x {'c3' * 300}",
         f"set {{}} {SUPPLIES}.6.1.1 4x {'e2' * 255}"], "all", None),
    "hostile text": (
        [f"set {{}} {SYS}.6.0 4 \"<!DOCTYPE a [<!ENTITY b SYSTEM "
         "'file:///etc/passwd'>]>&b;]]>\"",
         f"set {{}} {SYS}.5.0 4 %s%n%s'--"], "all", None),
}
BASE = "127.10.25."
GOOD = [BASE + "201", BASE + "202"]
HUGE_SUPPLIES, HUGE_ALERTS = BASE + "211", BASE + "212"


def address(fault):
    return BASE + str(list(FAULTS).index(fault) + 1)


def spoil(sim, fault):
    for command in FAULTS[fault][0]:
        sim.send(command.format(address(fault)))


def make_huge(sim):
    for row in range(1000, 1000 + HUGE):
        for host, oid, value in (
                (HUGE_SUPPLIES, f"{SUPPLIES}.6.1.{row}", f"4 supply {row}"),
                (HUGE_SUPPLIES, f"{SUPPLIES}.9.1.{row}", "2 50"),
                (HUGE_ALERTS, f"{ALERTS}.2.1.{row}", "2 3"),
                (HUGE_ALERTS, f"{ALERTS}.7.1.{row}", "2 8"),
                (HUGE_ALERTS, f"{ALERTS}.8.1.{row}", f"4 alert {row}")):
            sim.send(f"set {host} {oid} {value}")


def lines_about(rig, host):
    """The agent's log lines about a host, but for plain news of it."""
    return [line for line in rig.agent.log().splitlines()
            if re.search(re.escape(host) + r"(?!\d)", line) and not re.search(
                "new printer:|is unreachable|answers again", line)]


class View:
    """The centre's, by address."""

    def __init__(self, rig):
        # The devices last: then each row's is among them.
        supplies, alerts, devices = map(rig.central.json, (
            "consumables", "alerts", "devices"))
        ids = {d["asset"]: d["ip"] for d in devices}
        self.devices = {d["ip"]: d for d in devices}
        self.supplies, self.alerts = {}, {}
        for rows, into in (supplies, self.supplies), (alerts, self.alerts):
            for row in rows:
                into.setdefault(ids[row["asset"]], []).append(row)

    def total(self, host):
        return {c["name"]: c["value"] for c in
                self.devices[host]["counters"]}.get("total")


def polls(rig, hosts, more):
    """Until each was asked so often again."""
    def asked(host):
        return rig.sim.send("stats", host)["requests"]
    before = {h: asked(h) for h in hosts}
    wait_for(lambda: all(asked(h) >= before[h] + more for h in hosts), 60,
             "polls")


def good_ones_go_on(rig):
    for host in GOOD:
        rig.sim.send("print", host, 17)
        want = int(rig.sim.get(host, TOTAL))
        wait_for(lambda: View(rig).total(host) == want, 20,
                 f"{host} is read on", 0.2)
    index = rig.sim.raise_alert(GOOD[0], code=8, severity=3, group=8, index=2,
                                text="Jam in a good printer")
    wait_for(lambda: View(rig).alerts.get(GOOD[0]), 20, "its jam", 0.2)
    rig.sim.send("alert", GOOD[0], "clear", index)
    wait_for(lambda: not View(rig).alerts.get(GOOD[0]), 20, "its end", 0.2)


def memory_kb(rig):
    status = pathlib.Path("/proc", str(rig.agent.pids()["collector"]),
                          "status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1])


def start_sim(rig):
    hosts = [address(f) for f in FAULTS] + GOOD + [HUGE_SUPPLIES, HUGE_ALERTS]
    rig.sim.start([f"{h}=@hp-mono,number={i}" for i, h in
                   enumerate(hosts, 1)])
    rig.agent.more = {"snmp public": {"version": None, "timeout": "400ms",
                                      "retries": 1}}
    return hosts


def start_rest(rig):
    rig.server.start()
    rig.central.init()
    rig.central.start()
    rig.agent.enrol().write(heartbeat="500ms", assets="2s")
    rig.agent.start().wait_online()


def assert_text(value):
    """What the centre shows is text, whatever the printer said."""
    assert value is None or (value.isprintable() and
                             len(value.encode()) <= 255), value


def test_bad_from_the_start(rig):
    start_sim(rig)
    for fault in FAULTS:
        spoil(rig.sim, fault)
    make_huge(rig.sim)
    start_rest(rig)
    collector = rig.agent.pids()["collector"]
    come = [address(f) for f, (_, gets, _) in FAULTS.items()
            if gets != "nothing"] + GOOD + [HUGE_SUPPLIES, HUGE_ALERTS]
    wait_for(lambda: set(View(rig).devices) >= set(come), 40,
             "who can be read is read", 0.3)
    good_ones_go_on(rig)
    polls(rig, come, 40)

    seen = View(rig)
    assert set(seen.devices) == set(come)
    for fault, (_, gets, line) in FAULTS.items():
        host = address(fault)
        lines = lines_about(rig, host)
        if line is None:
            assert lines == [], fault
        else:
            assert len(lines) == 1 and line in lines[0], (fault, lines)
        if gets == "nothing":
            continue
        assert seen.devices[host]["serial"].startswith("VNB3K"), fault
        assert seen.devices[host]["state"] == "online", fault
        count = len(seen.supplies.get(host, []))
        assert count == (0 if gets == "no supplies" else 3), fault
        for field in "hostname", "location", "model", "firmware":
            assert_text(seen.devices[host][field])
        for supply in seen.supplies.get(host, []):
            assert_text(supply["description"])
    # A level that is no number is none.
    black, = [s for s in seen.supplies[address("strings for numbers")]
              if s["index"] == 1]
    assert black["level"] is None and black["percent"] is None
    for host, rows in (HUGE_SUPPLIES, seen.supplies), (HUGE_ALERTS,
                                                       seen.alerts):
        assert 3 <= len(rows[host]) < HUGE
        line, = lines_about(rig, host)
        assert "too many rows" in line

    assert rig.agent.pids()["collector"] == collector, "it never died"
    assert sanitized() or memory_kb(rig) < MEMORY_KB
    status = rig.agent.json("status")
    assert status["refused"] == 0
    wait_for(lambda: rig.agent.json("status")["outbox"] == 0, 20)


def test_bad_later_and_good_again(rig):
    """Known printers turn bad, all of them, and recover: nothing of them is
    lost or made twice, and the log does not fill."""
    hosts = start_sim(rig)
    start_rest(rig)
    wait_for(lambda: len(View(rig).devices) == len(hosts), 40,
             "all printers", 0.3)
    before = View(rig)
    gone = [address(f) for f, (_, gets, _) in FAULTS.items()
            if gets in ("nothing", "all if new")]
    bad = [f for f in FAULTS if FAULTS[f][0][0].split()[0] != "set"]
    for fault in bad:
        spoil(rig.sim, fault)
    wait_for(lambda: {h for h, d in View(rig).devices.items()
                      if d["state"] == "unreachable"} == set(gone), 40,
             "those that cannot be read are unreachable", 0.3)
    good_ones_go_on(rig)
    polls(rig, GOOD, 20)
    for fault in bad:
        host, line = address(fault), FAULTS[fault][2]
        lines = lines_about(rig, host)
        assert len(lines) <= 1, (fault, lines)
        if host in gone:
            assert rig.agent.log().count(f"{host}:{rig.sim.port} is "
                                         "unreachable") == 1, fault
        else:
            assert lines == [] or line is not None, (fault, lines)

    for fault in bad:
        for command in FAULTS[fault][0]:
            name = command.split()[0]
            rig.sim.send(f"{name} {address(fault)} off")

    def recovered():
        seen = View(rig)
        return all(d["state"] == "online" for d in seen.devices.values()) \
            and all(len(seen.supplies.get(h, [])) == 3 for h in hosts)
    wait_for(recovered, 60, "all are well again", 0.3)
    after = View(rig)
    for host in hosts:
        assert after.devices[host]["asset"] == before.devices[host]["asset"]
        assert after.devices[host]["serial"] == \
            before.devices[host]["serial"]
    assert len(after.devices) == len(hosts)


def test_a_moment_of_errors_removes_nothing(rig):
    """One whole reading whose table of supplies breaks off does not say that
    there are none."""
    rig.server.start()
    rig.sim.start([f"{GOOD[0]}=@hp-colour"])
    rig.central.init()
    rig.central.start()
    rig.agent.enrol().write(heartbeat="500ms", assets="1s", supplies="1h")
    rig.agent.start().wait_online()
    wait_for(lambda: View(rig).supplies.get(GOOD[0]), 20, "supplies", 0.2)
    before = sorted(s["id"] for s in View(rig).supplies[GOOD[0]])
    rig.sim.send(f"loop {GOOD[0]} {SUPPLIES}")
    wait_for(lambda: lines_about(rig, GOOD[0]), 20, "it is noticed")
    rig.sim.send(f"loop {GOOD[0]} off")
    polls(rig, GOOD[:1], 25)
    supplies = View(rig).supplies[GOOD[0]]
    assert sorted(s["id"] for s in supplies) == before
    assert [s["removed"] for s in supplies] == [None] * len(before)


def test_rows_of_supplies_make_no_printers(rig):
    """A column without end names a new device in every row; that is no row
    of new printers behind a print server."""
    rig.server.start()
    rig.sim.start([f"{GOOD[0]}=@hp-mono"])
    rig.sim.send(f"endless {GOOD[0]} {SUPPLIES}.9")
    rig.central.init()
    rig.central.start()
    rig.agent.enrol().write(heartbeat="500ms", assets="1s")
    rig.agent.start().wait_online()
    wait_for(lambda: View(rig).devices, 20, "the printer", 0.2)
    polls(rig, GOOD[:1], 25)
    assert len(rig.central.json("devices")) == 1
    assert rig.agent.log().count("new printer") == 1
    assert "moved here" not in rig.agent.log()
    line, = lines_about(rig, GOOD[0])
    assert "prtMarkerSuppliesLevel finds too many rows" in line
