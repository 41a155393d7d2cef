"""Reports from the agent's outbox to committed rows, beside the bare round
trips of iqs through the same server."""
import json
import re
import subprocess
import time

import fleet
from rig import DOMAIN, Rig, program, wait_for, write_secret
from table import Row, middle

SERVERS = "prosody", "ejabberd"
WINDOWS = 1, 16, 64
REPORTS = 10000
PRINTERS = 100
ROUNDS = 3
IQ_S, IQ_OCTETS = 1.2, 1024
SHARE = 0.6
LOOK_S = 0.01
LIMIT_S = 120
ECHO = f"echo.{DOMAIN}"


def stock(agent, first, printers, reports):
    """Lets so many reports wait in the agent's outbox; what stock says."""
    done = subprocess.run(
        [program("bench/stock"), agent.dir, str(first), str(printers),
         str(reports)], stdout=subprocess.PIPE, text=True, check=True,
        timeout=300)
    return json.loads(done.stdout)


def taken(db):
    """Reports that the centre has committed, of all agents and lanes."""
    return db.execute("SELECT coalesce(sum(last_seq + coalesce(last_bulk, 0)),"
                      " 0) FROM epoch").fetchone()[0]


class Echo:
    """A component that answers iqs, and an account to ask it with."""

    def __init__(self, rig):
        self.rig, server = rig, rig.server
        self.jid, self.password = server.register("asker")
        secret = rig.dir / "echo.secret"
        write_secret(secret, server.components[ECHO] + "\n")
        self.argv = [program("tests/unit/xmpp/component_echo"), ECHO,
                     str(server.component_port), secret]
        self.proc = None

    def __enter__(self):
        self.proc = subprocess.Popen(self.argv, stdout=subprocess.PIPE)
        self.proc.stdout.readline()         # ready
        return self

    def __exit__(self, *_):
        self.proc.kill()
        self.proc.wait()
        self.proc.stdout.close()

    def rates(self, windows, seconds):
        """{window: round trips a second}"""
        done = subprocess.run(
            [program("bench/iqs"), self.jid, str(self.rig.server.port),
             self.rig.server.ca_file, ECHO, str(IQ_OCTETS), str(seconds),
             *map(str, windows)], input=self.password + "\n",
            stdout=subprocess.PIPE, text=True, check=True, timeout=120)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return {one["window"]: one["answers"] / one["seconds"]
                for one in lines}


def prepare(rig):
    rig.server.add_component(ECHO)
    fleet.centre(rig)
    agent = rig.agent.enrol()
    # One that is not there: nothing is to be told but what waits.
    agent.hosts = [f"127.10.0.1:{rig.sim.port}"]
    # Makes its store, and is bound to its account.
    write(agent, WINDOWS[0]).start().wait_online()
    agent.stop()
    return agent


def write(agent, window):
    agent.more = {"outbox": {"window": window, "hold": "0s",
                             "max_size": "1G"}}
    return agent.write(heartbeat="1h", supplies="1h", counters="1h",
                       assets="1d")


def drain(rig, agent, db, window, reports, first):
    """(reports a second, messages a second) of one round."""
    waits = stock(agent, first, PRINTERS, reports)["reports"]
    was = seq = taken(db)
    write(agent, window).start()
    begin = time.monotonic()
    first_at = first_seq = end = None
    while seq < was + waits:
        now, at = taken(db), time.monotonic()
        if now > seq:
            if first_at is None:
                first_at, first_seq = at, now
            seq, end = now, at
        if at - begin > LIMIT_S:
            raise TimeoutError(f"{was + waits - seq} reports are left")
        time.sleep(LOOK_S)
    messages = wait_for(lambda: re.search(
        r"caught up: .* in (\d+) messages", agent.log()), 20,
        "the agent has caught up")
    agent.stop()
    # What the first commit took had its time before it.
    rate = (seq - first_seq) / (end - first_at)
    return rate, rate * int(messages.group(1)) / waits


def measure_one(kind, windows, rounds, reports, seconds):
    """{window: (iqs, reports, messages) a second}, medians of the rounds, in
    which all take turns."""
    got = {window: [] for window in windows}
    first = 0
    with Rig(server=kind, store="sqlite") as rig:
        agent = prepare(rig)
        db = rig.central.database()
        with Echo(rig) as echo:
            for _ in range(rounds):
                iqs = echo.rates(windows, seconds)
                for window in windows:
                    got[window].append((iqs[window], *drain(
                        rig, agent, db, window, reports, first)))
                    first += PRINTERS
        db.close()
    return {window: [middle(column) for column in zip(*rows)]
            for window, rows in got.items()}


def rows_of(kind, got, rounds):
    rows = []
    for window, (iqs, reports, messages) in got.items():
        rows += [
            Row(f"{kind}, {window} under way: reports a second from the "
                "outbox to the committed row", f"{reports:,.0f}",
                f">= {SHARE * 100:.0f} % of the iqs",
                reports >= SHARE * iqs),
            Row("... messages a second; bare iqs of 1 KB there and back a "
                "second; reports beside these",
                f"{messages:,.0f}; {iqs:,.0f}; {reports / iqs * 100:.0f} %"),
        ]
    return rows


def measure(quick=False):
    windows = WINDOWS[1:2] if quick else WINDOWS
    rounds, reports, seconds = ((1, 400, 1) if quick else
                                (ROUNDS, REPORTS, IQ_S))
    rows = []
    for kind in SERVERS[:1] if quick else SERVERS:
        rows += rows_of(kind, measure_one(kind, windows, rounds, reports,
                                          seconds), rounds)
    return rows
