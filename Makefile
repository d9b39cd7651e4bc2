# Everything installs itself into .venv; a second run reuses it.
PYTHON ?= python3
VENV   ?= .venv
# What `make soak` runs; the whole takes hours.
SOAK   ?= tests/soak
BIN    := $(VENV)/bin
UV     := $(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt

.PHONY: demo test soak check clean help

help:            ## list the commands
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*##/\t/'

demo: $(VENV)/.run        ## score a file of reviews end to end and show why
	@$(BIN)/iyu demo

test: $(VENV)/.dev        ## style, types, import rules, then every test on real Redis and PostgreSQL
	@$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m 'not alone and not soak'
	$(BIN)/python -m pytest -m 'alone and not soak'

soak: $(VENV)/.dev        ## what takes many minutes: fuzzed messages, random faults, forgetting under load
	$(BIN)/python -m pytest -m soak $(SOAK)

check: $(VENV)/.dev       ## style, types and import rules only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

clean:           ## remove the environment and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/.uv: constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo 'iyu needs Python 3.11, 3.12 or 3.13: say which with PYTHON=python3.11 make …' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	@touch $@

$(VENV)/.run: $(VENV)/.uv pyproject.toml
	@echo 'Installing iyu into $(VENV) …'
	@$(UV) --editable '.[worker,embedded,web]'
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@$(UV) --editable '.[train,embedded,dev]'
	@touch $@
