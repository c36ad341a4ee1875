#!/bin/sh
# `halfopen kernel build`, `list` and `remove`, the whole recipe, with stand-ins for what it calls: apt has the
# sources of one kernel, 9.9, which a `make` compiles that only says so.
. tests/cli/lib

XDG_CACHE_HOME=$tmp/cache
export XDG_CACHE_HOME
unset HALFOPEN_KERNEL
store=$XDG_CACHE_HOME/halfopen/kernels
here=$tmp/bin
mkdir "$here"

# tool NAME: the stand-in is read from stdin.
tool() {
    { echo '#!/bin/sh'; cat; } >"$here/$1"
    chmod +x "$here/$1"
}
for name in flex bison bc xz; do
    echo 'exit 0' | tool $name
done
# What a Debian without compiler has; `date` is for the stand-ins.
for name in sh awk df grep sed sort tr tar rm mkdir chmod cat cp touch sleep date env nproc uname gcc; do
    ln -s "$(command -v $name)" "$here/$name"
done
echo 'echo 1000' | tool id
echo 'exec cp "$1" "$3"' | tool strip
echo 'echo linux-source-9.9; echo linux-source-9.9-rt; echo linux-source-8.1' | tool apt-cache
echo '[ "$1" = download ] && : >"$2"_9.9.1_all.deb' | tool apt-get
mkdir -p "$tmp/tree/linux-source-9.9/arch/um/os-Linux"
printf 'config HZ\n\tint\n\tdefault 100\n\n' >"$tmp/tree/linux-source-9.9/arch/um/Kconfig"
printf 'ssize_t os_getrandom(void *buf, size_t len, unsigned int flags)\n{\n\treturn getrandom(buf, len, flags);\n}\n' \
    >"$tmp/tree/linux-source-9.9/arch/um/os-Linux/util.c"
tar -C "$tmp/tree" -cf "$tmp/source.tar" linux-source-9.9
tool dpkg-deb <<SH2
mkdir -p "\$3/usr/src" && cp $tmp/source.tar "\$3/usr/src/linux-source-9.9.tar.xz"
SH2
# It takes as long as $tmp/seconds says, in one process more.
good_make() {
    tool make <<SH2
for word; do
    case \$word in
    O=*) build=\${word#O=} ;;
    esac
done
case "\$*" in
*tinyconfig) ;;
*kernelversion) echo 9.9.1 ;;
*linux)
    echo "\$\$" >>$tmp/pids
    for i in 1 2 3 4 5 6 7 8 9 10; do
        printf '  CC      file%s.o\\n' \$i
    done
    sleep "\$(cat $tmp/seconds)"
    echo 'echo a kernel' >"\$build/linux"
    chmod +x "\$build/linux"
    ;;
esac
SH2
}
good_make
echo 0 >"$tmp/seconds"

# build ARGS..: `kernel build` where only the stand-ins are.
build() {
    code=0
    PATH=$here "$HALFOPEN" kernel build "$@" >"$tmp/out" 2>"$tmp/err" </dev/null || code=$?
    ran="halfopen kernel build $*"
}
nothing_left() {
    [ -z "$(ls -A "$store")" ] || fail "$ran: left $(ls -A "$store")"
}
no_child() {
    for _ in $(seq 100); do
        kill -0 "$(tail -n 1 "$tmp/pids")" 2>/dev/null || return 0
        sleep 0.05
    done
    fail "$ran: it still compiles"
}

run kernel list
is 0
out '^no virtual kernel is built; build one with: halfopen kernel build$'
[ ! -e "$XDG_CACHE_HOME" ] || fail "$ran: made a folder"

# Mistakes, and what is missing: one line each, with what to do, and nothing is left.
run kernel build --hz 99
mistake "^halfopen: --hz: found '99', expected 100, 250, 300 or 1000$"
run kernel build --version six
mistake "^halfopen: --version: found 'six', expected one such as 6.12$"
run kernel build now
mistake "found 'now', expected --version VERSION or --hz HZ$"
one_line() {
    is 3
    [ "$(grep -cv '^downloading' "$tmp/err")" = 1 ] || fail "$ran: more than a line"
    err "$1"
    nothing_left
}
build --version 9.8
one_line '^halfopen: kernel build: missing linux-source-9\.8: no such package \(there are: 8\.1 9\.9\)$'
mv "$here/flex" "$here/bc" "$tmp"
build --version 9.9
one_line '^halfopen: kernel build: missing flex bc; as root, run: apt-get update && apt-get install -y --no-install-recommends flex bc$'
mv "$tmp/flex" "$tmp/bc" "$here"
mv "$here/apt-cache" "$tmp"
echo : | tool apt-cache
build --version 9.9
one_line '^halfopen: kernel build: missing linux-source-9\.9: apt has no list of packages; as root, run: apt-get update$'
mv "$tmp/apt-cache" "$here"
mv "$here/df" "$tmp"
printf 'echo; echo /dev/x 9 9 17 9 /\n' | tool df
build --version 9.9
one_line '^halfopen: kernel build: missing disk space: .* has 17 MB left, and [0-9]+ MB are needed$'
mv "$tmp/df" "$here"

mv "$here/uname" "$tmp"
echo 'echo aarch64' | tool uname
build --version 9.9
one_line '^halfopen: kernel build: missing an x86-64 processor: '
rm "$here/uname"
mv "$tmp/uname" "$here"

# What fails tells its last lines.
echo 'case "$*" in *linux) echo "file.c:1: error: no good"; exit 2 ;; esac' | tool make
build --version 9.9
is 3
err '^file\.c:1: error: no good$'
err '^halfopen: kernel build: failed \(status 2\); its last lines are above$'
nothing_left

# One that is built is kept, with its version, HZ and hash as its name, and nothing else.
good_make
build --version 9.9 --hz 1000
is 0
out '^built 9\.9\.1-hz1000-[0-9a-f]{16}: Linux 9\.9\.1, HZ 1000, 0\.0 MB$'
err '^downloading linux-source-9\.9$'
err '^compiling$'
name=$(sed -n 's/^built \(.*\): Linux.*/\1/p' "$tmp/out")
[ "$(ls -A "$store")" = "$name" ] && [ "$(ls -A "$store/$name")" = linux ] || fail "$ran: left more"
[ "$(sh "$store/$name/linux")" = "a kernel" ] || fail "$ran: it is another"
run kernel list
is 0
out "^$name +Linux 9\.9\.1 +HZ 1000 +0\.0 MB  $store/$name/linux\$"

mv "$store/$name" "$store/9.9.1-hz1000-0123456789abcdef"
run kernel list
out '/linux  \(built by another version\)$'
mv "$store/9.9.1-hz1000-0123456789abcdef" "$store/$name"

# Two at once.
echo 1 >"$tmp/seconds"
PATH=$here "$HALFOPEN" kernel build --version 9.9 >"$tmp/out2" 2>&1 &
other=$!
build --version 9.9
is 0
wait $other || fail "the other of two builds failed"
grep -q '^built 9\.9\.1-hz250-' "$tmp/out2" || fail "the other of two builds did not build"
[ "$(ls -A "$store" | wc -l)" = 2 ] || fail "$ran: left $(ls -A "$store")"

# By the beginning of its name, if that is only one's.
run kernel remove 9.9
mistake "'9.9' could be 9\.9\.1-hz1000-.* or 9\.9\.1-hz250-|'9.9' could be 9\.9\.1-hz250-.* or 9\.9\.1-hz1000-"
run kernel remove 9.9.1-hz2
is 0
run kernel remove "$name"
is 0
run kernel remove "$name"
mistake "there is no '$name'; 'halfopen kernel list' shows them$"
nothing_left

# Interrupted: nothing runs on, nothing is left; killed: nothing that would be taken for a kernel.
echo 1000 >"$tmp/seconds"
for signal in INT TERM HUP KILL; do
    : >"$tmp/pids"
    # What a shell starts in the background ignores SIGINT.
    python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.environ["PATH"] = sys.argv[1]
os.execv(sys.argv[2], sys.argv[2:])' "$here" "$HALFOPEN" kernel build --version 9.9 >"$tmp/out" \
        2>"$tmp/err" &
    pid=$!
    for _ in $(seq 200); do
        [ ! -s "$tmp/pids" ] || break
        sleep 0.05
    done
    kill -$signal $pid
    code=0
    wait $pid || code=$?
    ran="halfopen kernel build, SIG$signal"
    no_child
    case $signal in
    KILL)
        run kernel list
        out '^no virtual kernel is built'
        for _ in $(seq 100); do
            [ -n "$(ls -A "$store")" ] || break
            sleep 0.05
        done
        ;;
    *) err '^halfopen: kernel build: interrupted; nothing of it is left$' ;;
    esac
    nothing_left
done
