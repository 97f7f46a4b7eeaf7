# Stable names: scripts and tests rely on them.
PYTHON ?= python3
BIN := .venv/bin
INPUT ?=
SOURCE ?=
# Two torch processes on the same cores slow each other a hundredfold with more.
export OMP_NUM_THREADS ?= 1

.PHONY: setup demo test test-all bench bench-gpu test-gpu lint train clean

setup: .venv/.ready  ## make .venv with everything; no root

.venv/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[farm,worker,models,openvino,dev]'
	touch $@

demo: setup  ## render a real video with the embedded defaults, and print where the result is
	$(BIN)/farm demo $(if $(INPUT),--input '$(INPUT)') $(if $(SOURCE),--source '$(SOURCE)')

test: setup  ## what CI runs: lint, then every test but the long soaks
	$(MAKE) lint
	$(BIN)/pytest

test-all: setup
	$(BIN)/pytest -m ''

bench: setup
	$(BIN)/python -m bench

bench-gpu:  ## the engine on this machine's GPU; needs torch, numpy and safetensors, no setup
	$(PYTHON) -m bench.gpu $(BENCH_GPU)

test-gpu:  ## what only a GPU can show; needs torch, numpy, safetensors and pytest, no setup
	$(PYTHON) -m pytest -q --noconftest -c /dev/null --rootdir . --import-mode importlib tests/workers/engine/test_gpu.py

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

train: setup  ## train the fusion network that ships
	$(BIN)/python -m workers.training

clean:
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
