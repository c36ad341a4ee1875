#!/usr/bin/env python3
"""Turns measured timelines into the compact scripts that tests/truth/test_truth plays.

    convert.py OUT-DIR FILE...

Two formats are read: the real-time measurements (*.json, both ends Linux 6.18) and the virtual-time
ones (*.jsonl, Linux 6.12, with the scenario *.sc next to them in ../scenarios), which may be of the running
kernel as well. A script holds the
settings, what was done (calls, faults, delays), what the kernel drew at random, and what came of
it. docs/kernel-facts.md says how each was found. The form of a script is at the top of
tests/support/truth_script.h. Needs nothing but Python; run once, the scripts are committed.

draws.txt beside this file: lines `NAME HOST MS...`, the neighbour reachable times that the kernel
drew, as found by `test_truth --draws NAME` from the file's neigh and arp records.
"""
import collections
import json
import re
import statistics
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Ground-truth A1: the real-time files are of one boot and share one clock.
TS_SERVER = 144668929       # server's TSval minus the client's, in ms
TS_PHASE = 430              # jiffies % 512 == 0 where the client's TSval % 2048 is this
SOON = 0.0006               # of reads that follow from beginning to read
ANCHOR = 0.003              # a call so soon after an event answers it
# What the settings of some files leave out; their descriptions and first records say it.
OPTIONS = {
    "s03x_recverr_own_dyn_r5": ("x", {"RECVERR": 1}),
    "s05_keepalive": ("k", {"KEEPALIVE": 1, "KEEPIDLE": 5, "KEEPINTVL": 2, "KEEPCNT": 3}),
    "s06d_linger0_close": ("k", {"LINGER": [1, 0]}),
    "s13_keepalive_probe_then_data":
        ("x", {"KEEPALIVE": 1, "KEEPIDLE": 2, "KEEPINTVL": 2, "KEEPCNT": 3}),
    "s13_reset_by_acks_of_own_data":
        ("x", {"KEEPALIVE": 1, "KEEPIDLE": 2, "KEEPINTVL": 2, "KEEPCNT": 3}),
    "s13_reset_by_received_data":
        ("x", {"KEEPALIVE": 1, "KEEPIDLE": 2, "KEEPINTVL": 2, "KEEPCNT": 3}),
    "s14_s2c_cut_server_keepalive_client_talks":
        ("x", {"KEEPALIVE": 1, "KEEPIDLE": 5, "KEEPINTVL": 2, "KEEPCNT": 3}),
}
SOCK_FIELDS = ("timer expires_ms idiag_retrans rq wq ca retransmits probes backoff rto_us unacked "
               "lost rtt_us rttvar_us ssthresh cwnd total_retrans").split()
TIMERS = {"none": "off", "rto/tlp": "on", "probe0": "probe"}


def us(t):
    return round(t * 1e6)


def known_sysctls():
    text = (HERE / "../../src/knobs/sysctl.def").read_text()
    return set(re.findall(r'^X\(\w+, "([^"]+)"', text, re.M))


def sysctl_name(name):
    """Linux's full name of a sysctl of the measurements, or None if the model has no such thing."""
    for full in ("net.ipv4." + name,
                 "net.ipv4." + re.sub(r"^neigh\.\w+\.", "neigh.*.", name),
                 "net.ipv4." + re.sub(r"^conf/\w+/", "conf.*.", name)):
        if full in KNOWN:
            return full
    return None


class Script:
    def __init__(self, name, kernel):
        self.name, self.head, self.lines = name, [], []
        self.say("name", name)
        self.say("kernel", kernel)

    def say(self, *words):
        self.head.append(" ".join(str(w) for w in words))

    def at(self, t, kind, *words):
        self.lines.append((us(t), len(self.lines), kind,
                           " ".join("-" if w is None else str(w) for w in words)))

    def write(self, out):
        first = min(line[0] for line in self.lines)
        self.base = (first // 1000000 - 1) * 1000000
        self.clock()
        body = [f"{kind} {t} {words}" for t, _, kind, words in sorted(self.lines)]
        text = "\n".join(["truth 1"] + self.head + body) + "\n"
        (Path(out) / f"{self.name}.truth").write_text(text)
        return len(text)

    def clock(self):
        raise NotImplementedError


def relative(n):
    """A relative number; `?` where it is relative to something the measurement did not know."""
    if n is None:
        return None
    n = (n + (1 << 31)) % (1 << 32) - (1 << 31)
    return n if abs(n) < 1 << 24 else "?"


def segment(script, t, host, r, fate, dt, opt):
    words = [host, r["flags"], relative(r["seq"]), relative(r["ack"]), r["len"], r["win"], fate,
             None if dt is None else us(dt)]
    if opt.get("sack"):
        words.append("sack=" + ",".join(f"{relative(a)}-{relative(b)}" for a, b in opt["sack"]))
    if "mss" in opt:
        words.append(f"mss={opt['mss']}")
        words.append(f"ws={opt.get('ws', 0)}")
    if r.get("sport"):
        words.append(f"sport={r['sport']}")
    script.at(t, "s", *words)


def sample(script, t, host, state, values):
    words = [values.get(f) for f in SOCK_FIELDS]
    while words and words[-1] is None:
        words.pop()
    script.at(t, "k", host, state, *words)


# --- real time, Linux 6.18 -------------------------------------------------------------------------

class RealTime(Script):
    """One *.json file."""

    def __init__(self, path):
        records = [json.loads(line) for line in open(path)]
        self.conf, records = records[0], records[1:]
        for n, r in enumerate(records):
            if r["kind"] == "note" and r["msg"].startswith("--- end of scenario"):
                self.end = r["t"]
                records = records[:n]
                break
        self.records = records
        super().__init__(self.conf["name"], "linux-6.18")
        self.settings()
        self.timing()
        self.events()
        self.at(self.end, "end")

    def clock(self):
        k = self.k
        x = self.base / 1000 + k - TS_PHASE     # the client's TSval at the script's start
        self.say("start", self.base)
        self.say("clock", int(x // 4), round((x % 4) * 1e6))

    def settings(self):
        c = self.conf
        self.say("arp", "permanent" if c["arp"].startswith("permanent") else "dynamic")
        for host in "cs":
            known = [(sysctl_name(k), v) for k, v in c["sysctls"][host].items()]
            self.say("sysctl", host, *(f"{k}={v.replace(' ', ',')}" for k, v in known
                                       if k and v is not None and v != "bbr"))
        if not c["lo_up"]:
            self.say("lo", "s", "down")
        for key, role in (("copts", "k"), ("sopts", "x")):
            opts = dict(c.get(key) or {})
            if OPTIONS.get(self.name, ("", {}))[0] == role:
                opts.update(OPTIONS[self.name][1])
            for name, value in opts.items():
                value = ",".join(map(str, value)) if isinstance(value, list) else value
                self.say("opt", role, name, value)

    def timing(self):
        """The delay of each way where a frame has none of its own, and the client's TS clock."""
        delays, ks = collections.defaultdict(list), []
        for r in self.records:
            if "dt_deliver" in r:
                delays[r["host"]].append(r["dt_deliver"])
            ts = (r.get("opt") or {}).get("ts")
            if r["kind"] == "seg" and ts:
                ks.append(ts[0] - 1000 * r["t"] - (TS_SERVER if r["host"] == "s" else 0))
        for host in "cs":
            d = statistics.median(delays[host]) if delays[host] else \
                self.conf["delay_ms_each_way"] / 1000
            self.say("delay", host, us(d))
        if ks:
            # A segment that waited for ARP left later than its TSval; a rebooted host has another
            # offset: what is far from most is not looked at. The highest is the promptest.
            most = statistics.median(ks)
            self.k = max(k for k in ks if abs(k - most) < 20) + 0.05
        else:
            # No segment ever left: the neighbour's timer, on the 32 ms grid, gives the phase.
            t = [r["t"] for r in self.records if r["kind"] == "arp"] or \
                [r["t"] for r in self.records if r["kind"] == "icmp_on_lo"]
            self.k = (1 << 31) + TS_PHASE + (-1000 * t[-1]) % 32 + 0.1 if t else 1 << 31

    def events(self):
        self.answer = {}                # process: time of the last thing it was told or did on it
        self.entered = {}
        self.hup_first = self.find_hup_first()
        self.cut_by_note = any("CUT" in r.get("msg", "") for r in self.records)
        self.unannounced_cut()
        draws = DRAWS.get(self.name, {})
        for host, ms in draws.items():
            self.say("draw", host, *ms)
        for n, r in enumerate(self.records):
            getattr(self, "do_" + r["kind"])(r, n)

    def find_hup_first(self):
        """Sockets whose process saw them in epoll, unconnected, before connect() began."""
        found, entered, at = set(), None, 0
        for r in self.records:
            if r["kind"] != "app":
                continue
            if r["call"] == "connect":
                entered = r["sock"] if r.get("note") == "enter" else None
                at = r["t"]
            elif r["call"] == "epoll" and entered == r["sock"] and r["events"] == "OUT|HUP" and \
                    r["t"] < at + 0.05:
                found.add(entered)
        return found

    def race(self, r, done):
        """Which thread was the first to see that connect() failed: the one in epoll_wait() before
        the one in connect() took the error (e), or between that and its disconnecting (m)."""
        if done is None or not done.get("errno"):
            return ""
        seen = next((x["events"] for x in self.records if x["kind"] == "app" and
                     x["call"] == "epoll" and x["host"] == r["host"] and
                     done["t"] - ANCHOR < x["t"] <= done["t"] and "RDHUP" in x["events"]), None)
        return "" if seen is None else "e" if "ERR" in seen else "m"

    def unannounced_cut(self):
        """s11: frames are dropped although no note says so, from the first dropped one on."""
        cut = any(r["kind"] == "note" and "CUT" in r["msg"] for r in self.records)
        lost = [r for r in self.records if r.get("fate") == "dropped"]
        if cut or not lost:
            return
        hosts = sorted({r["host"] for r in lost})
        self.at(lost[0]["t"] - 0.0003, "f", "cutkeep", "".join(hosts))

    # One method a kind of record.

    def do_seg(self, r, n):
        fate = {"fwd": "fwd", "dropped": "cut", "lost in flight": "cut"}[r["fate"]]
        segment(self, r["t"], r["host"][0], r, fate, r.get("dt_deliver"), r.get("opt") or {})

    def do_arp(self, r, n):
        target = {v: k for k, v in self.conf["ips"].items()}[r["target"]]
        fate = {"fwd": "fwd", "dropped": "cut", "lost in flight": "cut"}[r["fate"]]
        dt = r.get("dt_deliver")
        self.at(r["t"], "a", r["host"], r["op"], target, "bcast" if r["bcast"] else "ucast", fate,
                None if dt is None else us(dt))

    def do_icmp_on_lo(self, r, n):
        # About a SYN that never left, there is nothing it could be relative to.
        sent = any(x["kind"] == "seg" and x["host"] == r["host"] for x in self.records[:n])
        self.at(r["t"], "i", r["host"], r["type"], r["code"],
                relative(r["about_seq"]) if sent else 0)

    def do_sock(self, r, n):
        values = {**r, "timer": r.get("timer") and TIMERS.get(r["timer"], r["timer"])}
        for f in ("rto", "rtt", "rttvar"):
            if f + "_ms" in r:
                values[f + "_us"] = round(r[f + "_ms"] * 1000)
        sample(self, r["t"], r["host"], r["state"], values)

    def do_neigh(self, r, n):
        self.at(r["t"], "n", r["host"], r["state"])

    def do_note(self, r, n):
        msg, t = r["msg"], r["t"]
        fault = lambda *words: self.at(t, "f", *words)
        if m := re.match(r"CUT \(frames from ([cs+]+) dropped", msg):
            fault("cut", m[1].replace("+", ""))
        elif "pass" in msg and msg.startswith("PLUG"):
            fault("plug")
        if m := re.search(r"(?:CARRIER OFF at|port of) ([cs])", msg):
            fault("carrier", m[1], "off", self.linkwatch(m[1], t))
        elif m := re.match(r"CARRIER on at ([cs])", msg):
            fault("carrier", m[1], "on", 0)
        elif m := re.match(r"SIGKILL app (\w+)", msg):
            # Of a host that is about to be destroyed: if no FIN was seen, power went first.
            off = self.destroyed(m[1], t, n)
            fault(*(("off", m[1]) if off else ("kill", m[1])))
        elif m := re.match(r"HOST (\w) destroyed", msg):
            if not any(line[3] == f"off {m[1]}" for line in self.lines):
                fault("off", m[1])
        elif m := re.match(r"HOST (\w) booted", msg):
            fault("boot", m[1])
        elif m := re.match(r"(?:(s): )?ip link set eth0 down", msg):
            fault("link", "s", "down")
        elif m := re.match(r"(\w): ip addr del", msg):
            fault("addr", m[1], "del")
        elif m := re.match(r"(\w): ip route flush", msg):
            fault("route", m[1], "flush")
        elif m := re.match(r"(\w): interface/address restored", msg):
            downed = any("link set" in x.get("msg", "") for x in self.records[:n])
            fault("link" if downed else "addr", m[1], "up" if downed else "add")
            if self.conf["arp"].startswith("permanent"):
                fault("neigh", m[1])

    def destroyed(self, host, t, n):
        for r in self.records[n + 1:]:
            if r["t"] > t + 0.1:
                return False
            if r["kind"] == "seg" and r["host"] == host:
                return False
            if r["kind"] == "note" and r["msg"].startswith(f"HOST {host} destroyed"):
                return True
        return False

    def linkwatch(self, host, t):
        """Microseconds until the kernel acted on the lost carrier (0 to 1 s): after the last frame
        that still left, not later than the sample that found the neighbours flushed."""
        last, gone = t, None
        for r in self.records:
            if t < r["t"] < t + 1.2 and r.get("host") == host:
                if r["kind"] in ("seg", "arp"):
                    last = r["t"]
                elif r["kind"] == "neigh" and gone is None and \
                        r["state"] in (None, "FAILED", "INCOMPLETE"):
                    gone = r["t"]
        # A call to send without a frame: it had acted by then.
        for r in self.records:
            if r["kind"] == "app" and r["call"] == "send" and r["host"][0] == host and \
                    max(last, t) < r["t"] < (gone or t + 1.2):
                gone = r["t"]
        if gone is None:
            return us(max(0, last + 0.001 - t)) if last > t else 0
        return us((max(last, gone - 0.2) + gone) / 2 - t)

    def do_app(self, r, n):
        call, p, t = r["call"], r["host"], r["t"]
        if call == "start":
            self.at(t, "p", p)
        elif call == "epoll":
            self.answer[p] = t
            self.at(t, "e", p, r["sock"], r["events"])
        else:
            self.do_call(r, call.replace("getsockopt(SO_ERROR)", "soerr"), p, t, n)

    def do_call(self, r, call, p, t, n):
        if r.get("note") == "enter":
            self.enter(r, call, p, t, n)
            return
        if call in ("blocking_recv", "blocking_send", "blocking_close", "connect"):
            self.answer[p] = t
            return
        note = r.get("note") or ""
        answers = call in ("recv", "accept") or "after" in note or "2nd" in note
        anchored = answers and t - self.answer.get(p, -1e9) < ANCHOR
        if anchored:
            self.answer[p] = t
        sock, ret, err = r.get("sock", "L"), r.get("ret", 0), r.get("errno") or 0
        arg = {"listen": r.get("port"), "send": r.get("asked"), "shutdown": r.get("how"),
               "accept": (r.get("peer") or [0, 0])[1]}.get(call)
        if call == "poll":
            ret = r["revents"]
        elif call == "soerr":
            ret, err = 0, r["value"]
        elif call == "status":
            arg, ret = f"{r['tx']},{r['rx']}", r["bad"]
        self.at(t, "c", p, "+" if anchored else ".", call, sock, arg, ret, err)

    def enter(self, r, call, p, t, n):
        """A blocking call: its result is on the line of its start."""
        done = next((x for x in self.records[n + 1:] if x["kind"] == "app" and x["host"] == p and
                     x["call"] == call and x.get("note") != "enter" and x["sock"] == r["sock"]),
                    None)
        arg = None
        if call == "connect":
            port = next((x["sport"] for x in self.records[n:] if x["kind"] == "seg" and
                         x.get("sport")), 40000) if p == "c2" else 40000
            arg = f"{port}{'h' if r['sock'] in self.hup_first else ''}{self.race(r, done)}"
        words = ["?", 0, None] if done is None else \
            [done.get("ret", 0), done.get("errno") or 0, us(done["t"])]
        self.at(t, "c", p, ".", call, r["sock"], arg, *words)


# --- virtual time, Linux 6.12 ----------------------------------------------------------------------

class VirtualTime(Script):
    """One *.jsonl file and its scenario."""
    HOST = {"A": "c", "B": "s"}
    SOCK = {"A": "k", "B": "x"}

    def __init__(self, path):
        records = [json.loads(line) for line in open(path)]
        self.meta, self.records = records[0], records[1:]
        self.steps = [line.split() for line in
                      (path.parent.parent / "scenarios" / (path.stem + ".sc")).read_text()
                      .splitlines()]
        # The same program on the running kernel, in real time, says when the last tick was.
        self.real = self.meta["clocksource"] != "time-travel-clock"
        kernel = "linux-" + ".".join(self.meta["kernel"].split(".")[:2])
        super().__init__(path.stem if self.real else "vk_" + path.stem, kernel)
        self.settings()
        self.proc, self.sampled, self.began = {"A": "c", "B": "s"}, {}, {}
        self.keepalive, self.opened = {}, {}
        self.at(-0.001, "p", "s")
        self.at(-0.001, "c", "s", ".", "listen", "L", 80, 0, 0)
        self.at(-0.001, "p", "c")
        self.lose_in_flight()
        if ["set", "autoread.B", "0"] in self.steps:
            self.at(-0.001, "f", "deaf", "s")
        for r in self.records:
            told = r["ev"] in ("send-short", "send-errno", "inflight-lost")
            (self.do_nothing if told else getattr(self, "do_" + r["ev"]))(r)

    def lose_in_flight(self):
        """A frame is logged when it is sent; that a cut met it on its way is said when it was due."""
        for gone in [r for r in self.records if r["ev"] == "inflight-lost"]:
            sent = [r for r in self.records if r["ev"] == "frame" and r["from"] == gone["from"] and
                    r["fate"] == "ok" and r["t"] + self.meta["owd"] < gone["t"] + 1e-4]
            near = [r for r in sent if gone["t"] - r["t"] - self.meta["owd"] < 0.005]
            near[0]["fate"] = "lost"

    def clock(self):
        # In virtual time the jiffy of t = 0 began at it (README of the measurements: phase 0).
        jiffies, into = self.meta["jiffies"] + self.base * 250 // 1000000, 0
        if self.real:
            now, tick = self.meta["timer_list_now_ns"], self.meta["last_tick_ns"]
            began = now - (now - tick) % 4000000
            since = round(self.meta["t0_monotonic"] * 1e9) + self.base * 1000 - began
            jiffies, into = self.meta["jiffies"] + since // 4000000, since % 4000000
        self.say("start", self.base)
        self.say("clock", jiffies, into)

    def settings(self):
        m = self.meta
        self.say("arp", "permanent" if m["arp"] == "static" else "dynamic")
        only_a = [w[:2] for w in self.steps]    # the settings of the file are those of A
        for side, host in self.HOST.items():
            values = {"net.ipv4." + k: v for k, v in m.items() if "net.ipv4." + k in KNOWN and
                      (side == "A" or ["set", f"sysctl.A.net.ipv4.{k}"] not in only_a)}
            values["net.ipv4.tcp_congestion_control"] = m["cc"]
            # A guest of 1 GiB: 6 MiB at most, hence window scale 7.
            largest = 33554432 if self.real else 6291456
            values["net.ipv4.tcp_rmem"] = f"4096,131072,{largest}"
            for w in self.steps:
                if w[:1] == ["set"] and w[1].startswith(f"sysctl.{side}."):
                    values[w[1][9:]] = ",".join(w[2:])
            self.say("sysctl", host, *(f"{k}={v}" for k, v in values.items()))
            self.say("delay", host, us(m["owd"]) + 1)
        for role in "kx":
            self.say("opt", role, "NODELAY", 1)
        self.say("listen", 80)
        self.say("noise", 20000 if self.real else 0)
        self.say("reads", 65536)        # its buffer, in oracle.c of the measurements
        self.say("lacks", "icmp", "events", "options")
        for host, ms in DRAWS.get(self.name, {}).items():
            self.say("draw", host, *ms)

    def call(self, t, side, how, call, arg, ret, err, *more):
        self.at(t, "c", self.proc[side], how, call, self.SOCK[side], arg, ret, err, *more)

    def set_keepalive(self, t, side):
        for name, value in zip(("KEEPIDLE", "KEEPINTVL", "KEEPCNT"), self.keepalive[side]):
            self.call(t, side, ".", "setopt", f"{name}={value}", 0, 0)
        self.call(t, side, ".", "setopt", "KEEPALIVE=1", 0, 0)

    def do_step(self, r):
        verb, *args = r["do"].split()
        t, side = r["t"], (args or ["A"])[0]
        fault = lambda *words: self.at(t, "f", *words)
        if verb == "connect":
            self.opened["A"] = True
            done = next((x for x in self.records if x["ev"] == "connected" or
                         x["ev"] == "errno" and x["call"] == "connect"), None)
            words = ["?", 0, None] if done is None else [0, 0, us(done["t"])] \
                if done["ev"] == "connected" else [-1, done["errno"], us(done["t"])]
            self.call(t, "A", ".", "connect", 40000, *words)
        elif verb == "send":
            n = int(args[1]) if len(args) > 1 else 1
            out = next((x for x in self.records if x["ev"] in ("send-errno", "send-short") and
                        abs(x["t"] - t) < 1e-5), None)
            if out is not None and out.get("errno") == "EBADF":
                return                  # the program has no such socket any more
            ret = n if out is None else out.get("n", -1)
            # The next send() would have said EAGAIN; the player makes it.
            err = 0 if out is None else out.get("errno", "EAGAIN")
            self.call(t, side, ".", "send", n, ret, err)
        elif verb == "ka":
            self.keepalive[side] = args[1:]
            self.set_keepalive(t, side)
        elif verb == "usertimeout":
            if side in self.keepalive:  # the program sets all of its options again
                self.set_keepalive(t, side)
            self.call(t, side, ".", "setopt", f"USER_TIMEOUT={args[1]}", 0, 0)
        elif verb == "cut":
            fault("cut", "".join(self.HOST[a] for a in args if a in self.HOST) or "cs")
        elif verb == "replug":
            fault("plug")
        elif verb == "carrier":
            on = args[1] != "0"
            fault("carrier", self.HOST[side], "on" if on else "off", 0)
        elif verb in ("close", "shutdown"):
            if self.opened.get(side):
                self.call(t, side, ".", verb, None, 0, 0)
            self.opened[side] = self.opened.get(side) and verb == "shutdown"
        elif verb == "reboot":
            fault("off", self.HOST[side])
            fault("boot", self.HOST[side])
            self.opened[side] = False
            self.proc[side] = self.HOST[side] + "2"
            self.at(t, "p", self.proc[side])
            if side == "B":
                self.at(t, "c", self.proc[side], ".", "listen", "L", 80, 0, 0)
        elif verb == "autoread":
            self.began[side] = t
            fault("reads" if args[1] == "1" else "deaf", self.proc[side])
        elif verb != "info":
            raise ValueError(verb)

    def do_frame(self, r):
        host, fate = self.HOST[r["from"]], "fwd" if r["fate"] == "ok" else "cut"
        dt = self.meta["owd"] + 1e-6 if fate == "fwd" else None
        if "arp" in r:
            # Who is asked for: the other side, by a request; oneself, by an answer.
            ask = r["arp"] == "request"
            self.at(r["t"], "a", host, "who-has" if ask else "is-at",
                    {"c": "s", "s": "c"}[host] if ask else host, r["dst"], fate,
                    None if dt is None else us(dt))
            return
        flags = r["flags"].replace(".", "A")
        ack = r["ack"] if "A" in flags else None
        opt = {"sack": [r["sack"]]} if "sack" in r else {}
        segment(self, r["t"], host, {**r, "flags": flags, "ack": ack}, fate, dt, opt)
        self.sample(r, r["from"])

    def sample(self, r, side):
        if "state" not in r:
            return
        values = {"retransmits": r["retrans"], "probes": r["probes"], "backoff": r["backoff"],
                  "rto_us": round(r["rto"] * 1e6), "unacked": r["unacked"]}
        state = {"CLOSE": "gone"}.get(r["state"], r["state"])
        values = values if state != "gone" else {}
        if self.sampled.get(side) != (state, values):
            self.sampled[side] = (state, values)
            sample(self, r["t"], self.HOST[side], state, values)

    def do_connected(self, r):
        self.sample(r, r["who"])

    def do_accepted(self, r):
        self.opened[r["who"]] = True
        self.at(r["t"], "e", self.proc[r["who"]], "L", "*")
        self.call(r["t"], r["who"], "+", "accept", 40000, 0, 0)

    def do_recv(self, r):
        if abs(r["t"] - self.began.get(r["who"], -1)) >= SOON:
            self.at(r["t"], "e", self.proc[r["who"]], self.SOCK[r["who"]], "*")
        # What is read because the process began to read answers no event.
        how = "." if abs(r["t"] - self.began.get(r["who"], -1)) < SOON else "+"
        self.call(r["t"], r["who"], how, "recv", None, r["n"], 0)

    def do_eof(self, r):
        self.at(r["t"], "e", self.proc[r["who"]], self.SOCK[r["who"]], "*")
        self.call(r["t"], r["who"], "+", "recv", None, 0, 0)

    def do_errno(self, r):
        if r["call"] != "connect":
            self.at(r["t"], "e", self.proc[r["who"]], self.SOCK[r["who"]], "*")
            self.call(r["t"], r["who"], "+", "recv", None, -1, r["errno"])

    # What the step that caused it says already: a send() that took less, frames that a cut lost.
    def do_nothing(self, r):
        pass

    def do_info(self, r):
        self.sample(r, r["who"])

    def do_end(self, r):
        self.at(r["t"], "end")


def read_draws():
    draws, path = collections.defaultdict(dict), HERE / "draws.txt"
    for line in path.read_text().splitlines() if path.exists() else []:
        if line and not line.startswith("#"):
            name, host, *ms = line.split("#")[0].split()
            draws[name][host] = ms
    return draws


KNOWN = known_sysctls()
DRAWS = read_draws()


def main(out, *paths):
    total = 0
    for path in map(Path, paths):
        script = RealTime(path) if path.suffix == ".json" else VirtualTime(path)
        total += script.write(out)
    print(f"{len(paths)} scripts, {total} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
