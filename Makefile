# Gatehouse. `make help` lists the targets; docs/decisions/0004-what-the-commands-build.md says what each builds.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Without it, an unchanged package is sometimes compiled again.
export SWIFT_DETERMINISTIC_HASHING := 1
# Clients that come from PyPI; tests put this folder on their PATH.
export GATEHOUSE_TOOLS := $(CURDIR)/.build/tools/bin

# Any other flag rebuilds every dependency: keep them the same for all targets that share .build.
FLAGS := --explicit-target-dependency-import-check error
# What is released runs where there is no Swift.
STATIC := --static-swift-stdlib
DEBUG := .build/debug/gatehouse
RELEASE := .build/release/gatehouse
FORMATTED := Sources Tests Package.swift

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: release ## Install what is missing, build, and run the whole product on an embedded default
	@exec $(RELEASE) up

.PHONY: test
test: test-packages test-tools build-tests lint policies ## Install what is missing, then run every test
	@scripts/test $(FLAGS)

.PHONY: build
build: run-packages ## Build in debug, refusing undeclared imports
	swift build $(FLAGS)

.PHONY: check
check: run-packages build-tests lint policies ## Format, build, policy cases and soundness: the inner loop
	swift test --skip-build $(FLAGS) --filter SoundnessTests

.PHONY: format
format: ## Rewrite all Swift files in the project's format
	swift format --in-place --recursive --parallel $(FORMATTED)

.PHONY: demo
demo: demo-packages release ## One device through SCEP, EST and ACME, and one refused, in a temporary state
	@scripts/demo $(RELEASE)

.PHONY: db
db: run-packages ## A throw-away PostgreSQL on a Unix socket, until Ctrl-C
	@scripts/db

.PHONY: bench
bench: test-packages test-tools release ## Server CPU of one enrolment beside the crypto floor, as ratios
	@scripts/bench $(RELEASE)

.PHONY: soak
soak: demo-packages test-tools release ## Kill a gateway under load KILLS times (default 1000), then look for what was lost
	@scripts/soak $(RELEASE)

.PHONY: fuzz
fuzz: run-packages ## Every parser of network bytes for FUZZ_SECONDS each (default 30)
	@scripts/fuzz

.PHONY: docs
docs: run-packages ## Reference documentation below .build/docs
	@scripts/docs $(FLAGS)

.PHONY: clean
clean: ## Remove everything built; state directories stay
	rm -rf .build .build-fuzz

# Steps of the targets above.
.PHONY: release build-tests lint policies run-packages demo-packages test-packages test-tools
release: run-packages
	swift build -c release $(FLAGS) $(STATIC) --product gatehouse
	swift build -c release $(FLAGS) $(STATIC) --product gatehouse-verify

# After the packages when both are wanted, also under `make -j`.
build-tests: | $(if $(filter test,$(MAKECMDGOALS)),test-packages,run-packages)
	swift build --build-tests $(FLAGS)

lint:
	swift format lint --recursive --parallel --strict $(FORMATTED)

policies: build-tests
	$(DEBUG) policy check policies/
	$(DEBUG) policy test policies/

run-packages:
	@scripts/install-system-packages run

demo-packages:
	@scripts/install-system-packages demo

test-packages:
	@scripts/install-system-packages test

test-tools: test-packages
	@scripts/install-test-tools
