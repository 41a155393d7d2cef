"""A scripted name server on 127.0.0.1, for tests."""
import socket
import struct
import threading

A, AAAA, SRV = 1, 28, 33


def a(address="127.0.0.1"):
    return socket.inet_aton(address)


def aaaa(address="::1"):
    return socket.inet_pton(socket.AF_INET6, address)


def name(text):
    return b"".join(bytes([len(p)]) + p.encode()
                    for p in text.split(".") if p) + b"\0"


def srv(priority, weight, port, target):
    return struct.pack(">HHH", priority, weight, port) + name(target)


class Names(threading.Thread):
    """Over UDP in 512 octets, over TCP whole (RFC 1035 section 4.2); records maps (name, type) to a list of rdata; delay maps a type (or
    None: all) to seconds; answer False says nothing at all; rcode answers
    all with that; mangle changes an answer's octets."""

    def __init__(self, records, answer=True, delay=None, rcode=None,
                 mangle=None, address="127.0.0.1", port=0):
        super().__init__(daemon=True)
        self.records, self.answer, self.asked = records, answer, []
        self.delay, self.rcode, self.mangle = delay or {}, rcode, mangle
        # A port that is free for UDP may be some connection's end.
        for tries in range(20 if port == 0 else 1, 0, -1):
            try:
                self._bind(address, port)
                break
            except OSError:
                if tries == 1:
                    raise
        threading.Thread(target=self.run_tcp, daemon=True).start()
        self.start()

    def _bind(self, address, port):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((address, port))
        self.port = self.sock.getsockname()[1]
        self.tcp = socket.socket()
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.tcp.bind((address, self.port))
        self.tcp.listen()

    def run(self):
        while True:
            try:
                query, peer = self.sock.recvfrom(4096)
            except OSError:
                return
            if len(query) < 17:
                return              # shut down
            wait, reply = self._hear(query)
            if reply is None:
                continue
            if len(reply) > 512:
                reply = reply[:2] + b"\x83\x80" + reply[4:6] + b"\0" * 6 + \
                    query[12:]
            threading.Timer(wait, self._send, (reply, peer)).start()

    def run_tcp(self):
        while True:
            try:
                conn, _ = self.tcp.accept()
            except OSError:
                return
            with conn:
                conn.settimeout(10)
                try:
                    query = conn.recv(4096)[2:]
                    _, reply = self._hear(query)
                    if reply is not None:
                        conn.sendall(struct.pack(">H", len(reply)) + reply)
                except OSError:
                    pass

    def _hear(self, query):
        """(seconds to wait, answer or None)."""
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += query[at] + 1
        kind = struct.unpack(">H", query[at + 1:at + 3])[0]
        self.asked.append((".".join(labels).lower(), kind))
        if not self.answer:
            return 0, None
        return (self.delay.get(kind, self.delay.get(None, 0)),
                self._reply(query, self.asked[-1], query[12:at + 5]))

    def _reply(self, query, asked, question):
        found = self.records.get(asked, [])
        known = any(n == asked[0] for n, _ in self.records)
        rcode = 0 if known else 3
        if self.rcode is not None:
            rcode, found = self.rcode, []
        reply = query[:2] + struct.pack(">HHHHH", 0x8180 | rcode, 1,
                                        len(found), 0, 0) + question
        for data in found:
            reply += b"\xc0\x0c" + struct.pack(">HHIH", asked[1], 1, 60,
                                               len(data)) + data
        return self.mangle(reply) if self.mangle else reply

    def _send(self, reply, peer):
        try:
            self.sock.sendto(reply, peer)
        except OSError:
            pass

    def close(self):
        for sock in self.sock, self.tcp:
            try:
                sock.shutdown(socket.SHUT_RDWR)     # wakes the thread
            except OSError:
                pass
            sock.close()
