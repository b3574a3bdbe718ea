# make demo   the main job on synthetic movement, ending on an emulated band
# make test   every fast test;  make test-slow  the long ones too
# make check  style and types;  make lock  pin newer versions of what we depend on

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
STAMP := .venv/.installed
PYTEST := $(BIN)/pytest -n 2 --dist loadfile

.PHONY: demo test test-slow check lock setup packages clean

demo: setup
	$(BIN)/tinyhar demo

test: setup
	$(PYTEST) -m "not slow"

test-slow: setup
	$(PYTEST)

check: setup
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

lock: setup
	$(BIN)/pip install -q uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	    --generate-hashes --no-header --upgrade -q -o requirements.lock

setup: packages $(STAMP)

packages:
	@tools/install-packages.sh

$(STAMP): requirements.lock pyproject.toml | packages
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	    { echo "setup: install python3.11 and python3.11-venv" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install -q --disable-pip-version-check --no-deps -e .
	@touch $@

clean:
	rm -rf .venv build .pytest_cache .mypy_cache .ruff_cache .hypothesis
