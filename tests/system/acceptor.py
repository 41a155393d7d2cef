"""What the tests' scripted servers have in common: a thread that accepts, and
one for each connection."""
import contextlib
import socket
import threading


class Acceptor(threading.Thread):
    """Subclasses say serve(conn); what it raises as OSError or EOFError is the
    end of a connection.  .conns are all there were."""

    def __init__(self, host="127.0.0.1", port=0):
        super().__init__(daemon=True)
        self.sock = socket.socket(
            socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((host, port))
        self.sock.listen()
        self.port, self.conns = self.sock.getsockname()[1], []
        self.start()

    def run(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            self.conns.append(conn)
            threading.Thread(target=self._one, args=(conn,),
                             daemon=True).start()

    def _one(self, conn):
        with contextlib.suppress(OSError, EOFError), conn:
            self.serve(conn)

    def serve(self, conn):
        raise NotImplementedError

    def close(self):
        for sock in self.sock, *self.conns:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)     # wakes its thread
        self.sock.close()
