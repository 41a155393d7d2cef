"""What the centre takes when a thousand agents are there."""
import collections
import concurrent.futures
import json
import re
import resource
import subprocess
import sys
import time

import gauge
from rig import COMPONENT, Rig, program, read_ini, wait_for
from table import Row

STORES = "sqlite", "postgresql"
AGENTS = 1000
PRINTERS = 5
PING_S = 10             # an agent's own default is 300
REPORT_S = 10           # each tells all its printers' counters so often
WINDOW_S = 15
LIMIT_S = 180


class Crowd:
    """bench/crowd."""

    def __init__(self, rig, members, key):
        self.rig, path = rig, rig.dir / "members"
        path.write_text("".join(f"{' '.join(map(str, m))}\n"
                                for m in members))
        self.log = open(rig.dir / "crowd.log", "w+b")
        self.proc = subprocess.Popen(
            [program("bench/crowd"), str(rig.server.port),
             rig.server.ca_file, COMPONENT, key, str(PRINTERS),
             str(PING_S * 1000), path],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
            text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.proc.stdin.close()             # it ends then
        try:
            self.proc.wait(60)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
        self.proc.stdout.close()
        self.log.close()

    def send(self, command):
        self.proc.stdin.write(command + "\n")
        self.proc.stdin.flush()
        line = self.proc.stdout.readline()
        if not line:
            raise RuntimeError("bench/crowd has ended: see crowd.log")
        return json.loads(line)

    def tell_trouble(self):
        """What its agents said, each kind once, to whoever looks on."""
        said = collections.Counter(
            re.sub(r"^\S+ crowd: crowd: \S+@\S+: ", "", line)
            for line in (self.rig.dir / "crowd.log").read_text().splitlines()
            if "@" in line and " crowd: uplink: " not in line)
        for what, times in said.most_common(5):
            print(f"crowd: {times} times: {what}", file=sys.stderr)

    def count(self):
        return self.send("count")

    def complete(self):
        """All have sessions, and all that was told is acknowledged."""
        now = self.count()
        return now["sessions"] == now["agents"] and \
            now["acked"] >= now["agents"] * PRINTERS


def enrol(rig, agents):
    """([(jid, password, token, number)], the centre's key)"""
    def one(n):
        name = f"site{n}"
        jid, password = rig.server.register(name, f"password{n}")
        said = read_ini(rig.central.tool("enrol", name, "--jid", jid))
        return (jid, password, said["crypto"]["token"], n), \
            said["crypto"]["central_key"]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        made = list(pool.map(one, range(agents)))
    return [m for m, _ in made], made[0][1]


def memory(pid):
    """(RSS, PSS) in MB"""
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024, gauge.pss_kb(pid) / 1024
    raise OSError(f"no VmRSS of process {pid}")


def until_complete(crowd):
    """Seconds until all have sessions."""
    begin = time.monotonic()
    while not crowd.complete():
        if time.monotonic() - begin > LIMIT_S:
            raise TimeoutError(f"not all have sessions: {crowd.count()}")
        time.sleep(0.1)
    return time.monotonic() - begin


def at_rest(rig, seconds):
    """CPU seconds a second of the centre when only pings come."""
    meter = gauge.Meter({"centre": rig.central.pid})
    time.sleep(seconds)
    gone, cpu = meter.read()
    return cpu["centre"] / gone


def reporting(rig, crowd, seconds, rest):
    """(reports a second, CPU seconds of the centre a report)"""
    crowd.send(f"report {REPORT_S}")
    time.sleep(2)
    before = crowd.count()["acked"]
    meter = gauge.Meter({"centre": rig.central.pid})
    time.sleep(seconds)
    gone, cpu = meter.read()
    reports = crowd.count()["acked"] - before
    now = crowd.send("report 0")
    wait_for(lambda: crowd.count()["acked"] == now["sent"], 30,
             "all acknowledgements")
    return reports / gone, (cpu["centre"] - rest * gone) / reports


def again(rig, crowd):
    """The centre is stopped and started: seconds until it runs, and until
    the last agent's report has gone through a new session."""
    rig.central.stop()
    wait_for(lambda: crowd.count()["sessions"] == 0, 30, "no sessions")
    told = crowd.count()["acked"]
    begin = time.monotonic()
    rig.central.start()
    runs = time.monotonic() - begin
    want = crowd.count()["agents"] * PRINTERS
    wait_for(lambda: crowd.count()["acked"] >= told + want, LIMIT_S,
             "a report of each agent", 0.05)
    return runs, time.monotonic() - begin


def measure_one(store, agents, rest_s, seconds):
    with Rig(server="prosody", store=store) as rig:
        rig.server.limits, rig.server.level = "none", "warn"
        rig.central.init()
        rig.server.write_account = lambda *_: None      # all at its start
        members, key = enrol(rig, agents)
        del rig.server.write_account
        rig.server.start()
        rig.central.start()
        empty = memory(rig.central.pid)
        with Crowd(rig, members, key) as crowd:
            arrived = until_complete(crowd)
            rest = at_rest(rig, rest_s)
            rate, report_s = reporting(rig, crowd, seconds, rest)
            full = memory(rig.central.pid)
            runs, back = again(rig, crowd)
            trouble = crowd.count()["refused"]
            if trouble:
                crowd.tell_trouble()
        if crowd.proc.returncode != 0:
            raise RuntimeError("bench/crowd ended with "
                               f"{crowd.proc.returncode}")
    return {"empty": empty, "arrived": arrived,
            "rest": rest, "rate": rate, "report": report_s, "full": full,
            "runs": runs, "back": back, "trouble": trouble}


def rows_of(store, agents, got):
    name = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[store]
    pings = agents / PING_S
    return [
        Row(f"the centre's memory with {agents:,} agents that have sessions, "
            f"{agents * PRINTERS:,} printers, {name}: RSS; PSS",
            f"{got['full'][0]:.1f}; {got['full'][1]:.1f} MB"),
        Row("... RSS with none; what an agent takes",
            f"{got['empty'][0]:.1f} MB; "
            f"{(got['full'][0] - got['empty'][0]) * 1024 / agents:.1f} KB"),
        Row(f"... its share of one core at rest, a ping of each in {PING_S} "
            "s; CPU a ping",
            f"{got['rest'] * 100:.2f} %; "
            f"{got['rest'] / pings * 1e6:,.0f} us"),
        Row(f"... CPU a report, {got['rate']:,.0f} a second of all, "
            f"{PRINTERS} in a message", f"{got['report'] * 1e6:,.0f} us"),
        Row("... all arrive for the first time and tell their printers whole "
            "(server, agents and centre on this machine)",
            f"{got['arrived']:.1f} s"),
        Row("... after a restart of the centre: until it is connected; until "
            "each agent has a session and a report through it",
            f"{got['runs']:.1f}; {got['back']:.1f} s"),
        Row("... handshakes that were one too many and had to be made again, "
            "answers lost", f"{got['trouble']:,}"),
    ]


def measure(quick=False):
    agents, rest_s, seconds = ((20, 1, 2) if quick else
                               (AGENTS, 2 * PING_S, WINDOW_S))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    rows = []
    try:
        for store in STORES[:1] if quick else STORES:
            rows += rows_of(store, agents,
                            measure_one(store, agents, rest_s, seconds))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return rows
