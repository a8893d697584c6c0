# Everything here sets itself up: an environment in .venv, with an interpreter that is on the machine.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= >=3.11,<3.15
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_FOR_BENCH := $(VENV)/.ready-for-bench
# One more than there are processors: some tests wait for a minute that the service asks for.
WORKERS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))

export UV_PYTHON_DOWNLOADS := never
# Behind a proxy that inspects TLS, the system knows its certificate and uv alone does not.
export UV_SYSTEM_CERTS := 1
export UV_PROJECT_ENVIRONMENT := $(VENV)
# A byte-compiled environment starts in half the time; CA settings of a shell must not reach tests of TLS.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo up check unit test browser screenshots chromium soak lint format matrix docs bench clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml constraints.txt Makefile
	@uv=$$(uv --version >/dev/null 2>&1 && command -v uv || echo .build/uv/bin/uv); \
	if [ ! -x "$$uv" ]; then \
	  echo "Fetching uv with pip"; \
	  python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target .build/uv uv; \
	fi; \
	echo "Installing into $(VENV)"; \
	[ -x $(BIN)/python ] || "$$uv" venv --quiet --python '$(PYTHON)' $(VENV); \
	"$$uv" pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt \
	  --editable '.[sandbox]' --group dev
	@touch $@

demo: $(READY) ## Watch it cancel the meetings of a feed in a local Graph, under a real Airflow
	@$(BIN)/python example_dags/_demo

up: $(READY) ## Start a local Graph and Airflow's web UI, and keep them running
	@$(BIN)/python example_dags/_demo --stay

check: $(READY) ## Check format, style, types and the unit tests: the loop while you work
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target lint unit

unit: $(READY) ## Run the unit tests alone, and measure what they reach of graph/
	@$(BIN)/python -m pytest -qq --no-header --numprocesses=2 --cov --cov-report= tests/unit

test: $(READY) ## Run all tests in parallel; those in a browser only if Chromium is there
	@$(BIN)/python -m pytest --numprocesses=$(WORKERS) --dist=loadgroup

browser: $(READY) chromium ## Install Chromium if there is none, and run the tests in it
	@$(BIN)/python -m pytest tests/browser

screenshots: $(READY) chromium ## Take the documentation's pictures of the web UI again
	@mkdir -p docs/pages/images
	@SCREENSHOTS=docs/pages/images $(BIN)/python -m pytest tests/browser

chromium: # Debian's, if there is none; a package mirror may be out of step for a moment, so twice
	@if ! { command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null; then \
	  root=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  install() { \
	    $$root apt-get update -qq && \
	    $$root apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; \
	  }; \
	  install || install; \
	fi

soak: $(READY) ## Run the tests that take many minutes: thousands of meetings, faults and kills
	@$(BIN)/python -m pytest bench/soak

lint: $(READY) ## Check format, style and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

format: $(READY) ## Format the code and fix what ruff can fix
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

matrix: $(READY) ## Install the wheel and run it with every Python and set of dependencies, or in some CELLS
	@$(BIN)/python .ci/matrix.py $(CELLS)

docs: $(READY) ## Build the documentation into site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --config-file docs/mkdocs.yml

$(READY_FOR_BENCH): $(READY)
	@uv=$$(uv --version >/dev/null 2>&1 && command -v uv || echo .build/uv/bin/uv); \
	echo "Installing the other clients into $(VENV)"; \
	"$$uv" pip install --quiet --python $(BIN)/python --constraint constraints.txt --group bench
	@touch $@

bench: $(READY_FOR_BENCH) ## Measure cost and speed against other clients; writes docs/benchmarks.md
	@$(BIN)/python -W ignore -m bench

clean: ## Remove everything that the other commands made
	rm -rf $(VENV) .build site dist
