"""What every test shares: Keras, the oracle, runs on JAX; real data lies in a folder that the environment names."""

import os
import signal
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

os.environ["KERAS_BACKEND"] = "jax"  # before anything imports keras
collect_ignore = ["golden"]  # scripts that wrote golden files, with packages that tests do not need
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell starts what runs in the background so
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """Where the kernels were not compiled, modules that need them are not searched for doctests."""
    if find_spec("layerwise.backends._native") is None:
        needing = [config.rootpath / "src/layerwise/backends" / name for name in ("native.py", "program.py")]
        config.option.ignore = [*(config.option.ignore or []), *map(str, needing)]


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder `LAYERWISE_TEST_DATA` with real data sets (mnist/...); tests that want it skip where it is unset."""
    folder = os.environ.get("LAYERWISE_TEST_DATA")
    if not folder:
        pytest.skip("LAYERWISE_TEST_DATA is not set")
    return Path(folder)


@pytest.fixture(autouse=True)
def same_numbers_in_any_order(request):
    """Every test draws the same random numbers, whatever ran before it in its process."""
    for name in ("rng", "RNG"):
        if hasattr(request.module, name):
            setattr(request.module, name, np.random.default_rng(0))
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(0)
    if "layerwise.random" in sys.modules:
        sys.modules["layerwise.random"].set_random_seed(0)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs float64 where the backend has none; a doctest has no place for a marker."""
    from layerwise.backends import backend

    try:
        backend().check_dtype("float64")
    except TypeError as error:
        for item in items:
            if item.get_closest_marker("float64") or item.name == "layerwise.autograd.checking.gradcheck":
                item.add_marker(pytest.mark.skip(reason=str(error)))
