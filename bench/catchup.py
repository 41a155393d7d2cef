"""A hundred thousand reports that waited for the centre, and an alert that is
raised while they go."""
import re
import subprocess
import time

import fleet
import gauge
import pipe
from rig import Rig, wait_for
from table import Row, number

REPORTS = 100000
PRINTERS = 1000
ALERTS = 5
LIMIT_S = 300
LOOK_S = 0.02


class Line:
    """Octets on the agent's connection to the server, as the kernel counts
    what its own end sent and received: TCP payload, each once."""

    def __init__(self, agent, port):
        self.agent, self.port = agent, port

    def read(self):
        """(sent, received) of the uplink's socket, None without one."""
        text = subprocess.run(
            ["ss", "-tinHp", "dport", "=", f":{self.port}"],
            stdout=subprocess.PIPE, text=True, check=True).stdout
        pid = self.agent.pids().get("uplink")
        for one in re.split(r"\n(?=\S)", text):
            if f"pid={pid}," in one:
                return tuple(
                    int(found.group(1)) if (found := re.search(
                        rf"\b{what}:(\d+)", one)) else 0
                    for what in ("bytes_acked", "bytes_received"))
        return None


def prepare(rig):
    """A few real printers beside the invented ones, for the alerts."""
    rig.server.limits = "recommended"
    rig.server.level = "warn"
    rig.server.start()
    rig.central.init()
    rig.central.start()
    rig.sim.start(fleet=ALERTS)
    agent = rig.agent.enrol()
    agent.more = {"outbox": {"hold": "0s", "max_size": "1G"},
                  "traps": {"listen": f"127.0.0.1:{rig.ports.take()}"}}
    agent.write(heartbeat="20s", supplies="1h", counters="1h", assets="1d")
    agent.start().wait_online()
    wait_for(lambda: len(rig.central.json("devices")) == ALERTS, 30,
             "the printers at the centre", 0.2)
    agent.stop()
    return agent


class Alert:
    """Raised on a printer of its own, and told by a trap."""

    def __init__(self, rig, db, n):
        self.db, self.text = db, f"in the middle {n}"
        rig.sim.raise_alert(
            rig.sim.hosts()[n], code=8, severity=3, group=8, text=self.text,
            trap=rig.agent.more["traps"]["listen"])
        self.raised, self.seen = time.monotonic(), None

    def look(self):
        if self.seen is None and self.db.execute(
                "SELECT 1 FROM alert WHERE description = ?",
                (self.text,)).fetchone():
            self.seen = time.monotonic()
        return self.seen


def run(rig, agent, reports, printers):
    db = rig.central.database()
    told = pipe.stock(agent, 0, printers, reports)
    waits, was = told["reports"], pipe.taken(db)
    agent.start()
    agent.wait_log("catching up: ", 60)
    line = Line(agent, rig.server.port)
    octets = line.read() or (0, 0)
    meter = gauge.Meter({"uplink": agent.pids()["uplink"],
                         "server": rig.server.pid,
                         "centre": rig.central.pid})
    alerts, done, last = [], 0, octets
    # What the agent appends meanwhile counts as well: its own record, and
    # the alerts and all that comes with them.
    while done < waits:
        done = pipe.taken(db) - was
        now = time.monotonic()
        last = line.read() or last
        if len(alerts) < ALERTS and \
                done >= waits * (len(alerts) + 1) / (ALERTS + 2):
            alerts.append(Alert(rig, db, len(alerts)))
        for alert in alerts:
            alert.look()
        if now - meter.start > LIMIT_S:
            raise TimeoutError(f"{waits - done} reports are left")
        time.sleep(LOOK_S)
    seconds, cpu = meter.read()
    for alert in alerts:
        wait_for(alert.look, 30, f"the alert {alert.text}")
    messages = agent.wait_log(r"caught up: .* in (\d+) messages", 30)
    db.close()
    agent.stop()
    return {"waits": waits, "bytes": told["bytes"], "seconds": seconds,
            "cpu": cpu, "messages": int(messages.group(1)),
            "octets": [b - a for a, b in zip(octets, last)],
            "alerts": [a.seen - a.raised for a in alerts]}


def measure(quick=False):
    reports, printers = (2000, 50) if quick else (REPORTS, PRINTERS)
    with Rig() as rig:
        agent = prepare(rig)
        got = run(rig, agent, reports, printers)
    waits, alerts = got["waits"], sorted(got["alerts"])
    up, down = got["octets"]
    return [
        Row(f"catching up with {waits:,} reports of {printers:,} printers "
            "that waited, recommended limits: until the last is a row",
            f"{got['seconds']:.1f} s"),
        Row("... reports a second; in messages",
            f"{waits / got['seconds']:,.0f}; {got['messages']:,}"),
        Row("... bytes a report: in the agent's store; on the line (TLS in "
            "TCP) to the server, from it",
            f"{got['bytes'] / waits:.0f}; {number(up / waits)}, "
            f"{number(down / waits)}"),
        Row("... CPU a report: uplink, server, centre",
            ", ".join(f"{got['cpu'][p] / waits * 1e6:,.0f}"
                      for p in ("uplink", "server", "centre")) + " us"),
        Row(f"... {len(alerts)} alerts raised meanwhile, told by a trap, to "
            "the row: median, longest",
            f"{alerts[len(alerts) // 2] * 1000:,.0f}, "
            f"{alerts[-1] * 1000:,.0f} ms"),
    ]
