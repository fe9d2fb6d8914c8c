# Two commands for a newcomer: `make up` and `make test`. Everything else is `agentobs --help`.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
ROOT := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
PYTHON ?= python3
BIN := $(ROOT)/.venv/bin
# The environment is made anew when the lock or the list of packages changes.
READY := $(ROOT)/.venv/.ready
TASKS ?= 200
# What a test starts runs thousands of lines of ours, every time: compiled once, not at each start.
unexport PYTHONDONTWRITEBYTECODE
COMMA := ,
# Folder for a JUnit file of each run of pytest; none without.
REPORTS ?=
junit = $(if $(REPORTS),--junitxml='$(REPORTS)/$(1).xml')
# The stores that tests ask: jaeger,victorialogs where nothing is said, or tempo,loki where their programs are.
STORES ?=
export AGENTOBS_TEST_STORES := $(STORES)
NATIVE := $(if $(STORES),platform $(subst victorialogs,victoria-logs,$(subst $(COMMA), ,$(STORES))),local)
# Whole systems start first, see tests/conftest.py. They wait more than they work: three workers keep two cores busy.
SIDE_BY_SIDE = -n $(1) --no-loadscope-reorder
AS_ROOT := $(filter 0,$(shell id -u))
CODE := alerts collector dashboards delivery demo docs examples gateway runbooks sdk stacks toolchain tests

.PHONY: setup up down test test-cluster stack unit node golden lint docs coverage bench bench-canary bench-collector bench-redaction bench-mutants bench-rules bench-releases bench-why bench-why-sizes bench-frameworks bench-spans bench-first-answer bench-golden bench-node bench-gateway bench-gateway-soak bench-start lock help

help:  ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 24

setup: $(READY)  ## Make the Python environment in .venv from the lock file

up: $(READY)  ## Start the local stack and the sample agents, print addresses and KPIs
	@cd '$(ROOT)' && '$(BIN)/agentobs' up --tasks $(TASKS)

down: $(READY)  ## Stop the local stack and remove its files; stored data stays (DELETE_DATA=1 deletes it)
	@cd '$(ROOT)' && '$(BIN)/agentobs' down $(if $(DELETE_DATA),--delete-data)

test: lint  ## Lint, build missing binaries, run the tests of all that runs without root (STORES=tempo,loki: with those)
	@# Before a build of minutes, the tests that need none.
	@cd '$(ROOT)'; tiers='tests/stack tests/pipeline tests/rules'; \
	  if '$(BIN)/python' -c 'import toolchain; toolchain.require("$(NATIVE)".split())' 2> /dev/null; then \
	    tiers="$$tiers tests/program tests/unit"; \
	  else \
	    '$(BIN)/pytest' -n 2 $(call junit,test-first) tests/unit tests/program; \
	    '$(BIN)/python' -m toolchain build $(NATIVE); \
	  fi; '$(BIN)/pytest' $(call SIDE_BY_SIDE,3) $(call junit,test) $$tiers

test-cluster: $(READY)  ## The same for Kubernetes: scanners, a real API server and, as root on Linux, a real node
	@$(if $(AS_ROOT),,echo 'Without root there is no node of our own: tests/node is left out.')
	@cd '$(ROOT)' && '$(BIN)/python' -m toolchain build $(NATIVE) cluster $(if $(AS_ROOT),node)
	@cd '$(ROOT)' && '$(BIN)/pytest' $(call SIDE_BY_SIDE,2) $(call junit,test-cluster) tests/scan tests/cluster $(if $(AS_ROOT),tests/node)

stack: $(READY)  ## Run the tests on a real local stack (STORES=tempo,loki: with the publishers' programs of those)
	@cd '$(ROOT)' && '$(BIN)/python' -m toolchain build $(NATIVE) && '$(BIN)/pytest' $(call SIDE_BY_SIDE,2) $(call junit,stack-$(or $(subst $(COMMA),-,$(STORES)),default)) tests/stack

unit: $(READY)  ## Run the tests that need no native binaries
	@cd '$(ROOT)' && '$(BIN)/pytest' tests/unit

node: $(READY)  ## Run the tests on a real Kubernetes node (Linux, root, packages of tests/debian-packages.txt)
	@cd '$(ROOT)' && '$(BIN)/python' -m toolchain build $(NATIVE) cluster node && '$(BIN)/pytest' tests/node

golden: $(READY)  ## Replay the demo's golden dataset, offline, and compare with its baseline (SYSTEM=demo.golden:prompt_regression)
	@cd '$(ROOT)' && '$(BIN)/agentobs' golden gate $(or $(SYSTEM),demo.golden:healthy) examples/golden/support-desk --out build/golden

bench: $(READY)  ## Measure the stack that `make up` started: memory, throughput, time to the right answer
	@cd '$(ROOT)' && '$(BIN)/python' tests/bench/first_light.py

bench-canary: $(READY)  ## Measure how often canaries are decided rightly, 2,000 made-up ones of each kind (about 30 minutes)
	@cd '$(ROOT)' && PYTHONPATH=tests:tests/bench '$(BIN)/python' tests/bench/canary_decisions.py $(CANARY)

bench-collector: $(READY)  ## Measure what the collector's pipeline costs beside other shapes of pipelines (about 15 minutes)
	@cd '$(ROOT)' && PYTHONPATH=tests:tests/bench '$(BIN)/python' tests/bench/collector_cost.py

bench-redaction: $(READY)  ## Measure what redaction costs by kind and size of content (about 3 minutes)
	@cd '$(ROOT)' && PYTHONPATH=tests:tests/bench '$(BIN)/python' tests/bench/redaction_cost.py

bench-mutants: $(READY)  ## Change every rule in every way and list the changes that no rule test notices (about an hour)
	@cd '$(ROOT)' && PYTHONPATH=tests '$(BIN)/python' tests/bench/rule_mutants.py

bench-releases: $(READY)  ## Measure how fast a change of what runs reaches 100 agents, and a kill their next step (2 minutes)
	@cd '$(ROOT)' && PYTHONPATH=tests:tests/bench '$(BIN)/python' tests/bench/release_convergence.py

bench-rules: $(READY)  ## Measure what rules and boards cost for 10, 100 and 1,000 agent versions (about 10 minutes; needs `make up`)
	@cd '$(ROOT)' && PYTHONPATH=tests:tests/bench '$(BIN)/python' tests/bench/rules_cost.py

bench-why: $(READY)  ## Measure how often `agentobs why` is right about made-up faults (2 minutes; WHY='--hours' for hours)
	@cd '$(ROOT)' && PYTHONPATH=tests:tests/bench '$(BIN)/python' tests/bench/why_accuracy.py $(WHY)

bench-why-sizes: $(READY)  ## Measure what `agentobs why` costs at 1, 20 and 200 versions and 50 environments (5 minutes)
	@cd '$(ROOT)' && PYTHONPATH=tests '$(BIN)/python' tests/bench/why_sizes.py

bench-frameworks: $(READY)  ## Compare what is counted of every recorded agent framework with what happened (2 minutes)
	@cd '$(ROOT)' && PYTHONPATH=tests '$(BIN)/python' tests/bench/framework_accuracy.py

bench-spans: $(READY)  ## Measure what a span costs more by the SDK's processor (Python, Node) and by the normaliser (3 minutes)
	@cd '$(ROOT)' && PYTHONPATH=tests:tests/bench '$(BIN)/python' tests/bench/span_cost.py

bench-first-answer: $(READY)  ## Measure how often the first answer of `make up` is right (about 10 minutes; needs `make up`)
	@cd '$(ROOT)' && PYTHONPATH=tests '$(BIN)/python' tests/bench/first_answer.py $(ANSWER)

bench-golden: $(READY)  ## Measure the gate of golden datasets: cases per minute, false blocks, drops that it finds (about 5 minutes)
	@cd '$(ROOT)' && PYTHONPATH=tests '$(BIN)/python' tests/bench/golden_gate.py

bench-node: $(READY)  ## Measure what the pods of dev use on a real Kubernetes node (about 6 minutes; Linux, root)
	@cd '$(ROOT)' && '$(BIN)/python' -m toolchain build local cluster node && PYTHONPATH=tests:tests/bench '$(BIN)/python' tests/bench/node_figures.py

bench-gateway: $(READY)  ## Measure what the gateway costs beside direct calls and a plain FastMCP proxy (about a minute)
	@cd '$(ROOT)' && PYTHONPATH=tests:tests/bench '$(BIN)/python' tests/bench/gateway_cost.py

bench-gateway-soak: $(READY)  ## Kill what is behind the gateway at random and look for leaks and hanging calls (MINUTES=30)
	@cd '$(ROOT)' && PYTHONPATH=tests:tests/bench '$(BIN)/python' tests/bench/gateway_soak.py $(MINUTES)

bench-start: $(READY)  ## Measure how long verbs of `agentobs` take to start (about a minute)
	@cd '$(ROOT)' && '$(BIN)/python' tests/bench/start_time.py

lint: $(READY)  ## Check style, types, import layers and declared dependencies
	@cd '$(ROOT)' && '$(BIN)/ruff' check $(CODE) && '$(BIN)/ruff' format --check $(CODE)
	@# The SDK once more as the oldest Python that agents run it on sees it.
	@cd '$(ROOT)' && '$(BIN)/mypy' && '$(BIN)/mypy' --python-version 3.10 sdk/agentobs && '$(BIN)/lint-imports'
	@# Every import is declared in pyproject.toml, and what is declared is imported.
	@cd '$(ROOT)' && '$(BIN)/deptry' . && cd sdk && '$(BIN)/deptry' . --known-first-party agentobs

docs: $(READY)  ## Build the documentation site in build/docs, without a network; a broken link fails
	@cd '$(ROOT)' && '$(BIN)/sphinx-build' -q -W --keep-going -b html -c docs -d build/docs-cache . build/docs
	@echo '$(ROOT)/build/docs/index.html'

coverage: $(READY)  ## Measure which lines the tests run that need no native binaries (about 10 minutes)
	@cd '$(ROOT)' && '$(BIN)/pytest' -n 2 --cov --cov-report=term:skip-covered tests/unit tests/program

lock: | $(BIN)/uv  ## Resolve the newest allowed dependencies into requirements.lock
	@cd '$(ROOT)' && '$(BIN)/uv' pip compile --universal --generate-hashes \
	  --no-emit-index-url --no-header --no-emit-package agentobs-sdk --group test --group lint --group docs --python-version 3.11 --quiet \
	  pyproject.toml -o requirements.lock

$(BIN)/uv:  # not $(READY): a dependency that was just declared is not in the lock yet
	@$(MAKE) --no-print-directory setup

$(READY): $(ROOT)/requirements.lock $(ROOT)/pyproject.toml $(ROOT)/sdk/pyproject.toml
	@'$(PYTHON)' -c 'import sys; sys.version_info >= (3, 11) or sys.exit(f"agentobs needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}. Fix: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)")'
	@echo 'Setting up the Python environment in .venv (once, one to two minutes) ...'
	@'$(PYTHON)' -m venv '$(ROOT)/.venv'
	@# The lock is complete, so nothing is resolved again: older pips leave a pin's path for the newest release of `name[extra]`.
	@'$(BIN)/pip' install --quiet --disable-pip-version-check --require-hashes --no-deps -r '$(ROOT)/requirements.lock'
	@'$(BIN)/pip' install -qq --disable-pip-version-check --no-deps --no-build-isolation -e '$(ROOT)/sdk' -e '$(ROOT)'
	@'$(BIN)/pip' check --quiet --disable-pip-version-check
	@touch '$@'
