# Two commands are all that most people need: `make run` (a running CRM with a demo company) and `make test`.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
export PYTHONUTF8 := 1
export UV_PYTHON_DOWNLOADS := never

# The first Python of the machine that is new enough; `make PYTHON=... run` takes another one.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
PORT ?= 5006
LOCK := $(shell cksum < requirements.lock | cut -d' ' -f1)
RUN := $(VENV)/.run-$(LOCK)
DEV := $(VENV)/.dev-$(LOCK)
JOBS ?= 2

.PHONY: help run test test-all jitter check bench compat lock browser clean

help:
	@echo "make run       the CRM with a demo company on http://127.0.0.1:$(PORT)"
	@echo "make test      every test, lint, types and layers (installs what they need)"
	@echo "make check     the quick part of it, in under 90 seconds"
	@echo "make test-all  the tests on every Python from 3.11 to 3.13 that is here"
	@echo "make jitter    the browser tests with a network and timers of changing speed (SEED=1)"
	@echo "make bench     the benchmarks;  make compat  TinyDB's own tests on our store;  make lock  resolve the lock file anew"

run: $(RUN)
	@exec $(BIN)/crm serve --demo --port $(PORT)

test: $(DEV) browser lint
	$(BIN)/pytest -n $(JOBS) --dist loadfile -m "not ui" tests
	$(BIN)/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder -m ui tests/ui

# What looks at whole companies, processes and pictures is left to `make test`.
LONG := ui config demo intake server worker mail charts test_cli.py test_notebooks.py

check: $(DEV) lint
	$(BIN)/pytest -q -n $(JOBS) --dist loadfile -m "not slow and not demo" $(LONG:%=--ignore=tests/%) tests

.PHONY: lint
lint: $(DEV)
	$(BIN)/ruff check
	$(BIN)/lint-imports
	$(BIN)/mypy

test-all:
	@found=0; for v in 3.11 3.12 3.13; do \
		p=""; for c in .venv-$$v/bin/python python$$v "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/$$v.*/bin/python; do \
			if command -v "$$c" >/dev/null && "$$c" -c 'import sys' 2>/dev/null; then p=$$c; break; fi; done; \
		if [ -z "$$p" ]; then echo "== Python $$v is not on this machine"; continue; fi; \
		found=1; echo "== Python $$v ($$p)"; $(MAKE) --no-print-directory test PYTHON="$$p" VENV=.venv-$$v || exit 1; done; \
	[ $$found = 1 ] || { echo "No Python from 3.11 to 3.13 found."; exit 1; }

jitter: $(DEV) browser
	$(BIN)/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder -m ui tests/ui --jitter $(or $(SEED),1)

bench: $(DEV)
	@for program in tests/bench/*.py; do echo "== $$program"; $(BIN)/python $$program || exit 1; done

compat: $(DEV)
	$(BIN)/python tests/compat/run.py

lock: $(DEV)
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --no-header --no-annotate --no-emit-index-url --group dev pyproject.toml -o requirements.lock

clean:
	rm -rf .venv* build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# ---- what has to be installed -------------------------------------------------------------------------------------------------

$(BIN)/python:
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 or newer is needed and was not found. Debian: apt install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than Python 3.11."; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV) || { echo "$(PYTHON) cannot make virtual environments. Debian: apt install python3-venv"; rm -rf $(VENV); exit 1; }

# uv installs the same set in a fraction of pip's time; without it (or where it does not reach the index that pip is set up for) pip does it.
define install
	@echo "Installing into $(VENV)"
	@if [ -x $(BIN)/uv ] || $(BIN)/python -m pip install -q --disable-pip-version-check uv; then \
		$(BIN)/uv pip install -q --python $(BIN)/python $(1) || $(BIN)/python -m pip install -q --disable-pip-version-check $(1); \
	else $(BIN)/python -m pip install -q --disable-pip-version-check $(1); fi
endef

$(RUN): requirements.lock | $(BIN)/python
	$(call install,-c requirements.lock -e .)
	@rm -f $(VENV)/.run-*; touch $@

$(DEV): requirements.lock | $(BIN)/python
	$(call install,-r requirements.lock -e .)
	@rm -f $(VENV)/.run-* $(VENV)/.dev-*; touch $(RUN) $@

# The browser tests drive Debian's Chromium (PostgreSQL is not needed yet).
browser:
	@for c in chromium chromium-browser google-chrome; do if command -v $$c >/dev/null; then exit 0; fi; done; \
	sudo=""; [ "$$(id -u)" = 0 ] || sudo="sudo -n"; \
	if command -v apt-get >/dev/null && $$sudo true 2>/dev/null; then \
		echo "Installing Chromium for the browser tests"; \
		$$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	else echo "The browser tests need Chromium, and this user may not install it. Debian: sudo apt install chromium"; exit 1; fi
