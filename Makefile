# Everything a person or the CI types. Each target needs no other tool than Python >= 3.11.
# Overridable: PYTHON=/path/to/python3.12, VENV=folder, ARGS="--port-base 9000" for `up`.

VENV ?= .venv
ARGS ?=
# Tests wait more than they compute, so three files at a time suit two cores.
WORKERS ?= 3
PY := $(VENV)/bin/python
PIP := $(PY) -m pip -qq --disable-pip-version-check
UV_VERSION := 0.13.9
# The chart's checks bring other versions of what the services use, so they live apart.
CHART := $(VENV)/chart
SLICES := ingest router executor auditor console cli paper-exchange devstack

# A name on PATH may be a shim that fails when run, so each candidate is run.
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3; do \
	"$$name" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' \
	>/dev/null 2>&1 && { command -v "$$name"; break; }; done)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup up test test-fast pictures lint types fmt lock bench chaos images images-test sbom audit \
	chart chart-files k8s-base drills fuzz

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.dev ## Make the virtual environment with the locked packages and `alertwire`

up: $(VENV)/.devstack ## Start everything on loopback, until Ctrl-C
	@$(VENV)/bin/alertwire up $(ARGS)

test: lint types $(VENV)/bin/promtool $(VENV)/bin/chromium ## Install, lint, type-check, run every test
	@$(PY) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not drill"

drills: $(VENV)/.dev ## What takes the machine for itself: kills, restarts, a restore, an attack, a search for secrets
	@$(PY) -m pytest -m drill tests/e2e tests/integration

test-fast: $(VENV)/.dev ## Run the tests that need no other process
	@$(PY) -m pytest -n $(WORKERS) -m "not e2e and not integration and not browser"

pictures: $(VENV)/.dev $(VENV)/bin/chromium ## Take the pictures of docs/console.md anew
	@TEST_PICTURES=docs $(PY) -m pytest -m browser

lint: $(VENV)/.dev ## Check style and format
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check

types: $(VENV)/.dev ## Check types
	@$(PY) -m mypy

fmt: $(VENV)/.dev ## Format, and mend what can be mended
	@$(PY) -m ruff format
	@$(PY) -m ruff check --fix

bench: $(VENV)/.dev ## Measure, print a table, write bench.json
	@$(PY) -m bench

chart: $(CHART)/.ready ## Check the Helm chart and what is rendered from it, by every tool
	@$(CHART)/bin/python -m tools.charting
	@echo "every check refuses what it has to:"
	@PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 $(CHART)/bin/python -m pytest -q -c deploy/k8s/checks/pytest.ini \
		--rootdir . --confcutdir tests/chart tests/chart

k8s-base: $(CHART)/.ready ## Render deploy/k8s/base anew, and the table of the chart's README
	@$(CHART)/bin/python -m tools.charting base

chaos: $(VENV)/.dev ## Kill, stop and cut under load; then compare what happened with what should
	@$(PY) -m chaos $(ARGS)

fuzz: $(VENV)/.fuzz ## Throw what nobody has thought of at the parsers and both HTTP APIs; ARGS="--seconds 60"
	@$(PY) -m fuzz $(ARGS)

images: $(VENV)/.dev ## Build the container images, with what is in them under sbom/
	@PYTHON=$(abspath $(PY)) deploy/images/build $(ARGS)

images-test: $(VENV)/.dev ## Build and run the images with Debian's tools, without a registry
	@deploy/images/fetch-tools
	@PYTHON=$(abspath $(PY)) deploy/images/fetch-wheels
	@TEST_IMAGES=1 $(PY) -m pytest tests/images

sbom: $(VENV)/.dev ## Write what each image is made of to sbom/, from the locks alone
	@$(PY) -m tools.supply.bom $(ARGS)

audit: $(VENV)/.dev $(VENV)/audit/.done ## Locks, licences, secrets, workflows, known holes; ARGS=--offline
	@$(PY) -m tools.supply.auditing $(ARGS)

chart-files: ## Take alert rules and dashboard over into the Helm chart
	@cp deploy/prometheus/alertwire.rules.yml deploy/grafana/alertwire.json deploy/k8s/alertwire/files/

# Settings that point at another index or at local files must not reach the lock files.
UV := env -u UV_INDEX -u UV_DEFAULT_INDEX -u UV_INDEX_URL -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS \
	$(VENV)/bin/uv --config-file requirements/metadata.toml pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate

lock: $(PY) ## Resolve the requirements anew, with hashes
	@$(PIP) install --progress-bar off uv==$(UV_VERSION)
	@echo "locking requirements/dev.txt"
	@$(UV) --upgrade --all-extras --group dev pyproject.toml -o requirements/dev.txt >/dev/null
	@set -e; for slice in $(SLICES); do \
		echo "locking requirements/$$slice.txt"; rm -f "requirements/$$slice.txt"; \
		$(UV) --extra "$$slice" -c requirements/dev.txt pyproject.toml \
			-o "requirements/$$slice.txt" >/dev/null; \
	done
	@echo "locking requirements/audit.txt"
	@$(UV) --upgrade --group audit -c requirements/dev.txt -o requirements/audit.txt \
		pyproject.toml >/dev/null
	@echo "locking requirements/fuzz.txt"
	@$(UV) --upgrade --group fuzz -o requirements/fuzz.txt >/dev/null
	@echo "locking requirements/chart.txt"
	@$(UV) --upgrade --group chart -o requirements/chart.txt >/dev/null
	@! grep -nE '://|^-' requirements/*.txt || { echo "a lock names an index or a file" >&2; exit 1; }

$(PY):
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with its venv module is needed;" \
		"none of python3.13, python3.12, python3.11, python3 is one." \
		"Name one: make PYTHON=/path/to/python" >&2; exit 1; }
	@echo "making $(VENV) with $(PYTHON)"
	@"$(PYTHON)" -m venv "$(VENV)"

# Apart from what we run and test with: its tools bring a pip of their own.
$(VENV)/audit/.done: requirements/audit.txt | $(PY)
	@echo "installing the packages of $< into $(VENV)/audit"
	@$(PY) -m venv $(VENV)/audit
	@$(VENV)/audit/bin/python -m pip -qq --disable-pip-version-check install --progress-bar off \
		--no-deps --require-hashes -r $<
	@touch $@

# Has no dependencies, and no wheel where it does not run: what needs it says so then.
$(VENV)/.fuzz: requirements/fuzz.txt $(VENV)/.dev
	@$(PIP) install --progress-bar off --no-deps --require-hashes -r $<
	@touch $@

$(VENV)/bin/promtool: | $(PY)
	@deploy/prometheus/fetch-promtool $@

$(VENV)/bin/chromium: | $(PY)
	@tests/browser/fetch-chromium $@

$(CHART)/.ready: requirements/chart.txt | $(PY)
	@echo "installing the packages of $< into $(CHART), half a gigabyte"
	@"$(PY)" -m venv "$(CHART)"
	@$(CHART)/bin/python -m pip -qq --disable-pip-version-check install --progress-bar off --no-compile \
		--no-deps --require-hashes -r $<
	@deploy/prometheus/fetch-promtool $(CHART)/bin/promtool
	@touch $@

$(VENV)/.devstack: requirements/devstack.txt pyproject.toml | $(PY)
$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(PY)
$(VENV)/.devstack $(VENV)/.dev:
	@echo "installing the packages of $< into $(VENV)"
	@# A lock is complete, so nothing is resolved anew (requirements/metadata.toml tells why).
	@$(PIP) install --progress-bar off --no-deps --require-hashes -r $<
	@$(PIP) install --progress-bar off --no-deps --no-build-isolation -e .
	@$(PY) -m compileall -q libs services tools
	@touch $@ $(VENV)/.devstack  # what .dev installs holds what .devstack needs
