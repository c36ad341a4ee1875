#!/bin/sh
# Builds a Linux kernel with a virtual clock: User Mode Linux, from Debian's source package.
#
#   build.sh VERSION HZ WORK CONFIG
#
# VERSION is that of a package linux-source-VERSION, such as 6.12. Everything happens in the folder
# WORK (1 GB), where the result is `linux`. CONFIG is the file of this folder. `halfopen kernel build`
# runs it, and reads the lines that begin with '@': what is done now, and @version at the end.
set -eu
version=$1
hz=$2
work=$3
config=$4

say() {
    printf '@%s\n' "$*"
}

# missing WHAT: the only line that is told when it cannot be built here.
missing() {
    say "missing $*"
    exit 3
}

[ "$(uname -m)" = x86_64 ] || missing "an x86-64 processor: User Mode Linux with a virtual clock runs on no other"

tarball=/usr/src/linux-source-$version.tar.xz
room=900 # MB: sources, objects, and the package before it is unpacked
free=$(df -Pm "$work" | awk 'NR == 2 { print $4 }')
[ "$free" -ge $room ] || missing "disk space: $work has $free MB left, and $room MB are needed"

# Debian's packages for what is not here; without root and sudo, the command for somebody else.
needed=
for tool in gcc:gcc make:make flex:flex bison:bison bc:bc xz:xz-utils; do
    command -v "${tool%%:*}" >/dev/null || needed="$needed ${tool#*:}"
done
if ! command -v gcc >/dev/null || ! echo '#include <stdlib.h>' | gcc -E - >/dev/null 2>&1; then
    needed="$needed libc6-dev"
fi
if [ -n "$needed" ]; then
    install="apt-get install -y --no-install-recommends$needed"
    command -v apt-get >/dev/null || missing "${needed# }; there is no apt-get to install them with"
    if [ "$(id -u)" = 0 ]; then
        sudo=
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        sudo="sudo -n"
    else
        missing "${needed# }; as root, run: apt-get update && $install"
    fi
    say "installing$needed"
    $sudo apt-get update
    DEBIAN_FRONTEND=noninteractive $sudo $install
fi

# What Debian has of the sources, such as "6.1 6.12".
versions() {
    apt-cache pkgnames linux-source- | sed -n 's/^linux-source-\([0-9.]*\)$/\1/p' | sort -V | tr '\n' ' '
}

cd "$work"
if [ ! -e "$tarball" ]; then
    command -v apt-get >/dev/null || missing "apt-get: the sources are Debian's package linux-source-$version"
    have=$(versions)
    if [ -z "$have" ]; then
        missing "linux-source-$version: apt has no list of packages; as root, run: apt-get update"
    elif [ -z "$(apt-cache pkgnames "linux-source-$version" | grep -x "linux-source-$version")" ]; then
        missing "linux-source-$version: no such package (there are: ${have% })"
    fi
    say "downloading linux-source-$version"
    apt-get download "linux-source-$version" ||
        missing "linux-source-$version: it cannot be downloaded; are apt's lists old? As root, run: apt-get update"
    dpkg-deb -x linux-source-"$version"_*.deb package
    rm -f linux-source-"$version"_*.deb
    tarball=$work/package/usr/src/linux-source-$version.tar.xz
fi

say "unpacking"
mkdir source build
# But for what no such kernel is made of, which is most of it: 1.6 GB and 86,000 files otherwise.
top=linux-source-$version
set -- --anchored "--exclude=$top/Documentation/*/*" "--exclude=$top/tools/testing/*" \
    "--exclude=$top/tools/perf/*" "--exclude=$top/arch/[!ux]*/*.[chS]" "--exclude=$top/arch/[!ux]*/*.dts*"
for folder in sound drivers/gpu drivers/media drivers/net/ethernet drivers/net/wireless drivers/staging \
    drivers/scsi drivers/infiniband drivers/usb drivers/iio drivers/clk drivers/pinctrl drivers/accel; do
    set -- "$@" "--exclude=$top/$folder/*.[chS]"
done
tar -C source --strip-components=1 "$@" -xf "$tarball"
rm -rf package

say "configuring"
# User Mode Linux has HZ fixed at 100; with a prompt it can be chosen.
sed -i '/^config HZ$/,/^$/s/^\tint$/\tint "HZ"/' source/arch/um/Kconfig
# What the guest takes from the host's random numbers comes from HALFOPEN_SEED instead: the same
# seed, the same run.
sed -i 's/return getrandom(buf, len, flags);/extern ssize_t halfopen_random(void *, size_t);\
\treturn halfopen_random(buf, len);/' source/arch/um/os-Linux/util.c
cat >>source/arch/um/os-Linux/util.c <<'END'

#include <stdlib.h>

ssize_t halfopen_random(void *buf, size_t len);
ssize_t halfopen_random(void *buf, size_t len)
{
	static unsigned long long x;
	unsigned char *at = buf;

	if (x == 0) {
		const char *seed = getenv("HALFOPEN_SEED");

		x = (seed ? strtoull(seed, NULL, 10) : 1) * 0x9e3779b97f4a7c15ull | 1;
	}
	for (size_t i = 0; i < len; i++) { /* xorshift, Marsaglia 2003 */
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		at[i] = (unsigned char)(x >> 32);
	}
	return (ssize_t)len;
}
END
# The processor's own counter (RDTSC) would be one thing more that is another in each run: who reads it gets the
# guest's clock. Where a version has these places otherwise it stays as it is.
um=source/arch/um
if grep -q '^static unsigned long long time_travel_time;' $um/kernel/time.c &&
    grep -q '^	if (UPT_IS_USER(regs) && !SEGV_IS_FIXABLE(fi)) {' $um/kernel/trap.c &&
    grep -q '^#include <skas.h>' $um/kernel/trap.c &&
    grep -q '^	ptrace(PTRACE_TRACEME, 0, 0, 0);' $um/os-Linux/skas/process.c; then
    cat >tsc.c <<'END'

#include <linux/uaccess.h>

extern unsigned long long time_travel_time;

/* Of a process that may not read the counter (prctl(2), PR_TSC_SIGSEGV). A later read is greater. */
static int halfopen_tsc(const struct faultinfo *fi)
{
	static unsigned long long reads;
	struct uml_pt_regs *regs = &current->thread.regs.regs;
	void __user *ip = (void __user *)UPT_IP(regs);
	unsigned char at[3] = { 0 };
	unsigned long long now;
	int len = 2;

	if (fi->trap_no != 13 || copy_from_user(at, ip, 2) || at[0] != 0x0f)
		return 0;
	if (at[1] == 0x01 && !copy_from_user(at + 2, ip + 2, 1) && at[2] == 0xf9) {
		len = 3; /* RDTSCP, which says the processor's number as well */
		regs->gp[HOST_CX] = 0;
	} else if (at[1] != 0x31) {
		return 0;
	}
	now = time_travel_time + ++reads;
	regs->gp[HOST_AX] = now & 0xffffffff;
	regs->gp[HOST_DX] = now >> 32;
	UPT_IP(regs) += len;
	return 1;
}
END
    sed -i 's/^static \(unsigned long long time_travel_time;\)/\1/' $um/kernel/time.c
    sed -i -e '/^#include <skas.h>/r tsc.c' \
        -e 's/^	if (UPT_IS_USER(regs) && !SEGV_IS_FIXABLE(fi)) {/	if (UPT_IS_USER(regs) \&\& halfopen_tsc(fi))\
		return;\
&/' $um/kernel/trap.c
    sed -i -e 's/^#include <sys\/mman.h>/&\
#include <sys\/prctl.h>/' -e 's/^	ptrace(PTRACE_TRACEME, 0, 0, 0);/&\
	prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0);/' $um/os-Linux/skas/process.c
fi
{
    grep -v '^#' "$config"
    echo "CONFIG_HZ=$hz"
} >fragment
cd source
make ARCH=um O="$work/build" KCONFIG_ALLCONFIG="$work/fragment" tinyconfig >/dev/null
cat "$work/fragment" >>"$work/build/.config"
make ARCH=um O="$work/build" olddefconfig >/dev/null
if ! grep -q 'return halfopen_random' arch/um/os-Linux/util.c; then
    say "missing os_getrandom() in this version: its runs would not repeat"
    exit 1
fi
for option in "CONFIG_HZ=$hz" CONFIG_UML_TIME_TRAVEL_SUPPORT=y CONFIG_HOSTFS=y CONFIG_IPV6=y CONFIG_TUN=y \
    CONFIG_NET_NS=y CONFIG_INET_DIAG_DESTROY=y CONFIG_OVERLAY_FS=y; do
    if ! grep -q "^$option\$" "$work/build/.config"; then
        say "missing $option: this kernel cannot be built with it"
        exit 1
    fi
done

say "compiling"
make ARCH=um O="$work/build" -j"$(nproc)" linux
strip "$work/build/linux" -o "$work/linux"
say "version $(make -s ARCH=um O="$work/build" kernelversion)"
