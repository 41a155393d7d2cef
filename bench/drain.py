"""Reports a second from the agent's outbox to committed rows, after the
centre was away."""
import time

import fleet
import gauge
import pipe
from rig import Rig, wait_for
from table import Row, middle, number

PRINTERS = 100
REPORTS = 2000
ROUNDS = 3
LOOK_S = 0.005
SEALED = 40             # so much longer is a body in the store


def fill(rig, store, reports):
    """Prints pages and raises and clears alerts until enough waits."""
    hosts, turn = rig.sim.hosts(), 0
    end = time.monotonic() + 180
    while fleet.count(store, "outbox") < reports:
        if time.monotonic() > end:
            raise TimeoutError(f"only {fleet.count(store, 'outbox')} reports "
                               "wait after 180 s")
        for host in hosts:
            rig.sim.send("print", host, 1 + turn)
            if turn % 2:
                rig.sim.send("alert", host, "clear", "all")
            else:
                rig.sim.raise_alert(host, code=8, severity=3, group=8,
                                    text=f"jam {turn}")
        turn += 1
        time.sleep(1.2)


def quiet(store, seconds=3):
    """What waits does not grow any more."""
    last, since = None, time.monotonic()
    while time.monotonic() - since < seconds:
        now = fleet.count(store, "outbox")
        if now != last:
            last, since = now, time.monotonic()
        time.sleep(0.1)
    return last


def drain(rig, store, db):
    """One round: {what: figure}."""
    rig.central.stop()
    fill(rig, store, REPORTS)
    waiting = quiet(store)
    was, rows = pipe.taken(db), fleet.count(db, "history")
    size = store.execute("SELECT avg(length(CAST(body AS BLOB))) - ? "
                         "FROM outbox", (SEALED,)).fetchone()[0]
    rig.central.start(wait=False)
    meter = gauge.Meter({"centre": rig.central.pid,
                         "server": rig.server.pid,
                         "uplink": rig.agent.pids()["uplink"]})
    first = taken = None
    seq = was
    while seq < was + waiting:
        now, at = pipe.taken(db), time.monotonic()
        if first is None and now > seq:
            first, taken = at, now
        if now > seq:
            seq, end = now, at
        if at - meter.start > 300:
            raise TimeoutError(f"{was + waiting - seq} reports are left")
        time.sleep(LOOK_S)
    _, cpu = meter.read()
    rows = fleet.count(db, "history") - rows
    wait_for(lambda: fleet.count(store, "outbox") == 0, 30,
             "an empty outbox")
    # The first commit's reports had their time before it.
    rate = (seq - taken) / (end - first)
    return {"rate": rate, "rows": rows / waiting * rate, "size": size,
            "waiting": waiting,
            **{part: s / waiting for part, s in cpu.items()}}


def measure(quick=False):
    global REPORTS, ROUNDS
    if quick:
        REPORTS, ROUNDS = 300, 1
    with Rig() as rig:
        agent = fleet.start(rig, PRINTERS, supplies="1s", counters="1s")
        agent.more = {"outbox": {"hold": "0s"}}
        agent.write(supplies="1s", counters="1s")
        fleet.ready(rig, PRINTERS)
        store, db = agent.database(), rig.central.database()
        rounds = [drain(rig, store, db) for _ in range(ROUNDS)]
        store.close()
        db.close()
        agent.stop()
    got = {key: middle([r[key] for r in rounds]) for key in rounds[0]}
    return [
        Row("reports a second from the outbox to the commit (about "
            f"{number(got['waiting'], 2)} waited, {number(got['size'])} "
            f"bytes of XML each; median of {ROUNDS})",
            f"{got['rate']:,.0f}"),
        Row("... rows of history a second", f"{got['rows']:,.0f}"),
        Row("... CPU a report: uplink, server, centre",
            ", ".join(f"{got[p] * 1e6:,.0f}"
                      for p in ("uplink", "server", "centre")) + " us"),
    ]
