# All targets use a virtual environment in this folder and change nothing outside of it.

VENV ?= .venv
BIN := $(VENV)/bin
SUITE := $(BIN)/python -m pytest
# Many tests wait for servers, so three workers suit two cores. Long tests measure time and memory.
WORKERS ?= 3
LONG_WORKERS ?= 2
PARALLEL := --dist loadgroup --numprocesses
PLUGINS := $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml))
CONSTRAINTS := tests/constraints.txt
REQUIREMENTS := pyproject.toml $(CONSTRAINTS) $(PLUGINS:%=%/pyproject.toml)
SPHINX := $(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going -d build/doctrees
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --constraint $(CONSTRAINTS)
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))

# The tests start hundreds of Python processes. Without cached bytecode each of them compiles every module again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test coverage lint test-long test-all docs release-check bench bench-smoke pictures clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | \
	while IFS='|' read -r name text; do printf '  make %-12s %s\n' "$$name" "$$text"; done

demo: $(VENV)/installed-demo ## publish a release to a local index
	$(BIN)/wheelrelay demo

test: $(VENV)/collected lint ## run the linters and all tests that are not long
	$(SUITE) $(PARALLEL) $(WORKERS) -m "not long"

coverage: $(VENV)/collected lint ## run the same tests and measure the coverage
	$(SUITE) $(PARALLEL) $(WORKERS) -m "not long" --cov --cov-fail-under 95

lint: $(VENV)/installed-dev ## check style, types and import direction
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy src $(PLUGINS:%=%/src) examples/third_party_backend/src tests/servers tests/benchmarks docs/generators
	$(BIN)/lint-imports --no-cache

test-long: $(VENV)/installed-dev ## run the long tests
	$(SUITE) $(PARALLEL) $(LONG_WORKERS) -m long

test-all: ## run `make test` on every installed CPython from 3.11 up
	@tested=; \
	for python in $$(pyenv root 2>/dev/null)/versions/*/bin/python $$(seq -f 'python3.%g' 11 30); do \
	    version=$$($$python -c '$(NEW_ENOUGH)' 2>/dev/null && $$python -c 'import sys, ensurepip; \
	        print("%d.%d" % sys.version_info[:2]) if sys.implementation.name == "cpython" else None' 2>/dev/null); \
	    case "$$version:$$tested" in :*|*:*" $$version "*) continue;; esac; \
	    echo "== Python $$version: $$python"; \
	    $(MAKE) --no-print-directory test PYTHON="$$python" VENV=".venv-$$version" || exit 1; \
	    tested="$$tested $$version "; \
	done; \
	echo "All tests passed on Python$$tested"

docs: $(VENV)/installed-dev ## build the documentation with manual pages, and fail at warnings
	$(SPHINX) -b html docs build/docs
	$(SPHINX) -b man docs build/man
	@echo "The documentation is in build/docs/index.html, the manual pages are in build/man."

DIST ?= build/dist
release-check: $(VENV)/installed-dev ## build all distributions, check and install them, and run their demo
	$(BIN)/python .ci/release_check.py $(DIST)

bench: $(VENV)/installed-dev ## compare speed and memory with other tools
	$(BIN)/python -m tests.benchmarks

bench-smoke: $(VENV)/installed-dev ## run a minute of benchmarks, and fail if they are far too slow
	$(BIN)/python -m tests.benchmarks.smoke

pictures: $(VENV)/installed-dev ## draw the pictures of the README from real runs
	$(BIN)/python docs/pictures/make.py

clean: ## remove all generated files
	rm -rf .venv .venv-* .coverage* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	rm -rf build dist tests/benchmarks/results
	find . -name __pycache__ -prune -exec rm -rf {} +

# These files mark a completed installation; an interrupted one is repeated.

$(VENV)/installed-demo: $(REQUIREMENTS) | $(VENV)/created
	@echo "Installing wheelrelay and the packages that the demo needs into $(VENV):"
	@$(INSTALL) --editable '.[demo]'
	@touch $@

$(VENV)/installed-dev: $(REQUIREMENTS) | $(VENV)/created
	$(INSTALL) -qq --editable '.[dev]' $(PLUGINS:%=--editable './%[test]')
	touch $(VENV)/installed-demo $@

# Compiles the test modules while the linters run; otherwise each worker of the first run would compile all of them.
$(VENV)/collected: | $(VENV)/installed-dev
	@{ $(SUITE) --collect-only -qq >/dev/null 2>&1; } & touch $@

$(VENV)/created:
	@echo "Creating a virtual environment in $(VENV)."
	@candidates="$(or $(PYTHON),python3 $$(seq -s ' ' -f 'python3.%g' 30 -1 11) python)"; found=; \
	for candidate in $$candidates; do \
	    $$candidate -c '$(NEW_ENOUGH)' 2>/dev/null && found=$$candidate && break; \
	done; \
	if [ -z "$$found" ]; then \
	    echo "No Python 3.11 or later found. Tried: $$candidates." >&2; \
	    echo "Install one, or pass its path: make PYTHON=/path/to/python3" >&2; exit 1; \
	fi; \
	if ! $$found -c 'import ensurepip, venv' 2>/dev/null; then \
	    echo "$$found lacks the venv module. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; \
	fi; \
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $$found -m venv --clear $(VENV)
	touch $@
