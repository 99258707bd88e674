# Two commands do everything on a machine with git, make and Python 3.11 or newer: `make run` and `make test`.
# ARGS is handed on: make run ARGS="--port 9000", make test ARGS="tests/catalog -k facts", make lock ARGS=--upgrade.

PYTHON ?= python3
BIN := .venv/bin
BOOTSTRAP := $(PYTHON) tools/bootstrap.py
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11
unexport PYTHONDONTWRITEBYTECODE   # every start would compile all that it imports again: 3 s instead of 1 s
export ROADBED_HOME ?= $(CURDIR)/.roadbed

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test check format bench docs wheel lock clean

help:  ## show what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

run:  ## start Roadbed with the sample organisation; data in .roadbed, or ROADBED_HOME
	@$(BOOTSTRAP)
	@exec $(BIN)/roadbed up --sample $(ARGS)

test: check  ## run the checks, then every test, in four workers: a test waits about a third of its time
	@unset ROADBED_HOME; ROADBED_TEST_CHROMIUM="$$($(BIN)/python tools/chromium.py)" && export ROADBED_TEST_CHROMIUM \
		&& exec $(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder $(ARGS)

check:  ## run the static checks: types, style, imports, templates, own rules
	@$(BOOTSTRAP) --dev
	@$(BIN)/python tools/check.py

format:  ## bring the code into its style
	@$(BOOTSTRAP) --dev
	@$(BIN)/ruff check --quiet --fix-only
	@$(BIN)/ruff format

bench:  ## measure starts, memory, logs and the catalog (needs wrk), PEERS=backstage beside one; writes build/bench
	@$(BOOTSTRAP) --dev
	@unset ROADBED_HOME; $(BIN)/python bench/start.py $(ARGS) && $(BIN)/python bench/replicas.py \
		&& ROADBED_TEST_CHROMIUM="$$($(BIN)/python tools/chromium.py)" $(BIN)/python bench/logs.py && exec $(BIN)/python bench/catalog.py $(if $(PEERS),--peers $(PEERS),--sizes 1000 10000 100000)

docs:  ## write the reference pages anew from the code
	@$(BOOTSTRAP) --dev
	@$(BIN)/python -m tools.reference

wheel:  ## build the package into dist/
	@$(BOOTSTRAP) --dev
	@$(BIN)/uv build --quiet --wheel --build-constraints requirements-dev.lock && ls dist/*.whl

lock:  ## bring the lock files up to date with pyproject.toml and package.json
	@$(BOOTSTRAP) --dev
	@$(COMPILE) pyproject.toml --output-file requirements.lock $(ARGS)
	@$(COMPILE) pyproject.toml --group dev --output-file requirements-dev.lock $(ARGS)
	@npm install --package-lock-only --no-audit --no-fund

clean:  ## remove everything that can be made again; data in .roadbed stays
	rm -rf .venv node_modules dist build htmlcov test-artifacts .coverage* src/roadbed/web/static/vendor
	rm -rf src/roadbed/web/static/icons.svg .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests tools -name __pycache__ -prune -exec rm -rf {} +
