# SPDX-License-Identifier: GPL-2.0-or-later
#
# make            build the four programs into build/
# make deps       install what building and testing needs (Debian, Ubuntu; as root)
# make check      deps, build, then every test (as root)
# make demo       deps, build, then show the main job in namespaces of its own (as root)
# make bench      deps, build, then compare with sshuttle and ssh -L (as root)
# make asan       the tests again, built with AddressSanitizer and UBSan
# make install    PREFIX=/usr/local DESTDIR=

B ?= build
O := $B/obj
PREFIX ?= /usr/local
LIBEXECDIR ?= $(PREFIX)/libexec/sshuttle
# polkit looks for actions here only, whatever the prefix.
POLKITDIR ?= /usr/share/polkit-1/actions
VERSION := 0.1.0
# The uid of the helper's network part: a number no account has (Debian policy 9.2.2: reserved).
HELPER_UID ?= 65528

CC ?= cc
REMOTE_CC ?= musl-gcc
PKG_CONFIG ?= pkg-config
CFLAGS ?= -O2 -g
MULTIARCH = $(shell $(CC) -print-multiarch 2>/dev/null)

WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wformat=2 -Wvla
HARDEN ?= -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
HARDEN_LD ?= -pie -Wl,-z,relro,-z,now,-z,noexecstack
DEFS := -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -DLIBEXECDIR='"$(LIBEXECDIR)"' -DBINDIR='"$(PREFIX)/bin"' \
	-DHELPER_UID=$(HELPER_UID)
C_FLAGS = -std=c11 $(WARN) $(DEFS) -iquote common -iquote $(<D) -MMD -MP
COMPILE = $(CC) $(C_FLAGS) $(HARDEN) $(CFLAGS)
LINK = $(CC) $(HARDEN_LD) $(CFLAGS) $(LDFLAGS)
# The remote program is static and small: musl, and the kernel's headers behind musl's own.
REMOTE_FLAGS ?= -Os -ffunction-sections -fdata-sections -fstack-protector-strong \
	-idirafter /usr/include -idirafter /usr/include/$(MULTIARCH)
REMOTE_LD ?= -static -s -Wl,--gc-sections,-z,relro,-z,now,-z,noexecstack

libs = $(shell $(PKG_CONFIG) --libs $1)

PROGS := sshuttle-proxy sshuttle-fwhelper sshuttle-remote sshuttle-hostwatch

# Code that both ends of the tunnel run.
TUNNEL_SRC := $(addprefix common/,addr.c bytes.c descriptors.c lane.c log.c loop.c mux.c mux_input.c reason.c sched.c \
	stream.c text.c wire.c)

sshuttle-proxy_SRC := $(wildcard proxy/*.c) $(TUNNEL_SRC) common/landlock.c common/record.c \
	common/sandbox.c
sshuttle-proxy_LIBS = $(call libs,libseccomp)

# Everything that ever runs as root is in these two lines; SECURITY.md quotes them.
sshuttle-fwhelper_SRC := $(wildcard fwhelper/*.c) common/log.c common/record.c common/sandbox.c common/text.c
sshuttle-fwhelper_LIBS = $(call libs,libnftnl libmnl libcap-ng libseccomp)

sshuttle-remote_SRC := $(wildcard remote-stub/*.c) $(TUNNEL_SRC) common/landlock.c

sshuttle-hostwatch_SRC := $(wildcard hostwatch/*.c) common/landlock.c common/log.c \
	common/sandbox.c common/text.c
sshuttle-hostwatch_LIBS = $(call libs,libseccomp)

NATIVE := sshuttle-proxy sshuttle-fwhelper sshuttle-hostwatch
obj = $(patsubst %.c,$O/%.o,$1)
robj = $(patsubst %.c,$O/remote/%.o,$1)

all: $(PROGS:%=$B/%)

.SECONDEXPANSION:
$(NATIVE:%=$B/%): $B/%: $$(call obj,$$($$*_SRC))
	$(LINK) $^ $($*_LIBS) -o $@

$B/sshuttle-remote: $(call robj,$(sshuttle-remote_SRC))
	$(REMOTE_CC) $(REMOTE_LD) $^ -o $@

$O/%.o: %.c
	@mkdir -p $(@D)
	$(COMPILE) -c $< -o $@

$O/remote/%.o: %.c $O/remote_filter.h
	@mkdir -p $(@D)
	$(REMOTE_CC) $(C_FLAGS) -I$O $(REMOTE_FLAGS) -c $< -o $@

# The remote program's seccomp filter is compiled here, by libseccomp, into a C array.
$O/remote_filter.h: $O/filter_gen
	$< >$@.tmp && mv $@.tmp $@
$O/filter_gen: remote-stub/gen/filter_gen.c
	@mkdir -p $(@D)
	$(COMPILE) $< $(HARDEN_LD) $(call libs,libseccomp) -o $@

include tests/tests.mk

deps:
	sh packaging/deps.sh

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(LIBEXECDIR) \
		$(DESTDIR)$(PREFIX)/share/man/man8 $(DESTDIR)$(POLKITDIR)
	install -m 755 $B/sshuttle-proxy $B/sshuttle-hostwatch $(DESTDIR)$(PREFIX)/bin
	install -m 755 $B/sshuttle-fwhelper $B/sshuttle-remote $(DESTDIR)$(LIBEXECDIR)
	install -m 644 man/*.8 $(DESTDIR)$(PREFIX)/share/man/man8
	sed 's|@HELPER@|$(LIBEXECDIR)/sshuttle-fwhelper|' packaging/org.sshuttle.fwhelper.policy.in \
		>$(DESTDIR)$(POLKITDIR)/org.sshuttle.fwhelper.policy
	chmod 644 $(DESTDIR)$(POLKITDIR)/org.sshuttle.fwhelper.policy

clean:
	rm -rf $B

-include $(shell find $O -name '*.d' 2>/dev/null)
.PHONY: all deps install clean
.DELETE_ON_ERROR:
