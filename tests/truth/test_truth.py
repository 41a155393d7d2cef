#!/usr/bin/python3
"""Does Platen say of recorded printers what is true of them?

Goal: at least 99.5 % of the facts of ../shared/walks/expected.tsv agree, and
each difference stands in differences.tsv with its reason.  The recordings
are served by platen-sim and asked by platen probe, over UDP on loopback.
The folder is no part of the project: without it there is nothing to compare.

By hand: tests/truth/test_truth.py BUILD_DIR [--dump] shows every difference;
--dump asks the decoder alone (tests/unit/snmp/truth_dump), without network.
"""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
WALKS = os.path.join(os.path.dirname(ROOT), "shared", "walks")
DIFFERENCES = os.path.join(HERE, "differences.tsv")
GOAL = 0.995

COLOURS = ("black", "cyan", "magenta", "yellow")
DEVICE_STATUS = {"1": "unknown", "2": "running", "3": "warning",
                 "4": "testing", "5": "down"}      # RFC 2790
KEYWORDS = {"supplyThatIsConsumed": "consumed", "other": "other",
            "receptacleThatIsFilled": "filled"}


def unescape(text):
    return re.sub(r"\\(x([0-9a-fA-F]{2})|.)", lambda m:
                  chr(int(m[2], 16)) if m[2] else
                  {"n": "\n", "t": "\t", "r": "\r"}.get(m[1], m[1]), text)


def expected():
    """{file: {fact: value}}: what is true by the OIDs; LibreNMS's reading
    where that is the better one (it cleans up), never where it guesses."""
    facts = {}
    with open(os.path.join(WALKS, "expected.tsv"), encoding="utf-8") as tsv:
        for row in csv.DictReader(tsv, delimiter="\t",
                                  quoting=csv.QUOTE_NONE):
            if "librenms-default" in row["flag"]:
                continue        # the OID is absent, LibreNMS filled it in
            if "@" in row["file"]:
                continue        # a context of another printer's file
            value = row["raw_value"] if "DISAGREE" in row["flag"] \
                else row["value"]
            facts.setdefault(row["file"], {})[row["fact"]] = unescape(value)
            if row["fact"] == "hardware" and "DISAGREE" in row["flag"]:
                # raw_value is right for levels; which of two names is the
                # model nobody says: the device has both.
                facts[row["file"]]["hardware.other"] = unescape(row["value"])
    return facts


def bare_model(text, make):
    """The model without brand in front and "series" behind."""
    text = " ".join(text.split())
    for brand in (make or "", "HP", "Konica Minolta"):
        if brand and text.lower().startswith(brand.lower() + " "):
            text = text[len(brand) + 1:]
    return re.sub(r"\s+series$", "", text, flags=re.I)


def model_agrees(want, asset):
    got = asset["model"] or ""
    want = bare_model(want, asset["make"])
    # hrDeviceDescr of some has serial and firmware behind the name
    return got == want or (got != "" and want.startswith(got + " ") and
                           "." in want)


def mac_list(facts):
    return [":".join(re.findall("..", v)) for k, v in facts.items()
            if k.startswith("mac[") and v.strip("0")]


def percent_wanted(text):
    return int(text) if text.lstrip("-").isdigit() else None


def colour_wanted(description):
    said = [c for c in COLOURS if c in description.lower()]
    return said[0] if len(said) == 1 else None


def asset_facts(facts, asset):
    """(fact, agrees, wanted, got) of the asset."""
    for key, value in facts.items():
        if key == "serial":
            yield key, asset["serial"] == value, value, asset["serial"]
        elif key == "hardware":
            either = [value, facts.get("hardware.other", value)]
            yield (key, any(model_agrees(v, asset) for v in either), value,
                   asset["model"])
        elif key == "version":
            yield key, asset["firmware"] == value, value, asset["firmware"]
        elif re.fullmatch(r"hrPrinterDetectedErrorState\[\d+\]\.bits", key):
            want = set() if value == "(none)" else set(
                re.split(r"[ ,]+", value))
            got = asset["errors"]
            yield key, got is not None and set(got) == want, value, got
        elif re.fullmatch(r"hrDeviceStatus\[1\]", key):
            want = DEVICE_STATUS[value]
            yield key, asset["device_status"] == want, want, \
                asset["device_status"]
        elif key in ("sysName", "sysLocation"):
            got = asset["hostname" if key == "sysName" else "location"]
            # LibreNMS writes names in lower case, and that is the same name.
            same = (got or "").lower() == value.lower() \
                if key == "sysName" else got == value
            yield key, same, value, got
    macs = mac_list(facts)
    if macs:
        yield "mac", asset["mac"] in macs, macs, asset["mac"]


def counter_facts(facts, counters):
    """What LibreNMS calls a sensor is compared where one of our counters is
    that object alone; a sum of several has no single fact."""
    by_oid = {c["oid"]: c for c in counters}
    for key, value in facts.items():
        sensor = re.match(r"sensor\[([\d.]+)\] count ", key)
        if sensor and sensor[1] in by_oid:
            got = by_oid[sensor[1]]["value"]
            yield key, str(got) == value, value, got
        if key.startswith("pagecount[") and key.endswith(".1]"):
            got = next((c["value"] for c in counters
                        if c["name"] == "total"), None)
            yield key, str(got) == value, value, got


def supply_facts(facts, consumables):
    rows = {str(c["index"]): c for c in consumables}
    if "supply_count" in facts:
        yield ("supply_count", facts["supply_count"] == str(len(rows)),
               facts["supply_count"], len(rows))
    for key, value in facts.items():
        match = re.fullmatch(r"supply\[\d+\.(\d+)\]\.(\w+)", key)
        if not match:
            continue
        row, fact = rows.get(match[1], {}), match[2]
        member = {"descr": "description", "type": "kind",
                  "level_raw": "level", "capacity_raw": "capacity",
                  "percent_expected": "percent", "class": "class",
                  "unit": "unit"}.get(fact)
        if member is None:
            continue
        got = row.get(member)
        if fact == "percent_expected":
            value = percent_wanted(value)
        elif fact in ("level_raw", "capacity_raw"):
            value = int(value)
        elif fact == "class":
            value = KEYWORDS[value]
        yield key, got == value, value, got
        if fact == "descr" and colour_wanted(value):
            want = colour_wanted(value)
            got = row.get("colour") or ""
            yield f"{key}.colour", want in got, want, got


def alert_facts(facts, alerts):
    """Rows of the table; what an error bit says is no row."""
    rows = [a for a in alerts if a["index"] is not None]
    if "alert_count" in facts:
        yield ("alert_count", facts["alert_count"] == str(len(rows)),
               facts["alert_count"], len(rows))


def compare(facts, answer):
    """(file, fact, agrees, wanted, got) of all files."""
    for name in sorted(facts):
        said = answer.get(name)
        if said is None:
            yield name, "answer", False, "one", None
            continue
        for part in (asset_facts(facts[name], said["asset"]),
                     counter_facts(facts[name], said["counters"]),
                     supply_facts(facts[name], said["consumables"]),
                     alert_facts(facts[name], said["alerts"])):
            for fact in part:
                yield (name, *fact)


def walk_files():
    return sorted(n for n in os.listdir(WALKS)
                  if n.endswith(".snmprec") and "@" not in n)


def ask_decoder(build):
    """By truth_dump: {file: object}."""
    program = os.path.join(build, "tests/unit/snmp/truth_dump")
    paths = [os.path.join(WALKS, n) for n in walk_files()]
    done = subprocess.run([program] + paths, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=True)
    return {os.path.basename(o["host"]): o
            for o in reversed(json.loads(done.stdout))}


def ask_network(build):
    """Through platen-sim and platen probe: {file: object}."""
    names = walk_files()
    with tempfile.TemporaryDirectory() as folder:
        hosts = {f"127.77.1.{i + 1}": n for i, n in enumerate(names)}
        specs = []
        for host, name in hosts.items():
            # platen-sim splits its specifications at commas
            path = os.path.join(folder, f"{len(specs)}.snmprec")
            shutil.copy(os.path.join(WALKS, name), path)
            twin = name.replace(".snmprec", "@Jetdirect.snmprec")
            if os.path.exists(os.path.join(WALKS, twin)):
                shutil.copy(os.path.join(WALKS, twin), path.replace(
                    ".snmprec", "@Jetdirect.snmprec"))
            specs.append(f"{host}={path}")
        sim = subprocess.Popen(
            [os.path.join(build, "platen-sim"), "--port", "0", "--control",
             os.path.join(folder, "control"), "--ready-fd", "1"] + specs,
            stdout=subprocess.PIPE, text=True)
        try:
            ready = sim.stdout.readline().split()
            assert ready and ready[0] == "ready", "platen-sim did not start"
            done = subprocess.run(
                [os.path.join(build, "platen"), "probe", "--json",
                 "--timeout", "5"] + [f"{h}:{ready[1]}" for h in hosts],
                stdout=subprocess.PIPE)
            answer = {}
            for entry in reversed(json.loads(done.stdout)):
                host = entry["host"].split(":")[0].split(" ")[0]
                answer[hosts[host]] = entry
            return answer
        finally:
            sim.terminate()
            sim.wait()


def explained():
    with open(DIFFERENCES, encoding="utf-8") as tsv:
        return {(r["file"], r["fact"]): r["reason"]
                for r in csv.DictReader(tsv, delimiter="\t")}


def check(build, ask):
    reasons = explained()
    results = list(compare(expected(), ask(build)))
    wrong = [r for r in results if not r[2]]
    share = 1 - len(wrong) / len(results)
    lines = [f"{len(results)} facts, {len(wrong)} differ: {share:.2%} agree"]
    for name, fact, _, want, got in wrong:
        reason = reasons.get((name, fact))
        lines.append(f"{'explained' if reason else 'NOT EXPLAINED'}: {name} "
                     f"{fact}: wanted {want!r}, got {got!r}")
    gone = set(reasons) - {(r[0], r[1]) for r in wrong}
    lines += [f"explained but no longer different: {g}" for g in sorted(gone)]
    missing = [r for r in wrong if (r[0], r[1]) not in reasons]
    return share, missing, "\n".join(lines)


def need(build, *programs):
    import pytest
    if not os.path.exists(os.path.join(WALKS, "expected.tsv")):
        pytest.skip("no ../shared/walks")
    for program in programs:
        if not os.path.exists(os.path.join(build, program)):
            pytest.skip(f"no {program} in {build}")


def build_dir():
    return os.path.join(ROOT, os.environ.get("PLATEN_BUILD", "build"))


def test_decoder():
    need(build_dir(), "tests/unit/snmp/truth_dump")
    share, missing, text = check(build_dir(), ask_decoder)
    assert share >= GOAL and not missing, text


def test_network():
    need(build_dir(), "platen", "platen-sim")
    share, missing, text = check(build_dir(), ask_network)
    assert share >= GOAL and not missing, text


if __name__ == "__main__":
    SHARE, MISSING, TEXT = check(sys.argv[1], ask_decoder
                                 if "--dump" in sys.argv else ask_network)
    print(TEXT)
    sys.exit(0 if SHARE >= GOAL and not MISSING else 1)
