# README, CI and people use these same targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# pulumi-aws is thousands of modules: without bytecode every run compiles them anew.
unexport PYTHONDONTWRITEBYTECODE

# A Python compiled without optimizations, as pyenv does by default, takes a quarter longer for each test:
# the distribution's instead, where there is one that will do.
USABLE := import ensurepip, sys; assert sys.version_info >= (3, 11)
OPTIMIZED := import sysconfig; assert "--enable-optimizations" in sysconfig.get_config_var("CONFIG_ARGS")
ifndef PYTHON
PYTHON := $(shell { python3 -c '$(USABLE); $(OPTIMIZED)' && echo python3 \
	|| { /usr/bin/python3 -c '$(USABLE)' && echo /usr/bin/python3; } || echo python3; } 2>/dev/null)
endif
VENV := .venv
BIN := $(VENV)/bin
# The site's generator has packages of its own, which nothing else needs.
SITE_VENV := build/site-venv
PIP := --quiet --disable-pip-version-check --require-hashes
CODE := __main__.py components config node recovery lab
# Programs that tests check rendered files with. Root gets them by apt; elsewhere the tests that need
# a missing one are skipped with the reason shown.
SYSTEM_PACKAGES := cloud-init debian-archive-keyring debootstrap dnsmasq-base e2fsprogs gcc haproxy \
	iproute2 libc6-dev libseccomp-dev nftables openssl pkg-config shellcheck systemd \
	systemd-container xfsprogs

.PHONY: help up lab machines prove proofs down destroy test test-engine test-daemons test-all times installed check format lint types golden reference docs figures recording lock packages

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/ -/'

up: $(VENV)/installed ## Bring the cluster up in the embedded local cloud, or continue
	@$(BIN)/python -m lab up

lab: machines ## Boot every machine for real and prove what is claimed; it stays up (Linux, root)
	@$(BIN)/python -m lab prove

machines: $(VENV)/installed packages ## Boot every machine for real, without the proofs
	@$(BIN)/python -m lab up --machines

prove: $(VENV)/installed packages ## As `lab`, then prove that nothing is left of it
	@$(BIN)/python -m pytest -m machines lab/tests
	@# The state is written once an update, not after each of its 800 steps: the lab is thrown away.
	@PULUMI_SKIP_CHECKPOINTS=true $(BIN)/python -m lab prove --up --destroy

proofs: $(VENV)/installed packages ## Prove every failure under load, half an hour of random ones too, and publish the figures
	@$(BIN)/python -m lab prove --up -- --failures --random-seconds 1800
	@$(BIN)/python -m lab.proofs.report build/failover.json --picture etcd-leader-silent

down: $(VENV)/installed ## Stop the local cloud and remove everything it made
	@$(BIN)/python -m lab down

destroy: $(VENV)/installed ## Run `pulumi destroy` on the local stack
	@. .lab/env && pulumi destroy --yes --stack local

test: $(VENV)/installed ## Run the tests that need no build, no root and no daemon
	@$(BIN)/python -m tests units

test-engine: $(VENV)/installed ## Run the tests of the real engine alone
	@$(BIN)/python -m tests engine

test-daemons: $(VENV)/installed packages ## Run the tests of real etcd, Kubernetes and HAProxy alone
	@$(BIN)/python -m tests daemons

test-all: $(VENV)/installed packages ## Run every test that boots no machine, with what they need built
	@$(BIN)/python -m tests

times: $(VENV)/installed ## Print the slowest tests of the last run
	@$(BIN)/python -m tests --times

check: lint types ## Check format, lint and strict types

lint: $(VENV)/installed
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: $(VENV)/installed
	@$(BIN)/mypy $(CODE)

format: $(VENV)/installed ## Format and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

golden: $(VENV)/installed ## Write the rendered user data and the URNs that reviews compare with
	@$(BIN)/python -m pytest tests/golden --update-golden

reference: $(VENV)/installed ## Write config/schema.json, docs/configuration.md, docs/iam and figures in documents
	@$(BIN)/python -m config.reference
	@$(BIN)/python -m components.iam.operator_policies
	@$(BIN)/python -m lab.tests.figures.documents

docs: $(SITE_VENV)/installed ## Build the documentation as a site into build/site; a broken link or anchor fails
	@# A copy in the layout of the repository: links between docs/ and the rest work as on GitHub.
	@rm -rf build/site-source && mkdir -p build/site-source
	@cp --recursive --parents --target-directory=build/site-source \
		*.md lab/README.md docs examples LICENSE config/prices.py
	@# Without --quiet, which keeps warnings from the strict mode too.
	@NO_MKDOCS_2_WARNING=1 $(SITE_VENV)/bin/mkdocs build --strict

figures: $(VENV)/installed ## Measure; FIGURES="leases proxy" measures failovers of real daemons
	@$(BIN)/python -m lab.tests.figures $(FIGURES)

recording: $(VENV)/installed packages ## Record the picture of the README on machines that boot (asciinema, svg-term)
	@$(BIN)/python docs/recording/record.py docs/images/session.svg

lock: $(VENV)/installed ## Resolve requirements*.in into the lock files
	@$(BIN)/pip install --quiet uv
	@for name in requirements requirements-dev requirements-docs; do \
		$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-emit-index-url \
			--python-version 3.11 --custom-compile-command "make lock" $$name.in -o $$name.txt; \
	done

installed: $(VENV)/installed ## Install the locked Python packages into .venv

packages: ## Install the system packages that real daemons and machines need (root, apt)
	@missing=(); for package in $(SYSTEM_PACKAGES); do \
		dpkg-query --show --showformat='$${db:Status-Status}' $$package 2>/dev/null \
			| grep -qx installed || missing+=($$package); \
	done; \
	if (( $${#missing[@]} == 0 )); then exit 0; fi; \
	if (( $$(id -u) != 0 )) || ! command -v apt-get >/dev/null; then \
		echo "not installed, so tests that need them are skipped: $${missing[*]}"; exit 0; \
	fi; \
	echo "installing $${missing[*]}"; \
	export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1; \
	{ apt-get update -qq && apt-get install -qq --no-install-recommends "$${missing[@]}"; } \
		>/dev/null || { echo "apt-get could not install $${missing[*]}; see its message above"; exit 1; }

$(VENV)/installed: requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; set PYTHON to one, for example PYTHON=python3.11"; exit 1; }
	@echo "installing the Python packages of requirements-dev.txt into $(VENV), with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV) \
		|| { echo "python3-venv is missing: apt-get install python3-venv"; exit 1; }
	@# uv takes seconds where pip takes minutes; it is installed by its locked hash like the rest.
	@sed -n '/^uv==/,/[^\\]$$/p' $< > $(VENV)/uv.txt
	@{ $(BIN)/pip install $(PIP) -r $(VENV)/uv.txt && $(BIN)/uv pip install --quiet --require-hashes -r $<; } \
		|| { echo "uv did not install them; trying pip"; $(BIN)/pip install $(PIP) -r $<; } \
		|| { echo "the packages could not be installed: is the package registry reachable?"; exit 1; }
	@touch $@

$(SITE_VENV)/installed: requirements-docs.txt | $(VENV)/installed
	@echo "installing the Python packages of requirements-docs.txt into $(SITE_VENV)"
	@$(PYTHON) -m venv $(SITE_VENV)
	@$(BIN)/uv pip install --python $(SITE_VENV) --quiet --require-hashes -r $< \
		|| { echo "uv did not install them; trying pip"; $(SITE_VENV)/bin/pip install $(PIP) -r $<; }
	@touch $@
