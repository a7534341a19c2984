# Everything a developer runs. `make help` lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The test bed's package is used from the tree; it is no part of the operator.
export PYTHONPATH := testbed:.
# Bytecode is kept: each process of a test would else compile the project anew.
unexport PYTHONDONTWRITEBYTECODE
# Runs a command among namespaces of its own, where the real servers are started.
BED := $(BIN)/python -m spout_testbed run --
# What knows no version of Pachyderm.
NEUTRAL := operator/spout_operator/core operator/spout_operator/controller operator/spout_operator/ports
# Coverage costs a quarter from Python 3.12 on (sys.monitoring), and doubles the time before. pyproject.toml has the floor.
COVERAGE = $(shell $(BIN)/python -c 'import sys; sys.version_info >= (3, 12) and print("--cov --cov-report=term")')
CODE := operator testbed demo tests benchmarks examples charts deploy release

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 20

$(VENV)/.installed: requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit(f"Python 3.11 or later is needed, $(PYTHON) is {sys.version.split()[0]}; name another: make PYTHON=python3.12 ...")'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo 'The modules venv and ensurepip are missing; install them: apt-get install python3-venv' >&2; exit 1; }
	@echo 'Installing the pinned dependencies into $(VENV) ...'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: setup
setup: $(VENV)/.installed ## install what developing needs into .venv (pinned, with hashes)

.PHONY: testbed
testbed: setup ## build and fetch the real servers, once, into the user's cache folder (about 17 min the first time)
	@$(BIN)/python -m spout_testbed build

# The servers go first: most suites wait for them, and both are built at the same time.
.PHONY: tools
tools: setup ## build and fetch the linters and validators of chart, manifests and workflows (about 10 min the first time)
	@nice $(BIN)/python -m spout_testbed build --tools

.PHONY: demo
demo: testbed ## watch the main functions on real servers; PACHYDERM=2.12, KEEP=1 leaves it running
	@KEEP=$(KEEP) PACHYDERM=$(PACHYDERM) $(BED) $(BIN)/python -m demo

.PHONY: check
check: setup ## lint, types, layers, manifests: quick, run before each commit
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy $(CODE)
	$(BIN)/lint-imports --no-logo
	@! grep -rnE --include=*.py 'Pachyderm [12][.][0-9]|\b[12][.][0-9]+[.][0-9]+' $(NEUTRAL) || { echo 'These modules decide by capability and name no version of Pachyderm (docs/architecture.md).' >&2; exit 1; }
	$(BIN)/yamllint --strict crds deploy examples .github charts/spout-operator/ci charts/spout-operator/files charts/spout-operator/values.yaml
	$(BIN)/hadolint Dockerfile examples/kafka/Dockerfile examples/kafka-native/Dockerfile
	$(BIN)/zizmor --offline --quiet --persona=pedantic .github/workflows
	$(BIN)/python -m release.generate --verify

.PHONY: generate
generate: setup ## write every generated file: the version, the chart's CRD, the table of values, argocd-cm.yaml, figures
	@$(BIN)/python -m release.generate

.PHONY: verify
verify: setup ## fail where a generated file is not as `make generate` writes it; part of `make check`
	@$(BIN)/python -m release.generate --verify

.PHONY: hooks
hooks: ## have git run `make check` before each commit
	git config core.hooksPath .githooks

.PHONY: fix
fix: setup ## format, and mend what the linter can mend
	$(BIN)/ruff check --fix --quiet $(CODE)
	$(BIN)/ruff format $(CODE)

.PHONY: test-unit
test-unit: setup ## unit tests, no server; on Python 3.12 and later with their coverage (COVERAGE= leaves it out)
	$(BIN)/python -m pytest --numprocesses=auto $(COVERAGE) tests/unit tests/packaging/{deploy,documentation,examples}
	@$(if $(COVERAGE),:,echo 'Without coverage. On any Python: make test-unit COVERAGE="--cov --cov-report=term"')

# mutmut is installed apart, for those who ask for it.
build/mutants/tools/.installed: requirements-mutants.txt | setup
	@rm -rf $(@D)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --target $(@D) -r requirements-mutants.txt
	@touch $@

.PHONY: mutants
mutants: setup build/mutants/tools/.installed ## change core/ and the election in small ways: does a test notice? MUTANTS='*lease*' runs some, OF=controller the controller's
	$(BIN)/python -m tests.mutation $(or $(OF),core) $(MUTANTS)

# So is atheris.
build/fuzz/tools/.installed: requirements-fuzz.txt | setup
	@rm -rf $(@D)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --target $(@D) -r requirements-fuzz.txt
	@touch $@

.PHONY: fuzz
fuzz: setup build/fuzz/tools/.installed ## look for archives that the bridge cannot cope with, for SECONDS=60 (Python up to 3.13)
	PYTHONPATH=$(PYTHONPATH):build/fuzz/tools $(BIN)/python -m tests.fuzz build/fuzz/found $(or $(SECONDS),60)

.PHONY: test-testbed
test-testbed: testbed ## the test bed's own tests
	$(BIN)/python -m pytest tests/testbed/test_unit_*.py tests/testbed/test_run_*.py
	$(BED) $(BIN)/python -m pytest tests/testbed/test_bed_*.py

.PHONY: test-contract
test-contract: testbed ## the contracts of the ports, on real servers (pachd 1.13.4 and 2.12.2 among them) and on the fakes
	@$(BIN)/python -m spout_testbed build --only podpatch
	$(BED) $(BIN)/python -m pytest tests/contract

.PHONY: test-pachyderm
test-pachyderm: setup ## the adapter's contract on another Pachyderm: VERSION=2.8.10; no part of `make test`
	@test -n '$(VERSION)' || { echo 'Name a version of Pachyderm: make test-pachyderm VERSION=2.8.10' >&2; exit 1; }
	@$(BIN)/python -m spout_testbed build --pachyderm '$(VERSION)'
	$(BIN)/python -m spout_testbed run --pachyderm '$(VERSION)' -- $(BIN)/python -m pytest tests/contract/pachyderm -k 'real-$(VERSION)'

.PHONY: test-integration
test-integration: testbed ## CRD and operator on a real kube-apiserver; run-local, which needs no server
	$(BIN)/python -m pytest tests/integration/local
	$(BED) $(BIN)/python -m pytest tests/integration --ignore=tests/integration/local

.PHONY: test-oldest
test-oldest: setup ## the same on the oldest supported Kubernetes (about 6 min more the first time); no part of `make test`
	@$(BIN)/python -m spout_testbed build --only kubernetes-oldest
	$(BIN)/python -m spout_testbed run --oldest -- $(BIN)/python -m pytest tests/integration/crd tests/integration/operator

.PHONY: test-e2e
test-e2e: test-e2e-1 test-e2e-1-rest test-e2e-2 ## the operator on a real kube-apiserver, a real pachd of each major version and its workers

.PHONY: test-e2e-1
test-e2e-1: testbed ## the part of it on Pachyderm 1.13: the modules from a to m
	$(BED) $(BIN)/python -m pytest tests/e2e/test_[a-m]*.py

.PHONY: test-e2e-1-rest
test-e2e-1-rest: testbed ## the modules from n to z; beside the others they take about as long
	$(BED) $(BIN)/python -m pytest tests/e2e/test_[n-z]*.py

.PHONY: test-e2e-2
test-e2e-2: testbed ## the part of it on Pachyderm 2.12
	$(BED) $(BIN)/python -m pytest tests/e2e/pachyderm_2

.PHONY: test-chart
test-chart: testbed tools ## the chart, the alerts and what GitOps tools see, without servers and on a real kube-apiserver
	$(BIN)/python -m pytest tests/packaging/{chart,gitops,observability}/test_unit_*.py
	$(BED) $(BIN)/python -m pytest tests/packaging/chart/test_bed_*.py
	$(BED) $(BIN)/python -m pytest tests/packaging/{gitops,observability}/test_bed_*.py

.PHONY: test-dockerfile
test-dockerfile: setup ## the commands of the Dockerfile's build stage, in a clean environment
	$(BIN)/python tests/packaging/dockerfile/run_build_stage.py

.PHONY: test-all
test-all: test-e2e test-contract test-integration test-chart test-testbed test-dockerfile release-check ## every test that needs a server

.PHONY: test
test: check test-unit ## everything, from nothing; three of the suites that need servers run at a time
	@$(MAKE) --no-print-directory --jobs=3 --output-sync=target test-all

.PHONY: bench
bench: testbed tools ## the numbers of docs/benchmarks.md, side by side in one run; SAVE=1 saves those of many Spouts
	@$(BIN)/python -m benchmarks.bridge
	@$(BED) $(BIN)/python -m benchmarks
	@$(BED) $(BIN)/python -m benchmarks.scale $(if $(SAVE),--save)
	@$(BED) $(BIN)/python -m benchmarks.user_code

.PHONY: lock
lock: ## pin the dependencies anew, with hashes (needs uv)
	uv pip compile -q --no-strip-extras --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.txt
	uv pip compile -q --no-strip-extras --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group local -c requirements.txt -o requirements-local.txt
	uv pip compile -q --no-strip-extras --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group dev pyproject.toml -o requirements-dev.txt
	uv pip compile -q --no-strip-extras --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group mutants -c requirements-dev.txt -o requirements-mutants.txt
	uv pip compile -q --no-strip-extras --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group fuzz -o requirements-fuzz.txt

.PHONY: dist
dist: setup ## build the wheel, the same bytes from the same commit
	@rm -f dist/*.whl
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python -m build --no-isolation --wheel --outdir dist .

.PHONY: sbom
sbom: setup ## the Python packages in the image: dist/sbom.cdx.json, CycloneDX
	@mkdir -p dist
	$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --of JSON -o dist/sbom.cdx.json requirements.txt

.PHONY: audit
audit: setup ## known vulnerabilities of what is pinned; `Error 3` says that nobody could be asked
	$(BIN)/python -m release.audit

.PHONY: test-install
test-install: dist ## install from the lock, hash by hash, into a new environment
	@rm -rf build/install && $(PYTHON) -m venv build/install
	build/install/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	build/install/bin/python -m pip install --quiet --disable-pip-version-check --no-deps dist/*.whl
	build/install/bin/python -m pip check
	build/install/bin/spout-operator --version

.PHONY: test-release
test-release: tools ## versions, pins, workflows, wheel, SBOM, audit rules
	$(BIN)/python -m pytest tests/packaging/release

.PHONY: release-check
release-check: test-release sbom test-install ## all of a release that can be checked here; TAG=vX.Y.Z is compared too
	$(BIN)/python -m release.check $(TAG)

.PHONY: clean
clean: ## remove what was built here; the servers stay in the user's cache folder
	rm -rf $(VENV) build dist .demo .mypy_cache .ruff_cache .pytest_cache .coverage .hypothesis .import_linter_cache
