# The only interface to this house; CONTRIBUTING.md says which target to run after what change.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
ROOM ?=
# Some hundred processes are started by the tests: each would compile all code again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install install-test prepare run test types suite check bench docs sim fuzz lock clean

help:  ## Say what each target does.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 16

install: .venv/installed  ## Build .venv with .venv/bin/lichen and everything it needs; start nothing.

.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

install-test: .venv/installed-test

.venv/installed-test: .venv/installed requirements-test.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.lock
	@touch $@

prepare: install-test
	@bash tests/prepare.sh

run: install  ## Start Lichen on http://127.0.0.1:8536; ARGS="--port 9000" adds options.
	@exec $(BIN)/lichen serve $(ARGS)

test: prepare  ## Install what tests need, start what they talk to, run them all.
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache
	@$(MAKE) --no-print-directory -j 2 types suite

# Types are checked beside the tests: alone they would leave a core idle.
types:
	$(BIN)/mypy

suite:
	$(BIN)/pytest -n 2 --dist loadfile

check: install-test  ## Lint, types, import contracts and the fast tests, in under a minute.
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest -q -m "not slow" -x tests/house tests/kit tests/events tests/rules tests/log tests/store

bench: install-test  ## Print the figures; ROOM=log for one bench.
	@if [ -n "$(ROOM)" ]; then $(BIN)/python -m bench.$(ROOM); else $(BIN)/python -m bench; fi

docs: install-test  ## Write the generated pages of docs/ (settings, limits, commands, events, routes).
	$(BIN)/python -m docs.generate

sim: prepare  ## The long runs: 100 kills, each crash point 10 times, big property runs.
	$(BIN)/python -m tests.sim

fuzz: install-test  ## Property tests with many examples.
	HYPOTHESIS_PROFILE=sim $(BIN)/pytest -q -k "property or fuzz or machine or sampled"

lock:  ## Pin every dependency with its hashes; needs pip-tools.
	pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --all-build-deps --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header --extra s3 --extra nats -o requirements.lock pyproject.toml
	pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --all-build-deps --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header --extra s3 --extra nats --extra test -o requirements-test.lock pyproject.toml

clean:  ## Remove what was built; data stays.
	rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache tests/clients/node_modules
