# A front door, not a build system: what is built and how stands in CMakeLists.txt and
# CMakePresets.json; the longer recipes stand in tools/.

FUZZ_SECONDS ?= 30

.PHONY: run test test-all bench fidelity fuzz lint clean

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
