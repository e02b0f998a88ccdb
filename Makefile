# Every target makes .venv and installs what it needs by itself; only make and a
# Python >= 3.11 with venv have to be there. `make help` lists the targets.

GOAL = $(firstword $(filter calibrate sweep capacity compare tools,$(MAKECMDGOALS)))
PARAMS ?= params/$(or $(GOAL),run.quick).yaml
# A parameter file is named after its notebook: run.device.yaml belongs to run.ipynb. One of a name of its own belongs to the
# target, and to run.ipynb with `make report`.
NAMED = $(firstword $(subst ., ,$(notdir $(PARAMS))))
STEM = $(or $(GOAL),$(if $(wildcard notebooks/$(NAMED).ipynb),$(NAMED),run))
# The name of a result; that of an earlier sweep, search, comparison or calibration goes on with it.
ID ?=
# An interpreter of your choice: make report PYTHON=/opt/python3.13/bin/python3
PYTHON ?=
PYTHONS = $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11)
# More arguments for lab, pytest or the benchmarks: make report ARGS='clients=50'
ARGS ?=

BIN = .venv/bin
# The stamp is written last, so an interrupted install leaves none, and says for which folder and
# Python .venv was made: after a move, a copy or an upgrade of Python it is built anew.
STAMP = .venv/installed
IDENTITY := $(CURDIR) $(shell [ -x $(BIN)/python ] && $(BIN)/python -V)
ifneq ($(shell cat $(STAMP) 2>/dev/null),$(IDENTITY))
.PHONY: $(STAMP)
endif
# Debian's name for the package that venv needs; fails on a Python that is too old.
VENV_PACKAGE = import sys; v = sys.version_info[:2]; v < (3, 11) and sys.exit(1); \
  print("python%d.%d-venv" % v)

.PHONY: help servers report try duet probe calibrate sweep capacity compare tools test test-fast lint lab benchmark findings clean \
  params-exist

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(firstword $(MAKEFILE_LIST)) | expand -t 12

report: params-exist $(STAMP) ## run the experiment and write a report (PARAMS=params/run.device.yaml)
	@exec $(BIN)/lab $(STEM) -f "$(PARAMS)" $(if $(ID),--id "$(ID)") $(ARGS)

try: $(STAMP) ## try what a target asks with one device (TARGET=./my.yaml ARGS='server_url=http://...')
	@exec $(BIN)/lab try $(or $(TARGET),hello) $(ARGS)

duet: $(STAMP) ## which of two servers needs less, both at once (A=falcon B="starlette workers=2" ARGS='seconds=60')
	@exec $(BIN)/lab duet "$(or $(A),falcon)" "$(or $(B),falcon)" $(ARGS)

probe: $(STAMP) ## what a server does on the wire (SERVER=falcon, an http:// URL, or all, which makes docs/servers.md)
	@$(BIN)/python -m experiments.probe "$(or $(SERVER),falcon)" $(if $(filter all,$(SERVER)),docs/servers.md) $(ARGS)

calibrate: report ## prove the instrument on this machine (PARAMS=params/calibrate.quick.yaml: the short way)

sweep: report ## measure a grid of loads (PARAMS=params/sweep.yaml; ID=... goes on with an earlier one)

capacity: report ## how many devices are held within a service level (ID=... goes on with an earlier search)

compare: .venv/servers report ## which server carries the devices best (PARAMS=params/compare.quick.yaml: ten minutes)

tools: report ## which load tool tells the truth: every one that is installed, against known answers (ten minutes)

params-exist:
	@[ -f "$(PARAMS)" ] || { echo "There is no parameter file \"$(PARAMS)\"; these are there:" \
	  params/*.yaml >&2; exit 1; }

# Slow tests wait more than they compute, so two at once take half the time, and leave real runs a processor even here.
test: lint test-fast ## check style and types, then run every test
	$(BIN)/python -m pytest -n 2 -m slow $(ARGS)

test-fast: .venv/servers ## run the tests that start no server, swarm, kernel or browser
	$(BIN)/python -m pytest -n auto -m "not slow" $(ARGS)

lint: $(STAMP) ## check style and types
	$(BIN)/ruff check
	$(BIN)/mypy

servers: .venv/servers ## install what Falcon is compared with

.venv/servers: $(STAMP) server/systems/peers.py
	@echo "Installing the other servers into .venv: a minute or two, once"
	@$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[servers]'
	@$(BIN)/python -m server.systems.isolated
	@touch $@

lab: $(STAMP) ## open JupyterLab on a copy of the notebooks, in work/
	@exec $(BIN)/lab notebook run $(ARGS)

benchmark: $(STAMP) ## print the figures that the README promises, measured here
	$(BIN)/python -m benchmarks $(ARGS)

findings: ## try what surprised in other people's servers and tools, and tell what has changed since
	@changed=; for one in findings/*.sh; do [ $$one = findings/start.sh ] && continue; \
	  echo "$$one"; bash $$one || changed="$$changed $$one"; done; \
	[ -z "$$changed" ] || { echo "Changed, or could not be tried:$$changed" >&2; exit 1; }

clean: ## remove .venv and caches; results stay
	rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

$(STAMP): pyproject.toml constraints.txt
	@rm -rf .venv; lacking=; \
	for python in $(PYTHONS); do \
	  package=$$($$python -c '$(VENV_PACKAGE)' 2>/dev/null) || continue; \
	  $$python -c 'import ensurepip, venv' 2>/dev/null && exec $$python -m venv .venv; \
	  lacking=$${lacking:-$$package}; \
	done; \
	if [ -n "$$lacking" ]; \
	then echo "Python is there, but not its venv module: apt-get install $$lacking"; \
	else echo "No Python 3.11 or newer found (tried: $(PYTHONS)): install one, or name it" \
	  "with make PYTHON=/path/to/python3"; fi >&2; exit 1
	@echo "Installing into .venv: one to three minutes, once"
	@$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[test]'
	@echo "$(CURDIR) $$($(BIN)/python -V)" > $@
