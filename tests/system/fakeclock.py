"""The clocks of one process, set by somebody else while it runs."""
import struct

SHIM = "tests/torture/clockshift.so"


class Clock:
    """A file that says by how much a process's wall clock is off, and for how
    long its host has been asleep.  SHIM, preloaded, looks there."""

    def __init__(self, path):
        self.path = path
        self.set(0)

    def set(self, seconds, asleep=0):
        with open(self.path, "r+b" if self.path.exists() else "wb") as out:
            out.write(struct.pack("=qq", int(seconds * 1000),
                                  int(asleep * 1000)))

    def environment(self):
        return {"CLOCKSHIFT": str(self.path)}
