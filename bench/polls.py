"""CPU and bytes of one poll of one printer, beside what a shell script needs
for the same with net-snmp's own programs, on the same simulated printers."""
import resource
import shutil
import subprocess
import time

import fleet
import gauge
import traffic
from rig import Rig, wait_for
from table import Row, middle, number

PRINTERS = 100
WINDOW_S = 20
TARGET = 100            # times less than the shell

HEARTBEAT_S = 2

# The default schedule, and how much faster its hour goes.
DEFAULTS = {"heartbeat": 60, "supplies": 15 * 60, "counters": 3600,
            "assets": 24 * 3600}
FASTER = 60
HOUR_BYTES = 30000

# What is polled in each of three runs.  What has an interval of half the
# heartbeat is due at every poll, whatever the jitter; the rest never is.
KINDS = {
    "heartbeat": {},
    "levels and counters": {"supplies": "1s", "counters": "1s"},
    "full": {"assets": "1s"},
}

SYSTEM = ("1.3.6.1.2.1.1.1.0 1.3.6.1.2.1.1.2.0 1.3.6.1.2.1.1.3.0 "
          "1.3.6.1.2.1.1.5.0 1.3.6.1.2.1.1.6.0")
TABLES = {
    "hrDeviceTable": "1.3.6.1.2.1.25.3.2.1",
    "hrPrinterTable": "1.3.6.1.2.1.25.3.5.1",
    "prtGeneralTable": "1.3.6.1.2.1.43.5.1",
    "prtMarkerTable": "1.3.6.1.2.1.43.10.2",
    "prtMarkerSuppliesTable": "1.3.6.1.2.1.43.11.1",
    "prtAlertTable": "1.3.6.1.2.1.43.18.1",
}
HEARTBEAT = ("1.3.6.1.2.1.1.3.0 1.3.6.1.2.1.25.3.2.1.5.1 "
             "1.3.6.1.2.1.25.3.5.1.1.1 1.3.6.1.2.1.25.3.5.1.2.1 "
             "1.3.6.1.2.1.43.5.1.1.1.1 1.3.6.1.2.1.43.5.1.1.18.1 "
             "1.3.6.1.2.1.43.5.1.1.19.1 1.3.6.1.2.1.43.10.2.1.4.1.1")
# -m '' because no MIB files are needed, and reading them costs much more.
FLAGS = "-v2c -c public -m '' -Onq -t1 -r2"


def full_script(port):
    lines = [f"snmpget {FLAGS} $h:{port} {SYSTEM}"]
    lines += [f"snmpbulkwalk -Cr25 {FLAGS} $h:{port} {oid}"
              for oid in TABLES.values()]
    return "\n".join(lines)


def heartbeat_script(port):
    return f"snmpget {FLAGS} $h:{port} {HEARTBEAT}"


def children_s():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def shell(sim, hosts, script, rounds=3):
    """(CPU seconds a printer, what went over the LAN a printer): medians of
    rounds over all hosts, one after the other as a script does."""
    script = (f"for h in {' '.join(hosts)}; do\n{script}\ndone "
              "</dev/null >/dev/null 2>&1")
    taken = []
    before = traffic.stats(sim)
    for _ in range(rounds):
        was = children_s()
        subprocess.run(["/bin/sh", "-c", script], check=False)
        taken.append((children_s() - was) / len(hosts))
    spent = traffic.spent(before, traffic.stats(sim))
    return middle(taken), {k: v / rounds / len(hosts)
                           for k, v in spent.items()}


def collector(rig, schedule):
    """(CPU seconds a poll, LAN a poll) of one kind of poll."""
    agent, sim = rig.agent, rig.sim
    times = {"heartbeat": f"{HEARTBEAT_S}s", "supplies": "1h",
             "counters": "1h", "assets": "1d"}
    times.update(schedule)
    agent.stop()
    agent.write(**times).start().wait_online()
    hosts = sim.hosts()
    # Everything is read whole first.
    time.sleep(5)
    each = wait_for(lambda: whole_count(sim, hosts), 60,
                    "polls of each printer")
    pids = agent.pids()
    all_before = traffic.stats(sim)
    before = {h: traffic.stats(sim, h)["requests"] for h in hosts}
    meter = gauge.Meter(pids)
    time.sleep(WINDOW_S)
    _, cpu = meter.read()
    spent = traffic.spent(all_before, traffic.stats(sim))
    after = {h: traffic.stats(sim, h)["requests"] for h in hosts}
    polls = sum((after[h] - before[h]) / each[h] for h in hosts)
    return cpu["collector"] / polls, {k: v / polls for k, v in spent.items()}


def whole_count(sim, hosts):
    each = traffic.requests_a_poll(sim, hosts, 4 * HEARTBEAT_S)
    return each if len(each) == len(hosts) else None


def lan(spent):
    return (f"{spent['requests']:.1f}; {number(spent['bytes_to'], 4)}, "
            f"{number(spent['bytes_from'], 4)}")


def ratio_row(what, ours, theirs, target=None):
    ratio = theirs / ours
    return Row(what, f"{ratio:.0f} times less",
               f">= {target} times" if target else "",
               ratio >= target if target else None)


def hour_row(spent):
    """The default schedule: heartbeat 60 s, supplies 15 min, counters 1 h,
    assets 1 d; what is due goes with a heartbeat."""
    levels, full = 4, 1 / 24
    beats = 60 - levels - full
    total = {k: beats * spent["heartbeat"][k] + full * spent["full"][k] +
             levels * spent["levels and counters"][k]
             for k in spent["full"]}
    both = total["bytes_to"] + total["bytes_from"]
    return Row("on the LAN a printer and hour with the default schedule "
               "(computed): requests; bytes to it, from it",
               f"{lan(total)} ({both / 3600:.1f} bytes/s)")


def hour(rig):
    """Bytes and requests a printer in an hour in which nothing changes, all
    intervals of the default schedule divided by FASTER."""
    times = {key: f"{max(1, s // FASTER)}s" for key, s in DEFAULTS.items()}
    rig.agent.stop()
    rig.agent.write(**times).start().wait_online()
    hosts = rig.sim.hosts()
    time.sleep(8)           # everything is read whole first
    before = traffic.stats(rig.sim)
    time.sleep(3600 / FASTER)
    spent = traffic.spent(before, traffic.stats(rig.sim))
    return {k: v / len(hosts) for k, v in spent.items()}


def simulated_rows(spent, full):
    """The assets are read once a day, which no simulated hour sees: a 24th
    of a full poll is added."""
    total = {k: spent[k] + full[k] / 24 for k in spent}
    both = total["bytes_to"] + total["bytes_from"]
    return [Row("steady state, nothing changes: one hour of the default "
                f"schedule, simulated {FASTER} times faster, and a 24th of a "
                "full poll: bytes a printer and hour on the LAN",
                f"{both:,.0f}", f"<= {HOUR_BYTES:,}", both <= HOUR_BYTES),
            Row("... requests; bytes to it, from it", lan(total))]


def measure(quick=False):
    global PRINTERS, WINDOW_S
    if quick:
        PRINTERS, WINDOW_S = 16, 8
    if not shutil.which("snmpbulkwalk"):
        raise SystemExit("polls: snmpget and snmpbulkwalk are needed: "
                         "apt-get install snmp")
    rows, cost, spent = [], {}, {}
    with Rig() as rig:
        fleet.start(rig, PRINTERS)
        fleet.ready(rig, PRINTERS)
        for kind, schedule in KINDS.items():
            cost[kind], spent[kind] = collector(rig, schedule)
        an_hour = hour(rig)
        rig.agent.stop()
        hosts, port = rig.sim.hosts(), rig.sim.port
        script_s, script_lan = shell(rig.sim, hosts, full_script(port))
        beat_s, beat_lan = shell(rig.sim, hosts, heartbeat_script(port))
    for kind in KINDS:
        rows.append(Row(f"collector's CPU, {kind} poll",
                        f"{cost[kind] * 1e6:,.0f} us"))
        rows.append(Row("... on the LAN: requests; bytes to, from the "
                        "printer", lan(spent[kind])))
    rows += [
        Row("shell, full poll: snmpget of the system group, snmpbulkwalk of "
            f"{len(TABLES)} tables: CPU", f"{script_s * 1e6:,.0f} us"),
        Row("... on the LAN: requests; bytes to, from the printer",
            lan(script_lan)),
        Row("shell, heartbeat: one snmpget of 8 objects: CPU",
            f"{beat_s * 1e6:,.0f} us"),
        Row("... on the LAN: requests; bytes to, from the printer",
            lan(beat_lan)),
        ratio_row("a heartbeat beside the shell's full poll (a script has no "
                  "other way to see what changed)", cost["heartbeat"],
                  script_s, TARGET),
        ratio_row("a full poll beside the shell's full poll", cost["full"],
                  script_s, TARGET),
        ratio_row("a heartbeat beside the shell's snmpget of the same",
                  cost["heartbeat"], beat_s),
        hour_row(spent),
    ]
    return rows + simulated_rows(an_hour, spent["full"])
