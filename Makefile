PYTHON ?= python3
PORT ?= 8000

UV_VERSION := 0.13.9

BIN := .venv/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
COMPILE_OPTIONS = --quiet --universal --python-version 3.11 --python .venv-lock/bin/python --generate-hashes \
	--no-strip-extras --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' $(UPGRADE)
COMPILE = .venv-lock/bin/uv pip compile pyproject.toml $(COMPILE_OPTIONS)
# The group alone, without the service: what the peers need may contradict what the service needs.
COMPILE_GROUP = .venv-lock/bin/uv pip compile $(COMPILE_OPTIONS) --group

# Empty when $(PYTHON) can make the virtual environment, otherwise the line that says what to install.
python_problem = $(shell \
	command -v '$(PYTHON)' >/dev/null || { echo '$(PYTHON) not found; install Python 3.11 or newer'; exit; }; \
	'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo '$(PYTHON) is older than Python 3.11; install a newer one'; exit; }; \
	'$(PYTHON)' -c 'import venv, ensurepip' 2>/dev/null \
		|| echo '$(PYTHON) has no venv module; install it, on Debian or Ubuntu: apt-get install python3-venv')
require_python = $(eval problem := $(python_problem))$(if $(problem),$(error $(problem)))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help test lint format demo cards fixtures traces assets pictures bench fuzz mutants lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

test: .venv/.installed ## run every test; cds_service/domain must be covered completely
	$(BIN)/python -m pytest -rs -n auto --dist loadgroup --cov=cds_service --cov-branch --cov-report=term-missing:skip-covered
	$(BIN)/python -m coverage report --include='cds_service/domain/*' --fail-under=100

lint: .venv/.installed ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/.installed ## put the code into the project's format
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

demo: .venv/.installed ## run the service with the fixture patients (PORT=8000)
	$(BIN)/cds-service demo --port $(PORT)

cards: .venv/.installed ## print the index of rules and every problem in cards/
	$(BIN)/cds-service cards

fixtures: .venv/.installed ## compose the files in fhir_fixtures/ again
	$(BIN)/python -m tests.compose_fixtures

traces: .venv/.installed ## write what holds each hazard, each section of the label and each requirement into docs/
	$(BIN)/python -m tests.write_traces

assets: ## build the pages' scripts in cds_service/web/static/ from cds_service/web/browser/ (needs Node.js 20)
	@command -v npm >/dev/null || { echo 'npm not found; install Node.js 20 or newer, which brings it' >&2; exit 1; }
	npm ci --prefix cds_service/web/browser --ignore-scripts --no-audit --no-fund
	npm run check --prefix cds_service/web/browser
	npm run build --prefix cds_service/web/browser

pictures: .venv/.installed ## take the pictures of the pages that the README shows (needs Chromium)
	$(BIN)/python -m tests.take_pictures

bench: .venv/.installed .venv-bench/.locked ## measure calls against the limit, peers and other servers (BENCH=--quick)
	$(BIN)/python -m bench.compare $(BENCH)
	$(BIN)/python -m bench.chart_size
	$(BIN)/python -m bench.fetching

fuzz: .venv/.installed ## send mutated and made-up requests to the service for two hours (SECONDS=3600 each, SEED= the day)
	$(BIN)/python -m tests.fuzz.run --seconds $(or $(SECONDS),3600) $(if $(SEED),--seed $(SEED))
	$(BIN)/python -m tests.fuzz_openapi --seconds $(or $(SECONDS),3600) --seed $(or $(SEED),$(shell date +%Y%m%d)) --examples 100 --most-seconds 4

mutants: .venv/.installed ## change the domain and each number in cards/; tests have to notice 95 of 100 (what was tried is kept)
	$(BIN)/python -m tests.mutation.domain_mutants --page docs/mutation.md
	$(BIN)/python -m tests.mutation.card_number_run

lock: ## pin what pyproject.toml asks for (UPGRADE=--upgrade: the newest versions)
	$(require_python)
	'$(PYTHON)' -m venv --clear .venv-lock
	.venv-lock/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(COMPILE) --all-extras --output-file requirements.lock
	$(COMPILE) --output-file requirements-dev.lock --group dev --constraint requirements.lock
	$(COMPILE_GROUP) bench --output-file requirements-bench.lock
	rm -rf .venv-lock

clean: ## remove the virtual environment and everything generated
	rm -rf .venv .venv-lock .venv-bench cds_service/web/browser/node_modules build dist htmlcov .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.locked: requirements.lock requirements-dev.lock
	$(require_python)
	'$(PYTHON)' -m venv --clear .venv
	$(PIP_INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@

.venv-bench/.locked: requirements-bench.lock
	$(require_python)
	'$(PYTHON)' -m venv --clear .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.lock
	@touch $@

.venv/.installed: .venv/.locked pyproject.toml
	$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	$(BIN)/python -m pip check
	@touch $@
