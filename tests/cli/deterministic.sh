#!/bin/sh
# The same arguments give the same bytes: table, JSON, ladder, timeline, capture.
. tests/cli/lib

for format in "" "--format=json" "--ladder"; do
    run run $format
    [ "$code" -le 1 ] || fail "$ran: exit code $code"
    cp "$tmp/out" "$tmp/first"
    run run $format
    cmp "$tmp/first" "$tmp/out" || fail "the catalogue with '$format': two runs differ"
done

# Also in another place, with another environment.
run run
cp "$tmp/out" "$tmp/first"
program=$(realpath "$HALFOPEN")
(cd "$tmp" && env -i LC_ALL=C TZ=Asia/Tokyo "$program" run >"$tmp/out" 2>/dev/null) || :
cmp "$tmp/first" "$tmp/out" || fail "the environment changes the catalogue"

# A world with everything that is random: loss, reordering, duplicates, corruption, ARP.
cat >"$tmp/random.scn" <<'SCN'
host client
host server
cable client -- server delay 5ms rate 10Mbit queue 50 loss 3% reorder 2% duplicate 1% corrupt 1%
connection client -> server:80
at 1s client send 300k
at 2s cut
at 9s plug
lasts 600s
expect the stream arrives whole
SCN
for seed in 1 2 3; do
    run run "$tmp/random.scn" --seed $seed --timeline "$tmp/a.jsonl" --pcapng "$tmp/a.pcapng"
    is 0
    run run "$tmp/random.scn" --seed $seed --timeline "$tmp/b.jsonl" --pcapng "$tmp/b.pcapng"
    cmp "$tmp/a.jsonl" "$tmp/b.jsonl" || fail "seed $seed: two timelines differ"
    cmp "$tmp/a.pcapng" "$tmp/b.pcapng" || fail "seed $seed: two captures differ"
    cp "$tmp/a.jsonl" "$tmp/seed$seed.jsonl"
done
! cmp -s "$tmp/seed1.jsonl" "$tmp/seed2.jsonl" || fail "another seed gives the same world"
