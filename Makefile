# Everything below sets itself up: a machine with Python 3.10 or newer and make is enough.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# Spec files that the demo adds, separated by commas: make demo SPECS=docs/demo/my.yaml
SPECS ?=
ROUNDS ?= 12

.PHONY: demo test test-real test-viewers test-libraries test-openai test-oldest test-releases test-pythons lint docs bench bench-peers soak fuzz clean
.PRECIOUS: $(VENV)-ag2-%/.ready

# What fails and what happens, and a page for a browser. OTEL_TRACES_EXPORTER=tree prints all attributes as well.
demo: $(VENV)/.demo
	@OTEL_TRACES_EXPORTER=$${OTEL_TRACES_EXPORTER:-none} OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_ONLY \
	OTEL_PYTHON_DECLARATIVE_SPECS=$(SPECS) \
	$(BIN)/instrument view --show summary,failures,open,story --html demo.html -- $(BIN)/opentelemetry-instrument $(BIN)/python docs/demo/network.py

# AG2 releases that the gate runs the oracle on: the oldest two, and the first that traces itself.
GATED := 0.13.4 0.14.0 1.0.0
# Python versions that it runs only the tests on that depend on the version.
PARTLY := 3.12 3.13
ENVIRONMENTS = $(VENV)-real/.ready $(VENV)-protocols/.ready $(VENV)-oldest/.ready $(GATED:%=$(VENV)-ag2-%/.ready) \
	$(foreach version,$(PARTLY),$(if $(shell sh tests/find_python.sh $(version)),$(VENV)-$(version)/.ready))
SUBMAKE = $(MAKE) --no-print-directory
# Many tests wait for processes: more workers than cores. Each file is run by one worker.
WORKERS ?= 4
PARALLEL := -n $(WORKERS) --dist loadgroup
# Which tests run where: tests/newest_only.txt and tests/every_python.txt. docs/adr/0040 says why.
listed = $(shell sed 's/ *\#.*//;/^$$/d' $(1))
# The tests start hundreds of processes, each of which would compile this package again if bytecode were not written.
unexport PYTHONDONTWRITEBYTECODE
compile = $(1)/bin/python -m compileall -q instrument

# The gate: the whole suite with the newest dependencies, the real programs, the tests that depend on the environment with
# the oldest dependencies on the oldest Python, and the two matrices.
test: $(VENV)/.dev
	@echo "Checking the code and making the environments of the tests ..."
	@$(SUBMAKE) -j2 --output-sync=target lint $(VENV)/.editor $(ENVIRONMENTS)
	@$(call compile,$(VENV))
	$(BIN)/python -m pytest $(PARALLEL) --ignore=tests/real
	@$(SUBMAKE) test-real
	@$(SUBMAKE) test-oldest
	@$(SUBMAKE) -j2 --output-sync=target test-releases RELEASES="$(GATED)"
	@$(SUBMAKE) test-pythons PYTHONS="$(PARTLY)" TESTS="$(call listed,tests/every_python.txt)"

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
test-real: $(VENV)-real/.ready $(VENV)-protocols/.ready
	@$(call compile,$(VENV)-real)
	$(VENV)-real/bin/python -m pytest -q -n auto --dist loadfile -o cache_dir=$(VENV)-real/.cache tests/real
	$(VENV)-protocols/bin/python -m pytest -q -o cache_dir=$(VENV)-protocols/.cache tests/real/test_a2a.py tests/real/test_mcp.py

$(VENV)-real/.ready: pyproject.toml | $(BIN)/python
	@echo "Making an environment with frameworks and servers ..."
	@$(PYTHON) -m venv $(VENV)-real
	@$(VENV)-real/bin/python -m pip install --quiet --disable-pip-version-check -e '.[real]'
	@touch $@

$(VENV)-protocols/.ready: pyproject.toml | $(BIN)/python
	@echo "Making an environment with the SDKs of MCP and A2A ..."
	@$(PYTHON) -m venv $(VENV)-protocols
	@$(VENV)-protocols/bin/python -m pip install --quiet --disable-pip-version-check -e '.[protocols]'
	@touch $@

# What viewers show of a program with five agents, read with their APIs. It is not part of the gate: the viewers take
# minutes to install, each in an environment of its own, and are not pinned.
test-viewers: $(VENV)-viewers/.ready $(VENV)-phoenix/.ready $(VENV)-mlflow/.ready
	PHOENIX=$(CURDIR)/$(VENV)-phoenix/bin/phoenix MLFLOW=$(CURDIR)/$(VENV)-mlflow/bin/mlflow \
	$(VENV)-viewers/bin/python -m pytest -q -o cache_dir=$(VENV)-viewers/.cache tests/viewers

$(VENV)-viewers/.ready: pyproject.toml | $(BIN)/python
	@$(PYTHON) -m venv $(VENV)-viewers
	@$(VENV)-viewers/bin/python -m pip install --quiet --disable-pip-version-check -e '.[demo]' opentelemetry-exporter-otlp-proto-http 'pytest>=8' 'pytest-xdist>=3.6'
	@touch $@

$(VENV)-phoenix/.ready: PACKAGE := arize-phoenix
$(VENV)-mlflow/.ready: PACKAGE := mlflow
$(VENV)-phoenix/.ready $(VENV)-mlflow/.ready: | $(BIN)/python
	@echo "Making an environment with $(PACKAGE) ..."
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check $(PACKAGE)
	@touch $@

# The oracle, also over the wire, on every AG2 release that is listed, each in an environment of its own. Or some: RELEASES="1.0.0 1.1.2"
RELEASES ?= $(shell sed '/^\#/d;/^$$/d' tests/oracle/releases.txt)

test-releases: $(addprefix test-release-,$(RELEASES))

test-release-%: $(VENV)-ag2-%/.ready
	@$(call compile,$(VENV)-ag2-$*)
	@echo "AG2 $*:"
	@$(VENV)-ag2-$*/bin/python -m pytest -q -o cache_dir=$(VENV)-ag2-$*/.cache tests/oracle tests/test_two_processes.py

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
		if [ -z "$$(sh tests/find_python.sh $$version)" ]; then outcome="is not installed: skipped"; \
		elif $(MAKE) -s --no-print-directory $(VENV)-$$version/.ready \
			&& $(call compile,$(VENV)-$$version) \
			&& $(VENV)-$$version/bin/python -m pytest -q $(PARALLEL) -o cache_dir=$(VENV)-$$version/.cache $(TESTS); then outcome=passed; \
		else outcome=FAILED; result=1; fi; \
		summary="$${summary}Python $$version $$outcome\n"; \
	done; printf "$$summary"; exit $$result

$(VENV)-3.%/.ready: pyproject.toml
	@echo "Making an environment with Python 3.$* ..."
	@$$(sh tests/find_python.sh 3.$*) -m venv $(VENV)-3.$*
	@$(VENV)-3.$*/bin/python -m pip install --quiet --disable-pip-version-check -e '.[dev,config-file]'
	@touch $@

# The suite with the oldest supported release of each dependency, on the oldest Python if it is installed.
OLDEST_PYTHON ?= $(or $(shell sh tests/find_python.sh 3.10),$(PYTHON))

test-oldest: $(VENV)-oldest/.ready
	@$(call compile,$(VENV)-oldest)
	@$(VENV)-oldest/bin/python -m pytest -q $(PARALLEL) $(addprefix --ignore=,$(call listed,tests/newest_only.txt)) \
		-o cache_dir=$(VENV)-oldest/.cache

$(VENV)-oldest/.ready: pyproject.toml tests/oldest.txt
	@echo "Making an environment with the oldest dependencies ..."
	@$(OLDEST_PYTHON) -m venv $(VENV)-oldest
	@$(VENV)-oldest/bin/python -m pip install --quiet --disable-pip-version-check -e '.[dev]' -c tests/oldest.txt
	@touch $@

# Specs in place of OpenTelemetry's instrumentations, each library in an environment of its own. Or some: LIBRARIES="jinja2"
LIBRARIES ?=

test-libraries: $(VENV)/.dev $(if $(LIBRARIES),,test-openai)
	$(BIN)/python -m tests.libraries $(LIBRARIES)

# The shipped spec of OpenAI's client beside OpenTelemetry's instrumentation, which cannot be installed with the real programs.
test-openai: $(VENV)-openai/.ready
	$(VENV)-openai/bin/python -m pytest -q -o cache_dir=$(VENV)-openai/.cache tests/real/test_openai_spec.py

$(VENV)-openai/.ready: pyproject.toml | $(BIN)/python
	@echo "Making an environment with OpenAI's client and its instrumentation ..."
	@$(PYTHON) -m venv $(VENV)-openai
	@$(VENV)-openai/bin/python -m pip install --quiet --disable-pip-version-check -e '.[openai]'
	@touch $@

# What this package costs, as one table, with JSON and plots in bench/. It takes some minutes: more rounds are more exact.
# Or a part: make bench BENCH="--only ag2", or everything: BENCH=--full, which takes an hour.
BENCH ?=

bench: $(VENV)-bench/.ready
	@$(call compile,$(VENV)-bench)
	@mkdir -p bench
	@$(VENV)-bench/bin/python -m tests.bench --rounds $(ROUNDS) --json bench/results.json --plots bench $(BENCH)

# Other tracing libraries, each in an environment of its own.
bench-peers: $(VENV)-bench/.ready
	@$(VENV)-bench/bin/python -m tests.bench --rounds $(ROUNDS) --only peers

$(VENV)-bench/.ready: pyproject.toml | $(BIN)/python
	@echo "Making an environment for the benchmarks ..."
	@$(PYTHON) -m venv $(VENV)-bench
	@$(VENV)-bench/bin/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	@touch $@

# The loader and the expressions under a coverage-guided fuzzer, for so long: make fuzz SECONDS=600
SECONDS ?= 60

fuzz: $(VENV)/.fuzz
	@$(BIN)/python -m tests.fuzz $(SECONDS)

# A million calls, and spans whose end never comes. Or fewer: CALLS=50000
CALLS ?= 1000000

soak: $(VENV)/.dev
	$(BIN)/python tests/bench/soak.py --calls $(CALLS)

clean:
	rm -rf $(VENV) $(VENV)-real $(VENV)-protocols $(VENV)-openai $(VENV)-viewers $(VENV)-phoenix $(VENV)-mlflow $(VENV)-ag2-* $(VENV)-3.* $(VENV)-oldest $(VENV)-libraries .fuzz demo.html

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
