# Everything below sets itself up: a machine with Python 3.10 or newer and make is enough.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# Spec files that the demo adds, separated by commas: make demo SPECS=docs/demo/my.yaml
SPECS ?=
ROUNDS ?= 40

.PHONY: demo test test-real test-oldest test-releases test-pythons lint docs bench bench-start soak fuzz clean
.PRECIOUS: $(VENV)-ag2-%/.ready

demo: $(VENV)/.demo
	@OTEL_TRACES_EXPORTER=tree OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none \
	OTEL_PYTHON_DECLARATIVE_SPECS=$(SPECS) \
	$(BIN)/opentelemetry-instrument $(BIN)/python docs/demo/network.py

# AG2 releases that the gate runs the oracle on: the oldest two, and the first that traces itself.
GATED := 0.13.4 0.14.0 1.0.0
# Many tests wait for processes: more workers than cores.
WORKERS ?= 4
# Servers, documentation, editors and the suggestions of `check` do not depend on the releases of our dependencies.
INDEPENDENT := tests/real tests/test_servers.py tests/test_tree_servers.py tests/test_doc_blocks.py tests/test_docs.py \
	tests/test_generated_docs.py tests/test_vocabulary.py tests/test_editor.py tests/test_checked_specs.py
# The tests that depend on the Python version most; the gate runs them on the versions that run nothing else.
SHAPES := tests/test_shapes.py tests/test_special_shapes.py tests/test_generators.py tests/test_import_hooks.py \
	tests/test_matching.py tests/test_readable.py tests/test_init.py

# The gate: the whole suite with the newest dependencies, the real programs, the suite again with the oldest dependencies on
# the oldest Python, and the two matrices.
test: lint $(VENV)/.editor
	$(BIN)/python -m pytest -n $(WORKERS) --ignore=tests/real
	@$(MAKE) --no-print-directory test-real
	@$(MAKE) --no-print-directory test-oldest
	@$(MAKE) --no-print-directory test-releases RELEASES="$(GATED)"
	@$(MAKE) --no-print-directory test-pythons PYTHONS="3.12 3.13" TESTS="$(SHAPES)"

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check

# What is generated in docs/: the reference of what is shipped and of the language, and the registries.
docs: $(VENV)/.dev
	$(BIN)/python docs/generate.py

# Programs with the frameworks that people use, beside the instrumentations that OpenTelemetry has for these.
test-real: $(VENV)-real/.ready
	$(VENV)-real/bin/python -m pytest -q -n auto --dist loadfile -o cache_dir=$(VENV)-real/.cache tests/real

$(VENV)-real/.ready: pyproject.toml | $(BIN)/python
	@echo "Making an environment with frameworks and servers ..."
	@$(PYTHON) -m venv $(VENV)-real
	@$(VENV)-real/bin/python -m pip install --quiet --disable-pip-version-check -e '.[real]'
	@touch $@

# The oracle, also over the wire, on every AG2 release that is listed, each in an environment of its own. Or some: RELEASES="1.0.0 1.1.2"
RELEASES ?= $(shell sed '/^\#/d;/^$$/d' tests/oracle/releases.txt)

test-releases: $(addprefix test-release-,$(RELEASES))

test-release-%: $(VENV)-ag2-%/.ready
	$(VENV)-ag2-$*/bin/python -m pytest -q -n auto tests/oracle tests/test_two_processes.py

$(VENV)-ag2-%/.ready: pyproject.toml | $(BIN)/python
	@echo "Making an environment with ag2 $* ..."
	@$(PYTHON) -m venv $(VENV)-ag2-$*
	@$(VENV)-ag2-$*/bin/python -m pip install --quiet --disable-pip-version-check -e '.[sdk]' 'ag2==$*' 'pytest>=8' 'pytest-xdist>=3.6' 'websockets>=14'
	@touch $@

# The suite on every Python that is installed, on PATH or with pyenv, each in an environment of its own. Or some: PYTHONS="3.12 3.13"
PYTHONS ?= 3.10 3.11 3.12 3.13
TESTS ?=

test-pythons:
	@result=0; summary=; \
	for version in $(PYTHONS); do \
		python=$$(sh tests/find_python.sh $$version); \
		if [ -z "$$python" ]; then outcome="is not installed: skipped"; \
		elif $(MAKE) -s --no-print-directory $(VENV)-$$version/.ready PYTHON_OF_IT="$$python" \
			&& $(VENV)-$$version/bin/python -m pytest -q -n auto -o cache_dir=$(VENV)-$$version/.cache $(TESTS); then outcome=passed; \
		else outcome=FAILED; result=1; fi; \
		summary="$${summary}Python $$version $$outcome\n"; \
	done; printf "$$summary"; exit $$result

$(VENV)-3.%/.ready: pyproject.toml
	@echo "Making an environment with Python 3.$* ..."
	@$(PYTHON_OF_IT) -m venv $(VENV)-3.$*
	@$(VENV)-3.$*/bin/python -m pip install --quiet --disable-pip-version-check -e '.[dev,config-file]'
	@touch $@

# The whole suite with the oldest supported release of each dependency, on the oldest Python if it is installed.
OLDEST_PYTHON ?= $(or $(shell sh tests/find_python.sh 3.10),$(PYTHON))

test-oldest: $(VENV)-oldest/.ready
	$(VENV)-oldest/bin/python -m pytest -q -n $(WORKERS) $(INDEPENDENT:%=--ignore=%) -o cache_dir=$(VENV)-oldest/.cache

$(VENV)-oldest/.ready: pyproject.toml tests/oldest.txt
	@echo "Making an environment with the oldest dependencies ..."
	@$(OLDEST_PYTHON) -m venv $(VENV)-oldest
	@$(VENV)-oldest/bin/python -m pip install --quiet --disable-pip-version-check -e '.[dev]' -c tests/oldest.txt
	@touch $@

bench: $(VENV)/.dev
	@$(BIN)/python tests/bench/spans.py --rounds $(ROUNDS); spans=$$?; \
	$(BIN)/python tests/bench/post_envelope.py --rounds $(ROUNDS) && exit $$spans

# What this package adds to the start of a process.
bench-start: $(VENV)/.dev
	$(BIN)/python tests/bench/startup.py

# The loader and the expressions under a coverage-guided fuzzer, for so long: make fuzz SECONDS=600
SECONDS ?= 60

fuzz: $(VENV)/.fuzz
	@$(BIN)/python -m tests.fuzz $(SECONDS)

# A million calls, and spans whose end never comes. Or fewer: CALLS=50000
CALLS ?= 1000000

soak: $(VENV)/.dev
	$(BIN)/python tests/bench/soak.py --calls $(CALLS)

clean:
	rm -rf $(VENV) $(VENV)-real $(VENV)-ag2-* $(VENV)-3.* $(VENV)-oldest .fuzz

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	{ echo "$(PYTHON) is too old: Python 3.10 or newer is needed. Name another: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@echo "Making the environment $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

# What the demo needs is part of what the tests need.
$(VENV)/.demo: pyproject.toml | $(BIN)/python
	@echo "Installing what the demo needs ..."
	@$(PIP) -e '.[demo]'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	@echo "Installing what the tests need ..."
	@$(PIP) -e '.[dev,lint,config-file]'
	@touch $@ $(VENV)/.demo

# The server that editors use for YAML, which the tests of the schema speak to. Where there is no npm they are skipped.
LANGUAGE_SERVER := yaml-language-server@2.0.0

$(VENV)/.editor: Makefile | $(VENV)/.dev
	@if ! command -v npm >/dev/null; then echo "npm is not installed: what editors do is not tested."; \
	else echo "Installing $(LANGUAGE_SERVER) ..."; mkdir -p $(VENV)/yaml-language-server; \
		npm install --silent --no-save --no-package-lock --no-audit --no-fund \
			--prefix $(VENV)/yaml-language-server $(LANGUAGE_SERVER) && touch $@ \
		|| echo "It cannot be installed: what editors do is not tested."; \
	fi

$(VENV)/.fuzz: $(VENV)/.dev
	@echo "Installing the fuzzer ..."
	@$(PIP) -e '.[dev,lint,config-file,fuzz]' || { echo "make fuzz needs Atheris, which is there for Linux on x86-64."; exit 1; }
	@touch $@
