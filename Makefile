# Two commands are all you need: `make up` runs Atoll, `make test` tests it. Each sets up what it needs.
.DEFAULT_GOAL := help
.PHONY: help setup up demo test test-all faults check web bench docs lock format
.PHONY: check-style check-types check-layers check-files check-docs check-web
export PYTHON ?=

PY := .venv/bin/python
# Test files run side by side, one process per processor and at most four.
JOBS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); [ $$n -gt 4 ] && n=4; echo $$n)
PYTEST := $(PY) -m pytest -q
FAULTS := docs/explanation/fault-runs
args ?=

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## make .venv with everything pinned; the command line is then .venv/bin/atoll
	@sh scripts/setup.sh

web: setup ## build the user interface (does nothing when it is current)
	@$(PY) hatch_build.py

up: web ## run Atoll here: a Supervisor and two environments
	@exec .venv/bin/atoll up $(args)

demo: web ## the same with two sample apps
	@exec .venv/bin/atoll up --demo $(args)

test: web ## unit, conformance, API, cluster and browser tests
	@sh scripts/system_packages.sh
	$(PYTEST) -n $(JOBS) --dist loadfile -m "not slow" tests/unit tests/conformance tests/api $(args)
	$(PYTEST) -m "not slow" tests/cluster tests/browser $(args)

test-all: web ## make test plus the long runs
	@sh scripts/system_packages.sh
	$(PYTEST) -n $(JOBS) --dist loadfile tests/unit tests/conformance tests/api $(args)
	$(PYTEST) tests/cluster tests/browser $(args)

faults: web ## ten minutes of random faults on Redis, ten on RabbitMQ; writes the page with what was seen
	@sh scripts/system_packages.sh
	@$(PYTEST) tests/cluster/test_random_faults.py::test_random_faults --fault-reports $(FAULTS) $(args); \
	failed=$$?; $(PY) -m atoll.testing.fault_run $(FAULTS); exit $$failed

check: check-style check-types check-layers check-files check-docs check-web ## style, types, layers, UI checks, fresh docs, clean files

check-style: setup
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

check-types: setup
	$(PY) -m mypy

check-layers: setup
	.venv/bin/lint-imports

check-files:
	@sh scripts/clean_files.sh

check-docs: setup
	$(PY) -m atoll.cli.reference --check

check-web: setup
	$(PY) hatch_build.py --check

format: setup ## put the Python code into the common form
	$(PY) -m ruff check --fix-only --quiet .
	$(PY) -m ruff format .

docs: setup ## write the reference pages from the code
	$(PY) -m atoll.cli.reference

bench: web ## benchmarks beside their peers
	@sh scripts/system_packages.sh wrk
	@VIRTUAL_ENV=$(CURDIR)/.venv .venv/bin/uv pip install --quiet --require-hashes -r requirements/bench.txt
	$(PY) -m benchmarks $(args)

lock: setup ## resolve the pinned requirements anew
	.venv/bin/uv pip compile -q --universal --generate-hashes pyproject.toml --group dev --extra demo -o requirements/dev.txt $(args)
	.venv/bin/uv pip compile -q --universal --generate-hashes pyproject.toml -o requirements/run.txt $(args)
	.venv/bin/uv pip compile -q --universal --generate-hashes pyproject.toml --group bench -o requirements/bench.txt $(args)
