# Platen: everything is built, tested and installed from here.
#   make            the programs, in build/
#   make demo       shows the whole system at work   (installs what it needs)
#   make check      builds and runs all tests        (installs what it needs)
#     SAN=1         under ASan and UBSan, in build-san/
#     WRAP=valgrind the unit tests under valgrind
#     LONG=1        and the fuzzers
#   make fuzz       throws odd octets and files at what reads them
#     FUZZ_SECONDS=60  for so long each
#   make torture    a storm over the whole system
#     SECONDS=300   for so long
#     SEED=N        as it was with that seed
#   make bench lint install clean

PREFIX	?= /usr/local
DESTDIR	?=
SYSCONFDIR ?= /etc
VERSION	:= 0.1.0

JOBS	?= $(shell nproc)
B	?= build$(if $(SAN),-san)
ifeq ($(origin CC),default)
CC	:= gcc
endif
PKGS	:= libxml-2.0 libsodium sqlite3 inih openssl libcares zlib
WARN	:= -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	   -Wpointer-arith -Wformat=2 -Wvla -Wno-unused-parameter
HARD	:= -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE -fno-plt
SANF	:= -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	   -fno-omit-frame-pointer $(if $(FUZZ),-fsanitize=fuzzer-no-link)
CFLAGS	?= -O2 -g
override CFLAGS += -std=c11 -D_GNU_SOURCE -I. -MMD -MP $(WARN) \
	   $(if $(WERROR),-Werror) $(if $(SAN),$(SANF) -U_FORTIFY_SOURCE,$(HARD)) \
	   -DPLATEN_VERSION='"$(VERSION)"' -DPLATEN_SYSCONFDIR='"$(SYSCONFDIR)"' \
	   -DPLATEN_DATADIR='"$(PREFIX)/share/platen"' \
	   $(shell pkg-config --cflags $(PKGS) libpq 2>/dev/null)
override LDFLAGS += $(if $(SAN),$(SANF),-pie -Wl,-z,relro,-z,now)
LDLIBS	:= $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm

# Rooms, each after those that it may stand on (doc/design.md 2).
ROOMS	:= central agent crypto xmpp snmp schema base
MAINS	:= agent/platend.c agent/platen.c central/platen-central.c
room_srcs = $(filter-out $(MAINS),$(wildcard $(1)/*.c))
objs	= $(patsubst %.c,$(B)/%.o,$(1))
LIBS	:= $(ROOMS:%=$(B)/lib%.a)
PROGS	:= $(B)/platend $(B)/platen $(B)/platen-central $(B)/platen-sim
SIM	:= $(wildcard tests/sim/*.c)
DATA	:= $(wildcard snmp/vendors/*) schema/report.xsd schema/squash.dict

all: $(PROGS)

define room_rule
$(B)/lib$(1).a: $(call objs,$(call room_srcs,$(1)))
	@rm -f $$@; ar rcs $$@ $$^
endef
$(foreach r,$(ROOMS),$(eval $(call room_rule,$(r))))

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c -o $@ $<
# What .incbin takes in.
$(B)/snmp/vendor_load.o $(B)/schema/report.o $(B)/schema/squash.o: $(DATA)
$(B)/tests/sim/builtin.o: $(wildcard tests/sim/printers/*)

AGENT_LIBS	:= $(foreach r,agent crypto xmpp snmp schema base,$(B)/lib$(r).a)
CENTRAL_LIBS	:= $(foreach r,central crypto xmpp schema base,$(B)/lib$(r).a)
$(B)/platend $(B)/platen: $(B)/%: $(B)/agent/%.o $(AGENT_LIBS)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
# What only the centre needs: the agent has no business with it.
$(B)/platen-central $(B)/tests/unit/central/%: LDLIBS += -lpq
$(B)/platen-central: $(B)/central/platen-central.o $(CENTRAL_LIBS)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(B)/platen-sim: $(call objs,$(SIM)) $(B)/libbase.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# Unit tests: tests/unit/ROOM/test_*.c, linked with that room and those below.
below_base	:= base
below_schema	:= schema base
below_snmp	:= snmp schema base
below_xmpp	:= xmpp schema base
below_crypto	:= crypto schema base
below_agent	:= agent crypto xmpp snmp schema base
below_central	:= central crypto xmpp schema base
below_sim	:= snmp schema base
UNIT	:= $(patsubst %.c,$(B)/%,$(wildcard tests/unit/*/test_*.c))
.SECONDEXPANSION:
$(B)/tests/unit/%: $(B)/tests/unit/%.o \
    $$(foreach r,$$(below_$$(word 1,$$(subst /, ,$$*))),$(B)/lib$$(r).a)
	$(CC) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS)
# net-snmp's library is what some of them compare with.
$(B)/tests/unit/snmp/%: LDLIBS += -lnetsnmp
# Power cuts: what takes the place of open(), write(), fsync() is in them.
POWER	:= $(patsubst %,$(B)/tests/power/%.o,oplog outage rounds)
$(filter %/test_power,$(UNIT)): $(POWER)
$(filter %/test_power,$(UNIT)): LDLIBS += $(B)/libbase.a
unit: $(UNIT)
# The other programs there are driven by system tests.
DRIVERS	:= $(filter-out $(UNIT),\
	   $(patsubst %.c,$(B)/%,$(wildcard tests/unit/*/*.c)))
PRELOADED := $(B)/tests/torture/clockshift.so $(B)/tests/power/oplog.so
drivers: $(DRIVERS) $(PRELOADED) $(B)/tests/power/cut fuzzers bench-tools
$(PRELOADED): $(B)/%.so: %.c
	@mkdir -p $(@D)
	$(CC) $(filter-out $(SANF),$(CFLAGS)) -fPIC -shared -o $@ $< -ldl
$(B)/tests/power/cut: $(B)/tests/power/cut.o $(POWER) $(B)/libbase.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# Targets of libFuzzer with FUZZ=1, else programs that try files, one by one.
FUZZERS	:= $(patsubst %.c,$(B)/%,$(wildcard tests/fuzz/fuzz_*.c))
SNMP_LIBS	:= $(foreach r,snmp schema base,$(B)/lib$(r).a)
# The room that a target is about, with those below; snmp unless it is said.
fuzz_stream := xmpp
fuzz_login := xmpp
fuzz_sasl := xmpp
fuzz_way := xmpp
fuzz_uplink := xmpp
fuzz_envelope := schema
fuzz_squash := schema
fuzz_key := crypto
fuzz_seal := crypto
fuzz_component := central
fuzz_content := central
fuzz_reply := agent
# What both programs have of a kind.
below_both := central $(below_agent)
fuzz_greeting := both
fuzz_ini := both
# With the centre comes what its store needs.
$(FUZZERS): LDLIBS += $(if $(filter central,$(call fuzz_rooms,$@)),-lpq)
fuzz_rooms = $(below_$(or $($(notdir $(1))),snmp))
fuzz_own = $(if $(filter %fuzz_printer,$(1)),$(B)/tests/fuzz/visit.o) \
	   $(if $(FUZZ),,$(B)/tests/fuzz/replay.o)
$(FUZZERS): %: %.o $$(call fuzz_own,$$@) \
    $$(foreach r,$$(call fuzz_rooms,$$@),$(B)/lib$$(r).a)
	$(CC) $(LDFLAGS) $(if $(FUZZ),-fsanitize=fuzzer) -o $@ $^ $(LDLIBS)
$(B)/tests/fuzz/seed_printer: %: %.o $(B)/tests/fuzz/visit.o $(SNMP_LIBS)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
fuzzers: $(FUZZERS) $(if $(FUZZ),,$(B)/tests/fuzz/seed_printer)

# What bench/run measures with, beside the programs.
BENCH	:= $(patsubst %.c,$(B)/%,$(wildcard bench/*.c))
$(BENCH): %: %.o $(AGENT_LIBS)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
bench-tools: $(BENCH) $(B)/tests/unit/xmpp/component_echo

# --- what people call ---------------------------------------------------------

check:
	@tools/deps $(if $(LONG),long)
	@$(MAKE) --no-print-directory -j$(JOBS) all unit drivers
	@tests/run $(B) $(if $(WRAP),--wrap $(WRAP)) $(if $(LONG),--long) \
	    $(TESTARGS)
FUZZ_SECONDS ?= 60
fuzz:
	@tools/deps long
	@$(MAKE) --no-print-directory B=build-fuzz CC=clang SAN=1 FUZZ=1 fuzzers
	@tests/fuzz/run build-fuzz $(FUZZ_SECONDS)
SECONDS ?= 300
torture:
	@tools/deps
	@$(MAKE) --no-print-directory -j$(JOBS) all drivers
	@PLATEN_BUILD=$(abspath $(B)) tests/torture/run --seconds $(SECONDS) \
	    $(if $(SEED),--seed $(SEED)) $(TESTARGS)
demo:
	@tools/deps demo
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@PLATEN_BUILD=$(abspath $(B)) tools/demo $(if $(KEEP),--keep)
bench:
	@tools/deps bench
	@$(MAKE) --no-print-directory -j$(JOBS) all bench-tools
	@PLATEN_BUILD=$(abspath $(B)) bench/run
lint:
	mandoc -T lint -W warning man/*
	$(MAKE) B=build-clang CC=clang WERROR=1 all unit drivers

install: all
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/bin \
	    $(DESTDIR)$(PREFIX)/share/doc/platen \
	    $(DESTDIR)$(PREFIX)/share/platen/vendors $(foreach n,1 5 7 8,\
	    $(DESTDIR)$(PREFIX)/share/man/man$(n))
	install -m 755 $(B)/platend $(B)/platen-central $(DESTDIR)$(PREFIX)/sbin
	install -m 755 $(B)/platen $(DESTDIR)$(PREFIX)/bin
	install -m 644 snmp/vendors/*.ini \
	    $(DESTDIR)$(PREFIX)/share/platen/vendors
	install -m 644 README.md LICENSE CHANGELOG.md etc/* \
	    $(DESTDIR)$(PREFIX)/share/doc/platen
	for n in 1 5 7 8; do install -m 644 man/*.$$n \
	    $(DESTDIR)$(PREFIX)/share/man/man$$n; done

clean:
	rm -rf build build-san build-clang build-fuzz

-include $(shell find $(B) -name '*.d' 2>/dev/null)
.PHONY: all unit drivers fuzzers bench-tools check fuzz torture demo bench \
	lint install clean
