"""What shows itself after a minute only: a window that stays closed, a program that does not close;
each not yet after seconds, and not on a connection beside it."""
import time

from lab import Lab, ids, is_in, main

SERVER = "10.0.0.2"


def fill(client, name):
    """Sends until neither side has room."""
    quiet = 0
    while quiet < 5:
        sent = client.do("send", name=name, size=1 << 26)["sent"]
        quiet = 0 if sent > 0 else quiet + 1
        time.sleep(0.1)


def test():
    lab = Lab("late", "tests/cli/doctor/hosts.scn")
    try:
        server, client = lab.peers_in("server"), lab.peers_in("client")
        server.do("listen", port=5432)
        keepalive = {"SO_KEEPALIVE": 1, "TCP_KEEPIDLE": 300, "TCP_KEEPINTVL": 10,
                     "TCP_KEEPCNT": 3}
        ports = {}
        for name, options in (("idle", {}), ("stuffed", keepalive), ("bounded", {}),
                              ("closed there", {})):
            ports[name] = client.do("open", name=name, to=[SERVER, 5432],
                                    options=options)["port"]
        client.do("set", name="bounded", options={"TCP_USER_TIMEOUT": 20000})
        began = time.monotonic()
        # The server's process reads nothing: the window closes, its kernel answers probes.
        for name in ("stuffed", "bounded"):
            fill(client, name)
        server.do("close", name=f"from {ports['closed there']}")
        while time.monotonic() < began + 10:
            time.sleep(0.5)
        report = lab.doctor("client")
        now = {name: report["by_port"].get(port) for name, port in ports.items()}
        assert ids(now["idle"]) == ["KA001"], now["idle"]
        assert now["stuffed"]["trouble"]["kind"] == "window-probing", now["stuffed"]
        assert ids(now["stuffed"]) == ["KA004"], ids(now["stuffed"])
        assert now["closed there"]["state"] == "CLOSE-WAIT" and ids(now["closed there"]) == []
        # With TCP_USER_TIMEOUT a closed window is the end although the peer answers.
        end = client.end_of("bounded", 40)
        assert end["errno"] == "ETIMEDOUT", end
        is_in(end, now["bounded"]["trouble"]["end"], report["before"], report["after"])
        while time.monotonic() < began + 75:
            time.sleep(0.5)
        report = lab.doctor("client")
        now = {name: report["by_port"].get(port) for name, port in ports.items()}
        assert ids(now["stuffed"]) == ["KA004", "ZW001"], ids(now["stuffed"])
        assert 60 <= now["stuffed"]["trouble"]["since_s"] <= report["after"] - began, \
            (now["stuffed"], report["after"] - began)
        assert ids(now["closed there"]) == ["CW001"], now["closed there"]
        assert ids(now["idle"]) == ["KA001"] and now["idle"]["trouble"] is None
        assert now["bounded"] is None
    finally:
        lab.down()


main(test)
