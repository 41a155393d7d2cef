"""Promise: offline the outbox is bounded; past its size counters and levels
are merged and the loss is told, alerts never.  A report that the centre
refuses for good goes aside, is shown, and never blocks the queue; one that
does not get through is sent again."""
import re

from fakecentre import REPORT, FakeCentre
from rig import wait_for

BASE = "127.10.30."
TOTAL = "1.3.6.1.2.1.43.10.2.1.4.1.1"
PRINTERS = 16
MOST = 64 * 1024


def begin(rig, printers, **schedule):
    """The parts, and the printers' addresses."""
    hosts = [f"{BASE}{i}" for i in range(1, printers + 1)]
    rig.server.start()
    rig.sim.start([f"{h}=@hp-mono,number={i}" for i, h in
                   enumerate(hosts, 1)])
    times = {"heartbeat": "300ms", "supplies": "300ms", "counters": "300ms"}
    return hosts, {**times, **schedule}


def wait_empty(agent):
    wait_for(lambda: agent.json("status")["outbox"] == 0 and
             agent.json("status")["uplink"] == "connected", 40,
             "the outbox is empty", 0.1)


def ids(centre):
    """{address: asset}, from what the centre was told."""
    return {ip.text: a.get("id") for r in centre.taken()
            for a in r.records("asset")
            for ip in a.findall(f"{{{REPORT}}}ip")}


def totals(centre, asset):
    return [total for r in centre.story() for total in r.counters("total")
            if r.records("asset")[0].get("id") == asset]


def told_total(agent, host):
    for asset in agent.json("devices"):
        if asset["ip"] == host:
            return {c["name"]: c["value"] for c in asset["counters"]}["total"]
    return None


def test_bounded_without_a_centre(rig):
    hosts, times = begin(rig, PRINTERS)
    centre = rig.peer(FakeCentre, rig.server)
    agent = centre.admit(rig.agent)
    agent.more = {"outbox": {"max_size": MOST},
                  "snmp public": {"timeout": "300ms", "retries": 1}}
    agent.write(**times).start().wait_online()
    centre.wait_reports(lambda r: r.values("asset", "serial"), 30,
                        count=PRINTERS)
    wait_empty(agent)
    first = len(centre.taken())
    centre.leave()
    wait_for(lambda: agent.json("status")["uplink"] == "centre absent", 20,
             "it notices", 0.1)

    # Pages, toner, and now and then a jam, until there is no more room and
    # long after.
    sizes, jams, rounds = [], 0, 0

    def lost():
        match = re.search(r"(\d+) merged for want of space",
                          agent.tool("status"))
        return int(match[1]) if match else 0
    while lost() < 3 * PRINTERS or jams < 3:
        rounds += 1
        assert rounds < 400, "the outbox never fills"
        for host in hosts:
            rig.sim.send("print", host, 1)
            rig.sim.send("level", host, 1, 20 + rounds % 20)
        if rounds % 3 == 0 and jams < 20:
            jams += 1
            index = rig.sim.raise_alert(hosts[jams % PRINTERS], code=8,
                                        severity=3, group=8, index=2,
                                        text=f"Jam number {jams}")
            wait_for(lambda: f"Jam number {jams}" in agent.tool("devices",
                     "--json"), 20, "it is read", 0.05)
            rig.sim.send("alert", hosts[jams % PRINTERS], "clear", index)
        else:
            last = int(rig.sim.get(hosts[-1], TOTAL))
            wait_for(lambda: told_total(agent, hosts[-1]) == last, 20,
                     "it is read", 0.05)
        sizes.append(agent.json("status")["outbox_bytes"])
    assert jams > 2
    assert max(sizes) < 1.5 * MOST, "it stays about as small as it should"
    want = {h: int(rig.sim.get(h, TOTAL)) for h in hosts}
    wait_for(lambda: all(told_total(agent, h) == want[h] for h in hosts), 20,
             "all is read", 0.1)
    wait_for(lambda: not any(d["alerts"] for d in agent.json("devices")), 20,
             "no jam lasts", 0.1)

    centre.start()
    wait_empty(agent)
    assert len(centre.taken()) > first + PRINTERS
    # The alerts, each raised and cleared, whatever became of the rest.
    raised = [text for r in centre.taken()
              for text in r.values("alert", "description")]
    assert sorted(raised) == sorted(f"Jam number {n}" for n in
                                    range(1, jams + 1))
    assert len([1 for r in centre.taken()
                for _ in r.values("alert", "cleared")]) == jams
    # Of the counters fewer, in order, and the last one right.
    assets, detail = ids(centre), 0
    for host in hosts:
        seen = totals(centre, assets[host])
        assert seen == sorted(set(seen)), "never backwards, never twice"
        assert seen[-1] == want[host]
        detail += want[host] - seen[0] + 1 - len(seen)
    assert detail > 0, "nothing was merged"
    # And the loss is told with the agent's next record of itself.
    rig.sim.send("silent", hosts[0], "on")
    record = centre.wait_reports(
        lambda r: [n for n in r.values("agent", "lost_detail") if
                   n not in ("", "0")], 30)[-1]
    assert int(record.values("agent", "lost_detail")[-1]) >= 3 * PRINTERS
    assert centre.problems == []


def test_refused_for_good(rig):
    (host,), times = begin(rig, 1)
    centre = rig.peer(FakeCentre, rig.server)
    agent = centre.admit(rig.agent)

    def decide(report):
        if "Poison" in report.text:
            return f"<refused seq='{report.seq}' reason='I do not like it'/>"
        return ""
    centre.decide = decide
    agent.write(**times).start().wait_online()
    centre.wait_reports(lambda r: r.values("asset", "serial"))
    poison = rig.sim.raise_alert(host, code=8, severity=3, text="Poison")
    wait_for(lambda: agent.json("status")["refused"] == 1, 20,
             "it is put aside", 0.1)
    # What comes after it goes on, also what was under way with it.
    rig.sim.raise_alert(host, code=3, severity=3, text="Harmless")
    rig.sim.send("print", host, 9)
    want = int(rig.sim.get(host, TOTAL))
    centre.wait_reports(lambda r: want in r.counters("total"))
    centre.wait_reports(lambda r: "Harmless" in
                        r.values("alert", "description"))
    wait_empty(agent)

    aside, = agent.json("outbox", "--refused")
    assert aside["reason"] == "I do not like it"
    assert "Poison" in aside["report"]
    assert "I do not like it" in agent.tool("outbox", "--refused")
    assert "Poison" in agent.tool("outbox", "--refused", "--xml")
    lines = [line for line in agent.log().splitlines() if "refuses" in line]
    assert len(lines) == 1 and "I do not like it" in lines[0]
    assert "outbox --refused" in lines[0]

    # It is not tried again, by nobody.
    agent.restart().wait_online()
    rig.sim.send("alert", host, "clear", poison)
    centre.wait_reports(lambda r: r.values("alert", "cleared"))
    assert len(centre.taken(lambda r: "Poison" in r.text)) == 1
    assert agent.json("status")["refused"] == 1


def test_many_refused(rig):
    """Every second one, with several under way at a time."""
    hosts, times = begin(rig, 8)
    centre = rig.peer(FakeCentre, rig.server)
    agent = centre.admit(rig.agent)
    centre.decide = lambda report: "" if report.seq % 2 else (
        f"<refused seq='{report.seq}' reason='even'/>")
    agent.write(**times).start().wait_online()
    for _ in range(5):
        for host in hosts:
            rig.sim.send("print", host, 1)
        last = {h: int(rig.sim.get(h, TOTAL)) for h in hosts}
        wait_for(lambda: all(told_total(agent, h) == last[h] for h in hosts),
                 20, "it is read", 0.1)
    wait_empty(agent)
    even = {(r.lane, r.seq) for r in centre.story() if r.seq % 2 == 0}
    assert {lane for lane, _ in even} == {"urgent", "bulk"}
    wait_for(lambda: agent.json("status")["refused"] == len(even), 10)
    assert {(r["lane"], r["seq"]) for r in
            agent.json("outbox", "--refused")} == even
    assert centre.problems == []


def test_unanswered_and_out_of_turn(rig):
    """A centre that loses a report says so and gets it again; wrong answers
    end the session and nothing is lost."""
    (host,), times = begin(rig, 1)
    centre = rig.peer(FakeCentre, rig.server)
    agent = centre.admit(rig.agent)
    agent.write(**times).start().wait_online()
    centre.wait_reports(lambda r: r.values("asset", "serial"))
    wait_empty(agent)

    said = []
    take = centre._take

    def wrong(content):
        """An answer that is given a single time, without taking anything."""
        def answer(message):
            if content in said:
                return take(message)
            said.append(content)
            centre.opened += len(message.reports)
            return content.format(lane=message.lane, seq=message.last,
                                  before=message.first - 1)
        return answer

    expected = [int(rig.sim.get(host, TOTAL))]
    for content in (
            f"<again xmlns='{REPORT}' lane='{{lane}}' seq='{{before}}'/>",
            f"<ack xmlns='{REPORT}' lane='{{lane}}' seq='999999'/>",
            f"<ack xmlns='{REPORT}' lane='{{lane}}'/>",
            f"<ack xmlns='{REPORT}' seq='{{seq}}'/>",
            f"<ack xmlns='{REPORT}' lane='urgent' seq='{{seq}}'/>",
            f"<ack xmlns='{REPORT}' lane='{{lane}}' seq='{{seq}}'>"
            "<refused seq='999999' reason='x'/></ack>",
            f"<unheard xmlns='{REPORT}' lane='{{lane}}' seq='{{seq}}'/>",
            "<ack xmlns='urn:other' lane='{lane}' seq='{seq}'/>"):
        centre._take = wrong(content)
        rig.sim.send("print", host, 1)
        expected.append(int(rig.sim.get(host, TOTAL)))
        centre.wait_reports(lambda r: expected[-1] in r.counters("total"),
                            40)
        wait_empty(agent)
        assert content in said
    asset, = ids(centre).values()
    assert totals(centre, asset) == expected, centre.taken()
    assert agent.json("status")["refused"] == 0
