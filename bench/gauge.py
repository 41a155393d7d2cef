"""What the kernel says about processes and the machine."""
import contextlib
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import time

# What was not measured, because it is not installed: {program: package}.
MISSING = {}
PACKAGES = {"prometheus-snmp-exporter": "prometheus-snmp-exporter",
            "onesixtyone": "onesixtyone", "snmpbulkwalk": "snmp",
            "fusioninventory-netdiscovery":
                "fusioninventory-agent-task-network"}


def present(program):
    """Whether a peer is there; if not, its rows are left out."""
    if shutil.which(program):
        return True
    if program not in MISSING:
        MISSING[program] = PACKAGES[program]
        print(f"{program} is left out: apt-get install {PACKAGES[program]}",
              file=sys.stderr)
    return False


def cpu_s(pid):
    """Seconds that a process without threads has spent on a CPU.  schedstat
    is utime + stime in nanoseconds; /proc/PID/stat counts hundredths."""
    with contextlib.suppress(OSError, ValueError):
        return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text()
                   .split()[0]) / 1e9
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    fields = stat[stat.rindex(")") + 2:].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pss_kb(pid):
    """Proportional set size: private pages, and shared ones divided by the
    number of processes that share them."""
    for line in open(f"/proc/{pid}/smaps_rollup"):
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise OSError(f"no Pss of process {pid}")


def _mappings(pid):
    """(what is mapped, {"Rss": kB ...}) of each mapping."""
    name, values = None, {}
    for line in open(f"/proc/{pid}/smaps"):
        first = line.split(None, 1)[0]
        if first.endswith(":"):
            with contextlib.suppress(ValueError):
                values[first[:-1]] = int(line.split()[1])
            continue
        if values:
            yield name, values
        words = line.split(None, 5)
        name = (words[5].strip() if len(words) > 5 else "", words[2])
        values = {}
    if values:
        yield name, values


def alone_kb(pids):
    """What the processes would need together if nobody else on the machine
    used the same libraries: private memory by its PSS, each file's pages
    once, as many as the process has that touches most of them."""
    private, files = 0, {}
    for pid in pids:
        for name, values in _mappings(pid):
            anonymous = values.get("Pss_Anon", values.get("Pss", 0))
            private += anonymous
            if name[0].startswith("/"):
                rest = values.get("Rss", 0) - values.get("Anonymous", 0)
                files[name] = max(files.get(name, 0), rest)
    return private + sum(files.values())


class Meter:
    """CPU seconds of some processes from now on."""

    def __init__(self, pids):
        self.before = {role: (pid, cpu_s(pid)) for role, pid in pids.items()}
        self.start = time.monotonic()

    def read(self):
        """(seconds gone, {role: CPU seconds})."""
        gone = time.monotonic() - self.start
        return gone, {role: cpu_s(pid) - was
                      for role, (pid, was) in self.before.items()}


def _first(command):
    with contextlib.suppress(OSError, subprocess.SubprocessError, IndexError):
        return subprocess.run(command, capture_output=True, text=True,
                              check=True).stdout.splitlines()[0]
    return None


def _cpu_model():
    for line in open("/proc/cpuinfo"):
        key, _, value = line.partition(":")
        if key.strip() in ("model name", "Model", "Hardware"):
            return value.strip()
    return platform.machine()


def _compilers(program):
    """As the programs themselves remember it, else the one in PATH."""
    out = _first(["sh", "-c", "readelf -p .comment \"$0\" 2>/dev/null | "
                  "sed -n 's/^ *\\[ *[0-9a-f]*\\] *//p'", str(program)])
    return out or _first(["cc", "--version"]) or "unknown"


def machine(program):
    """One line that names what was measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    release = "unknown system"
    with contextlib.suppress(OSError):
        for line in open("/etc/os-release"):
            if line.startswith("PRETTY_NAME="):
                release = line.split("=", 1)[1].strip().strip('"')
    return (f"{_cpu_model()}, {len(os.sched_getaffinity(0))} cores, "
            f"{memory:.0f} GiB; {release}, kernel {platform.release()}; "
            f"{_compilers(program)}; net-snmp "
            f"{(_first(['net-snmp-config', '--version']) or 'unknown')}")
