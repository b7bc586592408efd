# Everything below sets itself up: a machine with Python 3.10 or newer and make is enough.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# Spec files that the demo adds, separated by commas: make demo SPECS=docs/demo/my.yaml
SPECS ?=
ROUNDS ?= 40

.PHONY: demo test lint bench clean

demo: $(VENV)/.demo
	@OTEL_TRACES_EXPORTER=tree OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none \
	OTEL_PYTHON_DECLARATIVE_SPECS=$(SPECS) \
	$(BIN)/opentelemetry-instrument $(BIN)/python docs/demo/network.py

test: lint
	$(BIN)/python -m pytest

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev
	$(BIN)/python tests/bench/post_envelope.py --rounds $(ROUNDS)

clean:
	rm -rf $(VENV)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	{ echo "$(PYTHON) is too old: Python 3.10 or newer is needed. Name another: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@echo "Making the environment $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

# What the demo needs is part of what the tests need.
$(VENV)/.demo: pyproject.toml | $(VENV)/bin/python
	@echo "Installing what the demo needs ..."
	@$(PIP) -e '.[demo]'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	@echo "Installing what the tests need ..."
	@$(PIP) -e '.[dev]'
	@touch $@ $(VENV)/.demo
