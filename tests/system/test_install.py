"""Promise: what is installed is complete and works: programs that help and
name their version, manual pages for each program and file, samples that pass
the check once the keys are filled in, and nothing of the tests."""
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest
from rig import BUILD, ROOT, program, run_program, write_secret

PAGES = ["platend.8", "platen-central.8", "platen.1", "platen.ini.5",
         "platen-central.ini.5", "platen-vendor.5", "platen-protocol.7"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """make install into a folder of its own, /opt/platen there."""
    where = tmp_path_factory.mktemp("root")
    if not shutil.which("make"):
        pytest.skip("no make")
    # -o: what was built is as good as it is, sources newer or not.
    done = subprocess.run(
        ["make", "-C", str(ROOT), f"B={BUILD}", "-o", "all", "install",
         f"DESTDIR={where}", "PREFIX=/opt/platen"], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    assert done.returncode == 0, done.stdout
    return where / "opt/platen"


def test_everything_is_there(installed):
    files = {str(p.relative_to(installed)) for p in installed.rglob("*")
             if p.is_file()}
    assert {"sbin/platend", "sbin/platen-central", "bin/platen"} <= files
    assert not [f for f in files if "sim" in f], "test tools stay at home"
    for page in PAGES:
        assert f"share/man/man{page[-1]}/{page}" in files
    for name in ("README.md", "LICENSE", "CHANGELOG.md", "platen.ini",
                 "platen-central.ini"):
        assert f"share/doc/platen/{name}" in files
    for path in (ROOT / "snmp/vendors").glob("*.ini"):
        assert f"share/platen/vendors/{path.name}" in files
    for name in files:
        path = installed / name
        assert path.stat().st_mode & 0o022 == 0, f"{name} can be changed"
        runs = os.access(path, os.X_OK) and path.stat().st_mode & 0o111
        assert bool(runs) == name.startswith(("bin/", "sbin/")), name


@pytest.mark.parametrize("name, option", [
    ("bin/platen", "--help"), ("bin/platen", "help"),
    ("sbin/platen-central", "--help"), ("sbin/platend", "-h")])
def test_help(installed, name, option):
    done = run_program([installed / name, option], False)
    assert done.returncode == 0 and done.stderr == ""
    assert "usage:" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize("command", ["probe", "check", "status", "devices",
                                     "outbox", "keygen"])
def test_help_of_each_command(installed, command):
    done = run_program([installed / "bin/platen", command, "--help"], False)
    assert "usage: platen " + command in done.stdout + done.stderr
    assert done.returncode in (0, 2)
    wrong = run_program([installed / "bin/platen", command, "--wrong"], False)
    assert wrong.returncode == 2 and "usage" in wrong.stderr


def test_vendor_files(installed, tmp_path):
    """The installed ones serve, and one that is gone is gone."""
    tool = [installed / "bin/platen", "check", "--vendors", tmp_path]
    said = json.loads(run_program([*tool, "--json"]))
    assert said["installed"] == str(installed / "share/platen/vendors")
    assert {f["origin"] for f in said["files"]} == {"installed"}
    whole = len(said["files"])
    path = installed / "share/platen/vendors/kip.ini"
    text = path.read_text()
    path.unlink()
    try:
        assert len(json.loads(run_program([*tool, "--json"]))["files"]) == \
            whole - 1
        path.write_text("[nonsense]\n")
        done = run_program(tool, False)
        assert done.returncode == 1 and f"{path}:1: " in done.stdout
        assert "built in" in done.stdout
    finally:
        path.write_text(text)


def test_bad_usage(installed):
    for words in ["platen"], ["platen", "wrong"], ["platen", "probe"]:
        done = run_program([installed / "bin" / words[0], *words[1:]], False)
        assert done.returncode == 2 and "usage" in done.stderr
    for words in (["platend", "-x"], ["platend", "extra"],
                  ["platen-central"], ["platen-central", "wrong"]):
        done = run_program([installed / "sbin" / words[0], *words[1:]], False)
        assert done.returncode == 2 and "usage" in done.stderr, words


def test_versions_agree(installed):
    version = re.search(r"^VERSION\s*:?=\s*(\S+)",
                        (ROOT / "Makefile").read_text(), re.M)[1]
    for words in (["sbin/platend", "-V"], ["bin/platen", "version"]):
        assert run_program([installed / words[0], words[1]]).split() == [
            words[0].split("/")[1], version]
    assert version in (ROOT / "CHANGELOG.md").read_text()


def test_manual_pages(installed):
    if not shutil.which("mandoc"):
        pytest.skip("no mandoc")
    for page in PAGES:
        path = installed / f"share/man/man{page[-1]}/{page}"
        done = run_program(["mandoc", "-T", "lint", "-W", "warning", path],
                           False)
        assert done.returncode == 0, done.stdout
        text = run_program(["mandoc", "-T", "utf8", path])
        assert page.rsplit(".", 1)[0].upper() in text.upper()


def fill(text, values):
    """The sample with these keys set, commented out or not before."""
    for key, value in values.items():
        text, n = re.subn(rf"(?m)^#? ?{key} *=.*$", f"{key} = {value}", text,
                          count=1)
        assert n == 1, f"{key} is not in the sample"
    return text


def test_sample_of_the_agent(installed, tmp_path):
    sample = (installed / "share/doc/platen/platen.ini").read_text()
    public = re.search(r"public key +(\S+)", run_program(
        [installed / "bin/platen", "keygen", tmp_path / "key"]))[1]
    write_secret(tmp_path / "password", "secret\n")
    path = tmp_path / "platen.ini"
    write_secret(path, fill(sample, {
        "password_file": tmp_path / "password", "central_key": public}))
    done = run_program([installed / "sbin/platend", "-c", path, "-n"], False)
    assert done.returncode == 0, done.stderr
    # Every key that it knows is in the sample and in the manual.
    manual = run_program(["mandoc", "-T", "utf8", installed /
                          "share/man/man5/platen.ini.5"]) \
        if shutil.which("mandoc") else None
    keys = set(re.findall(r'(?m)^\t\{ "[^"]+", "(\w+)", INI_',
                          (ROOT / "agent/config.c").read_text()))
    assert len(keys) > 25
    for key in keys:
        assert manual is None or key in re.sub(".\b", "", manual), key


def test_sample_of_the_centre(installed, tmp_path):
    sample = (installed / "share/doc/platen/platen-central.ini").read_text()
    write_secret(tmp_path / "secret", "between us\n")
    path = tmp_path / "central.ini"
    write_secret(path, fill(sample, {
        "secret_file": tmp_path / "secret", "path": tmp_path / "fleet.db",
        "key_file": tmp_path / "central.key"}))
    tool = [installed / "sbin/platen-central", "-c", path]
    shown = run_program([*tool, "init"])
    assert "public key" in shown
    run_program([*tool, "enrol", "site", "--jid", "site@example.org"])
    assert "site" in run_program([*tool, "agents"])


def test_snippet_of_enrol_is_a_configuration(installed, tmp_path):
    """What enrol prints goes into the agent's file as it is."""
    write_secret(tmp_path / "secret", "between us\n")
    central = tmp_path / "central.ini"
    write_secret(central, "[component]\njid = platen.example.org\n"
                 f"secret_file = {tmp_path}/secret\n[store]\n"
                 f"path = {tmp_path}/fleet.db\n[crypto]\n"
                 f"key_file = {tmp_path}/central.key\n")
    tool = [program("platen-central"), "-c", central]
    run_program([*tool, "init"])
    snippet = run_program([*tool, "enrol", "site", "--jid",
                           "site@example.org", "--customer", "A & B Ltd"])
    write_secret(tmp_path / "password", "secret\n")
    path = tmp_path / "platen.ini"
    text = snippet
    for section, lines in (
            ("agent", f"state_dir = {tmp_path}/state"),
            ("xmpp", f"password_file = {tmp_path}/password"),
            ("discovery", "hosts = 192.0.2.1")):
        header = f"[{section}]\n"
        text = text.replace(header, header + lines + "\n") \
            if header in text else text + header + lines + "\n"
    if "name =" not in text:
        text = text.replace("[agent]\n", "[agent]\nname = site\n")
    write_secret(path, text)
    done = run_program([program("platend"), "-c", path, "-n"], False)
    assert done.returncode == 0, done.stderr + text


def test_help_needs_no_root_and_writes_nothing(installed, tmp_path):
    done = run_program([installed / "bin/platen", "status", "-c",
                        "/nonexistent/platen.ini"], False)
    assert done.returncode == 1 and "/nonexistent/platen.ini" in done.stderr
    assert list(pathlib.Path(tmp_path).iterdir()) == []
