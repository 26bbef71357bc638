# The commands of Omma; CI runs the same ones (.ci/run).

VENV := .venv
EXTRAS := .venv-extras
IS_NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python; do \
	$$name -c '$(IS_NEW_ENOUGH)' 2>/dev/null && command -v $$name && break; done)
PIP_OPTIONS := --disable-pip-version-check
# The pins are complete. Without resolving, because `trackers` asks for the OpenCV with windows, whose system
# libraries a fresh machine may lack; the headless one has the same module.
PINNED := $(PIP_OPTIONS) --no-deps
FOLDERS := apps platform tests manage.py

.PHONY: run test test-extras faults format check bench pins clean

run: $(VENV)/.base ## Start Omma; CAMERA=rtsp://…, a file or /dev/video0 adds that camera, ARGS="--port 8001" more
	@export OMMA_CAMERAS="$${CAMERA:-$$OMMA_CAMERAS}"; exec $(VENV)/bin/python manage.py up $(ARGS)

test: $(VENV)/.dev ## Run all tests but those of the extras; TESTS=tests/apps runs some
	$(VENV)/bin/python -m pytest $(TESTS)

test-extras: $(EXTRAS)/.extras ## Run the tests that need depthai and ultralytics, in an environment of their own
	$(EXTRAS)/bin/python -m pytest tests/extras --extras

faults: $(VENV)/.dev ## Inject every fault of tests/faults/catalogue.py; the report is build/faults.md
	$(VENV)/bin/python -m pytest tests -m fault --faults $(ARGS)

format: $(VENV)/.dev ## Format and fix what can be fixed
	$(VENV)/bin/ruff format $(FOLDERS)
	$(VENV)/bin/ruff check --fix $(FOLDERS)

check: $(VENV)/.dev ## Lint, types, arrows between packages, Django's checks, missing migrations
	$(VENV)/bin/ruff format --check $(FOLDERS)
	$(VENV)/bin/ruff check $(FOLDERS)
	$(VENV)/bin/lint-imports
	$(VENV)/bin/mypy $(FOLDERS)
	$(VENV)/bin/python manage.py check
	$(VENV)/bin/python -W "ignore:Got an error checking:RuntimeWarning" manage.py makemigrations --check --dry-run

bench: $(VENV)/.dev ## Measure; the table is printed and written to build/bench.json
	$(VENV)/bin/python -m tests.bench $(ARGS)

pins: ## Write requirements/*.txt anew from requirements/*.in
	$(PYTHON) -m venv --clear build/pins
	build/pins/bin/pip install $(PIP_OPTIONS) -r requirements/base.in
	{ echo "# Exact versions of base.in and what it pulls in; made by \`make pins\`."; \
	  build/pins/bin/pip freeze | grep -vE '^(opencv-python|async-timeout)=='; \
	  sed -n 's/ *#.*//; /; python_full_version/p' requirements/base.in; } > requirements/base.txt
	build/pins/bin/pip install $(PIP_OPTIONS) -r requirements/dev.in
	{ echo "# Exact versions of dev.in, on top of base.txt; made by \`make pins\`."; echo "-r base.txt"; \
	  build/pins/bin/pip freeze | grep -v '^opencv-python==' | grep -vxFf requirements/base.txt; } > requirements/dev.txt

clean: ## Remove what was built; the data in var/ stays
	rm -rf $(VENV) $(EXTRAS) build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

# The stamps make a second run fast: nothing is installed again until a pin or the project file changes.
$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Omma needs Python 3.11 or newer, and there is none"; exit 1; }
	@echo "Making $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.base: requirements/base.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing what Omma needs (the first time this takes a few minutes)"
	@$(VENV)/bin/pip install $(PINNED) -r requirements/base.txt
	@$(VENV)/bin/pip install $(PINNED) --quiet -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.base
	@echo "Installing what the tests need"
	@$(VENV)/bin/pip install $(PINNED) -r requirements/dev.txt
	@touch $@

$(EXTRAS)/.extras: requirements/dev.txt requirements/base.txt requirements/extras.in pyproject.toml
	@echo "Making $(EXTRAS): several GB, once"
	@$(PYTHON) -m venv $(EXTRAS)
	@$(EXTRAS)/bin/pip install $(PIP_OPTIONS) -r requirements/dev.txt -r requirements/extras.in
	@$(EXTRAS)/bin/pip uninstall $(PIP_OPTIONS) --quiet --yes opencv-python opencv-python-headless
	@$(EXTRAS)/bin/pip install $(PINNED) --quiet $$(grep '^opencv-python-headless==' requirements/base.txt)
	@$(EXTRAS)/bin/pip install $(PINNED) --quiet -e .
	@touch $@
