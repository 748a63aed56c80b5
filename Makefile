# Everything happens in a virtual environment in .venv, which is made when it is first needed.
# `make help` lists the targets.

PYTHON ?= python3
VENV ?= .venv
WORKERS ?= 2
BENCHMARKS ?= interop training parts dropout bidirectional prediction backtest sequence jena threads memory processors cold_start

BIN := $(VENV)/bin
# --dist loadfile: what one file of tests compiles is not compiled by another process at the same time. The order of the
# files is that of tests/conftest.py, not by their number of tests.
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint format bench bench-quick clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 14

demo: $(VENV)/installed-demo ## Forecast tomorrow's temperature at three airports: table and pictures
	$(BIN)/python examples/nyc_weather.py

test: $(VENV)/installed-test ## Run the tests
	$(PYTEST)

test-all: $(VENV)/installed-peers ## Run all tests, the slow ones and those against PyTorch included
	$(PYTEST) -m ""

lint: $(VENV)/installed-dev ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/installed-dev ## Bring the code into the common format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/installed-peers ## Measure on this machine, beside PyTorch and Keras, and put the figures into the README
	for name in $(BENCHMARKS); do $(BIN)/python benchmarks/$$name.py || exit 1; done
	$(BIN)/python examples/nyc_weather.py --pictures docs/pictures | tee benchmarks/results/nyc_weather.txt
	$(BIN)/python benchmarks/readme.py

bench-quick: $(VENV)/installed-peers ## The same on few sizes, in minutes; prints only
	for name in $(BENCHMARKS); do $(BIN)/python benchmarks/$$name.py --quick || exit 1; done

clean: ## Remove the virtual environment and everything that is made by running
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An installation is repeated only when pyproject.toml has changed. The package itself is installed as a link to this
# folder, so that changes of the code need none.
$(VENV)/installed-demo: EXTRAS = plot,progress
$(VENV)/installed-test: EXTRAS = test
$(VENV)/installed-dev: EXTRAS = dev
$(VENV)/installed-peers: EXTRAS = dev,bench
$(VENV)/installed-%: pyproject.toml | $(VENV)/pyvenv.cfg
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRAS)]'
	@touch $@

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"tsrnn needs Python 3.11 or newer; give one with: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
