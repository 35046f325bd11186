# The verbs of this project. `make run` needs Python 3.11 or newer and make, nothing else.

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' 2>/dev/null && echo $$python && break; \
	done)

# The embedded server makes its files in the machine's locale, which need not be installed, and would sort by it.
export LC_ALL := C

.PHONY: run test lint format bench bench-compare sbom drill-canaries drill-kills drill-crashes drill-race drill-files drill-objects drill-tamper drill-nights drill-airflow drill-workers clean

## Run the night's work and show what was done; RUN_EXIT=1 ends after the table, ARGS go to `holdfast run`
run: $(INSTALLED)
	@$(BIN)/holdfast run $(ARGS)

## All tests; the real scheduler's night last, with the machine to itself
test: $(INSTALLED)
	$(BIN)/python -m pytest -n 2 --dist loadfile --ignore tests/night
	$(BIN)/python -m pytest tests/night

## Style, types, layers, SQL
lint: $(INSTALLED)
	$(BIN)/ruff check plugins dags tests
	$(BIN)/ruff format --check plugins dags tests
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint --disable-progress-bar --processes 2 sql

## Mend what `lint` can mend
format: $(INSTALLED)
	$(BIN)/ruff check --fix plugins dags tests
	$(BIN)/ruff format plugins dags tests

## The figures of docs/benchmarks.md; ARGS="--only requests" measures one job
bench: $(INSTALLED)
	$(BIN)/python tests/bench/run.py $(ARGS)

## A quick bench of retention beside the ratios last committed; tells, and never fails on a figure
bench-compare: $(INSTALLED)
	$(BIN)/python tests/bench/run.py --compare

## What is installed, as a CycloneDX bill of materials in sbom.cdx.json
sbom: $(INSTALLED)
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --of JSON -o sbom.cdx.json $(BIN)/python

## 1,000 kills at random points of a run
drill-kills: $(INSTALLED)
	HOLDFAST_DRILL_KILLS=1000 $(BIN)/python -m pytest -q tests/drills/test_kills.py

## 100 crashes of PostgreSQL's whole process tree in a run
drill-crashes: $(INSTALLED)
	HOLDFAST_DRILL_CRASHES=100 $(BIN)/python -m pytest -q tests/drills/test_server_crash.py

## 100,000 holds placed while rows are deleted
drill-race: $(INSTALLED)
	HOLDFAST_DRILL_HOLDS=100000 $(BIN)/python -m pytest -q tests/drills/test_race.py tests/drills/test_race_of_databases.py

## A million objects deleted with their rows, with a worker that dies on the way; a million compared with their rows
drill-objects: $(INSTALLED)
	HOLDFAST_DRILL_OBJECTS=1000000 $(BIN)/python -m pytest -q -s tests/drills/test_many_objects.py

## 10,000 files of 999 records, damaged in every way
drill-files: $(INSTALLED)
	HOLDFAST_DRILL_FILES=10000 $(BIN)/python -m pytest -q -s tests/drills/test_files.py

## All that a bad night and a good one write, searched for customers' data
drill-canaries: $(INSTALLED)
	HOLDFAST_DRILL_CANARIES=1 $(BIN)/python -m pytest -q tests/night/test_personal_data.py

## 10,000 alterations of a ledger, 10,000 of a pack, and 1,000 packs that nobody altered
drill-tamper: $(INSTALLED)
	HOLDFAST_DRILL_EDITS=10000 HOLDFAST_DRILL_CLEAN=1000 $(BIN)/python -m pytest -q tests/holdfast/evidence/test_pack.py

## Ninety nights of all jobs in one go: growth, holidays, late feeds, dead workers, nights that nobody ran
drill-nights: $(INSTALLED)
	HOLDFAST_DRILL_NIGHTS=90 $(BIN)/python -m pytest -q -s tests/drills/test_nights.py

## Every component of Airflow killed TIMES times while rows are deleted; a frozen task, two schedulers
drill-airflow: TIMES ?= 10
drill-airflow: $(INSTALLED)
	HOLDFAST_DRILL_AIRFLOW=$(TIMES) $(BIN)/python -m pytest -q -s tests/night/test_components_die.py

## Three workers, Redis and PostgreSQL of Debian's packages redis-server and postgresql, and an object store: ROWS rows
## are deleted while a worker is killed, and Redis and the scheduler are restarted
drill-workers: ROWS ?= 10000000
drill-workers: $(INSTALLED)
	HOLDFAST_DRILL_WORKERS=$(ROWS) $(BIN)/python -m pytest -q -s tests/night/test_workers_die.py

$(INSTALLED): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Holdfast needs Python 3.11 to 3.14 on the PATH, or: make PYTHON=/path/to/python"; exit 1; }
	@test -x $(BIN)/python || { echo "Creating $(VENV) with $(PYTHON)"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing the locked packages (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

## Everything that was made here, data and evidence among it
clean:
	rm -rf $(VENV) .holdfast .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
