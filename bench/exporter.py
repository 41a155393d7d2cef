"""prometheus-snmp-exporter as a peer: what it costs to let it scrape the same
printers, 64 at a time, as Prometheus would."""
import concurrent.futures
import contextlib
import http.client
import os
import pathlib
import subprocess
import time

import gauge
from rig import listening, wait_for

AT_ONCE = 64

# What our poll reads of each printer at each visit, but for makers' own
# counters: as it knows no rows, it walks columns.
GET = ["1.3.6.1.2.1.1.3.0"]
HR, PRT = "1.3.6.1.2.1.25.3.", "1.3.6.1.2.1.43."
ROW, SUB_ROW = ["device"], ["device", "row"]
# name, OID, its index; one walk for each
COLUMNS = [
    ("hrDeviceStatus", HR + "2.1.5", ROW),
    ("hrPrinterStatus", HR + "5.1.1", ROW),
    ("prtGeneralConfigChanges", PRT + "5.1.1.1", ROW),
    ("prtAlertCriticalEvents", PRT + "5.1.1.18", ROW),
    ("prtAlertAllEvents", PRT + "5.1.1.19", ROW),
    ("prtMarkerLifeCount", PRT + "10.2.1.4", SUB_ROW),
    ("prtMarkerSuppliesLevel", PRT + "11.1.1.9", SUB_ROW),
]
# walked whole, as its columns are wanted together
ALERT = PRT + "18.1.1"
ALERT_COLUMNS = [("prtAlertSeverityLevel", 2), ("prtAlertTrainingLevel", 3),
                 ("prtAlertGroup", 4), ("prtAlertGroupIndex", 5),
                 ("prtAlertLocation", 6), ("prtAlertCode", 7),
                 ("prtAlertTime", 9)]
TEXTS = [("hrPrinterDetectedErrorState", HR + "5.1.2", ROW),
         ("prtAlertDescription", ALERT + ".8", SUB_ROW)]


def metric(name, oid, labels, kind="gauge"):
    indexes = "".join(f"\n    - labelname: {label}\n      type: gauge"
                      for label in labels)
    return (f"  - name: {name}\n    oid: {oid}\n    type: {kind}\n"
            f"    help: {name}\n" +
            (f"    indexes:{indexes}\n" if labels else ""))


def snmp_yml():
    walks = [oid for _, oid, _ in COLUMNS] + [TEXTS[0][1], ALERT]
    text = "printer:\n  walk:\n"
    text += "".join(f"  - {oid}\n" for oid in walks)
    text += "  get:\n" + "".join(f"  - {oid}\n" for oid in GET)
    text += "  metrics:\n" + metric("sysUpTime", GET[0], [])
    for name, oid, labels in COLUMNS:
        text += metric(name, oid, labels)
    for name, column in ALERT_COLUMNS:
        text += metric(name, f"{ALERT}.{column}", SUB_ROW)
    for name, oid, labels in TEXTS:
        text += metric(name, oid, labels, "OctetString")
    return text + ("  version: 2\n  max_repetitions: 25\n  retries: 3\n"
                   "  timeout: 5s\n  auth:\n    community: public\n")


class Exporter:
    def __init__(self, rig):
        self.port = rig.ports.take()
        config = rig.dir / "snmp.yml"
        config.write_text(snmp_yml())
        self.log = open(rig.dir / "exporter.log", "w+b")
        self.proc = subprocess.Popen(
            ["prometheus-snmp-exporter", f"--config.file={config}",
             f"--web.listen-address=127.0.0.1:{self.port}",
             "--log.level=error"], stdout=self.log, stderr=subprocess.STDOUT)

    def __enter__(self):
        wait_for(lambda: self.proc.poll() is None and listening(self.port),
                 10, "prometheus-snmp-exporter listens")
        return self

    def __exit__(self, *_):
        self.proc.kill()
        self.proc.wait()
        self.log.close()

    def cpu_s(self):
        """Of all its threads, in hundredths of a second."""
        stat = pathlib.Path(f"/proc/{self.proc.pid}/stat").read_text()
        fields = stat[stat.rindex(")") + 2:].split()
        return ((int(fields[11]) + int(fields[12])) /
                os.sysconf("SC_CLK_TCK"))

    def scrape(self, hosts, port):
        """Seconds of its CPU and of the clock for each host once."""
        with contextlib.ExitStack() as stack:
            pool = stack.enter_context(
                concurrent.futures.ThreadPoolExecutor(AT_ONCE))
            was, start = self.cpu_s(), time.monotonic()
            failed = sum(not ok for ok in pool.map(
                lambda host: self.one(host, port), hosts))
            wall = time.monotonic() - start
            cpu = self.cpu_s() - was
        if failed > len(hosts) / 100:
            raise RuntimeError(f"{failed} of {len(hosts)} scrapes failed: "
                               f"{self.last}")
        return {"cpu_s": cpu, "wall_s": wall, "devices": len(hosts)}

    def one(self, host, port):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            link.request("GET", f"/snmp?module=printer&target={host}:{port}")
            answer = link.getresponse()
            self.last = answer.read()
            return answer.status == 200 and b"hrPrinterStatus" in self.last
        finally:
            link.close()


def present():
    return gauge.present("prometheus-snmp-exporter")
