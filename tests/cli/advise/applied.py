#!/usr/bin/env python3
"""Scenarios with real programs that are set as `halfopen advise --json` (stdin) says.

  applied.py gone DIR    writes DIR/gone.scn: the cable is cut for good
  applied.py back DIR    writes DIR/back.scn: it is cut for as long as must be outlived

PostgreSQL with an idle session and one whose result is under way, Redis with a subscriber, nginx
with an idle client and a client that reads a long answer slowly. Nothing but what the advice prints
is set, each line in the file or string that it belongs to; the settings of `sysctls` on both hosts.
"""

import json
import sys


def lines(advice, program, place):
    for p in advice["programs"]:
        if p["program"] == program:
            return [l["line"] for l in p["lines"] if l["place"].startswith(place)]
    raise SystemExit(f"no advice for {program}")


def main(what, folder):
    advice = json.load(sys.stdin)
    sysctls = advice["sysctls"]["set"]
    within, survive = advice["within_s"], advice["survive_s"]
    postgres = "\\n".join(lines(advice, "postgresql", "postgresql.conf"))
    libpq = " ".join(lines(advice, "libpq", "connection string"))
    redis = "\\n".join(lines(advice, "redis", "redis.conf"))
    # listen ... so_keepalive=12s:2s:3;
    listen = " ".join(l.split("... ")[1].rstrip(";") for l in lines(advice, "nginx", "nginx.conf: listen"))
    psql = f"psql 'host=server user=pg dbname=postgres {libpq}'"

    out = [
        f'title "Advice for {within} s, applied: {what}"',
        "host client",
        "host server",
        "cable client -- server",
    ]
    for host in ("client", "server"):
        out += [f"set {host} {name} {value}" for name, value in sysctls.items()]
    nginx = (
        "pid pid; error_log stderr; events {} http { access_log off; keepalive_timeout 600s; "
        "client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; "
        "uwsgi_temp_path uwsgi; scgi_temp_path scgi; server { "
        f"listen 0.0.0.0:80 {listen}; location / {{ return 200 hello; }} }} }}"
    )
    commands = {
        "server.db": (
            "sh -c 'initdb -D data -A trust -N -U pg >initdb && "
            "echo host all all all trust >>data/pg_hba.conf && "
            f'printf "{postgres}\\n" >>data/postgresql.conf && '
            "exec postgres -D data -k . -h 0.0.0.0 -c fsync=off'",
            "ready when its output matches /ready to accept connections/ within 60s",
        ),
        "server.cache": (
            "sh -c 'printf \""
            + redis
            + "\\nport 6379\\nbind 0.0.0.0\\nprotected-mode no\\n\" >conf; exec redis-server conf'",
            "ready when it listens on 6379",
        ),
        "server.web": (
            f"sh -c 'printf \"{nginx}\" >conf; exec nginx -p . -c conf -e stderr -g \"daemon off;\"'",
            "ready when it listens on 80",
        ),
        "client.idle": (
            f"{psql} -c \"select 'idle now'\" -f -",
            "ready when its output matches /idle now/",
        ),
        "client.busy": (
            f"{psql} -c \"select 'busy now'\" -f -",
            "ready when its output matches /busy now/",
        ),
    }
    for process, (command, ready) in commands.items():
        quoted = command.replace("\\", "\\\\").replace('"', '\\"')
        user = " as guest" if process.startswith("server") else ""
        out.append(f'process {process}{user} runs "{quoted}" {ready}')
    out += [
        "process client.sub",
        "process client.web",
        'at 0s client.sub run "redis-cli -h server"',
        'at 500ms client.sub type "SUBSCRIBE news\\n"',
        'at 0s client.web run "curl -s --rate 1/h http://server/one http://server/two"',
        # The result leaves half a second behind the cut.
        'at 1s client.busy type "select pg_sleep(2.5);\\n"',
        "at 3s cut",
    ]
    # Who notices: connections, as PROCESS/PEER'S PROCESS.
    servers = ["server.db/idle", "server.db/busy", "server.web"]
    clients = ["client.idle"]  # of the clients only libpq has settings
    if "tcp-keepalive" in redis:  # it has one setting for three, and not every time can be had
        servers.append("server.cache")
    if what == "gone":
        out.append(f"lasts {within + 8:g}s")
        out += [f"expect {c} enters gone within {within:g}s of cut" for c in servers + clients]
        out += [f"expect {c} stays ESTABLISHED until cut+{survive:g}s" for c in servers]
    else:
        out.append(f"at {3 + survive:g}s plug")
        out.append(f"lasts {within + 8:g}s")
        out += [f"expect {c} stays ESTABLISHED" for c in servers + clients]
        out.append(f"expect client.busy output matches /1 row/ within {within:g}s of cut")
    with open(f"{folder}/{what}.scn", "w", encoding="utf-8") as f:
        f.write("\n".join(out) + "\n")


main(*sys.argv[1:])
