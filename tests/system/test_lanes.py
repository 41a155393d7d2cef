"""Promise: after a long outage what is urgent goes first.  A new alert reaches
the centre before most of the backlog; nothing is lost or doubled in either lane
whatever is killed meanwhile; status shows how far it is; what the bulk says too
late comes into the history and changes nothing."""
import contextlib
import re
import threading

from fakecentre import FakeCentre
from rig import wait_for

BASE = "127.10.71."
TOTAL = "1.3.6.1.2.1.43.10.2.1.4.1.1"
PRINTERS = 40


def begin(rig, printers=PRINTERS):
    """The parts, and the printers' addresses."""
    hosts = [f"{BASE}{i}" for i in range(1, printers + 1)]
    rig.server.start()
    rig.sim.start([f"{h}=@hp-mono,number={i}" for i, h in
                   enumerate(hosts, 1)])
    return hosts, {"heartbeat": "300ms", "supplies": "200ms",
                   "counters": "200ms"}


def waiting(agent, lane):
    return agent.json("status")["lanes"][lane]["waiting"]


def wait_empty(agent):
    wait_for(lambda: agent.json("status")["outbox"] == 0 and
             agent.json("status")["uplink"] == "connected", 60,
             "the outbox is empty", 0.1)


def told_totals(agent):
    return {d["ip"]: {c["name"]: c["value"] for c in d["counters"]}["total"]
            for d in agent.json("devices")}


def left_alone(rig):
    """(printers, centre, agent): all was told, and the centre has gone."""
    hosts, times = begin(rig)
    centre = rig.peer(FakeCentre, rig.server)
    agent = centre.admit(rig.agent)
    agent.write(**times).start().wait_online()
    centre.wait_reports(lambda r: r.values("asset", "serial"), 40,
                        count=PRINTERS)
    wait_empty(agent)
    centre.leave()
    wait_for(lambda: agent.json("status")["uplink"] == "centre absent", 20,
             "it notices", 0.1)
    return hosts, centre, agent


def print_until(rig, agent, hosts, reports):
    """Pages, until so many reports of the bulk wait."""
    for _ in range(400):
        if waiting(agent, "bulk") >= reports:
            break
        for host in hosts:
            rig.sim.send("print", host, 1)
        last = {h: int(rig.sim.get(h, TOTAL)) for h in hosts[-2:]}
        wait_for(lambda: last.items() <= told_totals(agent).items(), 30,
                 "they are read", 0.05)
    else:
        raise AssertionError("too few reports")
    want = {h: int(rig.sim.get(h, TOTAL)) for h in hosts}
    wait_for(lambda: told_totals(agent) == want, 30, "all is read", 0.1)
    return want


def totals(reports):
    """{asset: [its totals]}, in the order of the story."""
    found = {}
    for report in reports:
        for record in report.records("asset"):
            for counter in record:
                if counter.get("name") == "total":
                    found.setdefault(record.get("id"), []).append(
                        int(counter.text))
    return found


def assert_all_told(centre, want):
    """Each printer's totals, one after the other and none twice."""
    seen = sorted(totals(centre.story()).values())
    for values in seen:
        assert values == sorted(set(values)), values
    assert sorted(v[-1] for v in seen) == sorted(want.values())
    return seen


class Slow:
    """Answers one message after the other, when it is let."""

    def __init__(self, centre):
        self.centre, self.take = centre, centre._take
        self.go = threading.Event()
        self.may = 0
        centre._take = self._take

    def _take(self, message):
        if not self.go.is_set():
            if self.may == 0:
                return None
            self.may -= 1
        return self.take(message)


def test_an_alert_overtakes_the_backlog(rig):
    hosts, centre, agent = left_alone(rig)
    want = print_until(rig, agent, hosts, 1500)
    backlog = waiting(agent, "bulk")

    # The centre is there again, and answers some messages only: the line is
    # as slow as that.
    slow = Slow(centre)
    slow.may = 3
    before = len(centre.taken())
    centre.start()
    status = wait_for(lambda: (s := agent.json("status"))["catching_up"] and
                      s["catching_up"]["done"] > 0 and s, 30,
                      "it catches up", 0.05)
    assert 0 < status["catching_up"]["done"] < status["catching_up"]["total"]
    assert status["catching_up"]["total"] >= backlog
    assert status["lanes"]["bulk"]["waiting"] < backlog
    assert re.search(r"catching up: \d+ of \d+", agent.tool("status"))
    log = agent.log()
    assert log.count("catching up: ") == 1 and "caught up" not in log
    rig.sim.raise_alert(hosts[5], code=8, severity=3, group=8, index=2,
                        text="Jam in the middle")
    wait_for(lambda: "Jam in the middle" in agent.tool("devices", "--json"),
             20, "it is read", 0.05)
    wait_for(lambda: any("Jam in the middle" in r.text for m in
                         centre.messages for r in m.reports) or
             waiting(agent, "urgent") > 0, 20, "it waits, or has gone")
    slow.go.set()
    wait_empty(agent)

    order = centre.taken()
    jam, = [i for i, r in enumerate(order) if "Jam in the middle" in r.text
            and r.values("alert", "raised")]
    assert order[jam].lane == "urgent"
    behind = [r for r in order[jam:] if r.lane == "bulk"]
    assert len(behind) > backlog / 2, "it came before most of it"
    assert jam > before
    assert_all_told(centre, want)
    # Many went together: the backlog took few messages.
    assert len(centre.messages) < len(order) / 4
    assert all(len(m.reports) <= 64 for m in centre.messages
               if m.lane == "bulk")
    wait_for(lambda: agent.json("status")["catching_up"] is None, 20,
             "it is over", 0.1)
    assert agent.log().count("caught up: ") >= 1
    assert centre.problems == []


def test_killed_while_it_catches_up(rig):
    """In the middle of both lanes, several times."""
    hosts, centre, agent = left_alone(rig)
    jams = [rig.sim.raise_alert(h, code=8, severity=3, group=8, index=2,
                                text=f"Jam at {h}") for h in hosts]
    want = print_until(rig, agent, hosts, 600)
    for host, index in zip(hosts, jams):
        rig.sim.send("alert", host, "clear", index)
    wait_for(lambda: not any(d["alerts"] for d in agent.json("devices")), 30,
             "no jam lasts", 0.1)
    assert waiting(agent, "urgent") >= 2 * PRINTERS

    slow = Slow(centre)
    centre.start()
    for turn in range(8):
        taken = len(centre.taken())
        slow.may = 2
        wait_for(lambda: len(centre.taken()) > taken or
                 agent.json("status")["outbox"] == 0, 40, "something arrives")
        agent.kill9()
        if turn % 3 == 2:
            centre.vanish()
            centre.start()
        agent.start()
    slow.go.set()
    wait_empty(agent)
    assert_all_told(centre, want)
    for field, count in (("raised", PRINTERS), ("cleared", PRINTERS)):
        assert len([1 for r in centre.story()
                    for _ in r.values("alert", field)]) == count, field
    assert centre.problems == []


def test_too_late_is_history(rig):
    """The real centre: what the bulk read before an urgent report, and told
    after it."""
    (host,), times = begin(rig, 1)
    rig.central.init()
    rig.central.start()
    agent = rig.agent.enrol()
    agent.more = {"outbox": {"hold": "1d"}}
    agent.write(**times).start().wait_online()
    wait_for(lambda: rig.central.json("consumables"), 30, "the printer", 0.1)

    def level():
        return next(c["level"] for c in rig.central.json("consumables")
                    if c["index"] == 1)

    def told_level():
        return {c["index"]: c["level"] for d in agent.json("devices")
                for c in d["consumables"]}[1]
    first = level()
    seen = [first]
    for step in (3, 6):                 # held back, since nothing is urgent
        rig.sim.send("level", host, 1, first - step)
        wait_for(lambda: told_level() != seen[-1], 20, "it is read", 0.1)
        seen.append(told_level())
    assert waiting(agent, "bulk") >= 2 and level() == first
    rig.sim.send("level", host, 1, 1)   # low: at once, with its level
    wait_for(lambda: level() not in (None, first), 20, "it is told", 0.1)
    seen.append(level())
    assert waiting(agent, "bulk") >= 2
    agent.more = {"outbox": {"hold": "0"}}
    agent.write(**times).restart().wait_online()
    wait_for(lambda: agent.json("status")["outbox"] == 0, 30,
             "the rest is told", 0.1)

    assert level() == seen[-1], "nothing older takes its place"
    rows = [r for r in rig.central.json("history") if
            r["record"] == "level" and r["index"] == 1]
    assert [r["value"] for r in rows] == seen, "in the order of the story"
    assert [r["lane"] for r in rows] == ["urgent", "bulk", "bulk", "urgent"]
    assert [r["turn"] for r in rows] == sorted(r["turn"] for r in rows)
    with contextlib.closing(rig.central.database()) as db:
        ids = dict(db.execute("SELECT turn, id FROM history WHERE record = 2"))
    assert ids[rows[1]["turn"]] > ids[rows[3]["turn"]], "it did come later"
