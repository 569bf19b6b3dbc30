PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PRETTIER_FILES := "explorer/**/*.{js,ts,css}" package.json tsconfig.json

JOIN := esbuild --bundle --minify --log-level=error
JOIN_PAGE := $(JOIN) --format=iife explorer/export/living_page.js
JOIN_WIDGET := $(JOIN) --format=esm explorer/export/widget.js

.PHONY: run serve test unit slow lint parity bench fuzz load picture sheet plotly joined schemas networks table clean

run: $(VENV)/run-ready
	$(BIN)/streamlit run app.py

# Several processes behind HAProxy, which must be installed; OPTIONS are those of deploy/serve.py and
# of `streamlit run`.
WORKERS ?= 2
serve: $(VENV)/run-ready
	$(BIN)/python deploy/serve.py --workers=$(WORKERS) $(OPTIONS)

test: $(VENV)/test-ready
	$(BIN)/python -m tests.browser.chromium
	$(BIN)/python -m pytest -m "not slow"

unit: $(VENV)/test-ready
	$(BIN)/python -m pytest -m "not browser and not slow" $(TESTS)

# What daily work rarely touches: floods, full disks, hostile files, the wheel, settings of JAX.
slow: $(VENV)/test-ready
	$(BIN)/python -m tests.browser.chromium
	$(BIN)/python -m pytest -m slow $(TESTS)

lint: $(VENV)/test-ready node_modules/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	npx tsc
	npx prettier --check $(PRETTIER_FILES)
	npx $(JOIN_PAGE) | cmp - explorer/export/joined.js || { echo "Run make joined."; exit 1; }
	npx $(JOIN_WIDGET) | cmp - explorer/export/joined_widget.js || { echo "Run make joined."; exit 1; }

# Node.js checks the browser's modules; only `make lint` needs it.
node_modules/ready: package.json package-lock.json
	$(PYTHON) -m tests.node
	npm ci --no-audit --no-fund
	touch $@

# Checkpoints of timm, torchvision and transformers compared with the networks themselves. These are
# installed apart, for this alone, in an environment that has the requirements of the tests too.
parity: .venv-parity/ready
	.venv-parity/bin/python -m pytest tests/parity

.venv-parity/ready: tests/parity/requirements.txt requirements.txt tests/requirements.txt
	$(MAKE) VENV=.venv-parity .venv-parity/test-ready
	.venv-parity/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

# Speed of the engine and the page, compared with peers; writes docs/benchmark.md. PyTorch and torchlens are
# installed apart, for this alone; a CPU build is enough, and without them their rows are left out.
# So are CNN Explainer's, unless CNN_EXPLAINER is the path of a checkout of it, which is built apart, and those
# of an earlier commit, unless BEFORE is the path of a checkout of it.
bench: $(VENV)/test-ready .venv-peers/ready
	$(BIN)/python -m tests.browser.chromium
	$(if $(CNN_EXPLAINER),$(PYTHON) -m tests.node)
	$(BIN)/python -m tests.bench

.venv-peers/ready: tests/bench/requirements.txt
	$(PYTHON) -m venv .venv-peers
	-.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

# Hostile files and URLs, and many users at once.
fuzz: $(VENV)/test-ready
	$(BIN)/python -m tests.hostile

load: $(VENV)/test-ready
	$(BIN)/python -m tests.load

# The README's picture, taken from the running page.
picture: $(VENV)/test-ready
	$(BIN)/python -m tests.browser.chromium
	$(BIN)/python -m tests.browser.picture

# plotly.js with the chart types on two axes, of the version that the plotly package has.
plotly: $(VENV)/run-ready
	npm pack --silent "plotly.js-cartesian-dist-min@$$($(BIN)/python -c \
	  'from plotly.offline import get_plotlyjs_version as v; print(v())')"
	tar xzf plotly.js-cartesian-dist-min-*.tgz --strip-components=1 \
	  -C explorer/linked_figure/plotly package/plotly-cartesian.min.js package/LICENSE
	rm plotly.js-cartesian-dist-min-*.tgz

# The scripts of saved pages and widgets: the linked figure's modules in one, since these import nothing.
joined: node_modules/ready
	npx $(JOIN_PAGE) > explorer/export/joined.js
	npx $(JOIN_WIDGET) > explorer/export/joined_widget.js

# The schemas of Kubernetes that the manifests are tested with, from a package that has those of all kinds.
KUBERNETES := 1.37.0
schemas: $(VENV)/test-ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
	  --target=artifacts/schemas kubernetes-validate==$(KUBERNETES)
	$(BIN)/python -m tests.deploy.renew_schemas artifacts/schemas $(KUBERNETES)
	rm -r artifacts/schemas

# All views at several sizes in one picture, artifacts/sheet.png; fails if the first view's panels are too small.
sheet: $(VENV)/test-ready
	$(BIN)/python -m tests.browser.chromium
	$(BIN)/python -m tests.browser.sheet

# The trained networks that the package ships, and the table of docs/training.md.
networks: $(VENV)/test-ready
	$(BIN)/python -m tests.networks

table: $(VENV)/test-ready
	$(BIN)/python -m tests.training_table

clean:
	rm -rf $(VENV) .venv-parity .venv-peers node_modules .pytest_cache

$(VENV)/run-ready: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; say which one: make PYTHON=python3.13 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/test-ready: tests/requirements.txt $(VENV)/run-ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	touch $@
