# make train   set up (core and plotting only) and train the guide's CNN on real digits
# make test    set up the test environment; run ruff, mypy and pytest
# make xla     operations, layers and training once more, on the XLA backend
# make complete   the complete programs of tests/programs, on the NumPy and XLA backends
# make quick   before a commit, in less than a minute: ruff, and tests of values, gradients, models and errors
# make lint    ruff and mypy alone       make coverage   pytest with line coverage
# make stubs   what editors read of the tables of contents, __init__.pyi, written anew
# make parity  which public names of Keras are here, by namespace, and what the others say; into tests/parity.md
# make docs    the documentation, in docs/_build/html
# make bench   Layerwise and its peers, measured in turns: see benchmarks/README.md
# make sanitize   the native tests with address, undefined-behaviour and thread sanitizers
# make fuzz    atheris on every reader of files, FUZZ_SECONDS each, in an environment of its own
# make wheel   a wheel with the compiled kernels, in dist/
# make clean   remove the environment and everything built (runs/ stays)
#
# Everything is installed into .venv, and the C++ kernels are compiled into the source tree. A stamp is newer than
# pyproject.toml, constraints.txt and src/native once an extra is there, so a second run installs nothing and needs no
# network. Works with GNU make 3.81.

PYTHON  =#          the interpreter to build .venv with; the newest suitable one where empty
WORKERS = 2#        processes that share the tests; 0 runs them in one
# One thread for each: processes whose threads outnumber the cores wait for each other. What JAX and Python compile for one
# process is there for the others, and for the next run of the same make.
ALONE   = OPENBLAS_NUM_THREADS=1 LAYERWISE_NUM_THREADS=1
SHARED  = JAX_COMPILATION_CACHE_DIR=$(CURDIR)/build/programs PYTHONDONTWRITEBYTECODE=
PYTEST  = $(ALONE) $(SHARED) .venv/bin/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)
# What computes, on the reference too: a second run, where the first one was on the kernels, without the tests that name
# the backends they compute on: these would do the same again.
COMPUTE = $(addprefix tests/test_,autograd.py core.py fit_against_keras.py layers.py losses.py metrics.py models.py ops.py \
          ops_properties.py optimizers.py plan.py random.py user_layers.py)
# Much of what may break, in little time: without Keras and programs of their own.
QUICK   = $(addprefix tests/test_,autograd.py callbacks.py core.py errors.py models.py observe.py ops.py packaging.py \
          structure.py)
FUZZ_SECONDS = 10
BUILT   = src/layerwise/backends/_native*.so src/layerwise/backends/_native.txt
SETUP   = pyproject.toml constraints.txt $(wildcard src/native/*)

.PHONY: train test xla complete quick programs lint coverage stubs parity docs bench sanitize fuzz wheel clean

train: .venv/plot.stamp
	.venv/bin/layerwise train $(ARGS)

test: .venv/test.stamp lint programs
	@echo "Running the tests in $(WORKERS) processes: three to five minutes on 2 cores."
	$(PYTEST)
	! ls src/layerwise/backends/_native*.so >/dev/null 2>&1 || LAYERWISE_BACKEND=numpy $(PYTEST) -m 'not own_backend' $(COMPUTE)

xla: .venv/test.stamp programs
	@echo "Running operations, layers and training on the XLA backend: one to two minutes on 2 cores."
	LAYERWISE_BACKEND=xla JAX_ENABLE_X64=1 XLA_FLAGS= $(PYTEST) tests/test_ops.py::test_value tests/test_ops.py::test_subgradient \
	    tests/test_layers.py tests/test_fit_against_keras.py::test_a_convolutional_network_has_keras_loss_curve

complete: .venv/test.stamp programs
	LAYERWISE_BACKEND=numpy $(PYTEST) tests/test_complete_programs.py
	LAYERWISE_BACKEND=xla $(PYTEST) tests/test_complete_programs.py

quick: .venv/test.stamp programs
	.venv/bin/python -m ruff check .
	$(PYTEST) $(QUICK)

programs:
	@rm -rf build/programs

lint: .venv/test.stamp
	.venv/bin/python -m ruff check .
	.venv/bin/python -m mypy

coverage: .venv/test.stamp programs
	$(PYTEST) --cov --cov-report=term-missing

stubs: .venv/test.stamp
	.venv/bin/python .ci/stubs.py

parity: .venv/test.stamp
	.venv/bin/python .ci/parity.py

docs: .venv/docs.stamp
	.venv/bin/python -m sphinx -W -b html docs docs/_build/html
	! grep -rE '(src|href)="https?:[^"]*[.](js|css|woff2?)"' docs/_build/html --include='*.html'  # all that a page needs is local

bench: .venv/plot.stamp
	.venv/bin/python benchmarks/run.py $(ARGS)

sanitize: .venv/test.stamp
	.ci/sanitize address,undefined
	.ci/sanitize thread

fuzz: build/fuzz/bin/python
	@for reader in .keras .card.keras .weights.h5 .h5 .safetensors .idx .idx.gz .npz .csv .png .tar.gz; do \
	    echo "Fuzzing the reader of $$reader files"; \
	    PYTHONPATH=src:tests $< .ci/fuzz.py $$reader $(FUZZ_SECONDS) build/fuzz/$$reader 2>&1 | tail -n 6; \
	    test -z "$$(ls build/fuzz/$$reader/findings)" || exit 1; \
	done

build/fuzz/bin/python: | .venv/bin/python
	.venv/bin/python -m venv build/fuzz
	build/fuzz/bin/python -m pip install --quiet --disable-pip-version-check atheris numpy h5py rich pillow

wheel: | .venv/bin/python
	.venv/bin/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
	@ls -l dist

clean:
	rm -rf .venv benchmarks/.venv build dist $(BUILT) docs/_build htmlcov .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src tests -name __pycache__ -prune -exec rm -rf {} +

.venv/plot.stamp: $(SETUP) | .venv/bin/python
	@echo "Installing Layerwise with plotting into .venv: 48 MB to download, 230 MB on disk; a minute, most of it to compile"
	@echo "kernels for this processor."
	@.ci/install '.[plot]' --config-settings cmake.define.THIS_PROCESSOR=ON
	@touch $@

# The test extra contains the plot extra: `make train` after `make test` has nothing left to install.
.venv/test.stamp: $(SETUP) | .venv/bin/python
	@echo "Installing the test environment into .venv: 230 MB to download, 1.0 GB on disk; about three minutes."
	@.ci/install '.[test]' --config-settings cmake.define.THIS_PROCESSOR=OFF
	@touch .venv/plot.stamp $@

.venv/docs.stamp: $(SETUP) | .venv/bin/python
	@echo "Installing the documentation tools into .venv: 65 MB to download, 310 MB on disk; about two minutes."
	@.ci/install '.[plot,docs]' --config-settings cmake.define.THIS_PROCESSOR=OFF
	@touch .venv/plot.stamp $@

.venv/bin/python:
	@echo "Making a Python environment in .venv."
	@for python in $(or $(PYTHON),python3.14 python3.13 python3.12 python3.11 python3); do \
	    version=$$("$$python" -c 'import sys; print("%d.%d" % sys.version_info[:2]); sys.exit(sys.version_info < (3, 11))' \
	        2>/dev/null) || continue; \
	    "$$python" -c 'import ensurepip, venv' 2>/dev/null && exec "$$python" -m venv --clear .venv; \
	    without_venv=$${without_venv:-$$version}; \
	done; \
	if [ -n "$$without_venv" ]; then \
	    echo "Python $$without_venv is here, its venv module is not: sudo apt-get install python$$without_venv-venv"; \
	else \
	    echo "Layerwise needs Python 3.11 or newer with venv: sudo apt-get install python3 python3-venv"; \
	fi >&2; exit 1
