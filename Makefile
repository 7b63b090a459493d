# `make smoke` and `make check test` set up everything they need; CI runs the latter and `make -j2 processors rehearsal`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: smoke setup check test processors processors-avx2 processors-plain rehearsal format clean

smoke: $(VENV)/ready ## Table 1 in its smoke profile, to a finished report
	$(BIN)/python run_suite.py table1 --profile smoke

setup: $(VENV)/ready ## an environment of this project's own in .venv

$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -P -m venv $(VENV)
	$(BIN)/python -P -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

check: $(VENV)/ready ## formatting, lint and types; that committed results and reports are whole and current
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python run_suite.py verify --results-dir results
	$(BIN)/python run_suite.py report --check --results-dir results --reports-dir reports

test: $(VENV)/ready ## all tests; with SFE_DATA_DIR set, those on real images too
	$(BIN)/python -m pytest

# The tests of numbers once more, rounded as processors without AVX-512, and without AVX, round.
NUMBERS := -p no:cacheprovider tests/methods tests/models tests/training/test_loop.py tests/training/test_optimizer.py \
	tests/bench/test_reference.py -k 'not one_step and not learns and not compiler and not stage_features'

processors: processors-avx2 processors-plain

processors-avx2: $(VENV)/ready
	ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2 $(BIN)/python -m pytest $(NUMBERS)

processors-plain: $(VENV)/ready
	ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41 MKL_ENABLE_INSTRUCTIONS=SSE4_2 $(BIN)/python -m pytest $(NUMBERS)

rehearsal: $(VENV)/ready ## the tests marked gpu on a processor, with fewer images and networks
	SFE_GPU_TESTS=rehearse $(BIN)/python -m pytest -p no:cacheprovider -m gpu tests/gpu

format: $(VENV)/ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) scratch results/smoke reports/smoke
