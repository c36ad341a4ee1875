"""The files of dist/ that machines read: `python3 tests/cli/watch_files.py [PROMTOOL]`."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

HALFOPEN = os.path.abspath(os.environ["HALFOPEN"])


def unit():
    """systemd's own check takes the unit, and thinks well of it."""
    if shutil.which("systemd-analyze") is None:
        print("no systemd here: the unit was not checked", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/halfopen-watch.service"
        with open("dist/halfopen-watch.service") as f:
            text = f.read()
        with open(path, "w") as f:
            f.write(text.replace("/usr/bin/halfopen", HALFOPEN).replace(
                "Documentation=man:halfopen(1)\n", ""))
        env = {**os.environ, "SYSTEMD_UNIT_PATH": f"{folder}:/lib/systemd/system"}
        p = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True,
                           env=env)
        assert p.returncode == 0 and p.stderr == "", p.stderr
        p = subprocess.run(["systemd-analyze", "security", "--offline=true", path],
                           capture_output=True, text=True, env=env)
        level = float(re.search(r"Overall exposure level.*: ([0-9.]+)", p.stdout)[1])
        assert level <= 2.5, p.stdout


def arguments(words):
    """The program knows them: with --help in front nothing is run, so each is looked for there."""
    usage = subprocess.run([HALFOPEN, "help", "watch"], capture_output=True, text=True).stdout
    assert words[0] == "watch"
    for word in words:
        assert not word.startswith("--") or f"  {word} " in usage, word


def manifest():
    with open("dist/kubernetes.yaml") as f:
        namespace, daemons = yaml.safe_load_all(f)
    assert (namespace["apiVersion"], namespace["kind"]) == ("v1", "Namespace")
    assert (daemons["apiVersion"], daemons["kind"]) == ("apps/v1", "DaemonSet")
    assert set(daemons) == {"apiVersion", "kind", "metadata", "spec"}
    assert daemons["metadata"]["namespace"] == namespace["metadata"]["name"]
    spec = daemons["spec"]
    assert set(spec) == {"selector", "updateStrategy", "template"}
    template = spec["template"]
    labels = template["metadata"]["labels"]
    assert spec["selector"]["matchLabels"].items() <= labels.items()
    pod = template["spec"]
    assert set(pod) == {"hostPID", "hostNetwork", "automountServiceAccountToken",
                        "priorityClassName", "terminationGracePeriodSeconds", "tolerations",
                        "containers"}
    assert pod["hostPID"] is True and pod["hostNetwork"] is True
    (watch,) = pod["containers"]
    assert set(watch) == {"name", "image", "args", "ports", "securityContext", "resources",
                          "livenessProbe", "readinessProbe"}
    arguments(watch["args"])
    port = watch["ports"][0]["containerPort"]
    assert watch["args"][watch["args"].index("--listen") + 1] == f":{port}"
    assert watch["ports"][0]["hostPort"] == port  # the API wants both alike with hostNetwork
    annotations = template["metadata"]["annotations"]
    assert all(isinstance(v, str) for v in annotations.values())
    assert annotations["prometheus.io/port"] == str(port)
    for probe in ("livenessProbe", "readinessProbe"):
        assert watch[probe]["httpGet"] == {"path": "/healthz", "port": watch["ports"][0]["name"]}
    caps = watch["securityContext"]["capabilities"]
    assert caps["drop"] == ["ALL"]
    assert sorted(caps["add"]) == ["DAC_READ_SEARCH", "SYS_ADMIN", "SYS_PTRACE"]
    quantity = re.compile(r"^[0-9]+(m|Mi|Gi)?$")
    for kind in ("requests", "limits"):
        assert set(watch["resources"][kind]) == {"cpu", "memory"}
        assert all(quantity.match(v) for v in watch["resources"][kind].values())


def rules(promtool):
    """promtool takes the rules, and what they ask for is what the program serves."""
    subprocess.run([promtool, "check", "rules", "dist/halfopen-alerts.yml"], check=True,
                   stdout=sys.stderr)


def names():
    """Rules and docs name metrics that are served, and none besides."""
    found = subprocess.run([HALFOPEN, "doctor", "--format", "prometheus", "--fail-on", "never"],
                           capture_output=True, text=True, check=True).stdout
    served = set(re.findall(r"^# TYPE (\S+)", found, re.M)) | {
        "halfopen_watch_events_total", "halfopen_watch_looks_total", "halfopen_build_info",
        "halfopen_watch_failed_looks_total", "halfopen_watch_look_seconds"}
    for path in ("dist/halfopen-alerts.yml", "docs/watch.md"):
        with open(path) as f:
            named = set(re.findall(r"\bhalfopen_[a-z_]+\b", f.read()))
        assert named and named <= served, (path, named - served)


if __name__ == "__main__":
    manifest()
    names()
    unit()
    if len(sys.argv) > 1:
        rules(sys.argv[1])
