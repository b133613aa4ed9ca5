# Everything happens in .venv, from hashed locks; python3 (>= 3.11) with venv and pip is all that must be there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
# One pytest worker per core.
JOBS ?= $(shell getconf _NPROCESSORS_ONLN)
READY := $(VENV)/.ready
BROWSER := $(VENV)/.browser
# Prompt Flow holds other packages back, and so has an environment of its own.
FLOWS_VENV := .venv-flows
FLOWS_READY := $(FLOWS_VENV)/.ready
# And so has Agent Framework, which needs newer ones.
MAF_VENV := .venv-maf
MAF_READY := $(MAF_VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help install demo test check infra-check lint serve flows compare evaluate lifecycle bench bench-peers nightly train corpus train-whisper train-translate lock clean

help:  ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(READY)  ## Make the environment, .venv

demo: $(READY)  ## Transcribe and translate the sample calls, offline
	@$(BIN)/dragoman demo

test: lint $(BROWSER) $(FLOWS_READY) $(MAF_READY)  ## Run everything that a change must pass
	$(BIN)/python -m pytest -n $(JOBS) tests

check: lint  ## Lint, types, floors and the quick tests, in under a minute
	$(BIN)/python -m pytest -n $(JOBS) -m "not slow" tests

# Types are judged by Bicep's CLI, or by the checker whose folder DRAGOMAN_BICEPCHECK names (infra/README.md).
infra-check: $(READY)  ## Check what is deployed to Azure, without Azure
	@$(BIN)/python -m infra.check

lint: $(READY)
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/mypy --no-error-summary
	$(BIN)/lint-imports --no-cache --no-logo > $(VENV)/floors.txt || { cat $(VENV)/floors.txt; exit 1; }

serve: $(READY)  ## Serve on http://127.0.0.1:8090
	@$(BIN)/dragoman serve

flows: $(FLOWS_READY)  ## Make the environment of Prompt Flow (flows/README.md says what to do with it)
	@mkdir -p build/promptflow && cp flows/pf.yaml build/promptflow/

compare: flows  ## Run every variant of a flow over its data, and evaluate each (FLOW=insight, a minute; or answer)
	@set -a; . ./flows/pf.env; set +a; $(FLOWS_VENV)/bin/python flows/compare.py $(FLOW)

# What a pull request is judged by. A stage that is stopped does not keep the others from being judged.
STAGES ?= speech translation insight answer polish orders live
evaluate: $(READY)  ## Evaluate what ships, stage by stage, and judge it by its gates (two minutes; STAGES="speech insight")
	@stopped=; for stage in $(STAGES); do \
		$(BIN)/dragoman evaluate --stage $$stage --gate --afresh > /dev/null; \
		$(BIN)/dragoman gate evaluation/$$stage --format markdown > evaluation/$$stage/verdict.md; \
		$(BIN)/dragoman gate evaluation/$$stage || stopped="$$stopped $$stage"; \
	done; test -z "$$stopped" || { echo "stopped:$$stopped; the reports are in evaluation/"; exit 1; }

lifecycle: $(READY)  ## The whole loop once, offline, in three minutes: data, gate, deploy, promote, stop, roll back
	@$(BIN)/dragoman lifecycle

bench: $(READY)  ## Measure speed and word error rate beside faster-whisper
	$(BIN)/python -m bench.whisper

bench-peers: $(READY)  ## Measure streams beside WhisperLive and WhisperLiveKit, each in its own environment (an hour)
	$(BIN)/python -m bench.peers

# Training has an environment of its own. PyTorch comes by pip, in the build that suits the machine; all else is locked.
TRAIN_VENV := .venv-train
TRAIN := $(TRAIN_VENV)/bin/python
TRAIN_READY := $(TRAIN_VENV)/.ready
MINUTES ?= 95
FURTHER ?= 0

nightly: $(READY) $(FLOWS_READY) $(TRAIN_READY)  ## Run what is too heavy for every change: the tests that need PyTorch or take long, and many requests
	$(TRAIN) -m pytest tests/training tests/nightly
	$(BIN)/python -m pytest -m nightly tests
	EXAMPLES=200 $(BIN)/python -m pytest tests/api/test_document.py

train: train-translate train-whisper  ## Make both bundled models from nothing, about two hours on two cores

corpus: $(TRAIN_READY)
	$(TRAIN) -m training.speech

train-whisper: corpus  ## Train, convert and evaluate the micro Whisper; goes on where it stopped
	$(TRAIN) -m training.whisper --minutes $(MINUTES) --further $(FURTHER)

train-translate: $(TRAIN_READY)  ## Train, convert and evaluate the micro translator
	$(TRAIN) -m training.translate

$(TRAIN_READY): $(UV) requirements/training.txt pyproject.toml
	@test -x $(TRAIN) || $(PYTHON) -m venv $(TRAIN_VENV)
	@$(TRAIN) -m pip install --quiet --disable-pip-version-check torch==2.13.0
	@$(UV) pip install --quiet --python $(TRAIN) --no-deps --require-hashes -r requirements/training.txt
	@$(UV) pip install --quiet --python $(TRAIN) --no-deps --no-build-isolation -e .
	@touch $@

$(FLOWS_READY) $(MAF_READY): .venv-%/.ready: requirements/%.txt $(UV) pyproject.toml
	@test -x .venv-$*/bin/python || $(PYTHON) -m venv .venv-$*
	@$(UV) pip sync --quiet --python .venv-$*/bin/python --require-hashes $<
	@$(UV) pip install --quiet --python .venv-$*/bin/python --no-deps --no-build-isolation -e .
	@touch $@

LOCK := $(UV) pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 \
  --custom-compile-command "make lock"

lock: $(UV)  ## Write the locks anew, one per environment
	$(LOCK) -o requirements/uv.txt requirements/uv.in
	$(LOCK) --group dev --extra aml --extra asr-local --extra azure --extra blob --extra chat --extra data --extra eval --extra metrics --extra monitor --extra postgres --extra serve --extra tracking -o requirements/dev.txt pyproject.toml
	$(LOCK) --extra asr-local --extra azure --extra blob --extra chat --extra postgres --extra serve --extra monitor -o requirements/service.txt pyproject.toml
	$(LOCK) --group editable --extra chat --extra flows --extra metrics -o requirements/flows.txt pyproject.toml
	$(LOCK) --group editable --extra chat --extra maf -o requirements/maf.txt pyproject.toml
	$(LOCK) --group dev --extra bertscore --extra eval --extra training --override requirements/no-torch.in -o requirements/training.txt pyproject.toml

clean:  ## Remove what the targets made
	rm -rf $(VENV) $(TRAIN_VENV) $(FLOWS_VENV) $(MAF_VENV) build dist demo-output .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(UV): requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=/path/to/it")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $(UV)

# Tests in a browser and on PostgreSQL need what apt gives to root; for anybody else they skip by name.
APT = DEBIAN_FRONTEND=noninteractive apt-get -qq
$(BROWSER): $(READY)
	@wanted=; command -v chromium > /dev/null || wanted="chromium fonts-dejavu-core"; \
	ls /usr/lib/postgresql/*/bin/pg_ctl > /dev/null 2>&1 || command -v pg_ctl > /dev/null || wanted="$$wanted postgresql"; \
	command -v node > /dev/null || wanted="$$wanted nodejs"; command -v npm > /dev/null || wanted="$$wanted npm"; \
	if [ -n "$$wanted" ] && [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
		{ $(APT) update && $(APT) install --no-install-recommends $$wanted; } > $(VENV)/browser.log 2>&1 \
		|| echo "apt could not install $$wanted ($(VENV)/browser.log); the tests that need them will skip"; \
	fi
	@touch $@

$(READY): $(UV) requirements/dev.txt pyproject.toml
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt requirements/uv.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@
