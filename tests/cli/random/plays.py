#!/usr/bin/env python3
"""Random scenarios: plays.py DIRECTORY FIRST COUNT writes FIRST.scn and so on, one a seed.

One or two connections; options, sysctls, a few hundred bytes now and then, and what may befall a
connection: cables that are cut, one way or both, and plugged; frames that are dropped; processes that
are killed, hang, close, shut down; hosts that lose their power and boot; addresses that go.

What docs/departures.md leaves out is not drawn, so that each play must be the same on every engine:
round trips of whole milliseconds (timeouts of whole jiffies), packets that wait for ARP in vain,
carrier that is lost while something is to be sent, routes that come back, streams, and SYNs each
second beside ARP requests each second (the order of two timers in one bucket of the wheel)."""
import random
import sys

RTTS = ["300us", "1.3ms", "7.3ms", "21.7ms", "93.1ms"]
SYSCTLS = {
    "tcp_retries2": [2, 5, 8], "tcp_orphan_retries": [0, 1, 3], "tcp_syn_retries": [1, 2, 4],
    "tcp_synack_retries": [1, 3], "tcp_fin_timeout": [3, 20, 100],
    "tcp_keepalive_time": [4, 20], "tcp_keepalive_intvl": [2, 5], "tcp_keepalive_probes": [1, 4],
    "tcp_early_retrans": [0], "tcp_timestamps": [0], "tcp_sack": [0], "tcp_window_scaling": [0],
}
OPTIONS = {
    "SO_KEEPALIVE": [1], "TCP_KEEPIDLE": [2, 9, 30], "TCP_KEEPINTVL": [1, 4], "TCP_KEEPCNT": [1, 4],
    "TCP_USER_TIMEOUT": [2500, 7000, 31000], "TCP_NODELAY": [1], "SO_LINGER": [0, 3],
    "TCP_LINGER2": [-1, 4],
}
STEPS = ["send"] * 5 + ["cut", "half", "plug", "plug", "drop", "kill", "close", "shutdown", "hang",
                        "continue", "power", "boot", "address", "reconnect", "error"]
PAUSES = [0.013, 0.21, 0.93, 3.1, 11, 47]


class Play:
    """The text of one scenario, and what has become of its hosts and processes so far."""

    def __init__(self, seed):
        self.r = random.Random(seed)
        self.lines = [f'title "random {seed}"']
        self.switch = self.r.random() < 0.4
        self.lasts = self.r.choice([60, 200, 900])
        self.now = 1.0
        self.whole = True        # the cable
        self.away = {"client": None, "server": None}  # None, or what ends it
        self.ended = set()       # actors that have no open connection any more
        self.killed = set()      # hosts that may have no process any more

    def add(self, line):
        self.lines.append(line)

    def at(self, step):
        self.add(f"at {self.now:.3f}s {step}")

    def stage(self):
        self.ipv6 = self.r.random() < 0.5
        self.add(f"plays over {'ipv6' if self.ipv6 else 'ipv4'}")
        self.add(f"rtt {self.r.choice(RTTS)}")
        self.add("host client")
        if self.switch:
            self.add("switch lan")
        self.add("host server")
        self.add(f"cable client -- {'lan -- ' if self.switch else ''}server")
        self.learns = self.r.random() < 0.3
        if not self.learns:
            self.add("neighbours static")
        for host in self.away:
            for name, values in SYSCTLS.items():
                if self.r.random() < 0.1:
                    self.add(f"set {host} net.ipv4.{name} {self.r.choice(values)}")
        self.actors = ["client", "server"]
        if self.r.random() < 0.3:
            self.actors = ["client", "client.second", "server/c1", "server/c2"]
            self.add("process client.second")
        self.add("connection client -> server:7000")
        if len(self.actors) > 2:
            self.add("connection client.second -> server:7001")

    def options(self):
        for actor in self.actors:
            for name, values in OPTIONS.items():
                if self.r.random() < 0.3:
                    self.at(f"{actor} setsockopt {name} {self.r.choice(values)}")
                    self.now += 0.01
        self.now = 2
        self.at("client send 100")

    def step(self):
        r, kind = self.r, self.r.choice(STEPS)
        actor = r.choice(self.actors)
        host = actor.replace("/", ".").split(".")[0]
        able = self.away[host] is None and actor not in self.ended
        process = able and "/" not in actor
        reached = self.whole and not any(self.away.values())
        if kind == "send" and able and (reached or not self.learns):
            self.at(f"{actor} send {r.choice([1, 100, 700])}")
        elif kind == "cut" and self.whole:
            self.at("cut client -- lan" if self.switch else "cut")
            self.whole = False
        elif kind == "half" and self.whole and not self.switch:
            self.at("cut " + " -> ".join(r.sample(["client", "server"], 2)))
            self.whole = False
        elif kind == "plug" and not self.whole:
            self.at("plug")
            self.whole = True
        elif kind == "drop":
            what = r.choice(["SYN", "SYN-ACK", "data", "ACK", "FIN", "RST", "any"])
            on = f" on {host} -- lan" if self.switch else ""
            self.at(f"drop next {r.choice([1, 2, 4])} {what} from {host}{on}")
        elif kind == "kill" and process:
            self.at(f"{actor if '.' in actor else actor + '.app'} kill")
            self.ended.add(actor)
            self.killed.add(host)
        elif kind == "close" and process:
            self.at(f"{actor} close")
            self.ended.add(actor)
        elif kind == "shutdown" and able:
            self.at(f"{actor} shutdown {r.choice(['write', 'both'])}")
            self.ended.add(actor)
        elif kind == "error" and able:
            self.at(f"{actor} getsockopt SO_ERROR")
        elif kind == "reconnect" and process and host == "client":
            self.at(f"{actor} connect server:{r.choice([7000, 7005])} as again{len(self.lines)}")
            self.ended.add(actor)
        else:
            self.host_step(kind, host)

    def host_step(self, kind, host):
        """One that takes a host away, or brings it back."""
        net = {"client": 1, "server": 2}[host]
        address = f"fd00::{net}/64" if self.ipv6 else f"10.0.0.{net}/24"
        leave = {"hang": ("hang", "continue"), "address": (f"address del {address}", "nothing")}
        away = self.away[host]
        if kind in leave and away is None and (kind != "hang" or host not in self.killed):
            self.at(f"{host} {leave[kind][0]}")
            self.away[host] = leave[kind][1]
        elif kind == away == "continue":
            self.at(f"{host} continue")
            self.away[host] = None
        elif kind == "power" and away is None and self.switch:
            self.at(f"{host} power-off")
            self.away[host] = "boot"
            self.killed.add(host)
            self.ended.update(a for a in self.actors if a.startswith(host))
        elif kind == "boot" and away == "boot":
            self.at(f"{host} boot")
            self.away[host] = None

    def text(self):
        self.stage()
        self.options()
        for _ in range(self.r.randint(4, 12)):
            self.now += self.r.choice(PAUSES) * self.r.uniform(0.5, 1.5)
            if self.now > self.lasts - 5:
                break
            self.step()
        self.add(f"lasts {self.lasts}s")
        return "\n".join(self.lines) + "\n"


def main():
    directory, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    for seed in range(first, first + count):
        with open(f"{directory}/{seed}.scn", "w", encoding="ascii") as f:
            f.write(Play(seed).text())


main()
