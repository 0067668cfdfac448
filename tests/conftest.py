"""What every test shares: Keras, the oracle, runs on JAX; real data lies in a folder that the environment names."""

import gc
import os
import shutil
import signal
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

os.environ["KERAS_BACKEND"] = "jax"  # before anything imports keras
sys.modules["sklearn"] = None  # which Keras would import, for half as long again, for wrappers that nobody uses here
# JAX spends most of its time on compiling programs that run once: let it compile quickly, not well, and each once for
# all processes of a run, which share a folder. `XLA_FLAGS= make test` compiles as users do.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false")
os.environ |= {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}
gc.disable()  # until all tests are collected
collect_ignore = ["golden", "programs"]  # scripts: what wrote golden files, and programs that a test runs
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell starts what runs in the background so
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """Programs are kept for this run; where kernels were not compiled, modules that need them have no doctests."""
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:  # of the run that this one is a part of
        os.environ["JAX_COMPILATION_CACHE_DIR"] = folder = tempfile.mkdtemp(prefix="layerwise-programs-")
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    if find_spec("layerwise.backends._native") is None:
        needing = config.rootpath / "src/layerwise/backends/native"
        config.option.ignore = [*(config.option.ignore or []), str(needing)]


def pytest_collection_finish() -> None:
    """What was imported stays: the garbage collector need not look through it, nor come so often."""
    gc.enable()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder `LAYERWISE_TEST_DATA` with real data sets (mnist/...); tests that want it skip where it is unset."""
    folder = os.environ.get("LAYERWISE_TEST_DATA")
    if not folder:
        pytest.skip("LAYERWISE_TEST_DATA is not set")
    return Path(folder)


@pytest.fixture(autouse=True)
def same_in_any_order(request):
    """Every test draws the same random numbers and counts names from the start, whatever ran before in its process.

    What it sets in the configuration ends with it.
    """
    for name in ("rng", "RNG"):
        if hasattr(request.module, name):
            setattr(request.module, name, np.random.default_rng(0))
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(0)
    if "layerwise.random" in sys.modules:
        sys.modules["layerwise.random"].set_random_seed(0)
    if "layerwise.naming" in sys.modules:
        sys.modules["layerwise.naming"].reset_names()
    settings = sys.modules["layerwise.config"]._defaults if "layerwise.config" in sys.modules else {}
    before = dict(settings)
    yield
    settings.update(before)


@pytest.fixture(autouse=True, scope="module")
def compiled_programs_are_forgotten():
    """Those that JAX compiled for one file of tests would take gigabytes by the last one."""
    yield
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()
        gc.collect()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs float64 where the backend has none; a doctest has no place for a marker."""
    from layerwise.backends import backend

    try:
        backend().check_dtype("float64")
    except TypeError as error:
        for item in items:
            if item.get_closest_marker("float64") or item.name == "layerwise.autograd.checking.gradcheck":
                item.add_marker(pytest.mark.skip(reason=str(error)))
