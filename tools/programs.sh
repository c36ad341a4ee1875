#!/bin/sh
# Server programs for the tests of real programs, without installing anything: Debian packages are
# downloaded and unpacked, so that nobody's machine gets a running sshd or database.
#
#   tools/programs.sh DIR               into DIR (build/programs); afterwards they are in DIR/bin
#   tools/programs.sh DIR PACKAGE ..    these packages in place of the usual servers
#
# A package that is installed in the version that apt would take is not downloaded: its programs
# are found in PATH anyway. What is there already is not done again (remove DIR to start over).
# Exit status: 0; 77: not possible here (no apt, no network), with the reason on stderr.
set -eu

wanted="redis-server nginx openssh-server openssh-client postgresql-15 postgresql-client-15 curl"

if [ $# -lt 1 ]; then
    echo "usage: $0 DIR [PACKAGE ..]" >&2
    exit 2
fi
skip() {
    echo "no server programs: $*" >&2
    exit 77
}

mkdir -p "$1"
dir=$(cd "$1" && pwd)
shift
wanted=${*:-$wanted}
if [ -e "$dir/complete" ]; then
    exit 0
fi
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
    skip "apt-get and dpkg-deb are not there"

# One at a time: two tests may want them at once.
exec 9>"$dir/lock"
flock 9
if [ -e "$dir/complete" ]; then
    exit 0
fi

known=
for package in $wanted; do
    if [ -n "$(apt-cache policy "$package" 2>/dev/null)" ]; then
        known="$known $package"
    fi
done
[ -n "$known" ] || skip "apt knows none of the packages (apt-get update?)"
# What an installation would bring, with all that it needs.
missing=$(apt-get -s install --no-install-recommends $known 2>/dev/null |
    sed -n 's/^Inst \([^ ]*\) .*/\1/p')

mkdir -p "$dir/tree" "$dir/bin" "$dir/deb"
(cd "$dir/deb" && apt-get download $missing >log 2>&1) ||
    skip "apt-get download failed: $(tail -n 1 "$dir/deb/log")"
for deb in "$dir"/deb/*.deb; do
    if [ -e "$deb" ]; then
        dpkg-deb -x "$deb" "$dir/tree"
    fi
done

# Programs find the libraries that came with them. Those of PostgreSQL go before Debian's wrappers,
# also where they are installed.
libraries=$(find "$dir/tree/usr/lib" "$dir/tree/lib" -name '*.so*' -printf '%h\n' 2>/dev/null |
    sort -u | grep -E '/lib(/[a-z0-9_]+-linux-gnu)?$' | tr '\n' ':' || true)
for program in "$dir"/tree/bin/* "$dir"/tree/sbin/* "$dir"/tree/usr/bin/* "$dir"/tree/usr/sbin/* \
    /usr/lib/postgresql/15/bin/* "$dir"/tree/usr/lib/postgresql/15/bin/*; do
    if [ -f "$program" ] && [ -x "$program" ]; then
        wrapper="$dir/bin/$(basename "$program")"
        cat >"$wrapper" <<END
#!/bin/sh
LD_LIBRARY_PATH="$libraries\${LD_LIBRARY_PATH-}" exec "$program" "\$@"
END
        chmod 755 "$wrapper"
    fi
done
rm -rf "$dir/deb"
: >"$dir/complete"
