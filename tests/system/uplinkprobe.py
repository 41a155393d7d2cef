"""Runs tests/unit/xmpp/uplink_probe for the uplink's system tests."""
import os
import pathlib
import queue
import re
import subprocess
import threading
import time

import pytest

from rig import PATIENCE, program

# Added to the probe's environment.
PROBE_ENV = {}


@pytest.fixture(scope="session")
def probe_path():
    return program("tests/unit/xmpp/uplink_probe")


class Probe:
    def __init__(self, path, config):
        env = dict(os.environ, **PROBE_ENV)
        self.process = subprocess.Popen(
            [str(path)] + [f"{k}={v}" for k, v in config.items()
                           if v is not None],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env=env)
        self.events, self.log, self.seen = queue.Queue(), [], []
        self.readers = [
            threading.Thread(target=self._read, daemon=True),
            threading.Thread(target=self._read_log, daemon=True)]
        for t in self.readers:
            t.start()

    def _read(self):
        for line in self.process.stdout:
            self.events.put(line.rstrip("\n"))

    def _read_log(self):
        for line in self.process.stderr:
            self.log.append(line.rstrip("\n"))

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def _next(self, until, wanted):
        try:
            line = self.events.get(timeout=max(0, until - time.monotonic()))
        except queue.Empty:
            tail = "\n".join(self.seen[-12:] + self.log[-12:])
            raise AssertionError(f"no {wanted!r}; last:\n{tail[-3000:]}") \
                from None
        self.seen.append(line[:300])
        return line

    def expect(self, pattern, timeout):
        """Waits for an event that matches, others may come before."""
        until = time.monotonic() + timeout * PATIENCE
        while True:
            m = re.match(pattern, self._next(until, pattern))
            if m:
                return m

    def expect_all(self, patterns, timeout):
        """The same for several events, in any order."""
        until = time.monotonic() + timeout * PATIENCE
        missing = list(patterns)
        while missing:
            line = self._next(until, missing)
            missing = [p for p in missing if not re.match(p, line)]

    def expect_next(self, pattern, timeout):
        line = self._next(time.monotonic() + timeout * PATIENCE, pattern)
        assert re.match(pattern, line), (line[:300], pattern[:300])

    def expect_log(self, pattern, timeout):
        until = time.monotonic() + timeout * PATIENCE
        while not any(re.search(pattern, x) for x in self.log):
            assert time.monotonic() < until, (pattern, self.log[-12:])
            time.sleep(0.02)

    def before(self, pattern, timeout):
        """The events that come before one that matches."""
        lines, until = [], time.monotonic() + timeout * PATIENCE
        while True:
            lines.append(self._next(until, pattern))
            if re.match(pattern, lines[-1]):
                return lines[:-1]

    def drain(self, seconds):
        lines, until = [], time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                lines.append(self.events.get(
                    timeout=max(0, until - time.monotonic())))
            except queue.Empty:
                pass
        return lines

    def nothing_more(self):
        return self.events.empty()

    def wait(self, timeout):
        return self.process.wait(timeout)

    def end(self):
        """Ends it, and insists that it ended well."""
        if self.process.stdin.closed:
            return
        try:
            self.process.stdin.close()
        except OSError:
            pass
        try:
            code = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        for t in self.readers:
            t.join(5)
        self.process.stdout.close()
        self.process.stderr.close()
        assert code == 0, (code, self.log[-40:])


def cpu_seconds(probe):
    stat = pathlib.Path(f"/proc/{probe.process.pid}/schedstat").read_text()
    return int(stat.split()[0]) / 1e9
