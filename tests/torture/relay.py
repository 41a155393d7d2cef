"""The lines between agents, server and centre: TCP connections that somebody
can cut.  A process of its own, so that nothing waits for it.

    relay.py NAME:PORT:TARGET ...

A NAME may have several ports.  Commands come on stdin, one a line:

    rst NAME         every connection ends with a reset
    freeze NAME      every connection is cut without a word: both ends stay
                     open, nothing passes any more.  Once one end has gone
                     the other is reset some seconds later, as by a host that
                     knows nothing of it
    half NAME WAY    the same in one direction (up: to the target; down)
    stall NAME on|off    nothing passes, on new connections neither; then
                     everything that waited
    refuse NAME on|off   new connections are reset at once

It ends with its stdin.
"""
import asyncio
import socket
import struct
import sys

FORGET_S = 5
MOST = 1 << 16


class Link:
    def __init__(self):
        self.connections = set()
        self.refused = False
        self.flows = asyncio.Event()
        self.flows.set()


class Connection:
    def __init__(self, link, client, server):
        self.link, self.writers = link, {"down": client, "up": server}
        self.deaf = set()           # ways in which nothing passes any more
        link.connections.add(self)

    def reset(self):
        self.link.connections.discard(self)
        for writer in self.writers.values():
            reset(writer)

    async def pump(self, way, reader):
        writer = self.writers[way]
        try:
            while data := await reader.read(MOST):
                await self.link.flows.wait()
                if way not in self.deaf:
                    writer.write(data)
                    await writer.drain()
            await self.link.flows.wait()
            if self.deaf:
                await asyncio.sleep(FORGET_S)
                self.reset()
            else:
                writer.write_eof()
        except OSError:
            if self.deaf:
                await asyncio.sleep(FORGET_S)
            self.reset()


def reset(writer):
    sock = writer.get_extra_info("socket")
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
    except OSError:
        pass
    writer.transport.abort()


async def serve(link, target, reader, writer):
    if link.refused:
        reset(writer)
        return
    try:
        back, there = await asyncio.open_connection("127.0.0.1", target)
    except OSError:
        reset(writer)
        return
    connection = Connection(link, writer, there)
    await asyncio.gather(connection.pump("up", reader),
                         connection.pump("down", back))
    link.connections.discard(connection)
    for each in connection.writers.values():
        each.close()


def command(links, words):
    link = links[words[1]]
    if words[0] == "rst":
        for connection in list(link.connections):
            connection.reset()
    elif words[0] == "freeze":
        for connection in link.connections:
            connection.deaf = {"up", "down"}
    elif words[0] == "half":
        for connection in link.connections:
            connection.deaf.add(words[2])
    elif words[0] == "stall":
        (link.flows.clear if words[2] == "on" else link.flows.set)()
    elif words[0] == "refuse":
        link.refused = words[2] == "on"
    else:
        raise ValueError(words[0])


async def main():
    links = {}
    for word in sys.argv[1:]:
        name, port, target = word.split(":")
        link = links.setdefault(name, Link())

        async def accept(reader, writer, link=link, target=int(target)):
            await serve(link, target, reader, writer)
        await asyncio.start_server(accept, "127.0.0.1", int(port))
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    print("ready", flush=True)
    while line := await lines.readline():
        command(links, line.decode().split())


asyncio.run(main())
