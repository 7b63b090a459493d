# `make smoke` and `make check test` set up everything they need; CI runs the latter.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: smoke setup check test format clean

smoke: $(VENV)/ready ## Table 1 in its smoke profile, to a finished report
	$(BIN)/python run_suite.py table1 --profile smoke

setup: $(VENV)/ready ## an environment of this project's own in .venv

$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

check: $(VENV)/ready ## formatting, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

test: $(VENV)/ready ## all tests; with SFE_DATA_DIR set, those on real images too
	$(BIN)/python -m pytest

format: $(VENV)/ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) scratch results/smoke reports/smoke
