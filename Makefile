# Everything a developer or administrator runs. `make help` lists it.
PYTHON ?= python3
# Where it is set, every process that tests start compiles all of Teral anew, which takes half a second.
unexport PYTHONDONTWRITEBYTECODE
VENV   := .venv
BIN    := $(VENV)/bin
FRONT  := server/frontend

.DEFAULT_GOAL := help
.PHONY: help install run test test-pyodk test-central test-slow lint format bench soak migration translations clean

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/installed ## Make .venv with everything: Teral, its build and its tests

$(VENV)/installed: requirements.txt requirements-test.txt setup.cfg pyproject.toml $(FRONT)/package-lock.json $(FRONT)/build.mjs server/translations/fr/LC_MESSAGES/messages.po
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-test.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python $(FRONT)/build.py
	$(BIN)/pybabel --quiet compile --directory server/translations
	touch $@

run: install ## Set up, start on SQLite with demo data, print the address and the logins
	$(BIN)/teral run

test: lint ## Lint, then every test but the slow ones (five minutes at most)
	$(BIN)/python -m pytest -n 2 -m "not slow and not central"

test-pyodk: install ## Every method of pyodk and the calls of its examples, unchanged, against a running server (also part of `make test`)
	$(BIN)/python -m pytest tests/server/rest/test_pyodk.py

# Central's source is on GitHub, which is no package registry, so neither CI nor `make test` can have it.
test-central: install ## Beside the real ODK Central, in a checkout with its packages (TERAL_TEST_CENTRAL=folder)
	$(BIN)/python -m pytest tests/central

test-slow: install ## Long histories and full differential runs
	$(BIN)/python -m pytest -n 2 -m slow

lint: install ## Style, types, and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: install ## Put every file into the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install ## Measure what we claim about speed, each beside its floor (a part: BENCH="ingest sqlite --seconds 10")
	$(BIN)/python -m benchmarks $(BENCH)

soak: install ## All tests with new draws, the slow ones many times over with new seeds
	TERAL_SOAK=20 $(BIN)/python -m pytest -n 2 -m "not central"

migration: install ## Write the next numbered migration from the models (NAME="what it does")
	$(BIN)/teral database migration "$(NAME)"

translations: install ## Collect new messages into the French catalogue
	$(BIN)/pybabel --quiet extract --mapping-file server/translations/babel.cfg --keywords N_ --keywords _setting:2 --no-wrap --no-location --sort-output --omit-header --output /tmp/teral.pot .
	$(BIN)/pybabel --quiet update --input-file /tmp/teral.pot --output-dir server/translations --no-wrap --ignore-obsolete --no-fuzzy-matching --locale fr

clean: ## Remove what was built (var/, which holds data, stays)
	rm -rf $(VENV) $(FRONT)/node_modules server/static/vendor *.egg-info
