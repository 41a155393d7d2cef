"""From an alert that a printer raises to the committed row at the centre:
found by a heartbeat, and announced by a trap."""
import random
import time

import fleet
from rig import Rig, wait_for
from table import Row, share

PRINTERS = 1000
HEARTBEAT_S = 1
ALERTS = 120
ALLOWED_S = 0.1         # above the heartbeat, at the median
TRAP_HEARTBEAT_S = 20   # too slow to be taken for a trap
TRAP_S = 0.15
LOOK_S = 0.002


class Watch:
    """New rows of the alert table by their text, as another connection to
    the database sees them: after the commit."""

    def __init__(self, db):
        self.db, self.last, self.seen = db, 0, {}

    def look(self):
        for row in self.db.execute("SELECT id, description FROM alert "
                                   "WHERE id > ? ORDER BY id", (self.last,)):
            self.seen[row["description"]] = time.monotonic()
            self.last = row["id"]

    def until(self, moment):
        while time.monotonic() < moment:
            self.look()
            time.sleep(LOOK_S)


def run(rig, watch, alerts, trap=None):
    """Seconds of each alert.  They come at no fixed phase of the heartbeat;
    each stays for half a round of the printers and then its printer rests
    for the other half, so that no two of one printer are taken for one."""
    hosts = rig.sim.hosts()
    random.Random(1).shuffle(hosts)
    raised, index = {}, {}
    more = {"trap": trap} if trap else {}
    kind = "trap" if trap else "heartbeat"
    for n in range(alerts):
        host, rests = hosts[n % len(hosts)], hosts[(n + len(hosts) // 2) %
                                                   len(hosts)]
        if rests in index:
            rig.sim.send("alert", rests, "clear", index.pop(rests))
        text = f"{kind} {n}"
        watch.until(time.monotonic() + random.uniform(0.25, 0.55) *
                    HEARTBEAT_S)
        raised[text] = time.monotonic()
        index[host] = rig.sim.raise_alert(host, code=8, severity=3, group=8,
                                          text=text, **more)
    end = time.monotonic() + (2 * TRAP_HEARTBEAT_S if trap else
                              10 * HEARTBEAT_S)
    while len(watch.seen.keys() & raised.keys()) < alerts and \
            time.monotonic() < end:
        watch.until(time.monotonic() + 0.1)
    missing = raised.keys() - watch.seen.keys()
    if missing:
        raise TimeoutError(f"alerts that never came: {sorted(missing)}")
    return [watch.seen[text] - at for text, at in raised.items()]


def rows_of(how, taken, limit):
    median, late = share(taken, 0.5), share(taken, 0.99)
    return [
        Row(f"alert raised to row at the centre, {how}, {len(taken)} alerts: "
            "median", f"{median * 1000:,.0f} ms",
            f"<= {limit * 1000:,.0f} ms", median <= limit),
        Row("... 99th percentile", f"{late * 1000:,.0f} ms"),
        Row("... shortest and longest",
            f"{min(taken) * 1000:,.0f}, {max(taken) * 1000:,.0f} ms"),
    ]


def settled(rig):
    """No alert stands any more, here and at the centre."""
    for host in rig.sim.hosts():
        rig.sim.send("alert", host, "clear", "all")
    wait_for(lambda: not rig.central.json("alerts"), 60,
             "no alert at the centre", 0.5)


def by_trap(rig, watch, alerts):
    agent = rig.agent
    port = rig.ports.take()
    agent.stop()
    agent.more = {"traps": {"listen": f"127.0.0.1:{port}"}}
    agent.write(heartbeat=f"{TRAP_HEARTBEAT_S}s", supplies="1h",
                counters="1h", assets="1d").start().wait_online()
    time.sleep(5)           # each is asked once at the start
    return run(rig, watch, alerts, f"127.0.0.1:{port}")


def measure(quick=False):
    printers, alerts = (50, 20) if quick else (PRINTERS, ALERTS)
    with Rig() as rig:
        fleet.start(rig, printers, heartbeat=f"{HEARTBEAT_S}s")
        fleet.ready(rig, printers)
        settled(rig)
        db = rig.central.database()
        watch = Watch(db)
        watch.look()
        beats = run(rig, watch, alerts)
        traps = by_trap(rig, watch, alerts)
        db.close()
        rig.agent.stop()
    return (rows_of(f"found by a heartbeat of {HEARTBEAT_S} s, {printers:,} "
                    "printers", beats, HEARTBEAT_S + ALLOWED_S) +
            rows_of(f"announced by a trap, heartbeat {TRAP_HEARTBEAT_S} s, "
                    f"{printers:,} printers", traps, TRAP_S))
