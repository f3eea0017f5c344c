# `make` installs into .venv; `make quickstart` and `make test` do everything on a fresh machine.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BENCH := outputs/benchmarks
BENCH_DIR ?= outputs/fullsize
TRAINED ?= outputs/demo

.PHONY: install quickstart modes test test-slow test-crash test-soak test-browser test-meaning test-cluster test-gpu bench-cpu bench-gpu train check format schema examples clean help

install: $(STAMP)

# uv reads [tool.uv] of pyproject.toml, which keeps `onnxruntime` from overwriting `onnxruntime-gpu`.
$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --editable ".[dev]"
	touch $@

quickstart: install ## two identities, two prompts, two seeds, on the CPU
	$(BIN)/standin run manifests/quickstart.yaml

modes: install ## one of each mode, on the CPU
	$(BIN)/standin run manifests/modes.yaml

test: install check ## everything that CI runs
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not slow and not gpu and not crash and not soak and not timing and not browser and not cluster and not meaning"
	$(BIN)/python -m pytest -m "timing and not slow and not cluster"

test-slow: install ## fuzzing and other checks of minutes
	$(BIN)/python -m pytest -m slow

test-crash: install ## kill a run at 200 moments: a quarter of an hour
	$(BIN)/python -m pytest -m crash

test-soak: install ## 2,000 jobs in one process: a quarter of an hour
	$(BIN)/python -m pytest -m soak

test-browser: install ## the gallery in Chromium, which has to be installed
	$(BIN)/uv pip install --quiet --python $(BIN)/python --editable ".[dev,browser]"
	$(BIN)/python -m pytest -m browser

test-meaning: install ## ask the demo model for 168 clips, and measure what they show
	$(BIN)/python -m training.meaning --out outputs/meaning --json outputs/meaning/numbers.json --sheets outputs/meaning/sheets

test-cluster: install ## Ray and Slurm on this machine: half an hour; as root it installs Debian's Slurm where there is none
	sh tests/cluster/install_slurm.sh
	$(BIN)/uv pip install --quiet --python $(BIN)/python --editable ".[dev,ray,slurm]" "ray[client]"
	$(BIN)/python -m pytest -m cluster

test-gpu: install ## what needs a CUDA device
	$(BIN)/python -m pytest -m gpu

bench-cpu: install ## measure what a CPU can: into outputs/benchmarks
	for name in batch runner plan kernel clip load speed_error cluster; do $(BIN)/python -m benchmarks.$$name --json $(BENCH)/$$name.json || exit; done

bench-gpu: install ## measure 14B on random weights: 41 GB of disk in BENCH_DIR, one GPU
	for name in kernel load; do $(BIN)/python -m benchmarks.$$name --json $(BENCH)/gpu-$$name.json || exit; done
	$(BIN)/python -m benchmarks.fullsize check
	for step in write manifest run stock; do $(BIN)/python -m benchmarks.fullsize $$step $(BENCH_DIR) || exit; done
	for name in fp8 sage cache compile turbo; do $(BIN)/python -m benchmarks.fullsize run $(BENCH_DIR) --name $$name --skip-reading; done; true
	$(BIN)/python -m benchmarks.fullsize report $(BENCH_DIR) --json $(BENCH)/fullsize.json --fill docs/performance.md

train: install ## train the demo model from nothing: hours, into outputs/demo; each stage goes on where it was stopped
	$(BIN)/uv pip install --quiet --python $(BIN)/python --editable ".[dev,training]"
	PATH="$(CURDIR)/$(BIN):$$PATH" && export PATH; for stage in vae dit.base dit.adapter dit.control dit.style; do $(BIN)/python -m training.$$stage --out $(TRAINED) || exit; done
	for model in detector embedder parser; do $(BIN)/python -m training.faces.$$model --out $(TRAINED)/faces || exit; done

check: install ## lint, format, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install ## rewrite to the house's format
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

schema: install ## rewrite what is generated from the manifest's schema
	$(BIN)/python -m standin_batch.manifest.json_schema

examples: install ## draw the clips and the LoRA of manifests/modes.yaml
	$(BIN)/python manifests/make_examples.py

clean: ## remove what is made here, but no outputs
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache checkpoints/tiny

help:
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14
