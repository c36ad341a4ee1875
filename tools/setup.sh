#!/bin/sh
# Installs the Debian 12 packages that are missing.
#
#   tools/setup.sh run     to build and run the program
#   tools/setup.sh test    and to run its tests
#   tools/setup.sh bench   to build and to measure
#   tools/setup.sh all     everything: clang, lint, fuzzing too
#
# Nothing missing: says nothing and calls nothing. Otherwise one apt-get call, through sudo where
# not root. Where neither is possible, prints the command to give to someone who can; exit 3.
set -eu

# This is the only list of packages. A group's line adds to the lines that it names.
run="gcc libc6-dev cmake ninja-build libmnl-dev libcjson-dev libmicrohttpd-dev libncurses-dev"
test="$run libcmocka-dev pkg-config iproute2 python3 python3-pytest python3-yaml universal-ctags tshark mandoc"
bench="$test valgrind iperf3"
all="$bench clang libclang-rt-14-dev clang-format clang-tidy lld wasi-libc libclang-rt-14-dev-wasm32"

case "${1-}" in
run) wanted=$run ;;
test) wanted=$test ;;
bench) wanted=$bench ;;
all) wanted=$all ;;
*)
    echo "usage: $0 run|test|bench|all" >&2
    exit 2
    ;;
esac

missing=
for package in $wanted; do
    status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
    if [ "$status" != installed ]; then
        missing="$missing $package"
    fi
done
if [ -z "$missing" ]; then
    exit 0
fi

install="env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
    as_root=sudo
else
    echo "halfopen needs these Debian packages, and neither root nor sudo is at hand. As root, run:" >&2
    echo "  apt-get update && $install" >&2
    exit 3
fi

echo "installing:$missing"
# Package lists: a fresh image has none, an old one's point to versions that are gone.
if ! ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1; then
    $as_root apt-get update -q
    $as_root $install
elif ! $as_root $install; then
    $as_root apt-get update -q
    $as_root $install
fi
