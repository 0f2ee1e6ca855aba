# Everything runs in .venv, made here. `make help` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PORT ?= 8501
# Processes that run the tests; each holds a model of its own.
JOBS ?= 2
UV_VERSION := 0.13.9
PIP_AUDIT_VERSION := 2.10.1
VENV := .venv
BIN := $(VENV)/bin
# .pyc files are made on installation: without them TensorFlow takes three times as long to start.
INSTALL = $(BIN)/uv pip install --python $(BIN)/python --compile-bytecode --only-binary :all:
RAYON = $(BIN)/python -m

# uv does not read pip's settings: hand on a mirror, a certificate and a time limit given for pip.
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif
ifdef PIP_CERT
export SSL_CERT_FILE ?= $(PIP_CERT)
endif
export UV_HTTP_TIMEOUT ?= $(or $(PIP_DEFAULT_TIMEOUT),120)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: $(VENV)/.run ## serve the application on http://127.0.0.1:8501 (PORT=… for another port)
	exec $(RAYON) streamlit run server.py --server.address 127.0.0.1 --server.port $(PORT)

# Everything is reported in one go; pytest comes last, so that its closing line ends the output.
.PHONY: test
test: $(VENV)/.dev $(VENV)/.train $(VENV)/.ray chromium postgresql ## run the linters and every test (ARGS=… goes to pytest)
	@failed=0; \
	$(MAKE) --no-print-directory lint || failed=1; \
	$(RAYON) pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS) || failed=1; \
	exit $$failed

.PHONY: lint
lint: $(VENV)/.dev ## ruff, bandit and hadolint, changing nothing
	@failed=0; \
	$(RAYON) ruff check . || failed=1; \
	$(RAYON) ruff format --check . || failed=1; \
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive . || failed=1; \
	$(BIN)/hadolint Dockerfile deploy/Dockerfile.tests || failed=1; \
	exit $$failed

.PHONY: audit
audit: $(VENV)/.run ## look the installed packages up among known vulnerabilities (asks pypi.org)
	@site=$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))'); \
	$(BIN)/uv tool run pip-audit@$(PIP_AUDIT_VERSION) --strict --progress-spinner off --path "$$site" || { \
		echo "Not shown to be safe: a package above is vulnerable, or could not be looked up." >&2; \
		echo "The lines above say which; where pypi.org is out of reach, run this where it is not." >&2; \
		exit 1; \
	}

.PHONY: format
format: $(VENV)/.dev ## put the code in the house's format
	$(RAYON) ruff check --fix .
	$(RAYON) ruff format .

.PHONY: screenshot
screenshot: $(VENV)/.dev chromium ## take the pictures in docs/ again, from the real pages
	RAYON_SCREENSHOT=1 $(RAYON) pytest tests/browser -k "reasons or two_thousand or keyboard"

.PHONY: train-open
train-open: $(VENV)/.train ## train model/bundles/open from corpus/, then measure its explanations and what it meets
	$(RAYON) model train-open
	$(RAYON) model faithfulness
	$(RAYON) model reference --bundle model/bundles/open

.PHONY: bench
bench: $(VENV)/.run ## measure what is fast, side by side
	$(RAYON) benchmarks

.PHONY: bench-batch
bench-batch: $(VENV)/.ray ## measure what batches cost: speed, memory, runtimes (docs/batch.md; about an hour)
	$(RAYON) benchmarks batch

.PHONY: bench-training
bench-training: $(VENV)/.train ## measure what training costs (docs/training-cost.md; about half an hour)
	$(RAYON) benchmarks training

.PHONY: training
training: $(VENV)/.train ## install what python -m model train and evaluate need

.PHONY: ray
ray: $(VENV)/.ray ## install what --engine ray needs

.PHONY: bench-words
bench-words: $(VENV)/.train ## measure what pays in the lexical branch
	$(RAYON) benchmarks lexical

.PHONY: messages
messages: $(VENV)/.run ## collect the screen texts and compile their translations (ui/locale)
	$(RAYON) ui.catalogues

.PHONY: bench-queue
bench-queue: $(VENV)/.run ## measure what a decision costs (docs/queue.md; two minutes)
	$(RAYON) benchmarks queue

.PHONY: bench-load
bench-load: $(VENV)/.dev chromium ## measure what a server bears (docs/load.md; ten minutes)
	$(RAYON) benchmarks load

.PHONY: clean
clean: ## remove the environment and the caches; var/ and the models stay
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the environment ------------------------------------------------------------------------------------

$(VENV)/.run: requirements.txt $(VENV)/.uv
	$(INSTALL) -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	$(INSTALL) -r requirements-dev.txt
	@touch $@

$(VENV)/.train: requirements-train.txt $(VENV)/.run
	$(INSTALL) -r requirements-train.txt
	@touch $@

$(VENV)/.ray: requirements-ray.txt $(VENV)/.run
	$(INSTALL) -r requirements-ray.txt
	@touch $@

SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

$(VENV)/.uv:
	@for python in $${PYTHON:-python3 python3.13 python3.12 python3.11}; do \
		if command -v $$python >/dev/null && $$python -c '$(SUPPORTED)'; then found=$$python; break; fi; \
	done; \
	if [ -z "$${found:-}" ]; then \
		echo "Rayon needs Python 3.11, 3.12 or 3.13; none was found (tried: $${PYTHON:-python3 python3.13 python3.12 python3.11})." >&2; \
		echo "Install one, or name it: make run PYTHON=/path/to/python3.12" >&2; \
		exit 1; \
	fi; \
	echo "Making $(VENV) with $$($$found --version)"; \
	rm -rf $(VENV); \
	$$found -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: uv==$(UV_VERSION)
	@touch $@

# --- programs of the system that tests need -------------------------------------------------------------

# Runs the command in $$install as root: now where that needs no password, else it says what to run. Where CI is set,
# what is missing is an error.
AS_ROOT = if [ "$$(id -u)" = 0 ]; then \
		echo "Installing $$what"; sh -c "$$install" && exit 0; \
	elif sudo -n true 2>/dev/null; then \
		echo "Installing $$what"; sudo -n sh -c "$$install" && exit 0; \
	else \
		echo "The tests need $$what. Install it by: sudo sh -c '$$install'" >&2; \
	fi; \
	[ -z "$${CI:-}" ]
APT := apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -yqq --no-install-recommends

CHROMIUM_NAMES := chromium chromium-browser google-chrome google-chrome-stable

.PHONY: chromium
chromium: ## install Chromium for the browser tests, when there is none
	@for name in $(CHROMIUM_NAMES); do command -v $$name >/dev/null && exit 0; done; \
	what=Chromium; \
	if command -v apt-get >/dev/null; then install="$(APT) chromium fonts-noto-color-emoji"; \
	elif command -v dnf >/dev/null; then install="dnf install -y chromium"; \
	elif command -v apk >/dev/null; then install="apk add chromium font-noto-emoji"; \
	elif command -v pacman >/dev/null; then install="pacman -S --noconfirm chromium noto-fonts-emoji"; \
	else \
		echo "The browser tests need Chromium or Chrome on the PATH: install it by hand." >&2; \
		[ -z "$${CI:-}" ]; exit; \
	fi; \
	$(AS_ROOT)

.PHONY: postgresql
postgresql: ## install a PostgreSQL server for the tests of decisions, when there is none
	@command -v initdb >/dev/null && exit 0; \
	for program in /usr/lib/postgresql/*/bin/initdb /usr/pgsql-*/bin/initdb; do [ -x $$program ] && exit 0; done; \
	what=PostgreSQL; \
	if command -v apt-get >/dev/null; then install="$(APT) postgresql"; \
	elif command -v dnf >/dev/null; then install="dnf install -y postgresql-server"; \
	elif command -v apk >/dev/null; then install="apk add postgresql"; \
	elif command -v pacman >/dev/null; then install="pacman -S --noconfirm postgresql"; \
	else \
		echo "The tests of decisions need PostgreSQL's initdb on the PATH: install it by hand." >&2; \
		[ -z "$${CI:-}" ]; exit; \
	fi; \
	$(AS_ROOT)
