# The two commands a newcomer needs are `make report` and `make test`; `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXTRAS ?= test

.DEFAULT_GOAL := help
.PHONY: help report reference readme test slow compat lint oracle wheel clean

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

$(VENV)/.installed-%: pyproject.toml
	@echo "== setting up $(VENV) with the extra '$*' ($(PYTHON))"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

report: $(VENV)/.installed-test ## set up, reproduce the published findings, write results/atlas/atlas.html
	@echo "== reproducing the published findings on the real digits"
	@$(BIN)/gradstab reproduce

REFERENCE_FIGURES := s_vanish f_nielsen_init f_phase

reference: $(VENV)/.installed-test ## make the committed reference anew; look at the difference before committing it
	@$(BIN)/gradstab reproduce || echo "== verdicts differ from the reference of before"
	@mkdir -p results/reference
	@cp results/atlas/verdicts.json results/atlas/summary.md $(REFERENCE_FIGURES:%=results/atlas/figures/%.png) results/reference/

readme: $(VENV)/.installed-test ## make the outputs that README.md shows anew, and the pictures of docs/
	@$(BIN)/python -m tests.readme

# Empty is unset: where it is set, as on many CI machines, every process that a test starts compiles our code anew.
test slow: export PYTHONDONTWRITEBYTECODE =

test: $(VENV)/.installed-$(EXTRAS) ## set up and run the test suite
	@echo "== running the test suite"
	@$(BIN)/python -m pytest -n auto --dist worksteal

slow: $(VENV)/.installed-$(EXTRAS) ## the checks that take longer: findings against the reference, a real browser, an emulated processor, every fault
	@$(BIN)/python -m pytest -n auto --dist worksteal -m slow

compat: $(VENV)/.installed-compat ## the suite under every Python that is here: newest dependencies, and the lowest declared
	@$(BIN)/python tests/compat.py

lint: $(VENV)/.installed-dev ## ruff and mypy --strict
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

oracle: $(VENV)/.installed-oracle ## add PyTorch, whose autograd then checks every gradient in `make test`

wheel: $(VENV)/.installed-test ## build the wheel into dist/
	@$(BIN)/python -m build --wheel

clean: ## remove the environments and caches; results stay
	rm -rf $(VENV) .compat .pytest_cache .mypy_cache .ruff_cache dist build
