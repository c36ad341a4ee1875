"""The first screen: its shape, and that it tells the truth about a host whose settings and
connections are made here."""
import os
import re
import subprocess
import time

from lab import HALFOPEN, Lab, main

ROWS = ["data in flight", "idle, keepalive", "idle", "process killed", "host rebooted", "  and idle"]


def screen(text):
    """The rows of the table and the sentence about connections."""
    lines = text.splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= 80, text
    assert "halfopen doctor" in text and "halfopen help" in text
    rows = {}
    for row in ROWS:
        (line,) = [x for x in lines if x.startswith(" " + row.ljust(17)) and x[1] == row[0]]
        rows[row] = re.split(r"  +", line[18:].strip()) if "  " in line[18:].strip() else \
            [line[18:49].strip(), line[49:].strip()]
    return rows, " ".join(text.split())


def predicted(lab, way):
    """Times as the table of `predict` has them: of data in flight, of idle with keepalive."""
    table = lab.run("predict", way, host="client")[1].split("\n\n")[1]
    times = {}
    for row in ("data in flight", "idle, keepalive"):
        line = re.search(f"^  {row} +(.*)$", table, re.M)[1]
        times[row] = re.split(r" +ETIMEDOUT", line)[0].strip()
    return times


def a_host_with_settings_and_connections(lab):
    lab.step("set client net.ipv4.tcp_retries2 8")
    lab.step("set client net.ipv4.tcp_keepalive_time 60")
    lab.step("set client net.ipv4.tcp_keepalive_intvl 10")
    lab.step("set client net.ipv4.tcp_keepalive_probes 3")
    rows, words = screen(lab.run(host="client")[1])
    for column, way in ((0, "--routed"), (1, "--lan")):
        for row, time_of in predicted(lab, way).items():
            assert rows[row][column] == time_of, (row, rows[row], time_of)
    assert rows["idle"] == ["never", "never"] and rows["process killed"] == ["at once", "at once"]
    assert "tcp_retries2 8; keepalive 60/10/3" in words, words
    assert "It has no established connection to another host" in words, words

    server, client = lab.peers_in("server"), lab.peers_in("client")
    server.do("listen", port=5432)
    client.do("listen", port=5433)
    for i, options in enumerate(({}, {}, {"SO_KEEPALIVE": 1})):
        client.do("open", name=f"c{i}", to=["10.0.0.2", 5432], options=options)
    client.do("open", name="own", to=["127.0.0.1", 5433])  # no machine can vanish from this one
    words = screen(lab.run(host="client")[1])[1]
    assert "Of its 3 established connections to other hosts 2 would never notice it while idle, " \
        "1 would." in words, words
    # The server set nothing.
    words = screen(lab.run(host="server")[1])[1]
    assert "tcp_retries2 15; keepalive 7200/75/9" in words, words
    assert "Of its 3 established connections to other hosts 3 would never notice it" in words
    if os.geteuid() == 0 and os.stat(HALFOPEN).st_mode & 1:
        p = subprocess.run([HALFOPEN, "exec", "--lab", lab.name, "--privileged", "client", "--",
                            "setpriv", "--reuid=65534", "--clear-groups", HALFOPEN],
                           capture_output=True, text=True)
        if p.returncode == 0:
            # A running keepalive timer shows itself; what is not set does not.
            words = screen(p.stdout)[1]
            assert "that is unknown (needs same uid or CAP_SYS_PTRACE+CAP_DAC_READ_SEARCH)" in \
                words, words


def without_proc():
    """In a mount namespace with an empty /proc."""
    p = subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
                        'mount -t tmpfs none /proc && echo hidden && exec "$HALFOPEN"'],
                       capture_output=True, text=True)
    if not p.stdout.startswith("hidden\n"):
        return  # user namespaces are forbidden
    # A sanitizer's own search for leaks needs /proc, and comes after everything else.
    assert p.returncode == 0 or "LeakSanitizer has encountered" in p.stderr, p.stderr
    rows, words = screen(p.stdout[7:])
    assert "a host with Linux's defaults" in words, words
    assert "(this host's own cannot be read: No such file or directory)" in words, words
    assert "Its connections cannot be looked at" in words, words
    assert rows["idle"] == ["never", "never"]


def test():
    began = time.monotonic()
    p = subprocess.run([HALFOPEN], capture_output=True, text=True)
    assert p.returncode == 0 and not p.stderr, p.stderr
    assert time.monotonic() - began < 5, "the first screen took seconds"
    screen(p.stdout)
    without_proc()
    lab = Lab("welcome", "tests/cli/doctor/hosts.scn")
    try:
        a_host_with_settings_and_connections(lab)
    finally:
        lab.down()


main(test)
