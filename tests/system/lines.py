"""Lines that a test can cut: tests/torture/relay.py, whose words these are."""
import pathlib
import subprocess
import sys

RELAY = pathlib.Path(__file__).resolve().parents[1] / "torture" / "relay.py"


class Lines:
    def __init__(self, **lines):
        """NAME=(port, target), or a list of them; .ports has NAME's first."""
        lines = {n: ways if isinstance(ways, list) else [ways]
                 for n, ways in lines.items()}
        self.ports = {n: ways[0][0] for n, ways in lines.items()}
        self.process = subprocess.Popen(
            [sys.executable, str(RELAY),
             *(f"{n}:{port}:{target}" for n, ways in lines.items()
               for port, target in ways)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError("the relay does not start")

    def say(self, *words):
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()

    def close(self):
        self.process.stdin.close()
        self.process.wait()
