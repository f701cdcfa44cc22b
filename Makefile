# The two commands of the README are `make demo` and `make test`. Everything else is a part of them.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SEED ?= 20260105
CASES ?= 5000
LONG ?= tests
# What tests start again and again is compiled once.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: env demo test test-long check format bench lock clean

env: $(VENV)/.made

$(VENV)/.made: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else "Python 3.11, 3.12 or 3.13 is needed, this is %s; set PYTHON=" % sys.version.split()[0])'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --no-deps -e .
	touch $@

demo: env
	SEED=$(SEED) CASES=$(CASES) $(BIN)/python -m demo.journey

test: env
	$(BIN)/pytest -m "not long" -n 3 --dist loadfile --no-loadscope-reorder

test-long: env
	$(BIN)/pytest -m long -n 2 --dist loadfile $(LONG)

check: env
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: env
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: env
	$(BIN)/python -m bench

lock:
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade -q -o requirements.lock

clean:
	-test -x $(BIN)/hub && $(BIN)/hub airflow stop && $(BIN)/hub db stop && HUB_HOME=.hub/demo/systems $(BIN)/hub db stop
	rm -rf .hub
