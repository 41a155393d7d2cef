"""What goes over the wide area: octets of IP between the agent, which lives
with its printers in a network namespace, and the server outside."""
import random
import threading
import time

import fleet
from badline import BadLine
from rig import Rig, wait_for
from table import Row, middle, number

PRINTERS = 100
DAY_BYTES = 6000        # a device and day
ALERT_BYTES = 2500
FASTER = 240            # an hour in 15 s
HOURS = 8               # of these are measured
DEFAULTS = {"heartbeat": 60, "supplies": 900, "counters": 3600,
            "assets": 86400}
HOLD_S = 900
IDLE_S = 300            # as far apart as an agent's pings are
ALERTS = 8
QUIET_S = 2.5
RECORDS = 24            # a day, of the agent's own


class Gauge:
    """Counts what passes a BadLine, in IP octets."""

    def __init__(self, line):
        self.lock, self.packets = threading.Lock(), []
        line.up.filter = lambda packet: self.take("up", packet)
        line.down.filter = lambda packet: self.take("down", packet)

    def take(self, way, packet):
        with self.lock:
            self.packets.append((time.monotonic(), way, len(packet.data),
                                 len(packet.payload)))
        return True

    def since(self, begin, end=float("inf")):
        with self.lock:
            return [p for p in self.packets if begin <= p[0] < end]

    def quiet(self, seconds, limit=60):
        """Waits until nothing has passed for so long."""
        begin = time.monotonic()
        wait_for(lambda: time.monotonic() - max(
            [begin] + [p[0] for p in self.packets[-1:]]) >= seconds, limit,
            "a quiet line", 0.05)


def octets(packets, way=None):
    return sum(p[2] for p in packets if way in (None, p[1]))


def with_data(packets):
    return sum(1 for p in packets if p[3] > 1)


def seconds(schedule, faster):
    return {key: f"{max(200, round(1000 * s / faster))}ms"
            for key, s in schedule.items()}


class Site:
    """An agent and its printers behind a line, settled."""

    def __init__(self, kind, printers, faster, **more):
        self.rig = Rig(server=kind, store="sqlite")
        try:
            self.start(printers, faster, more)
        except BaseException:
            self.rig.close()
            raise

    def start(self, printers, faster, schedule):
        rig = self.rig
        line = BadLine(rig)
        line.take(rig.agent, rig.sim)
        rig.server.also = [line.outside]
        rig.server.level = "warn"
        rig.server.start()
        rig.central.init()
        rig.central.start()
        rig.sim.start(fleet=printers)
        self.hosts = rig.sim.hosts()
        for host in self.hosts:
            rig.sim.send("alert", host, "clear", "all")
        self.gauge = Gauge(line)
        agent = rig.agent.enrol()
        agent.networks = [f"{self.hosts[0]}-{self.hosts[-1]}"]
        agent.more = {"xmpp": {"host": line.outside},
                      "outbox": {"hold": f"{HOLD_S * 1000 // faster}ms"}}
        agent.write(**{**seconds(DEFAULTS, faster), **schedule})
        begin = time.monotonic()
        agent.start().wait_online()
        wait_for(lambda: len(rig.central.json("devices")) == printers, 90,
                 "the printers at the centre", 0.3)
        self.settle()
        self.first = octets(self.gauge.since(begin))

    def settle(self):
        """Nothing waits, and nobody has anything more to say."""
        store = self.rig.agent.database()
        wait_for(lambda: fleet.count(store, "outbox") == 0, 60,
                 "an empty outbox", 0.1)
        store.close()
        self.gauge.quiet(QUIET_S)


class Printing(threading.Thread):
    """Each printer prints once an hour, at a moment of its own."""

    def __init__(self, site, hour_s, hours):
        super().__init__(daemon=True)
        dice, self.sim = random.Random(1), site.rig.sim
        self.enough = threading.Event()
        self.plan = sorted(
            (hour_s * (hour + dice.random()), host, dice.randint(1, 40))
            for hour in range(hours) for host in site.hosts)
        self.start()

    def run(self):
        begin = time.monotonic()
        for at, host, pages in self.plan:
            if self.enough.wait(max(0, begin + at - time.monotonic())):
                break
            self.sim.send("print", host, pages)

    def stop(self):
        self.enough.set()
        self.join()


def counters(printers, hours, faster):
    """{"octets", "messages", "reports", "first"} of so many simulated hours
    in which nothing but counters changes."""
    site = Site("prosody", printers, faster)
    with site.rig as rig:
        hour_s = 3600 / faster
        printing = Printing(site, hour_s, int(hours) + 2)
        time.sleep(hour_s * min(1, hours))  # as any other hour from here on
        db = rig.central.database()
        rows = fleet.count(db, "history")
        begin = time.monotonic()
        time.sleep(hours * hour_s)
        packets = site.gauge.since(begin, time.monotonic())
        rows = fleet.count(db, "history") - rows
        db.close()
        printing.stop()
    return {"octets": octets(packets) / hours, "rows": rows / hours,
            "up": octets(packets, "up") / hours,
            "packets": with_data(packets) / hours, "first": site.first}


def alerts(kind, count):
    """([octets of an alert raised], [of its end])"""
    raised, cleared = [], []
    site = Site(kind, count, 1, heartbeat="500ms", supplies="1h",
                counters="1h")
    with site.rig as rig:
        for n, host in enumerate(site.hosts):
            for taken, act in (
                    (raised, lambda: rig.sim.raise_alert(
                        host, code=8, severity=3, group=8,
                        text=f"Paper jam in tray {n}")),
                    (cleared, lambda: rig.sim.send("alert", host, "clear",
                                                   "all"))):
                before, begin = count_alerts(rig), time.monotonic()
                act()
                wait_for(lambda: count_alerts(rig) != before, 30,
                         "the change at the centre", 0.1)
                site.gauge.quiet(QUIET_S)
                taken.append(octets(site.gauge.since(begin)))
    return raised, cleared


def count_alerts(rig):
    return len(rig.central.json("alerts"))


class Idle:
    """An agent with which nothing happens."""

    def __init__(self, kind):
        self.site = Site(kind, 3, 1)
        self.begin = time.monotonic()

    def finish(self, idle_s):
        """Packets of so many seconds."""
        end = self.begin + idle_s
        time.sleep(max(0, end - time.monotonic()))
        packets = self.site.gauge.since(self.begin, end)
        self.site.rig.close()
        return packets


def day_rows(got, idle, idle_s, hours):
    """Of a device and day."""
    share = 24 / PRINTERS
    told = got["octets"] * share
    # As if each of the agent's own records went in a message of its own.
    record = got["octets"] / max(1, got["packets"]) * 2 * RECORDS / PRINTERS
    rest = {kind: octets(packets) / idle_s * 86400 / PRINTERS
            for kind, packets in idle.items()}
    total = told + record + rest["prosody"]
    return [
        Row(f"on the WAN a device and day, default schedule, {PRINTERS} "
            "devices, only counters change, each device's every hour "
            f"({hours} hours, {FASTER} times faster; pings at their own pace)",
            f"{total:,.0f} bytes", f"< {DAY_BYTES:,}", total < DAY_BYTES),
        Row("... of which counters with their answers; the agent's own "
            "records; pings and keepalives (Prosody; with ejabberd)",
            f"{told:,.0f}; {record:,.0f}; {rest['prosody']:,.0f}; "
            f"{rest.get('ejabberd', 0):,.0f}"),
        Row("... packets with data an hour, of the agent; changes of "
            "counters an hour, a device",
            f"{got['packets']:.1f}; {got['rows'] / PRINTERS:.1f}"),
        Row(f"... packets in {idle_s} s in which nothing happens (Prosody; "
            "ejabberd), and those of them with data",
            "; ".join(f"{len(packets)}, {with_data(packets)}"
                      for packets in idle.values())),
        Row(f"a start: login, session, {PRINTERS} printers told whole",
            f"{number(got['first'])} bytes"),
    ]


def alert_rows(kind, raised, cleared):
    worst = max(raised)
    return [
        Row(f"on the WAN an alert raised, {kind}: TLS, envelope, answer "
            f"(of {len(raised)}: median, most)",
            f"{middle(raised):,.0f}, {worst:,.0f} bytes",
            f"< {ALERT_BYTES:,}", worst < ALERT_BYTES),
        Row("... its end", f"{middle(cleared):,.0f}, {max(cleared):,.0f} "
            "bytes"),
    ]


def measure(quick=False):
    global PRINTERS
    hours, count, idle_s = HOURS, ALERTS, IDLE_S
    kinds = "prosody", "ejabberd"
    if quick:
        PRINTERS, hours, count, idle_s, kinds = 5, 0.3, 1, 5, kinds[:1]
    # The line is idle for long; the rest is measured meanwhile.
    idle = {}
    try:
        for kind in kinds:
            idle[kind] = Idle(kind)
        got = counters(PRINTERS, hours, FASTER)
        rows = []
        for kind in kinds:
            rows += alert_rows(kind, *alerts(kind, count))
        packets = {kind: one.finish(idle_s) for kind, one in idle.items()}
    finally:
        for one in idle.values():
            one.site.rig.close()
    return day_rows(got, packets, idle_s, hours) + rows
