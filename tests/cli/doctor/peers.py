"""A process with sockets, told what to do by lines of JSON on its standard input. What happens to
the sockets it tells on its standard output, with CLOCK_MONOTONIC, which all hosts of a machine
share."""
import errno
import json
import select
import socket
import struct
import sys
import time

TCP = {"TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT"}
sockets, listening, names, echoing = {}, {}, {}, set()
poll = select.poll()


# It looks a hundred times a second, and remembers when it began to: what it finds had not happened
# when the look before this one began, however long it had to wait for a processor since.
LOOK_MS = 10
looks = [time.monotonic()] * 2


def tell(**words):
    print(json.dumps(dict(words, t=time.monotonic(), not_before=looks[0])), flush=True)


def set_options(s, options):
    for name, value in options.items():
        if name == "SO_LINGER":
            value = struct.pack("ii", *value)
        level = socket.IPPROTO_TCP if name in TCP else socket.SOL_SOCKET
        s.setsockopt(level, getattr(socket, name), value)


def keep(name, s):
    sockets[name] = s
    names[s.fileno()] = name
    poll.register(s, select.POLLRDHUP)


def forget(name):
    s = sockets.pop(name)
    del names[s.fileno()]
    poll.unregister(s)
    return s


def do_listen(port, options={}):
    s = socket.create_server(("", port), family=socket.AF_INET6, backlog=100,
                             dualstack_ipv6=True)
    set_options(s, options)
    listening[s.fileno()] = s
    poll.register(s, select.POLLIN)
    tell(listening=port)


def do_open(name, to, options={}, blocking=True):
    s = socket.socket(socket.AF_INET6 if ":" in to[0] else socket.AF_INET)
    set_options(s, options)
    s.setblocking(blocking)
    code = s.connect_ex(tuple(to))
    if code not in (0, errno.EINPROGRESS):
        tell(name=name, error=errno.errorcode[code])
        return
    keep(name, s)
    tell(name=name, port=s.getsockname()[1])


def do_set(name, options):
    set_options(sockets[name], options)
    tell(name=name, set=True)


def do_send(name, size):
    s = sockets[name]
    s.setblocking(False)
    n = 0
    try:
        while n < size:
            n += s.send(b"G" * min(size - n, 65536))
    except BlockingIOError:
        pass
    tell(name=name, sent=n)


def do_echo(name):
    """One byte there and back: the last segment received is known."""
    sockets[name].sendall(b"e")
    sockets[name].setblocking(True)
    assert sockets[name].recv(1) == b"e"
    tell(name=name, echoed=True)


def do_close(name):
    forget(name).close()
    tell(name=name, closed=True)


def do_rename(name):
    """What /proc/PID/comm says from now on: 15 bytes of any kind."""
    with open("/proc/self/comm", "wb") as f:
        f.write(name.encode("utf-8", "surrogateescape"))
    tell(renamed=True)


def happened(fd, events):
    if fd in listening:
        s, peer = listening[fd].accept()
        name = f"from {peer[1]}"
        keep(name, s)
        if listening[fd].getsockname()[1] == 7007:  # echo's
            poll.modify(s, select.POLLIN | select.POLLRDHUP)
            echoing.add(name)
        return
    name = names[fd]
    if name in echoing and events & select.POLLIN:
        data = sockets[name].recv(4096)
        if data:
            sockets[name].sendall(data)
            return
    if events & select.POLLERR:
        code = sockets[name].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        forget(name)
        tell(name=name, errno=errno.errorcode.get(code, code))
    elif events & (select.POLLHUP | select.POLLRDHUP):
        poll.modify(sockets[name], 0)  # told once; errors are told in any case
        if events & select.POLLHUP:
            forget(name)
        tell(name=name, errno="")


poll.register(sys.stdin, select.POLLIN)
while True:
    looks = [looks[1], time.monotonic()]
    for fd, events in poll.poll(LOOK_MS):
        if fd == sys.stdin.fileno():
            line = sys.stdin.readline()
            if not line:
                sys.exit(0)
            words = json.loads(line)
            globals()["do_" + words.pop("do")](**words)
        else:
            happened(fd, events)
