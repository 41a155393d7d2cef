"""Nothing doubled, nothing lost: the collector, the uplink, the supervisor
and the centre are killed with -9 at random points while counters, levels and
alerts change; at the end the simulator's list of changes and the centre's
history agree exactly, in order.

A change is made to a printer only when the agent's store holds the one before
(a value that lives shorter than a poll is nobody's to report); what is killed
when does not depend on that.  PLATEN_SEED repeats a run."""
import contextlib
import os
import random
import re
import time

from rig import wait_for

STORES = ["sqlite", "postgresql"]
PRINTERS = 8
KILLS = 36
TOTAL = "1.3.6.1.2.1.43.10.2.1.4.1.1"
VICTIMS = ["collector", "uplink", "supervisor", "centre"]


class Told:
    """What the agent's store says that it has told."""

    def __init__(self, agent):
        self.agent = agent

    def bodies(self, host):
        with contextlib.closing(self.agent.database()) as db:
            return [row[0] for row in db.execute(
                "SELECT plain(told.body, 'told ' || told.asset || ' ' || "
                "told.id) FROM told JOIN asset ON asset.id = "
                "told.asset JOIN device ON device.id = asset.device "
                "WHERE device.address LIKE ?", (f"{host}:%",))]

    def has(self, host, pattern):
        return any(re.search(pattern, body) for body in self.bodies(host))


class Printer:
    """One printer that somebody keeps using."""

    def __init__(self, sim, told, host, dice):
        self.sim, self.told, self.host, self.dice = sim, told, host, dice
        self.totals = [int(sim.get(host, TOTAL))]
        self.levels = []
        self.jams = []          # texts, in order
        self.jam = None         # (index, text) while it lasts
        self.waiting = None     # pattern, and whether it must be there

    def settled(self):
        if self.waiting is None:
            return True
        pattern, there = self.waiting
        return self.told.has(self.host, pattern) == there

    def change(self):
        what = self.dice.choice(["print", "print", "level", "jam"])
        if self.jam:
            index, text = self.jam
            self.sim.send("alert", self.host, "clear", index)
            self.jam, self.waiting = None, (re.escape(text), False)
        elif what == "print":
            pages = self.dice.randint(1, 40)
            self.sim.send("bump", self.host, TOTAL, pages)
            self.totals.append(self.totals[-1] + pages)
            self.waiting = (rf'name="total"[^>]*>{self.totals[-1]}<|'
                            rf"name='total'[^>]*>{self.totals[-1]}<", True)
        elif what == "level":
            level = self.dice.choice(
                [n for n in range(20, 45)
                 if n != (self.levels[-1] if self.levels else None)])
            self.sim.send("level", self.host, 1, level)
            self.levels.append(level)
            self.waiting = (rf"<index>1</index>.*<level>{level}</level>",
                            True)
        else:
            text = f"Jam number {len(self.jams) + 1}"
            index = self.sim.raise_alert(self.host, code=8, severity=3,
                                         group=8, index=2, text=text)
            self.jams.append(text)
            self.jam = (index, text)
            self.waiting = (re.escape(text), True)


def kill(rig, victim):
    if victim == "centre":
        rig.central.kill9()
        rig.central.start(wait=False)
    elif rig.agent.kill_role(victim) and victim == "supervisor":
        rig.agent.start()


def history(rig, printer):
    """Totals, levels of supply 1, and jams of one printer at the centre."""
    rows = rig.central.json("history", "--asset", printer.serial, "--limit",
                            "100000")
    totals = [int(r["value"]) for r in rows
              if r["record"] == "counter" and r["name"] == "total"]
    levels = [int(r["value"]) for r in rows if r["record"] == "level"
              and r["index"] == 1]
    with contextlib.closing(rig.central.database()) as db:
        jams = [(row[0], row[1] is not None) for row in db.execute(
            "SELECT alert.description, alert.cleared FROM alert JOIN asset "
            "ON asset.id = alert.asset WHERE asset.serial = ? AND "
            "alert.description LIKE 'Jam number %' ORDER BY alert.id",
            (printer.serial,))]
    return totals, levels, jams


def test_nothing_is_lost_or_doubled(rig):
    seed = int(os.environ.get("PLATEN_SEED", random.SystemRandom()
                              .randint(1, 10 ** 6)))
    print(f"PLATEN_SEED={seed}")
    dice = random.Random(seed)
    names = ["hp-mono"]
    rig.start(devices=[f"127.10.7.{i}=@{names[0]},number={i}"
                       for i in range(1, PRINTERS + 1)],
              schedule={"heartbeat": "300ms", "supplies": "300ms",
                        "counters": "300ms"})
    wait_for(lambda: len(rig.central.json("devices")) == PRINTERS, 30)
    told = Told(rig.agent)
    printers = [Printer(rig.sim, told, f"127.10.7.{i}", dice)
                for i in range(1, PRINTERS + 1)]
    serials = {d["ip"]: d["serial"] for d in rig.central.json("devices")}
    first = {}
    for printer in printers:
        printer.serial = serials[printer.host]
        first[printer.host] = history(rig, printer)[1]

    kills, next_kill = 0, time.monotonic() + 1
    while kills < KILLS:
        for printer in printers:
            if printer.settled():
                printer.change()
        if time.monotonic() >= next_kill:
            kill(rig, dice.choice(VICTIMS))
            kills += 1
            next_kill = time.monotonic() + dice.uniform(0.1, 1.5)
        time.sleep(0.02)

    # The last jams are cleared, everything settles and arrives.
    for printer in printers:
        wait_for(printer.settled, 60, f"{printer.host} settles")
        if printer.jam:
            printer.change()
            wait_for(printer.settled, 60, f"{printer.host} settles")
    wait_for(lambda: rig.agent.json("status")["outbox"] == 0, 60,
             "the outbox is empty")

    changes = 0
    for printer in printers:
        totals, levels, jams = history(rig, printer)
        assert totals == printer.totals, printer.host
        assert levels == first[printer.host] + printer.levels, printer.host
        assert jams == [(text, True) for text in printer.jams], printer.host
        changes += len(printer.totals) + len(printer.levels) + \
            2 * len(printer.jams)
    status = rig.agent.json("status")
    assert status["refused"] == 0
    assert changes > 3 * PRINTERS, "too little happened to prove anything"
