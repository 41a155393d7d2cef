"""Promise: several processes of the centre serve one JID behind ejabberd,
which shares out the agents by their bare JIDs, with one PostgreSQL.  Killed
with -9, stopped, started: nothing is lost, nothing doubled, and the others
stand in for who is not there.  What the operator decides all know, and all
outlive the database.  PLATEN_SEED repeats a run."""
import contextlib
import os
import random
import re
import signal
import time

import pytest

from rig import Rig, wait_for
from test_kills import Printer, Told, history

CENTRES = ["central", "second", "third"]
AGENTS = ["site1", "site2", "site3", "site4"]
KILLS = 6
QUICK = {"heartbeat": "300ms", "supplies": "300ms", "counters": "300ms"}


@pytest.fixture
def rig(request):
    made = Rig(request.node.name, server="ejabberd", store="postgresql")
    yield made
    made.close()


def centres(rig):
    return [rig.central_named(name) for name in CENTRES]


def start(rig, agents):
    """Everything; printer N is agent N's."""
    rig.server.centres = len(CENTRES)
    rig.server.start()
    rig.sim.start([f"127.10.9.{i + 1}=@hp-mono,number={i + 1}"
                   for i in range(len(agents))])
    rig.central.init()
    for centre in centres(rig):
        centre.more = {"component": {"processes": len(CENTRES)}}
        centre.write()
        centre.start()
    made = []
    for i, name in enumerate(agents):
        agent = rig.agent_named(name)
        agent.hosts = [f"127.10.9.{i + 1}:{rig.sim.port}"]
        made.append(agent.enrol().write(**QUICK).start())
    for agent in made:
        agent.wait_online(40)
    wait_for(lambda: len(rig.central.json("devices")) == len(agents), 40,
             "all printers are known", 0.2)
    return made


def presences(rig):
    return [a["presence"] for a in rig.central.json("agents")]


def at(rig, agents):
    """{agent's name: the processes where it has had a session}."""
    return {a.name: {c.name for c in centres(rig) if re.search(
        rf"agent: {re.escape(a.jid)}\S* has a session", c.log(whole=True))}
        for a in agents}


def printers_of(rig, agents, dice):
    known = {d["ip"]: d["serial"] for d in rig.central.json("devices")}
    made = []
    for i, agent in enumerate(agents):
        printer = Printer(rig.sim, Told(agent), f"127.10.9.{i + 1}", dice)
        printer.serial = known[printer.host]
        printer.first = history(rig, printer)[1]
        made.append(printer)
    return made


def drained(agents):
    for agent in agents:
        wait_for(lambda: agent.json("status")["outbox"] == 0, 90,
                 f"the outbox of {agent.name} is empty", 0.2)


def settle(rig, agents, printers):
    for printer in printers:
        wait_for(printer.settled, 60, f"{printer.host} settles")
        if printer.jam:
            printer.change()
            wait_for(printer.settled, 60, f"{printer.host} settles")
    drained(agents)


def check(rig, agents, printers, least=8):
    changes = 0
    for printer in printers:
        totals, levels, jams = history(rig, printer)
        assert totals == printer.totals, printer.host
        assert levels == printer.first + printer.levels, printer.host
        assert jams == [(text, True) for text in printer.jams], printer.host
        changes += len(totals) + len(levels) + 2 * len(jams)
    assert all(agent.json("status")["refused"] == 0 for agent in agents)
    assert changes > least * len(printers), "too little happened"


def test_killed_one_after_the_other(rig):
    seed = int(os.environ.get("PLATEN_SEED", random.SystemRandom()
                              .randint(1, 10 ** 6)))
    print(f"PLATEN_SEED={seed}")
    dice = random.Random(seed)
    agents = start(rig, AGENTS)
    served = at(rig, agents)
    assert len(set().union(*served.values())) > 1, served
    printers = printers_of(rig, agents, dice)
    kills, next_kill, dead = 0, time.monotonic() + 1, None
    while kills < KILLS or dead:
        for printer in printers:
            if printer.settled():
                printer.change()
        if time.monotonic() >= next_kill:
            if dead:
                dead.start(wait=False)
                dead = None
            else:
                dead = dice.choice(centres(rig))
                dead.kill9()
                kills += 1
            next_kill = time.monotonic() + dice.uniform(0.3, 4)
        time.sleep(0.02)
    settle(rig, agents, printers)
    check(rig, agents, printers)
    wait_for(lambda: presences(rig) == ["available"] * len(agents), 60,
             "all agents are there", 0.5)


def use(printers, agents):
    """A change at each, which arrives."""
    for printer in printers:
        printer.change()
    for printer in printers:
        wait_for(printer.settled, 60, f"{printer.host} settles")
    drained(agents)


def test_others_stand_in(rig):
    """Two of three are gone, one without and one with a word: the agents go
    on at the one that is left, and later at all of them again."""
    agents = start(rig, AGENTS)
    printers = printers_of(rig, agents, random.Random(1))
    first, second, third = centres(rig)
    third.kill9()
    use(printers, agents)
    assert second.stop() == 0
    use(printers, agents)
    # Where the others stand in, the centre is not gone.
    assert "unavailable" not in second.log()
    wait_for(lambda: presences(rig) == ["available"] * len(agents), 60,
             "all agents are at the one that is left", 0.5)
    with contextlib.closing(rig.central.database()) as db:
        assert [row[0] for row in db.execute("SELECT places FROM centre")] \
            == [3]
    for centre in second, third:
        centre.start()
    use(printers, agents)
    with contextlib.closing(rig.central.database()) as db:
        wait_for(lambda: [row[0] for row in db.execute(
            "SELECT places FROM centre")] == [1, 1, 1], 20, "all have one")
    use(printers, agents)
    settle(rig, agents, printers)
    check(rig, agents, printers, least=4)
    for centre in first, second, third:
        assert centre.stop() == 0
    # Nobody is left: that is said.
    assert presences(rig) == ["unavailable"] * len(agents)


def test_revoked_in_all(rig):
    agents = start(rig, AGENTS[:2])
    victim, other = agents
    rig.central.tool("agents", "--revoke", victim.jid)
    wait_for(lambda: any(f"{victim.jid} is revoked" in c.log()
                         for c in centres(rig)), 20, "a process noticed")
    rows = {a["jid"]: a for a in rig.central.json("agents")}
    last = rows[victim.jid]["last_seq"]
    for host in "127.10.9.1", "127.10.9.2":
        rig.sim.raise_alert(host, code=8, severity=3, group=8, index=2,
                            text="Jam")
    before = rows[other.jid]["last_seq"]

    def seq(agent):
        return {a["jid"]: a["last_seq"]
                for a in rig.central.json("agents")}[agent.jid]
    wait_for(lambda: seq(other) > before, 30, "the other one reports")
    assert seq(victim) == last


def test_the_database_goes_away(rig):
    """All of them say so once, and go on by themselves when it is back."""
    agents = start(rig, AGENTS[:2])
    printers = printers_of(rig, agents, random.Random(2))
    _, database = rig.database
    for how in signal.SIGINT, signal.SIGQUIT:   # in order, and at once
        database.stop(how)
        for printer in printers:
            printer.change()
        for printer in printers:
            wait_for(printer.settled, 60, f"{printer.host} settles")
        for centre in centres(rig):
            assert centre.running()
        time.sleep(2)
        database.start()
        settle(rig, agents, printers)
    for printer in printers:
        totals, levels, jams = history(rig, printer)
        assert (totals, levels) == (printer.totals,
                                    printer.first + printer.levels)
        assert jams == [(text, True) for text in printer.jams]
    for centre in centres(rig):
        lost = re.findall(r"(?m)^.*fleet: postgresql.*$", centre.log())
        said = [line for line in lost if "works again" not in line and
                "fsync is off" not in line]
        assert len(said) <= 4, "\n".join(lost)
    wait_for(lambda: presences(rig) == ["available"] * len(agents), 60,
             "all agents are there", 0.5)
