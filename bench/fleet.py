"""A whole system with a fleet: the first sweep, then the memory of the agent
while it polls, and what a poll costs when there are many printers."""
import time

import gauge
import traffic
from rig import Rig, wait_for
from table import Row, middle, number

MEMORY_MB = 24          # with 1,000 printers
COLLECTOR_MB = 48       # of it alone, with 10,000
LIMIT_S = 600
SETTLE_S = 60


def centre(rig):
    rig.server.limits = "none"
    rig.server.level = "warn"
    rig.server.start()
    rig.central.init()
    rig.central.start()


def start(rig, printers, **schedule):
    """Everything but the agent, which is ready to start."""
    centre(rig)
    rig.sim.start(fleet=printers)
    agent = rig.agent.enrol()
    hosts = rig.sim.hosts()
    agent.networks = [f"{hosts[0]}-{hosts[-1]}"]
    times = {"heartbeat": "1s", "supplies": "1h", "counters": "1h",
             "assets": "1d"}
    times.update(schedule)
    agent.write(**times)
    return agent


def count(db, table, where="1"):
    return db.execute(f"SELECT count(*) FROM {table} WHERE {where}") \
        .fetchone()[0]


def ready(rig, printers):
    """Seconds until the collector had all printers, and until the centre
    had; afterwards everything is acknowledged."""
    agent, central = rig.agent, rig.central.database()
    start_s = time.monotonic()
    agent.start()
    wait_for(lambda: list(agent.dir.glob("*.db")), 20, "the agent's store")
    store = wait_for(lambda: opened(agent), 20, "the agent's tables")
    read_s = known_s = None
    while read_s is None or known_s is None:
        now = time.monotonic() - start_s
        if read_s is None and count(store, "device", "printer") >= printers:
            read_s = now
        if known_s is None and count(central, "asset") >= printers:
            known_s = now
        if now > LIMIT_S:
            raise TimeoutError(f"{printers} printers are not known after "
                               f"{now:.0f} s")
        time.sleep(0.02)
    wait_for(lambda: count(store, "outbox") == 0, SETTLE_S,
             "an empty outbox")
    store.close()
    central.close()
    return read_s, known_s


def opened(agent):
    import sqlite3
    try:
        db = agent.database()
        count(db, "outbox")
        return db
    except (sqlite3.Error, StopIteration):
        return None


def memory(pids, samples=9):
    """({role: kB}, kB together, kB if nobody else used the libraries), the
    medians of some samples."""
    taken = []
    for _ in range(samples):
        taken.append({role: gauge.pss_kb(pid) for role, pid in pids.items()})
        time.sleep(0.5)
    parts = {role: middle([t[role] for t in taken]) for role in pids}
    return (parts, middle([sum(t.values()) for t in taken]),
            gauge.alone_kb(pids.values()))


def memory_rows(printers, pids):
    parts, together, alone = memory(pids)
    collector = parts["collector"]
    parts = ", ".join(f"{role} {kb / 1024:.1f}" for role, kb in parts.items())
    target, good = "", None
    if printers == 1000:
        target, good = f"< {MEMORY_MB} MB", together < MEMORY_MB * 1024
    rows = []
    if printers >= 10000:
        rows = [Row(f"collector's memory, {printers:,} printers (PSS)",
                    f"{collector / 1024:.1f} MB", f"<= {COLLECTOR_MB} MB",
                    collector <= COLLECTOR_MB * 1024),
                Row("... if no other program used its libraries",
                    f"{gauge.alone_kb([pids['collector']]) / 1024:.1f} MB")]
    return rows + [Row(f"agent's memory, {printers:,} printers (PSS: {parts})",
                f"{together / 1024:.1f} MB", target, good),
            Row(f"the same if no other program used its libraries, "
                f"{printers:,} printers", f"{alone / 1024:.1f} MB")]


def sweep_rows(printers, seconds, cpu, spent):
    read_s, known_s = seconds
    return [
        Row(f"first sweep of {printers:,} printers, until the last is read",
            f"{read_s:.1f} s"),
        Row("... until the last is in the centre's database",
            f"{known_s:.1f} s"),
        Row("... CPU of the collector, a printer",
            f"{cpu['collector'] / printers * 1e6:,.0f} us"),
        Row("... CPU of the uplink, a printer",
            f"{cpu['uplink'] / printers * 1e6:,.0f} us"),
        Row("... on the LAN, a printer: requests; bytes to it, from it",
            f"{spent['requests'] / printers:.1f}; "
            f"{number(spent['bytes_to'] / printers, 4)}, "
            f"{number(spent['bytes_from'] / printers, 4)}"),
    ]


def measure_one(printers):
    heartbeat = 1 if printers < 200 else 5 if printers < 5000 else 30
    with Rig() as rig:
        agent = start(rig, printers, heartbeat=f"{heartbeat}s")
        before = traffic.stats(rig.sim)
        seconds = ready(rig, printers)
        pids = agent.pids()
        # From the birth of each: its CPU time so far is the sweep's, and of
        # the few heartbeats that came before the last report was through.
        cpu = {role: gauge.cpu_s(pid) for role, pid in pids.items()}
        spent = traffic.spent(before, traffic.stats(rig.sim))
        time.sleep(2.2 * heartbeat)
        rows = memory_rows(printers, pids)
        if printers >= 1000:
            rows = sweep_rows(printers, seconds, cpu, spent) + rows
            rows += busy_rows(rig, printers, heartbeat, pids)
        agent.stop()
    return rows


def busy_rows(rig, printers, heartbeat, pids, seconds=20):
    """Each printer is polled once a heartbeat: what that costs."""
    before = traffic.stats(rig.sim)
    meter = gauge.Meter(pids)
    time.sleep(max(seconds, heartbeat))
    gone, cpu = meter.read()
    spent = traffic.spent(before, traffic.stats(rig.sim))
    asked = spent["requests"] / (printers * gone / heartbeat)
    return [Row(f"heartbeats of {printers:,} printers, {heartbeat} s apart: "
                f"the collector's share of one core",
                f"{cpu['collector'] / gone * 100:.1f} %"),
            Row(f"... CPU a request ({asked:.2f} a printer and heartbeat)",
                f"{cpu['collector'] / spent['requests'] * 1e6:,.0f} us")]


def measure(quick=False):
    rows = []
    for printers in (12, 200) if quick else (12, 1000, 10000):
        rows += measure_one(printers)
    return rows
