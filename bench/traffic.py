"""What goes over the LAN, counted by the simulated printers."""
import time

# IPv4 and UDP; what the link adds depends on the link.
HEADERS = 28


def stats(sim, host=None):
    return sim.send("stats", host) if host else sim.send("stats")


def spent(before, after):
    """{"requests", "bytes_to", "bytes_from"} with the headers of IP and UDP,
    seen from the printers."""
    d = {k: after[k] - before[k] for k in before}
    return {"requests": d["requests"], "varbinds": d["varbinds"],
            "bytes_to": d["bytes_in"] + HEADERS * d["requests"],
            "bytes_from": d["bytes_out"] + HEADERS * d["answers"]}


def requests_a_poll(sim, hosts, seconds, step=0.1):
    """{host: requests}: how many requests a poll takes of each host, seen
    from outside.  A poll is over within milliseconds and the next comes much
    later: requests between two quiet looks belong to one poll."""
    seen = {h: stats(sim, h)["requests"] for h in hosts}
    burst = dict.fromkeys(hosts, None)      # None: no quiet look yet
    polls = {h: [] for h in hosts}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(step)
        for h in hosts:
            now = stats(sim, h)["requests"]
            more, seen[h] = now - seen[h], now
            if more:
                if burst[h] is not None:
                    burst[h] += more
            else:
                if burst[h]:
                    polls[h].append(burst[h])
                burst[h] = 0
    return {h: sum(p) / len(p) for h, p in polls.items() if p}
