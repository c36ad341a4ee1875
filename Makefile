# A front door, not a build system: what is built and how stands in CMakeLists.txt and
# CMakePresets.json; the longer recipes stand in tools/.

FUZZ_SECONDS ?= 30

.PHONY: run test test-all test-kernel compare bench fidelity fuzz lint clean

# Plays the whole catalogue with the release program.
run: setup-run build/release/build.ninja
	@ninja -C build/release halfopen >&2
	@build/halfopen run

# The fast suites: gcc, sanitizers. At most 10 minutes on 2 cores.
test: setup-test build/dev/build.ninja
	@ninja -C build/dev
	@sh tools/ctest.sh dev fast

# All there is: what `make test` runs (unless it has just passed on this very tree), the slow
# suites, clang, lint. At most 70 minutes on 2 cores.
test-all: setup-all build/dev/build.ninja build/clang/build.ninja
	@ninja -C build/dev
	@sh tools/ctest.sh dev fast --unless-passed
	@sh tools/ctest.sh dev slow
	@ninja -C build/clang
	@sh tools/ctest.sh clang fast

lint: setup-all build/clang/build.ninja
	@sh tools/ctest.sh clang lint

bench: setup-bench build/bench/build.ninja
	@ninja -C build/bench benches >&2
	@python3 tools/bench.py build/bench

# Plays all measured files and writes docs/fidelity.md.
fidelity: setup-test build/dev/build.ninja
	@ninja -C build/dev test_truth >&2
	@build/dev/test_truth --page > build/fidelity.md
	@mv build/fidelity.md docs/fidelity.md

# The catalogue on the model and on the virtual kernel; writes docs/engines.md.
compare: setup-run build/release/build.ninja
	@ninja -C build/release halfopen >&2
	@python3 tools/engines.py build/halfopen > build/engines.md
	@mv build/engines.md docs/engines.md

# Builds a virtual kernel, if none is there, and runs every test that needs one.
test-kernel: setup-test build/release/build.ninja
	@ninja -C build/release halfopen >&2
	@[ -n "$$HALFOPEN_KERNEL" ] || build/halfopen kernel list | grep -q ' HZ ' || build/halfopen kernel build
	@HALFOPEN=$(CURDIR)/build/halfopen sh tests/cli/kernel_build.sh
	@HALFOPEN=$(CURDIR)/build/halfopen sh tests/cli/virtual.sh
	@HALFOPEN=$(CURDIR)/build/halfopen sh tests/cli/virtual_kernel_slow.sh
	@HALFOPEN=$(CURDIR)/build/halfopen sh tests/cli/random_virtual_slow.sh
	@HALFOPEN=$(CURDIR)/build/halfopen sh tests/cli/real_virtual_slow.sh || [ $$? = 77 ]

fuzz: setup-all build/fuzz/build.ninja
	@ninja -C build/fuzz fuzzers
	@sh tools/fuzz.sh build/fuzz $(FUZZ_SECONDS)

clean:
	@rm -rf build

.PHONY: setup-run setup-test setup-bench setup-all
setup-run setup-test setup-bench setup-all:
	@sh tools/setup.sh $(@:setup-%=%) >&2

build/%/build.ninja: CMakePresets.json | setup-run
	@cmake --preset $* >&2
	@touch $@
.PRECIOUS: build/%/build.ninja
