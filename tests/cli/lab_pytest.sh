# Runs alone. The pytest example of docs/lab.md, as it stands there.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
sed -n '/^```python$/,/^```$/p' docs/lab.md | sed '1d;$d' >"$dir/test_dead_peer.py"
[ -s "$dir/test_dead_peer.py" ]

# Is a lab possible here? If not, it says why.
mkfifo "$dir/fifo"
"$HALFOPEN" lab --name "probe-$$" >"$dir/fifo" 2>"$dir/err" &
pid=$!
exec 9<"$dir/fifo"
if ! read -r line <&9; then
    wait "$pid" || echo "skipped: $(cat "$dir/err")"
    exit 77
fi
"$HALFOPEN" down --lab "probe-$$"
wait "$pid"

export HALFOPEN PYTHONDONTWRITEBYTECODE=1
cd "$dir"
python=python3
"$python" -c "import pytest" 2>/dev/null || python=/usr/bin/python3 # Debian's package is for Debian's
"$python" -m pytest -q -p no:cacheprovider test_dead_peer.py
