# Everything here sets itself up: an environment in .venv, with an interpreter that is on the machine.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= >=3.11,<3.15
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_FOR_BENCH := $(VENV)/.ready-for-bench

export UV_PYTHON_DOWNLOADS := never
# Behind a proxy that inspects TLS, the system knows its certificate and uv alone does not.
export UV_SYSTEM_CERTS := 1
export UV_PROJECT_ENVIRONMENT := $(VENV)
# A byte-compiled environment starts in half the time; CA settings of a shell must not reach tests of TLS.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo up test browser screenshots chromium soak lint format matrix docs bench clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml constraints.txt Makefile
	@uv=$$(uv --version >/dev/null 2>&1 && command -v uv || echo .build/uv/bin/uv); \
	if [ ! -x "$$uv" ]; then \
	  echo "Fetching uv with pip"; \
	  python3 -m pip install --quiet --disable-pip-version-check --target .build/uv uv; \
	fi; \
	echo "Installing into $(VENV)"; \
	[ -x $(BIN)/python ] || "$$uv" venv --quiet --python '$(PYTHON)' $(VENV); \
	"$$uv" pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[sandbox]' --group dev
	@touch $@

demo: $(READY) ## See it: cancel a feed's meetings in a local Graph, under a real Airflow
	@$(BIN)/python example_dags/_demo

up: $(READY) ## Play with it: local Graph and Airflow's web UI stay up
	@$(BIN)/python example_dags/_demo --stay

test: $(READY) ## Run the tests, those in a browser too if Chromium is there
	@$(BIN)/python -m pytest

browser: $(READY) chromium ## Run the tests in a browser, and install Chromium for them
	@$(BIN)/python -m pytest tests/browser

screenshots: $(READY) chromium ## Take the documentation's pictures of the web UI anew
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

soak: $(READY) ## Run what takes longer than a test should
	@$(BIN)/python -m pytest -o addopts="-ra --import-mode=importlib" bench/soak

lint: $(READY) ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(READY) ## Let ruff put things in order
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

bench: $(READY_FOR_BENCH) ## Measure cost and speed, beside other clients, into docs/benchmarks.md
	@$(BIN)/python -W ignore -m bench

clean: ## Remove what the other commands made
	rm -rf $(VENV) .build site dist
