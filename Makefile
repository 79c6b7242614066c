# make route: set up and run the main job. make test: set up and check everything.
# make docs: write anew what is generated in the documentation.
# make fuzz: 20,000 hostile inputs to every reader and command.
# make bench: set up and measure beside peers, in ten minutes.
# make wheelhouse: fetch the libraries of the container image, for builds without a network (docs/running-it.md).
# make wheel: build a wheel that brings compiled loops along, for Linux on x86-64.
SHELL := /bin/bash
BIN := .venv/bin
EXAMPLE := examples/train-2k.fabric.yaml
# Hundreds of processes read the same modules: with compiled bytecode kept, each starts in half the time or less.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: route test lint types layers unit fuzz docs bench wheel wheelhouse format clean

route: .venv/.ready-run
	@mkdir -p out
	@# Exit code 1 is an answer too: a limit of the scenario does not hold.
	@$(BIN)/fabric route $(EXAMPLE) --color auto || test $$? -eq 1
	@$(BIN)/fabric draw tier $(EXAMPLE) --fabric backend --quiet --force -o out/train-2k-backend.svg
	@$(BIN)/fabric draw tier $(EXAMPLE) --fabric storage --quiet --force -o out/train-2k-storage.svg
	@echo "pictures: out/train-2k-backend.svg out/train-2k-storage.svg"

test: lint types layers unit

lint: .venv/.ready-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: .venv/.ready-dev
	$(BIN)/mypy

layers: .venv/.ready-dev
	$(BIN)/lint-imports

unit: .venv/.ready-dev
	@# A file's tests stay in one process, which makes and compiles what they share once; files in the order of
	@# tests/conftest.py, long ones first.
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

fuzz: .venv/.ready-dev
	FABRIC_FUZZ_CASES=20000 $(BIN)/python -m pytest tests/fuzz

docs: .venv/.ready-dev
	PYTHONPATH=docs $(BIN)/python -m generate

bench: .venv/.ready-bench
	$(BIN)/python -m benchmarks

wheel: .venv/.ready-run
	$(BIN)/python scripts/ship_loops.py
	$(BIN)/python -m pip wheel . --no-deps --wheel-dir out
	$(BIN)/python scripts/ship_loops.py --clear

wheelhouse: .venv/.ready-run
	scripts/wheelhouse.sh deploy/wheels

format: .venv/.ready-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.venv/.ready-run: pyproject.toml scripts/setup.sh
	@scripts/setup.sh run

.venv/.ready-dev: pyproject.toml scripts/setup.sh
	@scripts/setup.sh dev
	@touch .venv/.ready-run

.venv/.ready-bench: pyproject.toml scripts/setup.sh
	@scripts/setup.sh bench
	@touch .venv/.ready-run

clean:
	rm -rf .venv out build *.egg-info
