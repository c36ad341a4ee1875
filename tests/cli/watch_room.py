"""The tests of `halfopen watch` over real sockets: `python3 tests/cli/watch_room.py CHECK` brings up
a lab of two hosts and runs the check in one of them, 10.0.0.1, which is the machine that is
watched; 10.0.0.2 is its peer. The check asks for the cable to be cut and plugged on its stdout.

Exit status 77: no lab is possible here."""
import fcntl
import json
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request

HALFOPEN = os.environ["HALFOPEN"]
PORT = 7000
HERE, THERE = "10.0.0.1", "10.0.0.2"
TCP_USER_TIMEOUT = 18
WORLD = "host client\nhost server\ncable client -- server\nneighbours static\n"


def peer():
    """The peer's process: holds whatever connects."""
    listener = socket.create_server(("0.0.0.0", PORT), backlog=1000)
    print("ready", flush=True)
    held = []
    try:
        while True:
            held.append(listener.accept())
    except OSError:
        pass  # the lab is going down


def outside(check):
    """The lab, and in it the peer and the check."""
    name = f"watch-{check}-{os.getpid()}"
    with tempfile.NamedTemporaryFile("w", suffix=".scn") as world:
        world.write(WORLD)
        world.flush()
        lab = subprocess.Popen([HALFOPEN, "lab", "--name", name, world.name], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if "is up" not in lab.stdout.readline():
            print(lab.stderr.read(), file=sys.stderr)
            return 77 if lab.wait() == 3 else 1
    try:
        return inside_of(name, check)
    finally:
        lab.send_signal(signal.SIGTERM)
        lab.wait()


def inside_of(name, check):
    def start(host, *args):
        return subprocess.Popen(
            [HALFOPEN, "exec", "--privileged", "--lab", name, host, "--", sys.executable, __file__,
             *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    other = start("server", "peer")
    assert other.stdout.readline() == "ready\n"
    tested = start("client", "inside", check)
    signal.signal(signal.SIGALRM, lambda *_: sys.exit("the check does not end"))
    signal.alarm(250)
    for line in iter(tested.stdout.readline, "end\n"):
        if line == "":
            break
        subprocess.run([HALFOPEN, line.strip(), "--lab", name], check=True,
                       stdout=subprocess.DEVNULL)
        tested.stdin.write("done\n")
        tested.stdin.flush()
    code = tested.wait()
    other.kill()
    other.wait()
    return code


class Room:
    """What a check has."""

    def tell(self, word):
        """The cable: cut or plug."""
        print(word, flush=True)
        assert sys.stdin.readline() == "done\n"

    def connect(self, **options):
        s = socket.socket()
        if options.get("keepalive"):
            s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for name, value in zip(("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT"),
                                   options["keepalive"]):
                s.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        if options.get("user_timeout_ms"):
            s.setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, options["user_timeout_ms"])
        s.connect((THERE, PORT))
        return s


def wait_for(what, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("waited in vain")


def port_of(s):
    return s.getsockname()[1]


# ---- --jsonl ----------------------------------------------------------------------------------

class Lines:
    """`watch --jsonl`, line by line."""

    def __init__(self, *args):
        self.p = subprocess.Popen([HALFOPEN, "watch", "--jsonl", "--interval", "200ms", *args],
                                  stdout=subprocess.PIPE, text=True)

    def until(self, wanted):
        for line in self.p.stdout:
            found = json.loads(line)
            if wanted(found):
                return found
        raise AssertionError("it ended")

    def event(self, port, word):
        return self.until(lambda x: x["kind"] == "event" and x["event"] == word
                          and x["local"]["port"] == port)

    def close(self):
        self.p.terminate()
        assert self.p.wait() == -signal.SIGTERM


def check_jsonl(room):
    with open("docs/watch.md") as f:
        docs = f.read()
    plain, tuned = room.connect(), room.connect(keepalive=(600, 10, 3))
    open("/proc/self/comm", "wb").write(b"\x1b[2J\xff\nx")  # a name that would clear a screen
    out = subprocess.run([HALFOPEN, "watch", "--jsonl", "--count", "2", "--interval", "100ms"],
                         stdout=subprocess.PIPE, check=True).stdout
    assert b"\x1b" not in out and out.endswith(b"\n")
    lines = [json.loads(x) for x in out.decode().splitlines()]
    assert [x["scan"] for x in lines if x["kind"] == "scan"] == [1, 2]
    assert all(x["connections"] == 2 and x["never_idle"] == 1 and x["unreadable"] == 0
               for x in lines if x["kind"] == "scan"), lines
    conns = {x["local"]["port"]: x for x in lines if x["kind"] == "connection" and x["scan"] == 2}
    assert set(conns) == {port_of(plain), port_of(tuned)}
    assert conns[port_of(plain)]["idle"]["kind"] == "never"
    idle = conns[port_of(tuned)]["idle"]  # 600 + 3 * 10 s, never early
    assert idle["kind"] == "range" and idle["min_s"] >= 630 and idle["errno"] == "ETIMEDOUT", idle
    assert conns[port_of(plain)]["process"]["pid"] == os.getpid()
    assert conns[port_of(plain)]["remote"] == {"address": THERE, "port": PORT}
    assert not [x for x in lines if x["kind"] == "event"]
    assert set(lines[0]) == {
        "kind", "scan", "time", "schema", "took_ms", "connections", "in_trouble", "never_idle",
        "unknown_idle", "unreadable", "findings"}
    assert all(f"`{x}`" in docs for x in lines[0])

    lines = Lines("--changes")
    lines.until(lambda x: x["kind"] == "scan")
    hasty = room.connect(user_timeout_ms=3000)
    said = lines.event(port_of(hasty), "new")
    assert set(said) == {
        "kind", "scan", "time", "event", "netns", "family", "local", "remote", "process", "state",
        "state_before", "trouble", "trouble_before", "trouble_s", "errno", "or", "known_s"}
    assert all(f"`{x}`" in docs for x in said)
    room.tell("cut")
    plain.send(b"x")
    hasty.send(b"x")
    said = lines.event(port_of(plain), "trouble")
    assert said["trouble"] == "retransmitting" and said["trouble_before"] is None, said
    said = lines.event(port_of(hasty), "gave-up")
    assert said["errno"] == "ETIMEDOUT" and said["trouble_s"] >= 2.0, said
    hasty.setblocking(False)
    try:
        hasty.recv(1)
    except OSError as e:
        assert e.strerror == os.strerror(110), e  # the process is told the same
    room.tell("plug")
    assert lines.event(port_of(plain), "recovered")["trouble_before"] == "retransmitting"
    port = port_of(tuned)
    tuned.close()
    assert lines.event(port, "state")["state"] in ("FIN-WAIT-1", "FIN-WAIT-2")
    lines.close()

    p = subprocess.Popen([HALFOPEN, "watch", "--jsonl", "--interval", "100ms"],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdout.readline()
    p.stdout.close()  # the reader goes away: an exit code, no signal
    assert p.wait(10) == 1 and b"whoever read it has gone" in p.stderr.read()

    end = subprocess.Popen(["sleep", "1000"])
    p = subprocess.Popen([HALFOPEN, "watch", "--jsonl", "--interval", "100ms", "--pid",
                          str(end.pid)], stdout=subprocess.PIPE)
    p.stdout.readline()
    end.kill()
    end.wait()
    assert json.loads(p.communicate(timeout=10)[0].splitlines()[-1])["kind"] == "error"
    assert p.returncode == 0


# ---- --listen ---------------------------------------------------------------------------------

class Server:
    def __init__(self, *args, where="127.0.0.1:0"):
        self.p = subprocess.Popen([HALFOPEN, "watch", "--listen", where, *args],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        line = self.p.stderr.readline()
        assert line.startswith("halfopen: metrics at http://"), line
        self.port = int(line.rsplit(":", 1)[1].split("/")[0])

    def get(self, path="/metrics", method="GET", host="127.0.0.1"):
        request = urllib.request.Request(f"http://{host}:{self.port}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as r:
                return r.status, dict(r.headers), r.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, dict(e.headers), e.read().decode()

    def values(self):
        status, _, text = self.get()
        assert status == 200, text
        return {x.rsplit(" ", 1)[0]: float(x.rsplit(" ", 1)[1])
                for x in text.splitlines() if not x.startswith("#")}

    def close(self):
        self.p.send_signal(signal.SIGTERM)
        assert self.p.wait(10) == 0


def sum_of(values, name, *labels):
    return sum(v for k, v in values.items()
               if k.startswith(name + "{") and all(x in k for x in labels))


def check_listen(room):
    held = [room.connect(), room.connect(keepalive=(7200, 75, 9))]
    server = Server("--interval", "1s")
    status, headers, text = server.get()
    assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert int(headers["Content-Length"]) == len(text.encode())
    values = server.values()
    mine = f'port="{PORT}"'
    assert sum_of(values, "halfopen_connections", mine) == 2
    assert sum_of(values, "halfopen_connections", mine, 'idle="never"') == 1
    assert sum_of(values, "halfopen_connections", mine, 'idle="3h"') == 1
    assert sum_of(values, "halfopen_connections_in_trouble", mine) == 0
    assert values['halfopen_findings{id="KA001",severity="warn"}'] == 1

    status, headers, text = server.get(method="HEAD")
    assert status == 200 and text == "" and int(headers["Content-Length"]) > 1000
    assert server.get("/healthz")[0::2] == (200, "ok\n")
    assert server.get("/")[0] == 200
    assert server.get("/etc/passwd")[0] == 404
    status, headers, _ = server.get(method="POST")
    assert status == 405 and headers["Allow"] == "GET, HEAD"

    # Scans are made at most every interval, however many ask.
    before = server.values()["halfopen_watch_looks_total"]
    begun = time.monotonic()
    for _ in range(40):
        server.values()
    looks = server.values()["halfopen_watch_looks_total"] - before
    assert looks <= time.monotonic() - begun + 1, looks

    # Those who ask and do not read, or never finish asking, keep nobody else out.
    slow = []
    for i in range(100):
        s = socket.socket()
        s.bind(("127.0.0.9", 0))
        s.setblocking(False)
        s.connect_ex(("127.0.0.1", server.port))
        slow.append(s)
    time.sleep(0.2)
    for i, s in enumerate(slow):
        try:
            s.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n" + (b"\r\n" if i % 2 else b""))
        except OSError:
            pass  # one too many: it was closed
    wait_for(lambda: server.get("/healthz")[0] == 200)
    fds = len(os.listdir(f"/proc/{server.p.pid}/fd"))
    assert fds < 16 + 16, fds
    for s in slow:
        s.close()

    room.tell("cut")
    held[0].send(b"x")
    wait_for(lambda: sum_of(server.values(), "halfopen_connections_in_trouble", mine,
                            'trouble="retransmitting"') == 1)
    room.tell("plug")
    server.close()

    both = Server(where=":0")  # IPv6 and IPv4
    assert both.get("/healthz", host="[::1]")[0] == 200
    assert both.get("/healthz")[0] == 200
    taken = subprocess.run([HALFOPEN, "watch", "--listen", f":{both.port}"], text=True,
                           stderr=subprocess.PIPE)
    assert taken.returncode == 3 and "Address already in use" in taken.stderr
    both.close()


# ---- the table --------------------------------------------------------------------------------

class Terminal:
    """A pseudo-terminal with `watch` on it; `raw` is what it wrote since the last key."""

    def __init__(self, rows=24, columns=80, term="xterm", args=(), env=None):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            wait_for(lambda: os.get_terminal_size(0).lines == rows)
            for name in ("LINES", "COLUMNS"):  # they would go before the terminal's size
                os.environ.pop(name, None)
            os.environ.update({"TERM": term, "LC_ALL": "C.UTF-8", **(env or {})})
            os.execv(HALFOPEN, ["halfopen", "watch", "--interval", "200ms", *args])
        self.size(rows, columns)
        self.before = termios.tcgetattr(self.fd)
        self.raw = b""

    def size(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 0.05)[0]:
                try:
                    self.raw += os.read(self.fd, 65536)
                except OSError:
                    return
        return

    def rest(self):
        """All that it writes until nobody has its terminal open any more."""
        try:
            while True:
                self.raw += os.read(self.fd, 65536)
        except OSError:
            pass

    def shows(self, text, seconds=10):
        end = time.monotonic() + seconds
        self.read(0.1)
        while text.encode() not in self.raw:
            assert time.monotonic() < end, f"not shown: {text!r} in {self.raw[-2000:]!r}"
            self.press("\x0c")  # Ctrl-L: all of it, not only what differs
            self.read(0.3)

    def press(self, keys):
        self.raw = b""
        os.write(self.fd, keys.encode())

    def ends(self, code=None, signal_number=None):
        """It ends so, and the terminal is as it was."""
        end = time.monotonic() + 10
        while True:
            self.read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid != 0:
                break
            assert time.monotonic() < end, "it does not end"
        if signal_number is not None:
            assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal_number, status
        else:
            assert os.WIFEXITED(status) and os.WEXITSTATUS(status) == code, status
        self.rest()
        if b"\x1b[?1049h" in self.raw or signal_number is not None or code == 0:
            assert b"\x1b[?1049l" in self.raw, "it does not leave the screen"
            assert b"\x1b[?25h" in self.raw or b"\x1b[?12l\x1b[?25h" in self.raw, "no cursor"
        assert termios.tcgetattr(self.fd) == self.before, "the terminal is not as it was"
        os.close(self.fd)


def check_table(room):
    room.held = [room.connect() for _ in range(3)]
    open("/proc/self/comm", "wb").write(b"\x1b]0;x\x07\x1b[2J")
    t = Terminal()
    t.shows("3 connections: 0 in trouble, 3 never notice")
    t.shows("PROCESS")
    t.shows(f"{THERE}:{PORT}")
    t.shows("q quit")
    t.shows("?]0;x??[2J")  # the name, harmless
    assert b"\x1b]0;x\x07" not in t.raw
    assert t.raw.find(b"\x1b[25;") < 0, "a line beyond the 24th"
    t.press("h")
    t.shows("needs same uid or CAP_SYS_PTRACE+CAP_DAC_READ_SEARCH")
    t.press("q")
    t.shows("PROCESS")
    t.press("fnothing-has-this-name\r")
    t.shows("none that the filter lets through")
    t.press("\x1b")
    t.shows(f"{THERE}:{PORT}")
    t.raw = b""
    t.size(30, 120)
    t.shows("\x1b[30;")  # something is drawn in the 30th line
    room.tell("cut")
    room.held[0].send(b"x")
    t.press("t")
    t.shows("retrans")
    t.shows("1 in trouble")
    room.tell("plug")
    t.press("q")
    t.ends(code=0)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGABRT):
        t = Terminal()
        t.shows("q quit")
        os.kill(t.pid, number)
        t.ends(signal_number=number)
    t = Terminal()
    t.shows("q quit")
    t.press("\x03")  # Ctrl-C
    t.ends(signal_number=signal.SIGINT)
    t = Terminal()
    t.shows("q quit")
    termios.tcflow(t.fd, termios.TCOOFF)  # Ctrl-S: its output stands still
    os.kill(t.pid, signal.SIGTERM)
    termios.tcflow(t.fd, termios.TCOON)
    t.ends(signal_number=signal.SIGTERM)

    t = Terminal(rows=5, columns=20, env={"NO_COLOR": "1"})
    t.shows("PROCESS")
    assert b"\x1b[31m" not in t.raw and b"\x1b[33m" not in t.raw
    t.press("q")
    t.ends(code=0)
    for term in ("no-such-terminal", "dumb", ""):
        t = Terminal(term=term)
        t.rest()
        said = f"a terminal of type '{term}' (TERM) is not known here, or can do too little"
        assert said.encode() in t.raw, t.raw
        t.ends(code=3)


# ---- many looks -------------------------------------------------------------------------------

def check_leaks(room):
    """200 looks while connections come and go: neither descriptors nor memory grow."""
    held = [room.connect() for _ in range(50)]
    env = {**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=1"}  # it keeps what is freed
    p = subprocess.Popen([HALFOPEN, "watch", "--jsonl", "--interval", "100ms", "--count", "220"],
                         stdout=subprocess.PIPE, text=True, env=env)
    seen = []
    for line in p.stdout:
        x = json.loads(line)
        if x["kind"] != "scan":
            continue
        if x["scan"] % 5 == 0:
            held.pop(0).close()
            held.append(room.connect())
        if x["scan"] in (20, 219):
            status = open(f"/proc/{p.pid}/status").read()
            seen.append((len(os.listdir(f"/proc/{p.pid}/fd")),
                         int(status.split("VmRSS:")[1].split()[0])))
    assert p.wait() == 0
    (fds, rss), (later_fds, later_rss) = seen
    assert fds == later_fds, seen
    assert later_rss < rss + 2048, seen  # KiB; a leak of 100 bytes a connection and look is 1 MiB


# ---- a real Prometheus --------------------------------------------------------------------------

class Prometheus:
    """Debian's, on this machine's loopback: $PROMETHEUS has its programs."""

    def __init__(self, folder, target):
        programs = os.environ["PROMETHEUS"]
        with open("dist/prometheus.yml") as f:
            config = f.read().replace("15s", "1s").replace("localhost:9464", target)
        config = "global:\n  evaluation_interval: 1s\n" + config
        config = config.replace("halfopen-alerts.yml", os.path.abspath("dist/halfopen-alerts.yml"))
        with open(f"{folder}/prometheus.yml", "w") as f:
            f.write(config)
        subprocess.run([f"{programs}/promtool", "check", "config", f"{folder}/prometheus.yml"],
                       check=True, stdout=sys.stderr)
        self.p = subprocess.Popen(
            [f"{programs}/prometheus", f"--config.file={folder}/prometheus.yml",
             f"--storage.tsdb.path={folder}/data", "--web.listen-address=127.0.0.1:9090",
             "--log.level=error"], stdout=subprocess.DEVNULL)

    def value(self, query):
        """The value of a query with one result; None without any."""
        url = "http://127.0.0.1:9090/api/v1/query?" + urllib.parse.urlencode({"query": query})
        try:
            with urllib.request.urlopen(url, timeout=10) as r:
                found = json.load(r)["data"]["result"]
        except OSError:
            return None  # not up yet
        assert len(found) <= 1, found
        return float(found[0]["value"][1]) if found else None

    def close(self):
        self.p.terminate()
        self.p.wait()


def check_prometheus(room):
    held = [room.connect() for _ in range(3)]
    held += [room.connect(keepalive=(7200, 75, 9)) for _ in range(2)]
    server = Server("--interval", "500ms")
    checked = subprocess.run([os.environ["PROMETHEUS"] + "/promtool", "check", "metrics"],
                             input=server.get()[2], text=True, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
    assert checked.returncode == 0 and checked.stdout == "", checked.stdout
    with tempfile.TemporaryDirectory() as folder:
        prometheus = Prometheus(folder, f"127.0.0.1:{server.port}")
        mine = f'port="{PORT}",process="python3"'
        wait_for(lambda: prometheus.value('up{job="halfopen"}') == 1, 60)
        wait_for(lambda: prometheus.value(f"sum(halfopen_connections{{{mine}}})") == 5)
        for query, expected in (
                (f'sum(halfopen_connections{{{mine},idle="never",state="ESTABLISHED"}})', 3),
                (f'sum(halfopen_connections{{{mine},idle="3h"}})', 2),
                (f'sum(halfopen_connections{{{mine},busy="1h"}})', 5),
                ('halfopen_findings{id="KA001"}', 3),
                ("halfopen_connections_unread", 0),
                ("halfopen_watch_failed_looks_total", 0),
                ('ALERTS{alertname="HalfopenPeerSilent"}', None)):
            found = prometheus.value(query)
            assert found == expected, (query, found)
        silent = (f'ALERTS{{alertname="HalfopenPeerSilent",alertstate="firing",{mine},'
                  'trouble="retransmitting"}')
        room.tell("cut")
        begun = time.monotonic()
        held[0].send(b"x")
        wait_for(lambda: prometheus.value(
            f'sum(halfopen_connections_in_trouble{{{mine},trouble="retransmitting"}})') == 1)
        assert prometheus.value(silent) is None
        wait_for(lambda: prometheus.value(silent) == 1, 90)
        assert time.monotonic() - begun >= 30
        room.tell("plug")
        wait_for(lambda: prometheus.value(silent) is None, 90)
        wait_for(lambda: prometheus.value(
            'halfopen_watch_events_total{event="recovered"}') == 1)
        prometheus.close()
    server.close()


if __name__ == "__main__":
    if sys.argv[1] == "peer":
        peer()
    elif sys.argv[1] == "inside":
        try:
            globals()["check_" + sys.argv[2]](Room())
        except BaseException:
            traceback.print_exc()
            sys.stdout.flush()
            print("end", flush=True)  # others may hold our stdout
            os._exit(1)  # whatever still runs ends with the lab
    else:
        sys.exit(outside(sys.argv[1]))
