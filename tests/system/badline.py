"""A bad line, for tests: a network namespace whose only way out is a link that
does to packets what the test says.

    line = BadLine(rig)             # skips the test where that cannot be made
    line.take(rig.agent, rig.sim)   # they run inside, the rest stays outside
    rig.agent.more = {"xmpp": {"host": line.outside}}
    line.up.loss = line.down.loss = 0.05
    line.delay(2)
    line.cut()                      # both ways, without a word to anyone
    line.heal()

Two TUN devices, one inside and one outside, and a thread that carries packets
from one to the other.  Addresses are out of 198.18.0.0/15, which is for
tests; those of a test process go by its block of ports.
"""
import contextlib
import ctypes
import fcntl
import heapq
import os
import pathlib
import random
import select
import shutil
import socket
import struct
import subprocess
import threading
import time

import pytest

from acceptor import Acceptor

_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454ca, 0x0001, 0x1000
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _ip(*args):
    subprocess.run(["ip", *args], check=True, stdout=subprocess.PIPE,
                   stderr=subprocess.STDOUT)


def _open_tun(name, namespace=None):
    """The device's descriptor; made within the namespace by a thread of its
    own, which is the only one that moves there."""
    made = {}

    def work():
        try:
            if namespace is not None:
                fd = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
                try:
                    if _libc.setns(fd, _CLONE_NEWNET) != 0:
                        raise OSError(ctypes.get_errno(), "setns")
                finally:
                    os.close(fd)
            tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK |
                          os.O_CLOEXEC)
            fcntl.ioctl(tun, _TUNSETIFF, struct.pack(
                "16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
            made["fd"] = tun
        except OSError as e:
            made["error"] = e
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if "error" in made:
        raise made["error"]
    return made["fd"]


class Packet:
    """What tests look at: addresses, ports, flags and payload of TCP, ports
    of UDP."""

    def __init__(self, data):
        self.data, self.payload = data, b""
        self.protocol = self.source = self.target = self.flags = 0
        if len(data) < 20 or data[0] >> 4 != 4:
            return
        self.protocol = data[9]
        at = (data[0] & 15) * 4
        if self.protocol in (6, 17) and len(data) >= at + 20:
            self.source, self.target = struct.unpack(">HH", data[at:at + 4])
        if self.protocol == 6 and len(data) >= at + 20:
            self.flags = data[at + 13]
            self.payload = data[at + (data[at + 12] >> 4) * 4:]


class Way:
    """One direction.  delay in s, loss, duplicate and reorder are
    probabilities, rate in octets a second (None: any), open False swallows
    everything, filter(packet) False one packet."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.delay = self.loss = self.duplicate = self.reorder = 0
        self.rate, self.open, self.filter = None, True, None
        self.busy_until = 0
        self.queue, self.count = [], 0
        self.packets = self.lost = 0

    def take(self, data, now):
        self.packets += 1
        if (not self.open or self.random.random() < self.loss or
                (self.filter and not self.filter(Packet(data)))):
            self.lost += 1
            return
        due = now + self.delay
        if self.rate:
            self.busy_until = max(self.busy_until, now) + \
                len(data) / self.rate
            # As a router does that has no room left.
            if self.busy_until - now > 2:
                self.busy_until -= len(data) / self.rate
                self.lost += 1
                return
            due += self.busy_until - now
        if self.random.random() < self.reorder:
            due += 0.05
        for _ in range(2 if self.random.random() < self.duplicate else 1):
            self.count += 1
            heapq.heappush(self.queue, (due, self.count, data))

    def due(self, now):
        while self.queue and self.queue[0][0] <= now:
            yield heapq.heappop(self.queue)[2]


class BadLine:
    _made = 0

    def __init__(self, rig, seed=1):
        if os.geteuid() != 0 or not os.path.exists("/dev/net/tun"):
            pytest.skip("needs root and /dev/net/tun")
        self.rig, self.fds = rig, []
        block, number = rig.ports.block, BadLine._made % 32
        if BadLine._made == 0:
            self._tidy(block)
        BadLine._made += 1
        self.name = f"plt{block}-{number}"
        self.etc = pathlib.Path("/etc/netns", self.name)
        net = f"198.18.{block}." if block < 256 else "198.19.0."
        self.outside, self.inside, self.elsewhere = (
            f"{net}{number * 8 + n}" for n in (1, 2, 3))
        self.up, self.down = Way(seed), Way(seed + 1)
        self.stop_r, self.stop_w = os.pipe()
        self.thread = None
        rig.parts.append(self)
        try:
            self._make(f"plt{block}-{number}o")
        except (OSError, subprocess.CalledProcessError) as e:
            self.kill9()
            pytest.skip("no namespaces and TUN devices here: "
                        f"{getattr(e, 'output', None) or e}")
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    @staticmethod
    def _tidy(block):
        """What a test process that was killed has left, whose block of ports
        is ours now."""
        for left in pathlib.Path("/run/netns").glob(f"plt{block}-*"):
            with contextlib.suppress(subprocess.CalledProcessError):
                _ip("netns", "del", left.name)
            shutil.rmtree(pathlib.Path("/etc/netns", left.name),
                          ignore_errors=True)

    def _make(self, device):
        _ip("netns", "add", self.name)
        self.fds = [_open_tun("line0", self.name)]
        self.fds.append(_open_tun(device))
        _ip("-n", self.name, "link", "set", "lo", "up")
        _ip("-n", self.name, "link", "set", "line0", "up")
        _ip("addr", "add", f"{self.outside}/29", "dev", device)
        _ip("link", "set", device, "up")
        self.address(self.inside)

    # ---- what tests say ----

    def take(self, *parts):
        """These run inside from their next start on."""
        for part in parts:
            part.inside = ["ip", "netns", "exec", self.name]

    def address(self, address):
        """The inner end's address; the one before is gone."""
        _ip("-n", self.name, "addr", "flush", "dev", "line0")
        _ip("-n", self.name, "addr", "add", f"{address}/29", "dev", "line0")
        _ip("-n", self.name, "route", "replace", "default", "via",
            self.outside)

    def name_server(self, address):
        """What /etc/resolv.conf says inside, for those started later."""
        self.etc.mkdir(parents=True, exist_ok=True)
        (self.etc / "resolv.conf").write_text(f"nameserver {address}\n")

    def delay(self, seconds):
        self.up.delay = self.down.delay = seconds

    def cut(self):
        self.up.open = self.down.open = False
        self.up.queue.clear()
        self.down.queue.clear()

    def heal(self):
        for way in self.up, self.down:
            way.delay = way.loss = way.duplicate = way.reorder = 0
            way.rate = way.filter = None
            way.open = True

    def cut_when(self, seen):
        """Cuts at the first packet going up for which seen(packet) is true;
        that one still arrives.  Returns an event."""
        happened = threading.Event()

        def watch(packet):
            if happened.is_set():
                return False
            if seen(packet):
                happened.set()
            return True
        self.up.filter = watch
        self.down.filter = lambda packet: not happened.is_set()
        return happened

    # ---- the thread ----

    def _run(self):
        inner, outer = self.fds
        ways = ((inner, outer, self.up), (outer, inner, self.down))
        while True:
            now = time.monotonic()
            wait = None
            for _, target, way in ways:
                for data in way.due(now):
                    with contextlib.suppress(OSError):
                        os.write(target, data)
                if way.queue:
                    left = max(0, way.queue[0][0] - now)
                    wait = left if wait is None else min(wait, left)
            ready = select.select([inner, outer, self.stop_r], [], [],
                                  wait)[0]
            if self.stop_r in ready:
                return
            now = time.monotonic()
            for source, _, way in ways:
                if source in ready:
                    with contextlib.suppress(OSError):
                        while True:
                            way.take(os.read(source, 65536), now)

    # ---- as rig.py's parts ----

    def tail(self, lines=60):
        return "".join(
            f"{name}: {way.packets} packets, {way.lost} of them lost\n"
            for name, way in (("up", self.up), ("down", self.down)))

    def stop(self):
        self.kill9()

    def kill9(self):
        if self.stop_w is not None:
            os.close(self.stop_w)
            self.stop_w = None
        if self.thread is not None:
            self.thread.join()
        if self.stop_r is not None:
            os.close(self.stop_r)
            self.stop_r = None
        for fd in self.fds:
            os.close(fd)
        self.fds = []
        with contextlib.suppress(subprocess.CalledProcessError):
            _ip("netns", "del", self.name)
        shutil.rmtree(self.etc, ignore_errors=True)


# ---- without packets: between two sockets ---------------------------------

class Relay(Acceptor):
    """Carries octets from its port to another one; each new connection is
    reset after .budget octets (both ways together, None: never)."""

    def __init__(self, target, budget=None):
        self.target, self.budget, self.spent = target, budget, []
        super().__init__()

    def serve(self, conn):
        budget = self.budget
        number = len(self.spent)
        self.spent.append(0)
        linger = struct.pack("ii", 1, 0)        # close() resets
        with socket.create_connection(("127.0.0.1", self.target)) as other:
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            pair = {conn: other, other: conn}
            while budget is None or self.spent[number] < budget:
                for side in select.select([conn, other], [], [])[0]:
                    room = (65536 if budget is None else
                            budget - self.spent[number])
                    if room <= 0:
                        break
                    data = side.recv(room)
                    if not data:
                        return
                    pair[side].sendall(data)
                    self.spent[number] += len(data)
