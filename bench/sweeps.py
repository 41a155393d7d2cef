"""Finding printers in a large network, beside two scanners."""
import pathlib
import resource
import subprocess
import time

import fleet
import gauge
import traffic
from rig import Rig, wait_for
from table import Row, number

LARGE = {"base": "127.64.0.0", "prefix": 16, "scatter": 500}
SMALL = {"base": "127.80.0.0", "prefix": 20, "scatter": 200}
RATE = 5000
LARGE_S = 40
LIMIT_S = 300
# fusioninventory-netdiscovery takes minutes for all of it
PART_PREFIX, THREADS = 24, 32


def children_s():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def cidr(net):
    return f"{net['base']}/{net['prefix']}"


def start(rig, net, seed=3):
    rig.sim.start(scatter=net["scatter"], base=net["base"],
                  prefix=net["prefix"], seed=seed)
    return rig.sim.hosts()


def agent(rig, net):
    """A first sweep by the daemon: seconds until the first, half, and all of
    the printers were known, and what it took."""
    a = rig.agent
    a.networks = [cidr(net)]
    a.more = {"discovery": {"rate": RATE}}
    a.write(heartbeat="1h", supplies="1h", counters="1h", assets="1d")
    for old in a.dir.glob("*.db*"):
        old.unlink()
    before = traffic.stats(rig.sim)
    begin = time.monotonic()
    a.start()
    store = wait_for(lambda: list(a.dir.glob("*.db")) and fleet.opened(a), 20,
                     "the agent's tables")
    want, marks = net["scatter"], {}
    while "all" not in marks:
        known = fleet.count(store, "device", "printer")
        now = time.monotonic() - begin
        for mark, least in ("first", 1), ("half", want / 2), ("all", want):
            if mark not in marks and known >= least:
                marks[mark] = now
        if now > LIMIT_S:
            raise TimeoutError(f"{known} of {want} printers are known after "
                               f"{now:.0f} s")
        time.sleep(0.02)
    cpu = gauge.cpu_s(a.pids()["collector"])
    spent = traffic.spent(before, traffic.stats(rig.sim))
    store.close()
    a.stop()
    return marks, cpu, spent


def our_rows(rig, net):
    marks, cpu, spent = agent(rig, net)
    target = LARGE_S if net["prefix"] == 16 else None
    sent = traffic.stats(rig.sim)["stray"]
    return [
        Row(f"sweep of a /{net['prefix']} with {net['scatter']} printers at "
            f"{RATE:,} packets a second, until all are known",
            f"{marks['all']:.1f} s", f"< {target} s" if target else "",
            marks["all"] < target if target else None),
        Row("... until the first is, until half of them are",
            f"{marks['first']:.1f} s, {marks['half']:.1f} s"),
        Row("... CPU of the collector, everything read",
            f"{cpu * 1000:,.0f} ms"),
        Row("... packets to addresses where nobody is (the run's, so far); "
            "packets to printers",
            f"{sent:,}; {spent['requests']:,}"),
    ], marks["all"]


def timed(argv, **more):
    was, begin = children_s(), time.monotonic()
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, errors="replace", timeout=1200, **more)
    return done.stdout, time.monotonic() - begin, children_s() - was


def onesixtyone(rig, net, hosts, *options):
    # It takes the networks' first address as one to ask as well.
    out, wall, cpu = timed(["onesixtyone", "-p", rig.sim.port, *options,
                            cidr(net), "public"])
    found = {line.split()[0] for line in out.splitlines()
             if line[:4] == "127."} & set(hosts)
    how = f" {' '.join(options)}" if options else ""
    return [Row(f"onesixtyone{how} on the same /{net['prefix']}: "
                f"answers of {len(found)} of {len(hosts)}",
                f"{wall:.1f} s"),
            Row("... CPU", f"{cpu * 1000:,.0f} ms")]


def part_of(net, hosts):
    """The /24 with the most printers, and how many those are."""
    parts = {}
    for host in hosts:
        part = host.rsplit(".", 1)[0]
        parts[part] = parts.get(part, 0) + 1
    return max(parts.items(), key=lambda item: item[1])


def netdiscovery(rig, net, hosts):
    part, there = part_of(net, hosts)
    save = pathlib.Path(rig.dir) / "netdiscovery"
    save.mkdir()
    _, wall, cpu = timed(
        ["fusioninventory-netdiscovery", "--first", f"{part}.1", "--last",
         f"{part}.254", "--port", rig.sim.port, "--threads", THREADS,
         "--timeout", "1", "--community", "public", "--save", save])
    text = "".join(p.read_text(errors="replace")
                   for p in save.rglob("*") if p.is_file())
    found = sum(f"<IP>{h}</IP>" in text for h in hosts
                if h.startswith(part + "."))
    times = 2 ** (PART_PREFIX - net["prefix"])
    return [Row(f"fusioninventory-netdiscovery, {THREADS} threads, a "
                f"/{PART_PREFIX} of it with {there} printers: {found} found",
                f"{wall:.1f} s"),
            Row(f"... {times} times that, for the whole /{net['prefix']} "
                "(extrapolated): wall; CPU",
                f"{number(wall * times)} s; {number(cpu * times)} s")]


def measure(quick=False):
    large = dict(LARGE, prefix=20, scatter=50) if quick else LARGE
    rows = []
    with Rig() as rig:
        fleet.centre(rig)
        start(rig, large)
        rig.agent.enrol()
        more, _ = our_rows(rig, large)
        rows += more
        rig.sim.stop()
        small = dict(SMALL, prefix=22, scatter=40) if quick else SMALL
        hosts = start(rig, small)
        more, _ = our_rows(rig, small)
        rows += more
        if gauge.present("onesixtyone"):
            if not quick:
                rows += onesixtyone(rig, small, hosts)
            rows += onesixtyone(rig, small, hosts, "-w", "0")
        if gauge.present("fusioninventory-netdiscovery"):
            rows += netdiscovery(rig, small, hosts)
    return rows
