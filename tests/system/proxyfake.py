"""Scripted proxies, for tests: each connection is handed to a function that
takes a socket, in a thread of its own."""
import base64
import re
import select
import socket
import struct

from acceptor import Acceptor


class Proxy(Acceptor):
    """script(conn, self); .asked is what clients asked for, .logins what they
    logged in with."""

    def __init__(self, script, host="127.0.0.1", login=None):
        self.script, self.login = script, login
        self.asked, self.logins = [], []
        super().__init__(host)

    def serve(self, conn):
        conn.settimeout(60)
        self.script(conn, self)

    def connect(self, host, port):
        """Where the names lead is the test's: every name is this machine."""
        self.asked.append((host, port))
        return socket.create_connection(("127.0.0.1", port), 10)


def pass_on(one, two):
    """Octets both ways until one side ends."""
    pair = {one: two, two: one}
    with two:
        while True:
            for side in select.select([one, two], [], [], 60)[0]:
                data = side.recv(65536)
                if not data:
                    return
                pair[side].sendall(data)


def until(conn, end):
    got = b""
    while not got.endswith(end):
        more = conn.recv(1)
        if not more:
            raise EOFError
        got += more
    return got


def exactly(conn, count):
    got = b""
    while len(got) < count:
        more = conn.recv(count - len(got))
        if not more:
            raise EOFError
        got += more
    return got


def http(conn, proxy):
    """An HTTP proxy that does CONNECT."""
    head = until(conn, b"\r\n\r\n").decode()
    host, port = re.match(r"CONNECT (\S+):(\d+) HTTP/1.1\r\n", head).groups()
    assert f"\r\nHost: {host}:{port}\r\n" in head
    basic = re.search(r"\r\nProxy-Authorization: Basic (\S+)\r\n", head)
    if basic:
        proxy.logins.append(tuple(
            base64.b64decode(basic.group(1)).decode().split(":", 1)))
    if proxy.login and proxy.logins[-1:] != [proxy.login]:
        conn.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                     b"Proxy-Authenticate: Basic realm=\"test\"\r\n\r\n")
        return
    try:
        target = proxy.connect(host.strip("[]"), int(port))
    except OSError:
        conn.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n<html>no</html>")
        return
    conn.sendall(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")
    pass_on(conn, target)


def http_says(answer):
    """One that reads the request and gives that answer."""
    def script(conn, proxy):
        head = until(conn, b"\r\n\r\n").decode()
        proxy.asked.append(re.match(r"CONNECT (\S+)", head).group(1))
        conn.sendall(answer)
        conn.recv(1)
    return script


def socks(conn, proxy):
    """A SOCKS5 proxy with or without a login."""
    version, count = exactly(conn, 2)
    methods = exactly(conn, count)
    assert version == 5
    method = 2 if proxy.login else 0
    if method not in methods:
        conn.sendall(b"\5\xff")
        return
    conn.sendall(bytes([5, method]))
    if method == 2:
        assert exactly(conn, 1) == b"\1"
        user = exactly(conn, exactly(conn, 1)[0]).decode()
        password = exactly(conn, exactly(conn, 1)[0]).decode()
        proxy.logins.append((user, password))
        conn.sendall(b"\1" + (b"\0" if proxy.logins[-1] == proxy.login
                              else b"\1"))
        if proxy.logins[-1] != proxy.login:
            return
    assert exactly(conn, 3) == b"\5\1\0"
    kind = exactly(conn, 1)[0]
    if kind == 3:
        host = exactly(conn, exactly(conn, 1)[0]).decode()
    elif kind == 1:
        host = socket.inet_ntoa(exactly(conn, 4))
    else:
        host = socket.inet_ntop(socket.AF_INET6, exactly(conn, 16))
    port = struct.unpack(">H", exactly(conn, 2))[0]
    try:
        target = proxy.connect(host, port)
    except OSError:
        conn.sendall(b"\5\5\0\1\0\0\0\0\0\0")
        return
    conn.sendall(b"\5\0\0\3\4test\0\1")
    pass_on(conn, target)


def socks_says(answer):
    def script(conn, proxy):
        exactly(conn, 3)
        conn.sendall(b"\5\0")
        exactly(conn, 5)
        conn.sendall(answer)
        conn.recv(1000)
    return script


def say(answer):
    """Without having read anything."""
    def script(conn, proxy):
        conn.sendall(answer)
        while conn.recv(1000):
            pass
    return script


def silent(conn, proxy):
    while conn.recv(1000):
        pass


def hang_up(conn, proxy):
    conn.recv(1000)
