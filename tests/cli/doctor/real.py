"""PostgreSQL, Redis and nginx with clients: the doctor says of each connection what the program
has set on it; settings that are changed change the verdict, and a client that vanishes is
noticed when the verdict says so. Metrics are what promtool takes, whatever a process calls
itself."""
import json
import subprocess
import sys
import time

from lab import HALFOPEN, Lab, ids, main

SERVER = "10.0.0.2"
PROMTOOL = sys.argv[1]


class Client:
    """A client program in the lab that reads its commands from a pipe."""

    def __init__(self, lab, *command):
        self.process = subprocess.Popen(
            [HALFOPEN, "exec", "--lab", lab.name, "client", "--", *command],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line, until):
        """One command and the line of its answer. Returns the instants before and behind it."""
        before = time.monotonic()
        print(line, file=self.process.stdin, flush=True)
        while until not in (got := self.process.stdout.readline()):
            assert got, f"{line}: it has ended"
        return before, time.monotonic()

    def stop(self):
        self.process.kill()
        self.process.wait()


def psql(lab):
    return Client(lab, "psql", "-h", SERVER, "-U", "pg", "-d", "postgres", "-At")


def redis_cli(lab):
    return Client(lab, "redis-cli", "-h", SERVER)


def options_of(c):
    o = c["options"]
    assert all(o[name]["known"] == "read" for name in o), o
    return tuple(o[name]["value"] for name in
                 ("SO_KEEPALIVE", "TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT"))


def seen(report, process, port):
    """The established connections of a process with this port at either end."""
    return [c for c in report["connections"]
            if c["process"] and c["process"]["name"] == process and c["state"] == "ESTABLISHED"
            and port in (c["local"]["port"], c["remote"]["port"])]


def one(report, process, port):
    (c,) = seen(report, process, port)
    return c


def nginx_has(lab):
    report = lab.doctor("server", privileged=True)
    return seen(report, "nginx", 8080) + seen(report, "nginx", 8081)


def until(what):
    for _ in range(100):
        if what():
            return
        time.sleep(0.1)
    raise AssertionError("waited in vain")


def the_truth_about_each(lab):
    """What the documentation and the sources of the programs say that they set."""
    server = lab.doctor("server", privileged=True)
    # PostgreSQL: pq_init() sets SO_KEEPALIVE; tcp_keepalives_* 0 leave the system's times.
    db = one(server, "postgres", 5432)
    assert options_of(db) == (1, 7200, 75, 9) and ids(db) == ["KA003"], db
    assert 7870 < db["idle"]["min_s"] < db["idle"]["max_s"] < 8870
    # Redis: tcp-keepalive 300: idle 300 s, interval a third of it, three probes.
    cache = one(server, "redis-server", 6379)
    assert options_of(cache) == (1, 300, 100, 3) and ids(cache) == [], cache
    assert 599 < cache["idle"]["min_s"] < cache["idle"]["max_s"] < 600 * 9 / 8 + 5
    # nginx sets nothing, but where `listen` says so_keepalive.
    web = one(server, "nginx", 8080)
    assert options_of(web)[0] == 0 and ids(web) == ["KA001"] and web["idle"]["kind"] == "never"
    web = one(server, "nginx", 8081)
    assert options_of(web) == (1, 3, 1, 3) and ids(web) == [], web
    for c in server["connections"]:
        assert c["busy"]["kind"] == "within" and c["busy"]["knob"] == "tcp_retries2", c["busy"]

    client = lab.doctor("client", privileged=True)
    # libpq: keepalives=1; redis-cli: 15 s, a third of it, three.
    assert options_of(one(client, "psql", 5432)) == (1, 7200, 75, 9)
    assert options_of(one(client, "redis-cli", 6379)) == (1, 15, 5, 3)


def strangers_are_unknown(lab):
    """Without privileges: the servers run as another user. What a timer shows is not hidden."""
    report = lab.doctor("server")
    if report["summary"]["options_unreadable"] == 0:
        return  # a lab of an ordinary user has one user only
    for c in report["connections"]:
        assert c["options"]["TCP_KEEPIDLE"] == {"known": "unknown", "value": None}
        keepalive = c["options"]["SO_KEEPALIVE"]["known"]
        wanted = ("inferred",) if c["local"]["port"] in (5432, 6379, 8081) else \
            ("inferred", "unknown")
        assert keepalive in wanted, c
        assert "UK001" in ids(c), ids(c)
    text = lab.run("doctor", host="server", codes=(0, 1))[1]
    assert "needs same uid or CAP_SYS_PTRACE+CAP_DAC_READ_SEARCH" in text, text


def settings_change_the_verdict(lab, sql):
    """As by hand: postgresql.conf and a reload; redis' CONFIG SET, for connections from now on."""
    for line in ("alter system set tcp_keepalives_idle = 3;",
                 "alter system set tcp_keepalives_interval = 1;",
                 "alter system set tcp_keepalives_count = 3;"):
        sql.ask(line, "ALTER SYSTEM")
    sql.ask("select pg_reload_conf();", "t")
    until = time.monotonic() + 10
    while True:
        db = one(lab.doctor("server", privileged=True), "postgres", 5432)
        if options_of(db) == (1, 3, 1, 3):
            break
        assert time.monotonic() < until, options_of(db)
        sql.ask("select 'again';", "again")
    assert ids(db) == [] and db["idle"]["max_s"] < 7, db["idle"]
    cache = redis_cli(lab)
    cache.ask("config set tcp-keepalive 3", "OK")
    cache.stop()
    cache = redis_cli(lab)
    cache.ask("echo hello", "hello")
    return cache


def clients_vanish(lab, peers, sql, cache):
    """Everyone is heard once more, then the cable is cut: who is told, when."""
    heard = {
        5432: sql.ask("select 'here';", "here"),
        6379: cache.ask("echo here", "here"),
    }
    sent = peers.do("send", name="probed", size=1)
    heard[8081] = sent["before"], sent["t"] + 0.1  # until the byte is there
    process = {5432: "postgres", 6379: "redis-server", 8081: "nginx"}
    said = lab.doctor("server", privileged=True)
    assert all(seen(said, process[port], port) for port in heard), said["connections"]
    idle = {port: min((c["idle"] for c in seen(said, process[port], port)),
                      key=lambda a: a["max_s"]) for port in heard}
    gone, last_seen = {}, lab.step("cut")
    while len(gone) < len(heard):
        report = lab.doctor("server", privileged=True)
        for port in heard:
            left = [c for c in seen(report, process[port], port)
                    if options_of(c) == (1, 3, 1, 3)]
            if port not in gone and not left:
                gone[port] = last_seen, report["after"]
            for c in left:
                assert c["trouble"] is None or ids(c) == ["PR001"], ids(c)
        last_seen = report["before"]
        assert time.monotonic() < max(t for _, t in heard.values()) + 20, gone
    for port, (seen_at, missed_at) in gone.items():
        first, last = heard[port]
        low, high = first + idle[port]["min_s"], last + idle[port]["max_s"]
        assert seen_at <= high and missed_at >= low, \
            f"{process[port]} ended {seen_at - last:.3f} to {missed_at - first:.3f} s after, " \
            f"said: {idle[port]['min_s']} to {idle[port]['max_s']} s"
    # Nobody tells the one that set nothing.
    web = one(lab.doctor("server", privileged=True), "nginx", 8080)
    assert web["idle"]["kind"] == "never" and web["trouble"] is None


def promtool_takes_it(lab, host):
    text = lab.run("doctor", "--format", "prometheus", host=host, privileged=True,
                   codes=(0, 1))[1]
    p = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True)
    assert p.returncode == 0 and not p.stderr, f"{p.stderr}{text}"
    return text


def whatever_a_process_calls_itself(lab):
    names = ["\x1b[2J\x1b]0;x\x07", 'a"b\\c{d="e"}', "new\nline 1", "\udcff\udc9b<&#|`", "é名"]
    for i, name in enumerate(names):
        peers = lab.peers_in("client")
        peers.do("rename", name=name)
        peers.do("open", name="one", to=[SERVER, 8080])
    text = promtool_takes_it(lab, "client")
    for shown in ("?[2J?]0;x?", 'a\\"b\\\\c{d=\\"e\\"}', "new?line 1", "??<&#|`", "é名"):
        assert f'process="{shown}"' in text, f"no {shown} in {text}"
    report = lab.doctor("client", privileged=True)
    assert "new?line 1" in {c["process"]["name"] for c in report["connections"] if c["process"]}
    for form in ("text", "markdown", "tap", "junit"):
        out = lab.run("doctor", "--all", "--format", form, host="client", privileged=True,
                      codes=(0, 1))[1]
        assert not any(ord(ch) < 32 and ch != "\n" for ch in out), form
        if form == "junit":
            __import__("xml.etree.ElementTree").etree.ElementTree.fromstring(out)


def test():
    lab = Lab("real", "tests/cli/doctor/real.scn")
    clients = []
    try:
        clients = [psql(lab), redis_cli(lab)]
        sql, cache = clients
        sql.ask("select 'hello';", "hello")
        cache.ask("echo hello", "hello")
        peers = lab.peers_in("client")
        peers.do("open", name="plain", to=[SERVER, 8080])
        peers.do("open", name="probed", to=[SERVER, 8081])
        until(lambda: len(nginx_has(lab)) == 2)  # it accepts
        the_truth_about_each(lab)
        strangers_are_unknown(lab)
        promtool_takes_it(lab, "server")
        clients.append(settings_change_the_verdict(lab, sql))
        whatever_a_process_calls_itself(lab)
        for p in lab.peers[1:]:
            p.stop()
        del lab.peers[1:]
        until(lambda: len(nginx_has(lab)) == 2)  # it has heard of the ends
        clients_vanish(lab, peers, sql, clients[-1])
    finally:
        for c in clients:
            c.stop()
        lab.down()


main(test)
