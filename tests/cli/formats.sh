#!/bin/sh
# JSON, JSON lines, capture: readable by others, and complete.
. tests/cli/lib
one=$tmp/one.scn

run run "$one" --format json
is 0
cp "$tmp/out" "$tmp/one.json"
python3 - "$tmp/one.json" <<'PY' || fail "the JSON is not what it should be"
import json, sys
d = json.load(open(sys.argv[1]))
assert d["schema"] == 1 and d["program"] == "halfopen" and d["plays"] == 1 and d["failed"] == 0, d
assert "wall_s" not in d
(s,) = d["scenarios"]
assert s["name"] == "one" and s["engine"] == "model" and s["seed"] == 1 and s["hz"] == 250
assert s["simulated_s"] == 1200 and d["simulated_s"] == 1200
by = {v["host"]: v for v in s["verdicts"]}
assert set(by) == {"client", "server"}
v = by["server"]
assert v["app"]["errno"] == "ETIMEDOUT" and v["app"]["call"] == "recv"
assert v["kernel"]["sk_err"] == "ETIMEDOUT" and v["cause"] == "retries2"
assert 930 < v["app"]["after_s"] < 945 and v["knob"].startswith("net.ipv4.tcp_retries2=15")
assert by["client"]["app"] is None and by["client"]["kernel"] is None
assert [e["met"] for e in s["expectations"]] == [True, True]
assert s["expectations"][0]["line"] == 10
PY
run run "$one" --format json --timing
python3 -c 'import json,sys; assert json.load(open(sys.argv[1]))["wall_s"] > 0' "$tmp/out" ||
    fail "--timing does not add wall_s"

# The whole catalogue is one document.
run run --format json
[ "$code" -le 1 ] || fail "$ran: exit code $code"
python3 -c 'import json,sys
d = json.load(open(sys.argv[1]))
assert d["plays"] == len(d["scenarios"]) > 100' "$tmp/out" || fail "the catalogue as JSON"

# TAP: a play is a test, its expectations are its subtest; what failed says what was found.
run run "$one" cut-heartbeat --format tap
is 0
[ "$(head -n 1 "$tmp/out")" = "TAP version 14" ] || fail "$ran: the first line"
[ "$(tail -n 1 "$tmp/out")" = "1..3" ] || fail "$ran: the plan"
out '^# Subtest: one$'
out '^    ok 1 - server notices ETIMEDOUT in recv$'
out '^    1\.\.2$'
out '^ok 1 - one$'
out '^ok 3 - cut-heartbeat \(ipv6\)$'
sed 's/^expect client never.*/expect client notices EPIPE/' "$one" >"$tmp/wrong.scn"
run run "$tmp/wrong.scn" --format tap
is 1
out '^    not ok 2 - client notices EPIPE$'
out "^      at: \"$tmp/wrong.scn:11\"$"
out '^      expected: "client notices EPIPE"$'
out '^      found: "client'
out '^not ok 1 - wrong$'
out '^# +server +data was never acknowledged'
run run cut-heartbeat --format tap --set tcp_retries2=3
is 0
out '^ok 1 - cut-heartbeat # SKIP not judged: '

# JUnit: a suite a play, a case an expectation; whatever a text holds, it is XML.
sed 's/^title .*/title "<a \&\& \\"b\\">"/' "$tmp/wrong.scn" >"$tmp/a & b.scn"
run run "$one" "$tmp/a & b.scn" --format junit
is 1
python3 - "$tmp/out" <<'PY' || fail "the XML is not what it should be"
import sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
assert root.tag == "testsuites" and root.get("name") == "halfopen"
assert {k: root.get(k) for k in ("tests", "failures", "errors", "skipped", "time")} == {
    "tests": "4", "failures": "1", "errors": "0", "skipped": "0", "time": "2400.000000"}
one, other = root.findall("testsuite")
assert one.get("name") == "one" and other.get("name") == "a & b" and other.get("failures") == "1"
assert [c.get("name") for c in one.findall("testcase")] == [
    "server notices ETIMEDOUT in recv", "client never notices"]
assert {p.get("name"): p.get("value") for p in one.iter("property")} == {
    "engine": "model", "seed": "1", "hz": "250"}
assert "ETIMEDOUT from recv" in one.find("system-out").text
(case,) = [c for c in other.findall("testcase") if c.find("failure") is not None]
assert case.get("file").endswith("a & b.scn") and case.get("line") == "11"
assert "expected: client notices EPIPE; found: " in case.find("failure").text
PY
run run cut-heartbeat --format junit --set tcp_retries2=3
is 0
python3 - "$tmp/out" <<'PY' || fail "skipped cases in XML"
import sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
assert root.get("skipped") == "2" and len(list(root.iter("skipped"))) == 2
PY

# The timeline: a schema line, then records in order of time.
run run "$one" --timeline "$tmp/t.jsonl" --pcapng "$tmp/t.pcapng"
is 0
python3 - "$tmp/t.jsonl" <<'PY' || fail "the timeline is not what it should be"
import json, sys
lines = [json.loads(l) for l in open(sys.argv[1])]
assert lines[0]["scope"] == "timeline" and lines[0]["value"] == 1
assert all(a["t_us"] <= b["t_us"] for a, b in zip(lines, lines[1:]))
kinds = {l["kind"] for l in lines}
assert {"settings", "seg", "app", "sock", "fault"} <= kinds, kinds
segs = [l for l in lines if l["kind"] == "seg"]
assert segs[0]["flags"] == "S" and segs[0]["seq"] == 0 and segs[0]["conn"] == "c1"
assert all("raw_seq" not in s and "sport" not in s for s in segs)
assert sum(s["fate"] == "cut" and s["len"] == 1000 for s in segs) > 10
faults = [l for l in lines if l["kind"] == "fault"]
assert [f["verb"] for f in faults] == ["cut"] and faults[0]["what"] == "client -- server"
knobs = {l["name"]: l["value"] for l in lines if l["kind"] == "settings" and l["host"] == "server"}
assert knobs["net.ipv4.tcp_retries2"] == 15 and knobs["hz"] == 250
PY
run run "$one" --timeline "$tmp/raw.jsonl" --raw
grep -q '"raw_seq":' "$tmp/raw.jsonl" || fail "--raw: no raw sequence numbers"

# tshark reads the capture without a complaint: no malformed packet, every checksum right.
if command -v tshark >/dev/null; then
    tshark -r "$tmp/t.pcapng" -o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE \
        -T fields -e frame.number -e _ws.malformed -e tcp.checksum.status -e ip.checksum.status \
        >"$tmp/out" 2>"$tmp/err" || fail "tshark cannot read the capture"
    [ ! -s "$tmp/err" ] || grep -v 'Running as user' "$tmp/err" | grep -q . &&
        fail "tshark complains" || :
    [ "$(wc -l <"$tmp/out")" -gt 15 ] || fail "the capture has too few packets"
    awk -F '\t' '$2 != "" || $3 == "0" || $4 == "0" { exit 1 }' "$tmp/out" ||
        fail "a packet is malformed or has a wrong checksum"
fi

# Several cases: the file has the first, and that is said.
sed 's/^title/plays over ipv4 ipv6\ntitle/' "$one" >"$tmp/two.scn"
run run "$tmp/two.scn" --timeline "$tmp/t2.jsonl"
is 0
err 'the file has the first of 2 cases'
