"""What every test shares: Keras, the oracle, runs on JAX; real data lies in a folder that the environment names."""

import os
from pathlib import Path

import pytest

os.environ["KERAS_BACKEND"] = "jax"  # before anything imports keras


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder `LAYERWISE_TEST_DATA` with real data sets (mnist/...); tests that want it skip where it is unset."""
    folder = os.environ.get("LAYERWISE_TEST_DATA")
    if not folder:
        pytest.skip("LAYERWISE_TEST_DATA is not set")
    return Path(folder)
