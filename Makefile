# make test and make demo are the two commands of the README; the rest is what they are made of.
# Everything they need is installed by them, from pip's configured index, into .venv and .envs.

# The newest Python that this release serves; say make PYTHON=/path/to/python to use another.
PYTHON ?= $(shell python3 scripts/envs.py python)
RUN := .venv/bin/python

.PHONY: test lint xla matrix demo notebooks wheel upstream clean

test: lint
	$(RUN) -m pytest -n 2 --dist loadgroup
	$(MAKE) xla

lint: .venv/ready
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check
	$(RUN) -m mypy

# The XLA backend's tests, which need JAX and Theano's port: XLA_PINS=newest for another pin set of
# tests/xla/pins, TESTS="tests/xla/test_state.py" for some of them.
TESTS ?= tests/xla tests/gpu tests/bench/with_theano
xla: .venv/ready
	PYTHONPATH=. $$($(RUN) scripts/envs.py xla $(XLA_PINS)) -m pytest -n 2 -p no:cacheprovider $(TESTS)

# The tests in real kernels, over every pin set that has its Python here.
matrix: .venv/ready
	@$(RUN) scripts/envs.py list
	THEANO_COLAB_TEST_PINS=all $(RUN) -m pytest -n 2 --dist loadgroup tests/kernel tests/questions

# Theano's own tests on the port: all, or FILES="tensor/tests/test_sort.py scan_module"; goes on where
# it was stopped. ARGS="--stack native" and others: see tests/upstream/run.py --help.
upstream: .venv/ready
	$(RUN) tests/upstream/run.py $(ARGS) $(FILES)

# The notebooks in kernels like Colab's, to build/demo/: all, or NOTEBOOKS="01_setup 05_lstm".
demo: .venv/ready
	$(RUN) scripts/demo.py $(NOTEBOOKS)

# The notebooks as they are committed: without outputs, with badges if the project has an address.
notebooks: .venv/ready
	$(RUN) scripts/notebook_files.py

wheel: .venv/ready
	$(RUN) scripts/envs.py wheel

.venv/ready: pyproject.toml
	@test -n "$(PYTHON)" || { echo "No Python that theano_colab serves was found; see above." >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(RUN) -m pip install --quiet --quiet --disable-pip-version-check --editable '.[test]'
	touch $@

clean:
	rm -rf .venv .envs build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
