# One virtual environment, from a lock with hashes. A target does its own set-up, so a fresh clone needs nothing first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test lint run check bench docs lock clean

$(STAMP): pyproject.toml requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "prodaccess needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Setting up a virtual environment in $(VENV) (once, about a minute) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP)
	@$(BIN)/python -m bot demo $(ARGS)

test: $(STAMP)
	$(BIN)/python -m pytest -n 4 --dist worksteal $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m bot check --strict config

run: $(STAMP)
	@$(BIN)/python -m bot up

check: $(STAMP)
	@$(BIN)/python -m bot check config

bench: $(STAMP)
	@for name in ledger acks press calls ends many; do $(BIN)/python -m bench.$$name --quick || exit 1; done

docs: $(STAMP)
	$(BIN)/python -m tests.support.lifecycle_doc
	$(BIN)/python -m bot config schema --write
	$(BIN)/python -m bot.sandbox.picture docs/images/life.svg

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --extra dev pyproject.toml -o requirements-dev.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) build dist *.egg-info
