"""A lab of `halfopen lab`, its hosts' sockets, and what `halfopen doctor` says of them."""
import json
import os
import queue
import subprocess
import sys
import threading
import time

HALFOPEN = os.environ["HALFOPEN"]
HERE = os.path.dirname(os.path.abspath(__file__))


class CannotBe(Exception):
    pass


class Peers:
    """peers.py in a host. Answers come back in order; what happens besides is kept by name."""

    def __init__(self, lab, host):
        self.process = subprocess.Popen(
            [HALFOPEN, "exec", "--lab", lab.name, host, "--", sys.executable, HERE + "/peers.py"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.answers, self.ends = queue.Queue(), {}
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            words = json.loads(line)
            if "errno" in words:
                self.ends[words["name"]] = words
            else:
                self.answers.put(words)

    def do(self, what, **words):
        """Does it. Returns the answer, with the instants `before` it and `t` behind it."""
        before = time.monotonic()
        print(json.dumps(dict(words, do=what)), file=self.process.stdin, flush=True)
        return dict(self.answers.get(timeout=20), before=before)

    def end_of(self, name, seconds):
        """When and how it ended: {"errno": .., "t": ..}."""
        until = time.monotonic() + seconds
        while name not in self.ends:
            assert time.monotonic() < until, f"{name} did not end within {seconds} s"
            time.sleep(0.01)
        return self.ends[name]

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=20)


class Lab:
    def __init__(self, name, scenario=None):
        self.name = f"{name}-{os.getpid()}"
        command = [HALFOPEN, "lab", "--name", self.name] + ([scenario] if scenario else [])
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)
        if "is up" not in self.process.stdout.readline():
            self.process.wait()
            raise CannotBe(self.process.stderr.read())
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        self.peers = []

    def run(self, *command, host=None, privileged=False, codes=(0,)):
        """A command of halfopen, in a host or outside. Returns its exit code and its output."""
        outside = [HALFOPEN, "exec", "--lab", self.name] + (["--privileged"] if privileged else [])
        p = subprocess.run((outside + [host, "--"] if host else []) + [HALFOPEN, *command],
                           capture_output=True, text=True)
        assert p.returncode in codes, f"halfopen {command}: {p.returncode}: {p.stderr}"
        return p.returncode, p.stdout

    def step(self, *words):
        self.run("step", "--lab", self.name, " ".join(words))
        return time.monotonic()

    def inside(self, host, *command):
        """A command with privileges in a host, that is no program of ours."""
        subprocess.run([HALFOPEN, "exec", "--lab", self.name, "--privileged", host, "--",
                        *command], check=True)

    def peers_in(self, host):
        self.peers.append(Peers(self, host))
        return self.peers[-1]

    def doctor(self, host, *options, privileged=False):
        """The JSON, its connections by this host's port, and the times before and after."""
        before = time.monotonic()
        _, text = self.run("doctor", "--format", "json", *options, host=host,
                           privileged=privileged, codes=(0, 1))
        report = json.loads(text)
        report["before"], report["after"] = before, time.monotonic()
        report["by_port"] = {c["local"]["port"]: c for c in report["connections"]}
        return report

    def down(self):
        for p in self.peers:
            p.stop()
        if self.process.poll() is None:
            self.run("down", "--lab", self.name)
        self.process.wait(timeout=20)


def ids(connection):
    return [f["id"] for f in connection["findings"]]


def is_in(end, answer, since, until=None, what="", slack=0.1):
    """Whether an end lies in an answer's range that counts from `since` (or from an instant up to
    `until`). Its instant is known to lie between `not_before` and `t`, when the process had a
    processor to say so; a process is told a little later than the kernel gives up."""
    until = since if until is None else until
    low, high = since + answer["min_s"], until + answer["max_s"] + slack
    assert low - 0.005 <= end["t"] and end["not_before"] <= high, \
        f"{what} ended {end['not_before'] - since:.3f} to {end['t'] - since:.3f} s after, said: " \
        f"{answer['min_s']} to {answer['max_s']} s"


def main(test):
    try:
        test()
    except CannotBe as e:
        print(f"skipped: {e}", file=sys.stderr)
        sys.exit(77)
