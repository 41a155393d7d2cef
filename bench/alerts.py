"""From an alert that a printer raises to the committed row at the centre."""
import random
import time

import fleet
from rig import Rig, wait_for
from table import Row, share

PRINTERS = 12
HEARTBEAT_S = 1
ALERTS = 120
ALLOWED_S = 0.1         # above the heartbeat, at the median
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


def run(rig, watch, alerts):
    """Seconds of each alert.  They come at no fixed phase of the heartbeat;
    each stays for half a round of the printers and then its printer rests
    for the other half, so that no two of one printer are taken for one."""
    hosts = rig.sim.hosts()
    raised, index = {}, {}
    for n in range(alerts):
        host, rests = hosts[n % len(hosts)], hosts[(n + len(hosts) // 2) %
                                                   len(hosts)]
        if rests in index:
            rig.sim.send("alert", rests, "clear", index.pop(rests))
        text = f"bench {n}"
        watch.until(time.monotonic() + random.uniform(0.25, 0.55) *
                    HEARTBEAT_S)
        raised[text] = time.monotonic()
        index[host] = rig.sim.raise_alert(host, code=8, severity=3, group=8,
                                          text=text)
    end = time.monotonic() + 10 * HEARTBEAT_S
    while len(watch.seen.keys() & raised.keys()) < alerts and \
            time.monotonic() < end:
        watch.until(time.monotonic() + 0.1)
    missing = raised.keys() - watch.seen.keys()
    if missing:
        raise TimeoutError(f"alerts that never came: {sorted(missing)}")
    return [watch.seen[text] - at for text, at in raised.items()]


def measure():
    with Rig() as rig:
        fleet.start(rig, PRINTERS, heartbeat=f"{HEARTBEAT_S}s")
        fleet.ready(rig, PRINTERS)
        for host in rig.sim.hosts():
            rig.sim.send("alert", host, "clear", "all")
        wait_for(lambda: not rig.central.json("alerts"), 10,
                 "no alert at the centre", 0.5)
        db = rig.central.database()
        watch = Watch(db)
        watch.look()
        taken = run(rig, watch, ALERTS)
        db.close()
        rig.agent.stop()
    median, late = share(taken, 0.5), share(taken, 0.99)
    limit = HEARTBEAT_S + ALLOWED_S
    return [
        Row(f"alert raised to row at the centre, heartbeat {HEARTBEAT_S} s, "
            f"{len(taken)} alerts: median", f"{median * 1000:,.0f} ms",
            f"<= {limit * 1000:,.0f} ms", median <= limit),
        Row("... 99th percentile", f"{late * 1000:,.0f} ms"),
        Row("... shortest and longest",
            f"{min(taken) * 1000:,.0f}, {max(taken) * 1000:,.0f} ms"),
    ]
