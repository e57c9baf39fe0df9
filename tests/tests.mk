# SPDX-License-Identifier: GPL-2.0-or-later
#
# make check      deps, build, warnings, unit tests, fuzz corpora, system tests
# make asan       the unit and system tests again under AddressSanitizer and UBSan
# make unit, make system TESTS=tests/system/test_x.py     one part of them, without deps
# make fuzz       every fuzz target for FUZZ_SECONDS (60) with libFuzzer
# make lint       layout of the code, shell scripts, man pages
# make demo, make bench

PYTHON := PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3
PYTEST := $(PYTHON) -m pytest -q -p no:cacheprovider
TESTS ?= tests/system
FUZZ_SECONDS ?= 60
FUZZ_CC ?= clang

# Every object of ours that has no main(): a test links what it uses.
CODE := $(call obj,$(filter-out %/main.c,$(wildcard common/*.c proxy/*.c fwhelper/*.c)) remote-stub/connect.c)
CODE_LIBS = $(call libs,libnftnl libmnl libcap-ng libseccomp)
$O/code.a: $(CODE)
	@rm -f $@
	ar rcsT $@ $^

# tests/unit/PROGRAM_SUBJECT.c sees the headers of common/ and PROGRAM/.
test_includes = -Itests -iquote common $(patsubst %,-iquote %,$(wildcard $(firstword $(subst _, ,$(*F)))))

UNIT := $(patsubst tests/unit/%.c,$B/unit/%,$(wildcard tests/unit/*.c))
$B/unit/%: tests/unit/%.c $O/code.a
	@mkdir -p $(@D)
	$(COMPILE) $(test_includes) -MF $O/unit_$(*F).d -MT $@ $< $O/code.a $(CODE_LIBS) \
		$(HARDEN_LD) $(call libs,cmocka) -o $@

unit: $(UNIT)
	@set -e; for t in $^; do echo "== $$t"; \
		ASAN_OPTIONS=detect_leaks=1 CMOCKA_MESSAGE_OUTPUT=STDOUT $$t; done

# A fuzz target is LLVMFuzzerTestOneInput() in tests/fuzz/NAME.c; its corpus is tests/fuzz/corpus/NAME/.
FUZZ := $(patsubst tests/fuzz/%.c,%,$(filter-out tests/fuzz/replay.c,$(wildcard tests/fuzz/*.c)))
$B/replay/%: tests/fuzz/%.c tests/fuzz/replay.c $O/code.a
	@mkdir -p $(@D)
	$(COMPILE) $(test_includes) -MF $O/replay_$(*F).d -MT $@ $< tests/fuzz/replay.c $O/code.a \
		$(CODE_LIBS) $(HARDEN_LD) -o $@

replay: $(FUZZ:%=$B/replay/%)
	@set -e; for t in $(FUZZ); do $B/replay/$$t tests/fuzz/corpus/$$t; done

$B/fuzz/%: tests/fuzz/%.c $O/code.a
	@mkdir -p $(@D)
	$(COMPILE) $(test_includes) -fsanitize=fuzzer -MF $O/fuzz_$(*F).d -MT $@ $< $O/code.a \
		$(CODE_LIBS) -o $@

run-fuzz: $(FUZZ:%=$B/fuzz/%)
	@set -e; for t in $(FUZZ); do echo "== $$t"; mkdir -p $B/fuzz/new/$$t; \
		$B/fuzz/$$t -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=2048 -print_final_stats=0 \
		-artifact_prefix=$B/fuzz/ $B/fuzz/new/$$t tests/fuzz/corpus/$$t; done

fuzz:
	sh packaging/deps.sh '?libclang-rt-dev'
	$(MAKE) B=build/fuzz CC=$(FUZZ_CC) HARDEN= HARDEN_LD= run-fuzz \
		CFLAGS='-g -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -DSANITIZE'

system: all
	SSHUTTLE_BUILD=$(abspath $B) $(PYTEST) $(PYTEST_FLAGS) $(TESTS)

# Everything must compile with both compilers without a warning.
warnings:
	$(MAKE) B=build/gcc CC=gcc CFLAGS='-O2 -Werror' all
	$(MAKE) B=build/clang CC=clang CFLAGS='-O2 -Werror' all

check: deps
	$(MAKE) all warnings structure
	$(MAKE) unit replay
	$(MAKE) system

# The remote program too is built natively here: musl has no sanitizers.
asan: deps
	$(MAKE) B=build/asan HARDEN= HARDEN_LD= REMOTE_CC=$(CC) REMOTE_FLAGS='$(ASAN)' \
		REMOTE_LD='$(ASAN)' CFLAGS='$(ASAN)' run-asan
ASAN := -g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all -DSANITIZE
run-asan: all unit replay
	SSHUTTLE_SANITIZED=1 SSHUTTLE_BUILD=$(abspath $B) $(PYTEST) $(PYTEST_FLAGS) $(TESTS)

structure:
	sh tests/lint.sh

SOURCES = $(wildcard common/*.[ch] proxy/*.[ch] fwhelper/*.[ch] remote-stub/*.[ch] remote-stub/gen/*.c \
	hostwatch/*.[ch] tests/*/*.[ch])
lint: structure
	sh packaging/deps.sh clang-format shellcheck
	clang-format --dry-run -Werror $(SOURCES)
	shellcheck packaging/*.sh tests/*.sh .ci/run
	$(if $(wildcard man/*.8),mandoc -Tlint -W warning man/*.8)

demo: deps
	$(MAKE) all
	SSHUTTLE_BUILD=$(abspath $B) $(PYTHON) tests/demo.py

bench:
	sh packaging/deps.sh sshuttle
	$(MAKE) all $B/load
	SSHUTTLE_BUILD=$(abspath $B) $(PYTHON) tests/bench/bench.py $(BENCH_FLAGS)
$B/load: tests/bench/load.c
	@mkdir -p $(@D)
	$(CC) -std=c11 $(WARN) -D_GNU_SOURCE $(HARDEN) $(CFLAGS) -pthread $< $(HARDEN_LD) -o $@

.PHONY: check asan run-asan unit replay system warnings structure lint fuzz run-fuzz demo bench
